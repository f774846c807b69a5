package main

import (
	"bufio"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"coldkms/cmd/internal/cli"
	"coldkms/offline"
	"coldkms/offline/ledger"
	"coldkms/shared/identity"
)

type ledgerReply struct {
	Lines uint64 `json:"lines"`
	Head  string `json:"head"`
	Words string `json:"words"` // of the head, to be noted and compared

	Version int `json:"version"` // 1: its lines carry no authentication codes
}

func replyAbout(book *ledger.Ledger) ledgerReply {
	reply := ledgerReply{Lines: book.Len(), Head: book.Head(), Words: identity.Words(book.HeadBytes()), Version: 1}
	if book.Keyed() {
		reply.Version = ledger.Version
	}
	return reply
}

func (a *app) ledger() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "ledger",
		Short: "check the ledger and print its head; list, export, release, accept, clock, upgrade, settle",
		Long: `ledger checks every line of the ledger: its hash, its authentication code under
the wallet's key, and that the last line which was acknowledged is in it. It
prints length and head, and the head as words. Write length and words down after
a session: they fix everything before.`,
		Example: `  kms-offline --path wallet.kms ledger verify
  kms-offline --path wallet.kms ledger export > ledger.jsonl`,
		Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error { return a.runLedger() },
	}
	cmd.AddCommand(a.ledgerVerify(), a.ledgerList(), a.ledgerExport(), a.ledgerRelease(), a.ledgerAccept(), a.ledgerClock(), a.ledgerUpgrade(), a.ledgerSettle())
	return cmd
}

func (a *app) runLedger() error {
	w, err := a.open()
	if err != nil {
		return err
	}
	s, err := a.sessionOf(w)
	if err != nil {
		defer w.Close()
		return a.showUpgradable(w, err)
	}
	defer s.Close()
	if err := a.JSON(replyAbout(s.Ledger)); err != nil {
		return err
	}
	if text := offline.ClockAhead(s.Ledger); text != "" {
		fmt.Fprintf(a.Err, "WARNING: %s\n", text)
	}
	return s.agree()
}

// showUpgradable prints how far a ledger is that was not upgraded yet. Its
// hashes hold; that is what a person compares and copies before the upgrade.
func (a *app) showUpgradable(w *opened, why error) error {
	if !errors.Is(why, ledger.ErrVersion) {
		return why
	}
	book, err := a.copyOfLedger(w.Path(), w.Wallet)
	if err != nil {
		return ledgerError(err)
	}
	if err := a.JSON(replyAbout(book)); err != nil {
		return err
	}
	hint := "compare lines and head with what you noted, "
	if !book.Keyed() {
		hint += "copy it (kms-offline backup FILE), "
	}
	return cli.Fail(cli.Refused, fmt.Errorf("the hashes of all lines hold; %w", why), hint+"then type kms-offline ledger upgrade")
}

func (a *app) ledgerVerify() *cobra.Command {
	return &cobra.Command{
		Use:     "verify",
		Short:   "check every line",
		Long:    "verify checks every line of the ledger, its authentication codes included, and\nprints its length and head. Then it compares the ledger with the wallet, and its\nclock with the machine's.\n\nExit status: 0 it holds, 20 it was changed (the line is named), cut or rolled back,\nothers may write to it, the wallet does not agree with it, or it is of version 1:\nthen its hashes hold, and nothing authenticates them before ledger upgrade.",
		Example: "  kms-offline --path wallet.kms ledger verify",
		Args:    cobra.NoArgs,
		RunE:    func(*cobra.Command, []string) error { return a.runLedger() },
	}
}

func (a *app) ledgerExport() *cobra.Command {
	return &cobra.Command{
		Use:   "export",
		Short: "print every line as JSON",
		Long: `export prints the ledger's lines, each one JSON value, after all were checked: the
bytes between hash and line feed of the file, so that anyone can follow the chain
(docs/FORMAT.md). No secret is in it.`,
		Example: "  kms-offline --path wallet.kms ledger export > ledger.jsonl",
		Args:    cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			return a.withLedger(func(s *openSession) error {
				out := bufio.NewWriter(a.Out)
				if err := s.Ledger.Export(func(body []byte) error {
					_, err := fmt.Fprintf(out, "%s\n", cli.Printable(string(body)))
					return err
				}); err != nil {
					return ledgerError(err)
				}
				return out.Flush()
			})
		},
	}
}

func (a *app) withLedger(do func(*openSession) error) error {
	s, err := a.openSession()
	if err != nil {
		return err
	}
	defer s.Close()
	return do(s)
}

func (a *app) ledgerRelease() *cobra.Command {
	return &cobra.Command{
		Use:   "release ID",
		Short: "free what a signed transaction spends, so that it can be paid otherwise",
		Long: `release frees the outpoints that the transaction signed for a pending id spends.
It is for a payment that was signed, was never broadcast, and must be made in
another way. The signed transaction stays valid wherever a copy of it exists:
whoever has one can still send it, and then one of the two payments fails.
Make sure first that the relay has not sent it (kms-online status ID), and that
the new payment spends at least one of the same outpoints: then only one of both
can ever be mined.

It is asked on the terminal, and recorded. The pending id itself stays taken, but
for the same transaction with other claims about what it spends.`,
		Example: "  kms-offline --path wallet.kms ledger release 63aaf5e2c5d2c5d9d5f2b6d1",
		Args:    cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			return a.withLedger(func(s *openSession) error { return a.release(s, args[0]) })
		},
	}
}

func (a *app) release(s *openSession, id string) error {
	spends := s.Ledger.Spends(id)
	if len(spends) == 0 {
		// The id is not repeated: who mistakes the command may have typed a key.
		return cli.Fail(cli.Failed, errors.New("nothing is taken by a transaction that was signed for this id"), "ledger export lists what was signed")
	}
	if err := a.timely(s.Ledger); err != nil {
		return err
	}
	text := fmt.Sprintf("The transaction signed for %s spends:\n", id)
	for _, op := range spends {
		text += "  " + op + "\n"
	}
	text += `It stays valid wherever a copy exists. Released, these outpoints can be signed into another.
What prevents two payments is that the new payment spends one of these, at least:
then one at most of both is mined. A payment that spends none of them is paid
besides this one. The review of one that does says "replaces".
`
	if err := a.typedWord(text, "release"); err != nil {
		return err
	}
	if err := s.Ledger.Append(ledger.Line{Kind: ledger.KindReleased, ID: id, Spent: spends}); err != nil {
		return ledgerError(err)
	}
	return a.JSON(struct {
		ID       string   `json:"id"`
		Released []string `json:"released"`
	}{id, spends})
}

func (a *app) ledgerClock() *cobra.Command {
	return &cobra.Command{
		Use:   "clock",
		Short: "say that the machine's clock is right",
		Long: `The limits of a policy go by the ledger's own clock, which never goes back. After
a day on which the machine's clock was far ahead, it stands still until the real
time has caught up. clock sets it to the machine's time. What was signed with the
wrong clock counts as signed now, so that no limit is freed.

Where the machine's clock is more than a day ahead of the last line, sign, review
and whatever else is recorded ask whether it is right. clock answers that for
commands that run without a terminal, until a day has passed again.`,
		Example: "  kms-offline --path wallet.kms ledger clock",
		Args:    cobra.NoArgs,
		RunE:    func(*cobra.Command, []string) error { return a.withLedger(a.setClock) },
	}
}

func (a *app) setClock(s *openSession) error {
	machine := a.now().UTC()
	ahead := s.Ledger.Now() - machine.Unix()
	text := a.jump(s.Ledger)
	if ahead <= 0 && text == "" {
		return cli.Fail(cli.Failed, errors.New("the ledger's clock is not ahead of the machine's, nor more than a day behind it"), "")
	}
	if ahead > 0 {
		text = fmt.Sprintf("The ledger's clock is %d hours ahead. It is set to the machine's:\n  %s\n", ahead/3600, machine.Format("2006-01-02 15:04:05 UTC"))
	}
	if err := a.typedWord(text, "clock"); err != nil {
		return err
	}
	if err := s.Ledger.Append(ledger.Line{Kind: ledger.KindClock}); err != nil {
		return ledgerError(err)
	}
	return a.JSON(replyAbout(s.Ledger))
}

// typedWord shows what is about to be recorded and wants one word typed. There
// is no way around the terminal.
func (a *app) typedWord(text, word string) error {
	tty, err := openTerminal()
	if err != nil {
		return cli.Fail(cli.Usage, err, "this is for a person at a terminal")
	}
	defer tty.close()
	tty.print(cli.Printable(text))
	answer, err := tty.line(fmt.Sprintf("Type %s to record that: ", word))
	if err != nil {
		return err
	}
	if answer != word {
		return cli.Fail(cli.Declined, errors.New("declined: nothing was recorded"), "")
	}
	return nil
}
