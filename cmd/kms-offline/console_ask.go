package main

import (
	"errors"
	"fmt"
	"os"
	"sync/atomic"
	"time"

	"github.com/spf13/cobra"
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
	d.Quorum, d.Unasked = need > 0, judged.IsUnasked()
	kept := decisions{a, session, judged, ""}
	if err := kept.resume(tty, d); err != nil {
		return policy.Consent{}, "", err
	}
	if err := tty.fits(o.asking); err != nil {
		return policy.Consent{}, "", err
	}
	ev, taken, err := tty.decide(session, judged, d, o.asking, kept.keep)
	switch {
	case err != nil:
		return policy.Consent{}, "", stop(cli.Fail(cli.Declined, err, "nothing was signed"))
	case ev == tui.Later:
		return policy.Consent{}, "", a.leave(session, judged, o, d.Rejected())
	case ev != tui.Sign:
		return policy.Consent{}, "", a.declined(session, judged, kept, d.Rejected())
	}
	return a.answered(session, judged, kept, d.Without(d.Kept()), taken)
}

// asking is how a person is asked.
type asking struct {
	session bool // on a screen, also about a few
	plain   bool // line by line, also about many
}

func (a *asking) flags(cmd *cobra.Command) {
	cmd.Flags().BoolVar(&a.session, "session", false, "open a session also for a few transactions")
	cmd.Flags().BoolVar(&a.plain, "plain", false, "ask line by line, without moving the cursor")
}

// fits refuses to open a session on a terminal that has no screen.
func (t *terminal) fits(how asking) error {
	if !how.session || t.isScreen() {
		return nil
	}
	return cli.Fail(cli.Usage, fmt.Errorf("this terminal has no screen of %d columns and %d lines",
		tui.MinWidth, tui.MinHeight), "ask line by line: --plain")
}

// decide goes through a batch with a person, until they have answered or left.
// What they reject because it stands in the way of others is taken out, and the
// rest is judged and shown anew; the places of what was taken out are returned.
func (t *terminal) decide(
	session *openSession, judged *offline.Judged, d *tui.Desk, how asking, keep func(string) error,
) (ev tui.Event, taken []int, err error) {
	for {
		ev, err = t.converse(judged, d, how, keep)
		if err != nil || ev != tui.Rejudge {
			return ev, d.TakenOut(), err
		}
		if err := settle(session, judged, d); err != nil {
			return ev, nil, err
		}
		if err := keep(d.Marks()); err != nil {
			return ev, nil, err
		}
	}
}

// settle has a batch judged as the person's rejections of conflicts leave it.
func settle(session *openSession, judged *offline.Judged, d *tui.Desk) error {
	err := d.Settle(func(out, back []int) (review.Batch, error) {
		ids := make([]string, len(out))
		for n, i := range out {
			ids[n] = judged.Request.Items[i].ID
		}
		session.PutBack(judged, back...)
		err := session.TakeOut(judged, ids...)
		return judged.Batch, err
	})
	need, _ := judged.Quorum()
	d.Quorum = need > 0
	return err
}

// converse shows the batch and asks about it once: on a screen, or line by line
// where there is none, and about a few.
func (t *terminal) converse(
	judged *offline.Judged, d *tui.Desk, how asking, keep func(string) error,
) (tui.Event, error) {
	many := len(judged.Batch.Items) > aFew
	if !how.plain && (how.session || many) && t.isScreen() {
		return t.session(d, keep)
	}
	write := judged.Batch.Body
	if d.Whole = !many; many {
		write = judged.Batch.Head
	}
	t.print(d.Renewed())
	if err := write(printable{t.tty}); err != nil {
		return tui.None, err
	}
	t.print(d.Rejections()) // of an earlier session, too
	return t.plainSession(d, keep)
}

// answered turns a yes into a consent to all but what was rejected, or into an error
// where operators have to approve that first. taken are items that were taken out.
func (a *app) answered(
	session *openSession, judged *offline.Judged, kept decisions, rejected, taken []int,
) (policy.Consent, string, error) {
	signable, _ := judged.Batch.Count()
	if need, _ := judged.Quorum(); need > 0 && len(rejected)+len(taken) > 0 && len(rejected) < signable {
		return policy.Consent{}, "", a.leaveOut(session, judged, kept, rejected)
	}
	if len(taken) > 0 {
		if err := session.RecordTakenOut(judged); err != nil {
			return policy.Consent{}, "", stop(ledgerError(err))
		}
	}
	return judged.Except(session.Agree(judged), rejected...), "typed", nil
}

// declined records a no, and what was rejected before it, and returns it as an error.
func (a *app) declined(session *openSession, judged *offline.Judged, kept decisions, rejected []int) error {
	if err := session.Decline(judged, rejected...); err != nil {
		return stop(ledgerError(err))
	}
	if err := kept.forgetAll(); err != nil {
		return err
	}
	return cli.Fail(cli.Declined, offline.ErrDeclined, "")
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
	if err := kept.forgetAll(); err != nil {
		return err
	}
	return cli.Fail(cli.Refused, offline.ErrLeftOut, "have them approve what is left: "+approveCommand(session, judged)+"; then sign it again")
}

// isScreen reports whether a session can be drawn here.
func (t *terminal) isScreen() bool {
	width, height, err := term.GetSize(int(t.tty.Fd()))
	return err == nil && width >= tui.MinWidth && height >= tui.MinHeight && movesCursor(os.Getenv("TERM"))
}

// movesCursor reports whether a terminal of this kind understands control
// sequences.
func movesCursor(kind string) bool { return kind != "" && kind != "dumb" }

// progress tells on a terminal how many items are done, in one line that is
// drawn over. A batch that is asked line by line has none: there the cursor
// never moves. The function returned is to be called at the end.
func (a *app) signingProgress(session *openSession, of int, o signOptions) func() {
	const often = 200 * time.Millisecond
	line := a.progress()
	if line.to == nil || o.plain || of <= aFew {
		return a.busy("signing")
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
