//go:build unix

package wallet_test

import (
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"coldkms/offline/hd/hdtest"
	"coldkms/offline/wallet"
	"coldkms/shared/chain"
	"coldkms/shared/durable"
)

// A wallet is made, gets an entry, and is opened again with its password.
func Example() {
	dir, err := os.MkdirTemp("", "example")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "wallet.kms")
	// A Cost this small is for examples: leave it out for a real wallet. Coins are
	// those of the families that a program is built with.
	store := wallet.Store{FS: durable.OS{}, Rand: rand.Reader, Coins: hdtest.Coins, Cost: wallet.Cost{Memory: 8, Passes: 1, Lanes: 1}}
	w, err := store.New(path, []byte("correct horse battery staple"))
	if err != nil {
		panic(err)
	}
	const words = "abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon about"
	const id = "00000000-0000-4000-8000-000000000001"
	coin := chain.Coin{Chain: chain.BTC, Network: chain.Testnet}
	entry, err := wallet.FromMnemonic(id, hdtest.Coin(coin), []byte(words), nil, time.Unix(1_700_000_000, 0))
	if err == nil {
		err = w.Add(entry)
	}
	if err == nil {
		err = w.Save()
	}
	if err != nil {
		panic(err)
	}
	w.Close()

	_, err = store.Open(path, []byte("guess"))
	fmt.Println(errors.Is(err, wallet.ErrWrongPassword))
	w, err = store.Open(path, []byte("correct horse battery staple"))
	if err != nil {
		panic(err)
	}
	defer w.Close()
	key, err := w.Public(id, 0)
	fmt.Printf("%x %v\n", key[:4], err)
	// Output:
	// true
	// 02a74513 <nil>
}
