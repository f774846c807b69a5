//go:build unix

package main

import (
	"crypto/rand"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"coldkms/offline/hd/hdtest"
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
	store := wallet.Store{FS: durable.OS{}, Coins: hdtest.Coins, Rand: rand.Reader, Cost: wallet.DefaultCost()}
	empty := filepath.Join(dir, "empty.kms")
	small, err := store.Create(empty, []byte("pw"))
	if err != nil {
		return err
	}
	small.Close()
	w, err := store.New(path, []byte("pw"))
	if err != nil {
		return err
	}
	if err := fill(w, n); err != nil {
		return err
	}
	if err := w.Save(); err != nil {
		return err
	}
	w.Close()
	kdf, opened, err := pairs(func() (time.Duration, error) { return opens(store, empty) },
		func() (time.Duration, error) { return opens(store, path) })
	if err != nil {
		return err
	}
	_, saved, err := pairs(func() (time.Duration, error) { return saves(store, empty) },
		func() (time.Duration, error) { return saves(store, path) })
	if err != nil {
		return err
	}
	t.add("password derivation (256 MiB, 3 passes, 4 lanes)", seconds(kdf), "", "")
	t.add(fmt.Sprintf("wallet of %d keys, opened", n), seconds(kdf+opened),
		fmt.Sprintf("that of an empty one + %.0f ms", float64(opened.Microseconds())/1000), "+ 100 ms")
	t.add(fmt.Sprintf("wallet of %d keys, one durable write", n), seconds(kdf+saved),
		fmt.Sprintf("that of an empty one + %.0f ms", float64(saved.Microseconds())/1000), "one write")
	return nil
}

// pairs measures two things in turn, five times, and returns the median of the
// first and the median of the differences: what they share, such as the
// password derivation of a busy moment, cancels out.
func pairs(a, b func() (time.Duration, error)) (first, more time.Duration, err error) {
	var firsts, differences []time.Duration
	for range 5 {
		x, err := a()
		if err != nil {
			return 0, 0, err
		}
		y, err := b()
		if err != nil {
			return 0, 0, err
		}
		firsts, differences = append(firsts, x), append(differences, y-x)
	}
	slices.Sort(firsts)
	slices.Sort(differences)
	return firsts[2], differences[2], nil
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
		if entries[i], err = wallet.FromKey(id, hdtest.Coin(chain.Coin{Chain: chain.BTC, Network: chain.Testnet}), secret,
			true, time.Now()); err != nil {
			return err
		}
	}
	return w.Add(entries...)
}

func opens(store wallet.Store, path string) (time.Duration, error) {
	start := time.Now()
	w, err := store.Open(path, []byte("pw"))
	if err != nil {
		return 0, err
	}
	defer w.Close()
	return time.Since(start), nil
}

func saves(store wallet.Store, path string) (time.Duration, error) {
	w, err := store.Open(path, []byte("pw"))
	if err != nil {
		return 0, err
	}
	defer w.Close()
	start := time.Now()
	err = w.Save()
	return time.Since(start), err
}
