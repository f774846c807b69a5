package main

import (
	"coldkms/offline"
	"coldkms/offline/ledger"
)

// record writes into the ledger what is about to be done with the wallet, and
// has the wallet remember, at its next save, how far the ledger was. Nothing is
// recorded where the wallet, as it was opened, and its ledger do not agree: the
// save would wipe out what shows that one of them is an old copy.
func (a *app) record(w *opened, lines ...ledger.Line) error {
	return a.recordIf(w, func(book *ledger.Ledger) error { return w.agrees(book, lines) }, lines)
}

// agrees returns nil if the wallet as it was opened and its ledger say the same.
// To set a policy is the way to settle what they say of the policy.
func (o *opened) agrees(book *ledger.Ledger, lines []ledger.Line) error {
	if err := offline.Unsettled(offline.Differences(o.was, book)); err != nil {
		return ledgerError(err)
	}
	if lines[0].Kind == ledger.KindPolicy {
		return nil
	}
	_, err := offline.InForce(families(), o.rules, book)
	return policyError(err)
}

func (a *app) recordIf(w *opened, check func(*ledger.Ledger) error, lines []ledger.Line) error {
	book, err := a.bookOf(w)
	if err != nil {
		return err
	}
	if err := check(book); err != nil {
		return err
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
func (a *app) save(w *opened, lines ...ledger.Line) error {
	for i := range lines {
		lines[i].Kind = ledger.KindWallet
	}
	if err := a.saveRecorded(w, lines); err != nil {
		return err
	}
	w.was = kept(w.Wallet) // as if it was opened again: a command may make several changes
	return nil
}

func (a *app) saveRecorded(w *opened, lines []ledger.Line) error {
	if w.fresh {
		if err := w.Save(); err != nil {
			return err
		}
		w.fresh = false
		return a.record(w, lines...)
	}
	if err := a.record(w, lines...); err != nil {
		return err
	}
	return w.Save()
}

// recordAct records an act that does not write the wallet. An old ledger takes
// no line; other differences stay as they are, for a person to settle.
func (a *app) recordAct(w *opened, act, id string) error {
	return a.recordIf(w, func(book *ledger.Ledger) error {
		if known := w.Known(); len(known) > 0 && !book.Knows(known) {
			return ledgerError(offline.Unsettled(offline.Differences(w.was, book)))
		}
		return nil
	}, []ledger.Line{{Kind: ledger.KindWallet, Act: act, ID: id}})
}
