package main

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"coldkms/cmd/internal/cli"
	"coldkms/offline"
	"coldkms/shared/identity"
)

// checkLedger has a person name how far the ledger was when they noted it last,
// before a PSBT is signed under a policy that wants it. A relay states in its
// requests how far it has seen the ledger; a PSBT states nothing, so that old
// files put back together would not be noticed.
func (a *app) checkLedger(session *openSession, judged *offline.Judged, o signOptions) error {
	if !judged.IsPSBT() || !session.Policy.RequiresLedgerCheck() || session.lengthKnown {
		return nil
	}
	noted, err := a.notedLedger(o)
	if err != nil {
		return err
	}
	if err := session.isNoted(noted); err != nil {
		return cli.Fail(cli.Refused, err, "if old files were put back, put the newest wallet, ledger and mark in their place (docs/OPERATIONS.md)")
	}
	session.lengthKnown = true
	return nil
}

// isNoted returns nil if a ledger is the one that somebody noted: by its
// length alone, which must be that of now, or by length and the first of its
// head words. Those hold whatever was added since, and nobody can pad an old
// ledger to them.
func (s *openSession) isNoted(noted string) error {
	number, words, _ := strings.Cut(noted, " ")
	n, err := strconv.ParseUint(number, 10, 64)
	switch {
	case err != nil:
		return errors.New("that is not a number of lines: nothing was signed")
	case words == "" && n != s.length:
		return fmt.Errorf("the ledger has %d lines, not %d: nothing was signed", s.length, n)
	case words != "" && !strings.HasPrefix(identity.Words(s.Ledger.HeadAt(n))+" ", words+" "):
		return fmt.Errorf("the ledger, of %d lines, had not these head words at line %d: nothing was signed", s.length, n)
	}
	return nil
}

// notedLedger returns --noted, or asks.
func (a *app) notedLedger(o signOptions) (string, error) {
	if o.noted != "" {
		return strings.Join(strings.Fields(o.noted), " "), nil
	}
	tty, err := openTerminal()
	if err != nil {
		return "", cli.Fail(cli.Usage, err, `name what you noted last, such as: --noted "123 inmate wolf"`)
	}
	defer tty.close()
	answer, err := tty.line("The policy wants the ledger checked. How many lines did you note last, and with which\nfirst head words (such as 123 inmate wolf)? ")
	if err != nil {
		return "", cli.Fail(cli.Declined, err, "nothing was signed")
	}
	return strings.Join(strings.Fields(answer), " "), nil
}
