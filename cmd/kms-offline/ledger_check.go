package main

import (
	"errors"
	"fmt"
	"strconv"

	"coldkms/cmd/internal/cli"
	"coldkms/offline"
)

// checkLedger has a person name the length that the ledger had when this
// command began, before a PSBT is signed under a policy that wants it. A relay
// states in its requests how far it has seen the ledger; a PSBT states nothing,
// so that old files put back together would not be noticed.
func (a *app) checkLedger(session *openSession, judged *offline.Judged, o signOptions) error {
	if !judged.IsPSBT() || !session.Policy.RequiresLedgerCheck() || session.lengthKnown {
		return nil
	}
	named, err := a.namedLength(o)
	if err != nil {
		return err
	}
	if named != session.length {
		return cli.Fail(cli.Refused, fmt.Errorf("the ledger has %d lines, not %d: nothing was signed", session.length, named),
			"if it should have more, old files were put back: put the newest wallet, ledger and mark in their place (docs/OPERATIONS.md)")
	}
	session.lengthKnown = true
	return nil
}

// namedLength returns --ledger-lines, or asks.
func (a *app) namedLength(o signOptions) (uint64, error) {
	if o.ledgerLines > 0 {
		return o.ledgerLines, nil
	}
	tty, err := openTerminal()
	if err != nil {
		return 0, cli.Fail(cli.Usage, err, "name the length of the ledger that you noted last: --ledger-lines N")
	}
	defer tty.close()
	answer, err := tty.line("The policy wants the ledger checked. How many lines did you note last? ")
	if err != nil {
		return 0, cli.Fail(cli.Declined, err, "nothing was signed")
	}
	n, err := strconv.ParseUint(answer, 10, 64)
	if err != nil {
		return 0, cli.Fail(cli.Declined, errors.New("that is not a number of lines: nothing was signed"), "")
	}
	return n, nil
}
