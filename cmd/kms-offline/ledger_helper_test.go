//go:build unix

package main

import (
	"coldkms/offline/ledger"
	"coldkms/offline/wallet"
)

// freshLedger makes the ledger of a new wallet.
func freshLedger(a *app, path string, w *wallet.Wallet) error {
	files := ledger.NewFiles(a.fs, path+ledgerSuffix)
	defer func() { _ = files.Close() }()
	_, err := a.startLedger(files, path, w)
	return err
}

// ledgerBeside opens the ledger of a wallet, as the next command would, and
// closes its file.
func ledgerBeside(a *app, w *wallet.Wallet) (*ledger.Ledger, error) {
	files := ledger.NewFiles(a.fs, w.Path()+ledgerSuffix)
	defer func() { _ = files.Close() }()
	return a.bookOf(&opened{Wallet: w, files: files})
}
