package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"coldkms/cmd/internal/cli"
	"coldkms/offline"
	"coldkms/offline/ledger"
	"coldkms/offline/wallet"
	"coldkms/shared/identity"
)

func (a *app) ledgerUpgrade() *cobra.Command {
	return &cobra.Command{
		Use:   "upgrade",
		Short: "authenticate a ledger of version 1 from here on",
		Long: `upgrade appends a line to a ledger that an earlier version of this program wrote.
Lines of version 1 carry no authentication code: whoever could write to the disk
could have changed them. The new line, and each one after it, is authenticated
under a key of the wallet and covers everything before it.

Compare length and head with what you noted before you agree: ledger verify prints
them, and backup copies the set as it is. Reviews and
approvals of before count no longer: review and approve again what is not signed.`,
		Example: "  kms-offline --path wallet.kms ledger upgrade",
		Args:    cobra.NoArgs,
		RunE:    func(*cobra.Command, []string) error { return a.runUpgrade() },
	}
}

func (a *app) runUpgrade() error {
	w, err := a.open()
	if err != nil {
		return err
	}
	defer w.Close()
	id, err := w.Identity()
	if err != nil {
		return err
	}
	book, err := a.openAnyLedger(w.files, w.Wallet, id)
	if err != nil {
		return ledgerError(err)
	}
	if string(w.Ledger()) == book.Root() {
		return cli.Fail(cli.Failed, errors.New("the ledger is of the newest version already: nothing was changed"), "")
	}
	if err := a.timely(book); err != nil {
		return err
	}
	text := fmt.Sprintf("The ledger has %s and ends with\n  %s\nIs that what you noted last? From here on its lines are authenticated.\n",
		counted(int(book.Len()), "line", "lines"), book.Head())
	if err := a.typedWord(text, "upgrade"); err != nil {
		return err
	}
	// what shows that the wallet is an old one stays, for ledger settle
	current := len(offline.Differences(kept(w.Wallet), book)) == 0 || !book.Keyed() && len(w.Known()) == 0
	if !book.Keyed() { // else only the wallet does not know it yet
		if err := book.Upgrade(); err != nil {
			return ledgerError(err)
		}
	} else if err := book.Append(ledger.Line{Kind: ledger.KindWallet, Act: ledger.ActUpgrade}); err != nil {
		return ledgerError(err)
	}
	if err := w.SetLedger([]byte(book.Root())); err != nil {
		return err
	}
	if current {
		if err := w.SetKnown(book.HeadBytes()); err != nil {
			return err
		}
	}
	if !current {
		if err := a.keepPrevious(w); err != nil {
			return err
		}
	}
	if err := w.Save(); err != nil {
		return err
	}
	return a.JSON(replyAbout(book))
}

// openAnyLedger opens a ledger of any version that belongs to a wallet.
func (a *app) openAnyLedger(files *ledger.Files, w *wallet.Wallet, id identity.Private) (*ledger.Ledger, error) {
	book, err := ledger.OpenAny(files, ledger.OwnerOf(id), a.now)
	if err == nil && string(w.Ledger()) != book.Genesis() {
		err = belongs(w, book)
	}
	if err != nil {
		return nil, err
	}
	return book, nil
}

// copyOfLedger reads the ledger beside a wallet, of any version, and writes
// nothing.
func (a *app) copyOfLedger(path string, w *wallet.Wallet) (*ledger.Ledger, error) {
	id, err := w.Identity()
	if err != nil {
		return nil, err
	}
	return a.openAnyLedger(ledger.NewCopy(a.fs, path+ledgerSuffix), w, id)
}

func (a *app) ledgerSettle() *cobra.Command {
	return &cobra.Command{
		Use:   "settle",
		Short: "record what is so where wallet and ledger do not agree",
		Long: `settle is for a wallet that is not the one its ledger speaks of: an old copy of
one of both was put back, or a change was interrupted. Nothing is signed, and no
command writes the wallet, until then. It lists each difference and asks.
Afterwards an operator may approve, and a relay may ask, only if wallet and ledger
both had them; add the others again. A key that was removed is taken out of the
wallet again. A key that was added and is not in the wallet is recorded as lost:
restore a copy that holds it, before or after. A password that came back with an old wallet opens it until you type
changepassword: do so at once.

The policy is not settled here: set it again with policy set.

Find out first who put an old file back. If you have the newest files, put those
back instead.`,
		Example: "  kms-offline --path wallet.kms ledger settle",
		Args:    cobra.NoArgs,
		RunE:    func(*cobra.Command, []string) error { return a.withLedger(a.settle) },
	}
}

// lostKeys is what keys that are missing mean.
const lostKeys = `What was paid to keys that are missing is spent only with a copy that holds them. If there is
one, answer nothing now and put it back: kms-offline restore FILE
`

// forgottenHere is what an old ledger means.
const forgottenHere = `Signatures made since are
forgotten here: outpoints already signed, what limits have been used up, and who said no to what.
`

func (a *app) settle(s *openSession) error {
	list := offline.Differences(kept(s.wallet.Wallet), s.Ledger)
	if len(list) == 0 {
		if s.noRules != nil { // it is for "policy set"
			return policyError(s.noRules)
		}
		return cli.Fail(cli.Failed, errors.New("wallet and ledger agree: nothing was changed"), "")
	}
	if err := a.timely(s.Ledger); err != nil {
		return err
	}
	text := "Wallet and ledger do not agree:\n"
	people, forgotten, taken, lost := false, false, false, false
	lines := make([]ledger.Line, len(list))
	reply := settledReply{Settled: make([]string, len(list))}
	for i, d := range list {
		text += "  " + d.Text + "\n"
		lines[i], reply.Settled[i] = d.Line, d.Text
		forgets := d.Line.Kind == ledger.KindAccepted
		takes := d.Line.Act == ledger.ActSettle
		loses := d.Lost != ""
		people, forgotten, taken, lost = people || !forgets && !takes && !loses, forgotten || forgets, taken || takes, lost || loses
	}
	if lost {
		holders, err := a.holdersOf(s.wallet, list)
		if err != nil {
			return err
		}
		text += lostKeys + holders
	}
	if forgotten {
		text += forgottenHere
	}
	if people {
		text += "None of these operators and relays counts any more once this is recorded.\n"
	}
	if s.noRules != nil {
		text += fmt.Sprintf("The policy is not settled by this: %v. Set it again afterwards: kms-offline policy set FILE\n", s.noRules)
	}
	if taken {
		text += "Keys that were removed are taken out of the wallet again. A password that was changed and came\nback stays until you have typed: kms-offline changepassword\n"
	}
	if err := a.typedWord(text, "settle"); err != nil {
		return err
	}
	if lost {
		if err := a.keepPrevious(s.wallet); err != nil {
			return err
		}
	}
	if err := s.Ledger.Append(lines...); err != nil {
		return ledgerError(err)
	}
	for _, d := range list {
		if d.Operator != "" {
			s.wallet.RemoveOperator(d.Operator)
		}
		if d.Relay != (identity.Public{}) {
			s.wallet.Unpair(d.Relay)
		}
		if _, has := s.wallet.Lookup(d.Key); has {
			if err := s.wallet.Remove(d.Key); err != nil {
				return err
			}
		}
	}
	if err := s.wallet.SetKnown(s.Ledger.HeadBytes()); err != nil {
		return err
	}
	if err := s.wallet.Save(); err != nil {
		return err
	}
	reply.ledgerReply = replyAbout(s.Ledger)
	return a.JSON(reply)
}

type settledReply struct {
	Settled []string `json:"settled"`
	ledgerReply
}
