package online

import (
	"context"
	"encoding/hex"
	"fmt"

	"coldkms/online/journal"
	"coldkms/shared/bundle"
	"coldkms/shared/chain"
)

// One list of Tatum with a damaged element must not keep the payment out for good: what
// does not read can have been signed by nobody, so that what is listed later under its id
// takes its place, and is no change that anybody made.

// unread reports whether what the journal has of an item does not read, and nothing was
// ever made of it.
func (r *Relay) unread(it journal.Item) bool {
	return (it.State == journal.Fetched || it.State == journal.Refused) && it.Signed == nil &&
		it.Request == (bundle.Digest{}) && len(it.Prepared) == 0 &&
		!it.Marked(journal.Dropping, journal.Unwanted) && r.parse(it).err != nil
}

// changed deals with an item that came back with other content. taken reports whether
// that is what the journal has by now.
func (r *Relay) changed(ctx context.Context, now journal.Item, report *Fetched) (taken bool, err error) {
	was, err := r.journal.Item(ctx, now.ID)
	if err != nil {
		return false, err
	}
	if r.unread(was) {
		if why := r.parse(now).err; why != nil { // neither does this
			report.Problems = append(report.Problems,
				Problem{ID: now.ID, Code: chain.CodeOf(why), Reason: chain.ReasonOf(why).Text()})
			return false, nil
		}
		if taken, err = r.replace(ctx, was, now, report); taken || err != nil {
			return taken, err
		}
	}
	report.Problems = append(report.Problems, Problem{ID: now.ID, Code: chain.ContentChanged, Reason: reasonChanged})
	offer := journal.Offer{Digest: hex.EncodeToString(now.Content[:]), Withdrawal: now.Withdrawal}
	return false, r.noteChanged(ctx, now.ID, offer, now.Pending)
}

// replace has an item that does not read start anew with what Tatum lists now.
func (r *Relay) replace(ctx context.Context, was, now journal.Item, report *Fetched) (done bool, err error) {
	why := r.parse(was).err
	if done, err = r.journal.Replace(ctx, was, now); !done || err != nil {
		return false, err
	}
	said := fmt.Sprintf("what Tatum listed first did not read (%s), and nothing was made of it; "+
		"what it lists now does, and takes its place", chain.CodeOf(why))
	report.Notes = append(report.Notes, now.ID+": "+said)
	if err := r.journal.Heal(ctx, now.ID, chain.ContentChanged, said); err != nil {
		return false, err
	}
	if unlooked(was) {
		return true, r.journal.WithholdFor(ctx, now.ID, CodeRestored, byTatum...)
	}
	return true, r.journal.Unwithhold(ctx, now.ID, byTatum...)
}
