package main

import (
	"errors"
	"fmt"

	"coldkms/cmd/internal/cli"
	"coldkms/offline"
	"coldkms/offline/review/tui"
	"coldkms/shared/bundle"
)

// agreeAsOperator shows the batch and asks, or checks that it was reviewed.
func (a *app) agreeAsOperator(
	kept decisions, digests map[bundle.Digest]bool, elsewhere bool, o approveOptions,
) (how string, err error) {
	session, judged := kept.session, kept.judged
	digest := judged.Request.Digest
	if len(o.digests) > 0 {
		if !digests[digest] {
			return "", o.refusal(judged.OtherDigest("--digest"))
		}
		if err := kept.checkOwn(); err != nil {
			return "", err
		}
		return "digest", o.refusal(session.ReviewedAs(judged, digest))
	}
	tty, err := openTerminal()
	if err != nil {
		return "", cli.Fail(cli.Usage, err, "review it, then approve it with --digest DIGEST")
	}
	defer tty.close()
	if err := session.RecordReview(judged); err != nil {
		return "", ledgerError(err)
	}
	if o.round != "" {
		judged.Batch.Basis.Round = o.round
	}
	return "typed", a.askOperator(tty, kept, elsewhere, o)
}

// askOperator goes through the batch with an operator. Only a clear no is
// recorded as one: it takes back what others approved.
func (a *app) askOperator(tty *terminal, kept decisions, elsewhere bool, o approveOptions) error {
	session, judged := kept.session, kept.judged
	d := tui.New(judged.Batch)
	d.Operator = o.operator
	if err := kept.resume(tty, d); err != nil {
		return err
	}
	if err := tty.fits(o.asking); err != nil {
		return err
	}
	ev, taken, err := tty.decide(session, judged, d, o.asking, kept.keep)
	if err != nil {
		return cli.Fail(cli.Declined, err, "nothing was approved")
	}
	rejected := d.Without(d.Kept())
	switch {
	case ev == tui.Decline:
		if err := session.Decline(judged, d.Rejected()...); err != nil {
			return ledgerError(err)
		}
		if err := kept.forgetAll(); err != nil {
			return err
		}
		return cli.Fail(cli.Declined, errors.New("declined: what others approved of this batch counts no more"), "")
	case ev != tui.Sign:
		if err := session.RecordRejected(judged, d.Rejected()...); err != nil {
			return ledgerError(err)
		}
		return cli.Fail(cli.Declined, errors.New("nothing was approved"),
			"what was decided is kept: to approve it, run the same command again")
	case len(rejected)+len(taken) > 0:
		return a.approveLess(session, judged, rejected, len(rejected)+len(taken), elsewhere)
	}
	return nil
}

// approveLess takes what an operator rejected out of the batch, so that it is
// what is left that they approve. Only the machine that drew the round can.
func (a *app) approveLess(session *openSession, judged *offline.Judged, rejected []int, n int, elsewhere bool) error {
	if elsewhere {
		err := fmt.Errorf("%s rejected: the round is of another machine, and of the whole batch",
			counted(n, "item was", "items were"))
		return cli.Fail(cli.Declined, err, "nothing was approved; take them out there: kms-offline sign FILE --out DIR,"+
			" reject them, and approve what is left in its new round")
	}
	err := session.LeaveOut(judged, rejected...)
	if err == nil {
		err = session.RecordReview(judged) // opens the round of what is left
	}
	if err != nil {
		return ledgerError(err)
	}
	fmt.Fprintf(a.Err, "%s taken out of the batch: what others approved of it before counts no more\n",
		counted(n, "item is", "items are"))
	return nil
}
