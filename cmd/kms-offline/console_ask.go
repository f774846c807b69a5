package main

import (
	"errors"
	"fmt"
	"os"
	"slices"
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
	screen, err := o.onScreen(tty, len(judged.Batch.Items))
	if err != nil {
		return policy.Consent{}, "", err
	}
	before := len(judged.Taken())
	for {
		ev, choice, err := converse(tty, judged, kept, d, screen)
		switch {
		case err != nil:
			return policy.Consent{}, "", stop(cli.Fail(cli.Declined, err, "nothing was signed"))
		case ev == tui.TakeOut:
			if err := session.TakeOut(judged, judged.Request.Items[d.TakenOut()].ID); err != nil {
				return policy.Consent{}, "", err
			}
			need, _ = judged.Quorum()
			d.Quorum = need > 0
			d.Renew(judged.Batch)
		case ev == tui.Later:
			return policy.Consent{}, "", a.leave(session, judged, o, slices.Concat(d.Rejected(), judged.Taken()[before:]))
		default:
			return a.answered(session, judged, kept, ev, d.Without(choice), judged.Taken()[before:])
		}
	}
}

// onScreen reports whether a batch of this many items is asked about on a screen
// to go through, rather than line by line.
func (o signOptions) onScreen(tty *terminal, items int) (bool, error) {
	screen := tty.isScreen()
	if o.session && !screen {
		return false, cli.Fail(cli.Usage, fmt.Errorf("this terminal has no screen of %d columns and %d lines", tui.MinWidth, tui.MinHeight), "ask line by line: --plain")
	}
	return !o.plain && screen && (o.session || items > aFew), nil
}

// converse shows the batch and asks about it, once. The choice is what a yes is
// about.
func converse(tty *terminal, judged *offline.Judged, kept decisions, d *tui.Desk, screen bool) (tui.Event, review.Choice, error) {
	if screen {
		ev, err := tty.session(d, kept.keep)
		return ev, d.Choice(), err
	}
	write := judged.Batch.Body
	if len(judged.Batch.Items) > aFew {
		write = judged.Batch.Head
	}
	tty.print(d.Renewed())
	if err := write(printable{tty.tty}); err != nil {
		return tui.None, nil, err
	}
	tty.print(d.Rejections()) // of an earlier session, too
	ev, err := tty.plainSession(d, kept.keep)
	return ev, d.Kept(), err
}

// answered turns the end of a session into a consent, or into the error of none.
// taken are items that were taken out in it.
func (a *app) answered(session *openSession, judged *offline.Judged, kept decisions, ev tui.Event, rejected, taken []int) (policy.Consent, string, error) {
	if ev == tui.Sign {
		if need, _ := judged.Quorum(); need > 0 && len(rejected)+len(taken) > 0 {
			return policy.Consent{}, "", a.leaveOut(session, judged, kept, rejected)
		}
		if len(taken) > 0 {
			if err := session.RecordTakenOut(judged); err != nil {
				return policy.Consent{}, "", stop(ledgerError(err))
			}
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
