package main

import (
	"crypto/rand"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"coldkms/offline/wallet"
	"coldkms/shared/chain"
	"coldkms/shared/durable"
)

// wallet: 25,000 keys, opened and written, beyond the password derivation,
// which is measured with the least cost that is written.
func (t *table) wallet() error {
	n := t.size(25_000)
	dir, err := os.MkdirTemp("", "coldkms-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "wallet.kms")
	store := wallet.Store{FS: durable.OS{}, Rand: rand.Reader, Cost: wallet.DefaultCost()}
	empty := filepath.Join(dir, "empty.kms")
	small, err := store.Create(empty, []byte("pw"))
	if err != nil {
		return err
	}
	small.Close()
	kdf, err := opens(store, empty)
	if err != nil {
		return err
	}
	w, err := store.New(path, []byte("pw"))
	if err != nil {
		return err
	}
	if err := fill(w, n); err != nil {
		return err
	}
	start := time.Now()
	if err := w.Save(); err != nil {
		return err
	}
	saved := time.Since(start)
	w.Close()
	opened, err := opens(store, path)
	if err != nil {
		return err
	}
	t.add("password derivation (256 MiB, 3 passes, 4 lanes)", seconds(kdf), "", "")
	t.add(fmt.Sprintf("wallet of %d keys, opened", n), seconds(opened), fmt.Sprintf("derivation + %.0f ms", float64((opened-kdf).Microseconds())/1000), "derivation + 100 ms")
	t.add(fmt.Sprintf("%d new keys in one durable write", n), seconds(saved), fmt.Sprintf("derivation + %.0f ms", float64((saved-kdf).Microseconds())/1000), "one write")
	return nil
}

func fill(w *wallet.Wallet, n int) error {
	secret := make([]byte, 32)
	entries := make([]wallet.Entry, n)
	for i := range entries {
		if _, err := rand.Read(secret); err != nil {
			return err
		}
		id, err := w.NewID()
		if err != nil {
			return err
		}
		if entries[i], err = wallet.FromKey(id, chain.BTC, chain.Testnet, secret, true, time.Now()); err != nil {
			return err
		}
	}
	return w.Add(entries...)
}

// opens gives the median of three.
func opens(store wallet.Store, path string) (time.Duration, error) {
	var took [3]time.Duration
	for i := range took {
		start := time.Now()
		w, err := store.Open(path, []byte("pw"))
		if err != nil {
			return 0, err
		}
		took[i] = time.Since(start)
		w.Close()
	}
	return max(min(took[0], took[1]), min(max(took[0], took[1]), took[2])), nil
}
