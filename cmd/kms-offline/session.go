package main

import (
	"errors"
	"fmt"

	"coldkms/cmd/internal/cli"
	"coldkms/offline"
	"coldkms/offline/ledger"
	"coldkms/offline/wallet"
	"coldkms/shared/chain"
	"coldkms/shared/durable"
	"coldkms/shared/identity"
)

// ledgerSuffix names the ledger that belongs to a wallet.
const ledgerSuffix = ".ledger"

// openSession is a session with what has to be closed after it.
type openSession struct {
	*offline.Session
	wallet *opened

	length      uint64 // of the ledger when it was opened
	lengthKnown bool   // a person has named it

	noRules error // why there is no policy to judge by; the ledger can be asked all the same
}

// Close wipes and unlocks.
func (s *openSession) Close() { s.wallet.Close() }

// openSession opens wallet and ledger. A ledger that is missing, damaged, of
// another wallet or older than what was acknowledged stops everything.
func (a *app) openSession() (*openSession, error) {
	w, err := a.open()
	if err != nil {
		return nil, err
	}
	s, err := a.sessionOf(w)
	if err != nil {
		w.Close()
	}
	return s, err
}

// sessionOf opens the ledger of an open wallet.
func (a *app) sessionOf(w *opened) (*openSession, error) {
	id, err := w.Identity()
	if err != nil {
		return nil, err
	}
	book, err := a.bookOf(w)
	if err != nil {
		return nil, err
	}
	rules, noRules := offline.InForce(families(), w.Policy(), book) // the zero Policy, which allows nothing, where there is an error
	session := &offline.Session{
		Keys: w, Identity: id, Paired: w.Paired, Ledger: book, Random: a.random, Policy: rules, Operators: enrolled(w.Wallet),
		Unsettled: offline.Unsettled(offline.Differences(kept(w.Wallet), book)),
		Signers:   families(), Online: a.up(), Offline: a.isOffline(),
		Counted: liftLimit,
	}
	if a.testnet {
		session.Only = chain.Testnet
	}
	return &openSession{Session: session, wallet: w, length: book.Len(), noRules: noRules}, nil
}

// agree returns nil if wallet and ledger say the same, or what review says
// where they do not.
func (s *openSession) agree() error { return disagreement(s.wallet.Wallet, s.Ledger) }

// disagreement is what wallet and ledger say differently, as an error; nil if
// that is nothing.
func disagreement(w *wallet.Wallet, book *ledger.Ledger) error {
	if err := offline.Unsettled(offline.Differences(kept(w), book)); err != nil {
		return ledgerError(err)
	}
	_, err := offline.InForce(families(), w.Policy(), book)
	return policyError(err)
}

// unsettled is what the wallet and its ledger say differently about keys,
// operators and relays; nil if that is nothing, or the ledger cannot be opened.
func (a *app) unsettled(w *opened) error {
	book, err := a.bookOf(w)
	if err != nil {
		return nil
	}
	if err := offline.Unsettled(offline.Differences(kept(w.Wallet), book)); err != nil {
		return ledgerError(err)
	}
	return nil
}

// warnUnsettled says aloud that wallet and ledger do not agree, where a command
// goes on all the same.
func (a *app) warnUnsettled(w *opened) {
	if err := a.unsettled(w); err != nil {
		fmt.Fprintf(a.Err, "WARNING: %s; kms-offline ledger settle lists all\n", cli.Printable(err.Error()))
	}
}

// kept is what a wallet says about who may ask and who may approve.
func kept(w *wallet.Wallet) offline.Kept {
	k := offline.Kept{Operators: enrolled(w), Known: w.Known(), Keys: w.IDs()}
	for _, relay := range w.Relays() {
		k.Relays = append(k.Relays, relay.Key)
	}
	return k
}

// bookOf returns the ledger of an open wallet. It is replayed once, and stays
// open, held against other processes, as long as the wallet.
func (a *app) bookOf(w *opened) (*ledger.Ledger, error) {
	if w.book != nil {
		return w.book, nil
	}
	id, err := w.Identity()
	if err != nil {
		return nil, err
	}
	read := a.busy("reading the ledger")
	book, err := ledger.Open(w.files, ledger.OwnerOf(id), a.now)
	read()
	if errors.Is(err, ledger.ErrVersion) {
		err = a.upgradable(w, id, err)
	}
	if err == nil {
		err = belongs(w.Wallet, book)
	}
	if err != nil {
		return nil, ledgerError(err)
	}
	w.book, w.indices = book, book.Indices
	return book, nil
}

// upgradable returns the error about a ledger of version 1, or that of one
// which is not this wallet's: no upgrade would make it so.
func (a *app) upgradable(w *opened, id identity.Private, version error) error {
	files := ledger.NewCopy(a.fs, w.Path()+ledgerSuffix)
	defer func() { _ = files.Close() }()
	book, err := ledger.OpenAny(files, ledger.OwnerOf(id), a.now)
	switch {
	case err != nil:
		return err
	case string(w.Ledger()) != book.Genesis():
		if err := belongs(w.Wallet, book); err != nil {
			return err
		}
	}
	return version
}

// belongs returns nil if a ledger is the one that a wallet is bound to.
func belongs(w *wallet.Wallet, book *ledger.Ledger) error {
	switch bound := string(w.Ledger()); {
	case bound == book.Root():
		return nil
	case bound == book.Genesis():
		return fmt.Errorf("%w: this wallet file is older than the upgrade of its ledger", ledger.ErrVersion)
	}
	return fmt.Errorf("%w: its first line is not the one that this wallet began with", ledger.ErrDamaged)
}

// startLedger writes the first line of a new wallet's ledger and binds the
// wallet to it.
func (a *app) startLedger(files *ledger.Files, path string, w *wallet.Wallet) (*ledger.Ledger, error) {
	id, err := w.Identity()
	if err != nil {
		return nil, err
	}
	book, err := ledger.Create(files, ledger.OwnerOf(id), a.now)
	if errors.Is(err, durable.ErrLocked) {
		return nil, err
	}
	if err != nil {
		return nil, cli.Fail(cli.Refused, err, fmt.Sprintf("%s%s is the memory of another wallet: put that wallet back, or choose another --path", inLine(path), ledgerSuffix))
	}
	if err := w.SetKnown(book.HeadBytes()); err != nil {
		return nil, err
	}
	return book, w.SetLedger([]byte(book.Root()))
}
