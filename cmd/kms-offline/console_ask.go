package main

import (
	"errors"
	"fmt"
	"os"
	"sync/atomic"
	"time"

	"golang.org/x/term"

	"coldkms/cmd/internal/cli"
	"coldkms/offline"
	"coldkms/offline/policy"
	"coldkms/offline/review"
	"coldkms/offline/review/tui"
)

var errLater = errors.New("left without an answer: nothing was signed")

// aFew is up to how many transactions are shown in full and asked about line
// by line, without a session.
const aFew = 20

// ask shows the batch and gets the person's answer: to all of it, or to what
// they chose in a session.
func (a *app) ask(session *openSession, judged *offline.Judged, o signOptions) (policy.Consent, string, error) {
	tty, err := openTerminal()
	if err != nil {
		return policy.Consent{}, "", cli.Fail(cli.Usage, err, "review it, then sign with --approve DIGEST")
	}
	defer tty.close()
	d := tui.New(judged.Batch)
	need, _ := judged.Quorum()
	d.Quorum = need > 0
	kept := decisions{a, session, judged}
	if err := kept.resume(tty, d); err != nil {
		return policy.Consent{}, "", err
	}
	many := len(judged.Batch.Items) > aFew
	var ev tui.Event
	var choice review.Choice
	if screen := tty.isScreen(); !o.plain && (o.session || many && screen) {
		if !screen {
			return policy.Consent{}, "", cli.Fail(cli.Usage, fmt.Errorf("this terminal has no screen of %d columns and %d lines", tui.MinWidth, tui.MinHeight), "ask line by line: --plain")
		}
		choice = d.Choice()
		ev, err = tty.session(d, kept.keep)
	} else {
		write := judged.Batch.Body
		if many {
			write = judged.Batch.Head
		}
		if err := write(printable{tty.tty}); err != nil {
			return policy.Consent{}, "", err
		}
		tty.print(cli.Printable(d.Rejections())) // of an earlier session
		choice = d.Kept()
		ev, err = tty.plainSession(d, kept.keep)
	}
	if err != nil {
		return policy.Consent{}, "", stop(cli.Fail(cli.Declined, err, "nothing was signed"))
	}
	if ev == tui.Later {
		return policy.Consent{}, "", a.leave(session, judged, o, d.Rejected())
	}
	return a.answered(session, judged, kept, ev, d.Without(choice))
}

// answered turns the end of a session into a consent, or into the error of none.
func (a *app) answered(session *openSession, judged *offline.Judged, kept decisions, ev tui.Event, rejected []int) (policy.Consent, string, error) {
	if ev == tui.Sign {
		if need, _ := judged.Quorum(); need > 0 && len(rejected) > 0 {
			return policy.Consent{}, "", a.leaveOut(session, judged, kept, rejected)
		}
		return judged.Except(session.Agree(judged), rejected...), "typed", nil
	}
	if err := session.Decline(judged); err != nil {
		return policy.Consent{}, "", stop(ledgerError(err))
	}
	if err := kept.forget(); err != nil {
		return policy.Consent{}, "", err
	}
	return policy.Consent{}, "", cli.Fail(cli.Declined, offline.ErrDeclined, "")
}

// leave records what a person rejected who goes on later, so that it binds
// in other requests too.
func (a *app) leave(session *openSession, judged *offline.Judged, o signOptions, rejected []int) error {
	if err := session.RecordRejected(judged, rejected...); err != nil {
		return stop(ledgerError(err))
	}
	return stop(cli.Fail(cli.Declined, errLater, "what was decided is kept: sign the same request again"+cli.Printable(o.again())))
}

// leaveOut records what a person took out of a batch that operators approve.
// The operators have to approve what is left.
func (a *app) leaveOut(session *openSession, judged *offline.Judged, kept decisions, rejected []int) error {
	err := session.LeaveOut(judged, rejected...)
	if err == nil {
		err = session.RecordReview(judged) // opens the round that the hint names
	}
	if err != nil {
		return stop(ledgerError(err))
	}
	if err := kept.forget(); err != nil {
		return err
	}
	return cli.Fail(cli.Refused, offline.ErrLeftOut, "have them approve what is left: "+approveCommand(session, judged)+"; then sign it again")
}

// isScreen reports whether a session can be drawn here.
func (t *terminal) isScreen() bool {
	width, height, err := term.GetSize(int(t.tty.Fd()))
	return err == nil && width >= tui.MinWidth && height >= tui.MinHeight && movesCursor()
}

// movesCursor reports whether the terminal is said to understand control
// sequences.
func movesCursor() bool {
	kind := os.Getenv("TERM")
	return kind != "" && kind != "dumb"
}

// progress tells on a terminal how many items are done, in one line that is
// drawn over. A batch that is asked line by line has none: there the cursor
// never moves. The function returned is to be called at the end.
func (a *app) signingProgress(session *openSession, of int, o signOptions) func() {
	const often = 200 * time.Millisecond
	line := a.progress()
	if line.to == nil || o.plain || of <= aFew {
		return func() {}
	}
	var done, told atomic.Int64
	told.Store(a.now().UnixNano())
	session.Finished = func() {
		n, now, last := done.Add(1), a.now().UnixNano(), told.Load()
		if now-last >= int64(often) && told.CompareAndSwap(last, now) {
			line.show("signed or refused: %d of %d", n, of)
		}
	}
	return func() {
		session.Finished = nil
		line.end()
	}
}
