package main

import (
	"coldkms/offline"
	"coldkms/offline/ledger"
)

// record writes into the ledger what is about to be done with the wallet, and
// has the wallet remember, at its next save, how far the ledger was. A wallet
// that knows of a line which the ledger does not contain records nothing: what
// shows that the ledger is an old copy would be lost.
func (a *app) record(w *opened, lines ...ledger.Line) error {
	id, err := w.Identity()
	if err != nil {
		return err
	}
	book, files, err := a.openLedger(w, id)
	if err != nil {
		return ledgerError(err)
	}
	defer func() { _ = files.Close() }()
	if known := w.Known(); len(known) > 0 && !book.Knows(known) {
		return ledgerError(offline.Unsettled(offline.Differences(offline.Kept{Known: known}, book)))
	}
	if err := a.timely(book); err != nil {
		return err
	}
	if err := book.Append(lines...); err != nil {
		return ledgerError(err)
	}
	return w.SetKnown(book.HeadBytes())
}

// save records a change and writes the wallet. The line comes first, so that
// nothing is changed unrecorded; a line of something that then failed says no
// more than that it was tried. A new wallet is written first: a ledger with
// more than its first line and no wallet would look like a wallet that was lost.
func (a *app) save(w *opened, line ledger.Line) error {
	line.Kind = ledger.KindWallet
	if w.fresh {
		if err := w.Save(); err != nil {
			return err
		}
		w.fresh = false
		return a.record(w, line)
	}
	if err := a.record(w, line); err != nil {
		return err
	}
	return w.Save()
}

// recordAct records an act that changes no wallet file, or that is written by
// other means.
func (a *app) recordAct(w *opened, act, id string) error {
	return a.record(w, ledger.Line{Kind: ledger.KindWallet, Act: act, ID: id})
}
