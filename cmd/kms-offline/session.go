package main

import (
	"fmt"

	"coldkms/cmd/internal/cli"
	"coldkms/offline"
	"coldkms/offline/ledger"
	"coldkms/offline/sign"
	"coldkms/offline/sign/utxo"
	"coldkms/offline/wallet"
	"coldkms/shared/chain"
	"coldkms/shared/identity"
)

// ledgerSuffix names the ledger that belongs to a wallet.
const ledgerSuffix = ".ledger"

// openSession is a session with what has to be closed after it.
type openSession struct {
	*offline.Session
	wallet *opened
	files  *ledger.Files

	noRules error // why there is no policy to judge by; the ledger can be asked all the same
}

// Close wipes and unlocks.
func (s *openSession) Close() {
	_ = s.files.Close()
	s.wallet.Close()
}

// openSession opens wallet and ledger. A ledger that is missing, damaged, of
// another wallet or older than what was acknowledged stops everything.
func (a *app) openSession() (*openSession, error) {
	w, err := a.open()
	if err != nil {
		return nil, err
	}
	id, err := w.Identity()
	if err != nil {
		w.Close()
		return nil, err
	}
	book, files, err := a.openLedger(w, id)
	if err != nil {
		w.Close()
		return nil, ledgerError(err)
	}
	rules, noRules := offline.InForce(w.Policy(), book) // the zero Policy, which allows nothing, where there is an error
	session := &offline.Session{
		Keys: w, Identity: id, Paired: w.Paired, Ledger: book, Policy: rules, Operators: enrolled(w),
		Signers: []sign.Signer{utxo.Signer{Chains: built()}}, Online: a.up(), Offline: a.isOffline(),
	}
	if a.testnet {
		session.Only = chain.Testnet
	}
	return &openSession{Session: session, wallet: w, files: files, noRules: noRules}, nil
}

// openLedger opens the ledger of a wallet.
func (a *app) openLedger(w *opened, id identity.Private) (*ledger.Ledger, *ledger.Files, error) {
	files := ledger.NewFiles(a.fs, w.Path()+ledgerSuffix)
	book, err := ledger.Open(files, id.Public().Fingerprint(), a.now)
	if err == nil && book.Genesis() != string(w.Ledger()) {
		err = fmt.Errorf("%w: its first line is not the one that this wallet began with", ledger.ErrDamaged)
	}
	if err != nil {
		_ = files.Close()
		return nil, nil, err
	}
	return book, files, nil
}

// startLedger writes the first line of a new wallet's ledger and binds the
// wallet to it.
func (a *app) startLedger(path string, w *wallet.Wallet) error {
	id, err := w.Identity()
	if err != nil {
		return err
	}
	files := ledger.NewFiles(a.fs, path+ledgerSuffix)
	defer func() { _ = files.Close() }()
	book, err := ledger.Create(files, id.Public().Fingerprint(), a.now)
	if err != nil {
		return cli.Fail(cli.Refused, err, fmt.Sprintf("%s%s is the memory of another wallet: put that wallet back, or choose another --path", path, ledgerSuffix))
	}
	return w.SetLedger([]byte(book.Genesis()))
}
