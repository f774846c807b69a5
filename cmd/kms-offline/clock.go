package main

import (
	"errors"
	"fmt"
	"time"

	"coldkms/cmd/internal/cli"
	"coldkms/offline/ledger"
)

// errClock is returned where the machine's clock may be wrong. A line that is
// dated ahead would free what the limits of a day and a week hold, and the
// ledger's clock never goes back by itself.
var errClock = errors.New("this machine's clock is far ahead of the ledger's last line, and may be wrong")

// maxJump is how far the machine's clock may be ahead of the last line before
// a person is asked.
const maxJump = 24 * time.Hour

// steady returns a clock that is set once, by the machine's clock, and goes on by
// the time that passes while the program runs. Whoever sets the machine's clock in
// between moves neither what is judged nor the date of any line.
func steady(wall func() time.Time) func() time.Time {
	began := wall()
	return func() time.Time { return began.Add(wall().Sub(began)) } // of two monotonic readings
}

// maxMoved is how far the machine's clock may be from that of the program before
// nothing is signed.
const maxMoved = 10 * time.Minute

// unmoved returns an error where the machine's clock was set while the program ran,
// or the machine slept meanwhile. What was judged may have expired by now; and a
// clock that was put right shows that the one before was wrong.
func (a *app) unmoved() error {
	const form = "2006-01-02 15:04 UTC"
	machine, program := a.wall().UTC().Round(0), a.now().UTC().Round(0) // without monotonic readings
	moved := machine.Sub(program)
	if moved.Abs() <= maxMoved {
		return nil
	}
	return cli.Fail(cli.Refused,
		fmt.Errorf("this machine's clock says %s, and by the time that passed since this command began it is %s: "+
			"the clock was set in between, or the machine slept; nothing was signed",
			machine.Format(form), program.Format(form)),
		"look at the clock of this machine, set it right, and run the same command again")
}

// jump returns how far the machine's clock is ahead of the last line, in words,
// or "" if that is no more than a day.
func (a *app) jump(book *ledger.Ledger) string {
	last, now := time.Unix(book.Clock(), 0).UTC(), a.now().UTC()
	if now.Sub(last) <= maxJump {
		return ""
	}
	const form = "2006-01-02 15:04 UTC"
	return fmt.Sprintf("This machine's clock says %s. The last line of the ledger is of %s, %d hours before.\n",
		now.Format(form), last.Format(form), now.Sub(last)/time.Hour)
}

// timely asks whether the machine's clock is right where it has jumped by more
// than a day since the last line, once in each run of the program. Nothing is
// judged or recorded until that is answered, nor with a backup.
func (a *app) timely(book *ledger.Ledger) error {
	if book.IsCopy() {
		return a.isCopy()
	}
	text := a.jump(book)
	if text == "" || a.clockRight {
		return nil
	}
	tty, err := openTerminal()
	if err != nil {
		return cli.Fail(cli.Refused, errClock, "look at the clock, then say on a terminal that it is right: kms-offline ledger clock")
	}
	defer tty.close()
	tty.print(cli.Printable(text))
	yes, err := tty.confirm("Is this machine's clock right?")
	if err != nil {
		return err
	}
	if !yes {
		return cli.Fail(cli.Declined, errClock, "set the clock of this machine, and try again")
	}
	a.clockRight = true
	return nil
}

// isCopy is the error of a command that would write to a backup. Two ledgers that
// go on from one copy know nothing of each other's signatures.
func (a *app) isCopy() error {
	path, err := a.walletPath()
	if err != nil {
		return err
	}
	name := word(path)
	return oneLine(cli.Fail(cli.Refused, fmt.Errorf("%s: %w", path, ledger.ErrCopy), fmt.Sprintf(
		"put it where it is to be used first: kms-offline --path NEW.kms restore %s; "+
			"if it was copied here by hand to be gone on with: kms-offline --path %s restore %s", name, name, name)))
}
