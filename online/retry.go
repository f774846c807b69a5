package online

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"coldkms/online/journal"
	"coldkms/shared/chain"
)

// ErrOtherContent is returned by Retry for a signed item where the person does not
// name what Tatum was last seen to have in its place, or names something else.
var ErrOtherContent = errors.New("a retry stands for what you have read")

// Retry lets an item that ended badly start again: a refused one is prepared
// anew at the next fetch; a failed one, whose signed bytes are here, goes to
// the next broadcast with those; one whose rejection was not carried out goes
// on; one that is signed and held is sent in spite of what it was held for,
// which is on record. One that was given up is held first. A veto of the
// approval service stands.
//
// content is what the person has read that Tatum has in the place of a signed
// item, see contentOf: it changes at any time.
func (r *Relay) Retry(ctx context.Context, id, content string) (journal.State, error) {
	it, err := r.journal.Item(ctx, id)
	if err != nil {
		return "", err
	}
	if err := r.retryable(it); err != nil {
		return "", fmt.Errorf("retry: item %s: %w", id, err)
	}
	if err := named(it, content); err != nil {
		return "", fmt.Errorf("retry: item %s: %w", id, err)
	}
	err = r.spelledOnce(ctx, it)
	if err == nil && it.Signed != nil {
		err = r.retrySigned(ctx, it)
	}
	if err != nil {
		return "", err
	}
	if rearms(it) {
		return r.rearm(ctx, it)
	}
	if err := r.lift(ctx, it); err != nil {
		return "", err
	}
	if !ended(it) {
		if err := r.freed(ctx, id); err != nil {
			return "", err
		}
		return it.State, r.journal.Decide(ctx, id, r.decided("retry", ""))
	}
	m := journal.Move{ID: id, From: it.State, To: journal.Fetched, Decided: r.decided("retry", "")}
	if it.Signed != nil {
		m.To = journal.Signed
	}
	if it.Code == CodeInputsSpent || it.Code == CodeParentDead { // until the next look says otherwise
		m.Code, m.Reason = it.Code, it.Reason
	}
	return m.To, r.journal.Move(ctx, m)
}

// ended reports whether an item has come to an end from which retry starts again.
func ended(it journal.Item) bool {
	return it.State == journal.Refused || it.State == journal.Failed
}

// rearms reports whether a retry only takes back that an item was given up: it was
// dropped at Tatum.
func rearms(it journal.Item) bool {
	return it.Signed != nil && it.State == journal.Failed && (it.Code == CodeDisarmed || it.Code == journal.SignedDropped)
}

// lifts are what a retry of an item may lift.
func (r *Relay) lifts(it journal.Item) []chain.Code {
	switch {
	case it.Signed != nil:
		return append(slices.Clone(withheldCodes), CodeRestored)
	case r.unread(it): // whatever Tatum lists next takes its place
		return append(slices.Clone(liftable), chain.ContentChanged)
	}
	return liftable
}

// retryable says why an item cannot be retried, nil if it can.
func (r *Relay) retryable(it journal.Item) error {
	waits := it.State == journal.Signed || slices.Contains(open, it.State)
	switch {
	case it.Withheld == CodeVetoed && !ended(it):
		return fmt.Errorf("%w: kms-online unveto lifts that", errVetoed)
	case it.Marked(CodeRestored) && it.Signed == nil && !ended(it):
		return fmt.Errorf("%w: nobody knows yet whether it was paid since the backup: kms-online fetch looks, "+
			"and lets it go on if it was not", journal.ErrState)
	case waits && it.Marked(chain.ContentChanged) && it.Signed == nil && !r.unread(it):
		return fmt.Errorf("%w: Tatum asks for something else under this id than what was journaled, "+
			"and that is never taken. It goes on by itself once Tatum asks for the same again; "+
			"else kms-online reject %s --why TEXT, and have it made anew under a new id", journal.ErrState, it.ID)
	case !ended(it) && !(waits && slices.Contains(r.lifts(it), it.Withheld)):
		return fmt.Errorf("%w: it is %s, and only refused, failed and withheld ones start again", journal.ErrState, it.State)
	}
	return nil
}

// sameContent is what a person types where Tatum asks for the very thing that was
// signed, and it was given up, or may have been.
const sameContent = "same"

// contentOf is what a person must name to have a signed item sent, "" if nothing:
// what Tatum was last seen to have in its place, where it is not what was signed,
// or the item was given up, or may have been before the journal was restored.
func contentOf(it journal.Item) string {
	switch content := it.Offered.Content(); {
	case it.Signed == nil, rearms(it):
		return ""
	case content != "":
		return content
	case it.Marked(CodeGivenUp, CodeRestored):
		return sameContent
	}
	return ""
}

// named makes sure that a person has read what Tatum was last seen to have in the
// place of an item: a daemon looks at any time, also between that and the retry.
func named(it journal.Item, content string) error {
	want := contentOf(it)
	read := fmt.Sprintf("kms-online status %s says what, and names the command", it.ID)
	switch {
	case want == journal.ContentUnseen:
		return fmt.Errorf("%w: nobody has looked at Tatum since it was given up: kms-online broadcast looks, "+
			"and sends nothing of it", journal.ErrState)
	case content == want:
		return nil
	case content == "":
		return fmt.Errorf("%w: name what Tatum was last seen to have, with --content. %s", ErrOtherContent, read)
	case want == "":
		return fmt.Errorf("%w: by now there is nothing to name with --content. %s", ErrOtherContent, read)
	}
	return fmt.Errorf("%w: by now Tatum has something else than %.40q. %s", ErrOtherContent, content, read)
}

// retrySigned takes up the payment that an item has signed bytes for, in spite of
// what Tatum was last seen to have, and of nothing that comes later.
func (r *Relay) retrySigned(ctx context.Context, it journal.Item) error {
	if err := r.sameAsRetried(ctx, it); err != nil {
		return err
	}
	if err := r.takePayment(ctx, it); err != nil || rearms(it) {
		return err
	}
	if err := r.journal.Permit(ctx, "retry", it.ID); err != nil {
		return err
	}
	return r.journal.Accept(ctx, it.ID, it.Offered.Digest)
}

// spelledOnce makes sure that an item is not, and is not to be, paid under a pending id
// in another letter case, which an older version took.
func (r *Relay) spelledOnce(ctx context.Context, it journal.Item) error {
	if journal.Misspelt(it.ID) {
		return fmt.Errorf("retry: item %s: %w: Tatum writes pending ids in small letters, and the payment is %s. "+
			"End this one with kms-online reject %s --why TEXT, which drops nothing at Tatum",
			it.ID, journal.ErrState, strings.ToLower(it.ID), it.ID)
	}
	if !it.Marked(CodeSameID) {
		return nil
	}
	others, err := r.journal.OtherSpellings(ctx, it.ID)
	if err != nil {
		return err
	}
	for _, o := range others {
		decided := o.State == journal.Rejected || o.State == journal.Refused ||
			o.State == journal.Failed && o.Code == CodeDisarmed
		if !decided {
			return fmt.Errorf("retry: item %s: %w: the same payment was taken as %s, which is %s, and may be paid. "+
				"Find out; if it is not, destroy its request and result, then kms-online reject %s --why TEXT, "+
				"and this again",
				it.ID, journal.ErrState, o.ID, o.State, o.ID)
		}
	}
	return nil
}

// lift ends what an item is withheld for.
func (r *Relay) lift(ctx context.Context, it journal.Item) error {
	switch {
	case it.Signed == nil && (it.Marked(CodePaidUnknown) || unlooked(it)):
		// It is looked at again, and then exported if it is not found.
		return r.journal.WithholdFor(ctx, it.ID, CodeRestored, r.lifts(it)...)
	case it.Signed == nil && it.Marked(journal.Dropping): // this relay itself may have dropped it
		return r.journal.WithholdFor(ctx, it.ID, CodeUnknown, r.lifts(it)...)
	}
	return r.journal.Unwithhold(ctx, it.ID, r.lifts(it)...)
}

// freed takes back, of an item that is withheld for nothing any more, the words about
// why it was.
func (r *Relay) freed(ctx context.Context, id string) error {
	it, err := r.journal.Item(ctx, id)
	if err != nil || it.Withheld != "" || it.Code == "" {
		return err
	}
	return r.note(ctx, it, journal.Lease{}, "", "", 0)
}

// rearm takes back that an item was given up. What it was to pay may have been
// given back at Tatum, and paid in another way: it is held until a second retry, after
// a look at what Tatum has by now.
func (r *Relay) rearm(ctx context.Context, it journal.Item) (journal.State, error) {
	err := r.journal.Accept(ctx, it.ID, "")
	if err == nil {
		err = r.journal.WithholdFor(ctx, it.ID, CodeGivenUp, withheldCodes...)
	}
	if err == nil {
		err = r.journal.Offered(ctx, it.ID, journal.Offer{Digest: journal.OfferUnseen})
	}
	if err != nil {
		return "", err
	}
	return journal.Signed, r.journal.Move(ctx, journal.Move{
		ID: it.ID, From: it.State, To: journal.Signed, Decided: r.decided("retry", ""), Code: CodeGivenUp,
		Reason: fmt.Sprintf("it is signed (%s) and held: it was given up (%s), and what a withdrawal took may have "+
			"been given back at Tatum. It may have been paid in another way since: kms-online broadcast looks what "+
			"Tatum has by now; then decide with kms-online retry or reject", it.TxID, it.Reason),
	})
}
