package online

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"coldkms/online/journal"
	"coldkms/online/tatum"
	"coldkms/shared/bundle"
	"coldkms/shared/chain"
)

// A person's wish to have an item rejected is on record before Tatum is asked,
// and keeps the item from the signer and the network until the rejection has
// worked, or retry. Tatum gives back what a withdrawal took when an item is
// dropped there, so what may have been paid is not dropped.

// Rejection says how an item is rejected.
type Rejection struct {
	Why  string
	Gone bool // a person has seen that Tatum does not have it any more
}

// Reject drops an item at Tatum, giving back what a withdrawal took, and
// here. What is signed is dropped only while it is held, or was signed after it
// was refused or rejected, and is disarmed then: nothing sends it from here. It
// is ErrTooLate otherwise, and ErrMayBePaid where its bytes were handed to the
// network and nothing proves what became of them. One that Tatum does not know
// under the item's API key is ErrNotThere, for that may be another tenant's
// key. exported tells that the signer may have signed it: the person must know
// that a copy of that signature stays valid.
func (r *Relay) Reject(ctx context.Context, id string, why Rejection) (exported bool, err error) {
	it, err := r.journal.Item(ctx, id)
	if err != nil {
		return false, err
	}
	if !rejectable(it) {
		return false, fmt.Errorf("reject: item %s is %s%s: %w", id, it.State, lateWords(it), ErrTooLate)
	}
	if err := r.journal.Withhold(ctx, id, journal.Unwanted, slices.Concat(byTatum, byRestore)...); err != nil {
		return false, err
	}
	lease, items, err := r.claim(ctx, journal.Filter{IDs: []string{id}, States: []journal.State{it.State}})
	if err != nil {
		return false, err
	}
	if len(items) == 0 {
		return false, fmt.Errorf("reject: item %s: %w", id, journal.ErrLeased)
	}
	defer func() { err = errors.Join(err, r.release(ctx, lease)) }()
	bounded, cancel := context.WithTimeout(ctx, lease.Left(r.Now()))
	defer cancel()
	mine, err := r.As(it.Account)
	if err != nil {
		return false, err
	}
	items[0].Withheld, items[0].Beside = it.Withheld, it.Beside // before the wish
	if exported, err = mine.reject(bounded, lease, items[0], why); err != nil {
		return exported, err
	}
	return exported, unnoted(id, droppedThere, r.journal.WithholdFor(ctx, id, journal.Dropping, journal.Unwanted)) // the wish is carried out; a retry meets that it was dropped
}

// decided is the decision of the person who types a command, with the reason that was
// given.
func (r *Relay) decided(command, why string) journal.Decision {
	if why != "" {
		command += ": " + why
	}
	return journal.Decision{By: cmp.Or(r.Person, "unknown"), Why: command}
}

// rejectable reports whether a person may have an item rejected.
func rejectable(it journal.Item) bool {
	switch {
	case it.State == journal.Signed:
		return it.Withheld != "" || it.Code == CodeRestored
	case it.State == journal.Failed:
		return slices.Contains(closable, it.Code)
	case it.State == journal.Rejected: // and may still be at Tatum
		return true
	}
	return it.Signed == nil && journal.Allowed(it.State, journal.Rejected)
}

// lateWords say where the transaction of an item is that cannot be rejected.
func lateWords(it journal.Item) string {
	switch {
	case it.State == journal.Broadcast || it.State == journal.Completed:
		return ", and the network has its transaction " + it.TxID
	case it.TxID != "":
		return ", and its transaction is " + it.TxID
	}
	return ""
}

// rejectedCodes are those of failed items that nobody wants paid, though they
// are signed.
var rejectedCodes = []chain.Code{CodeDisarmed, journal.SignedDropped, journal.SignedLate}

// givenUp are those of failed items that must not be paid, though they are signed.
var givenUp = append([]chain.Code{CodeSameWithdraw}, rejectedCodes...)

// closable are those of failed items that may be dropped at Tatum: what was
// given up, what evidence shows to be dead, and what asks for the transaction of
// one of those.
var closable = append(slices.Clone(givenUp), CodeInputsSpent, CodeParentDead, CodeSameTx)

// reject drops a claimed item, at Tatum and then here.
func (r *Relay) reject(ctx context.Context, lease journal.Lease, it journal.Item, why Rejection) (exported bool, err error) {
	payer, err := r.payerOf(ctx, it)
	switch {
	case err != nil:
		return false, err
	case payer != nil && why.Gone && r.isGone(ctx, it):
		return r.closeSame(ctx, lease, it, *payer, why)
	case payer != nil:
		return false, r.paidByAnother(ctx, lease, it, *payer)
	}
	dead, err := r.unpaid(ctx, lease, it)
	if err != nil && !(why.Gone && errors.Is(err, ErrMayBePaid) && r.isGone(ctx, it)) {
		return false, err
	}
	if err := r.dropAtTatum(ctx, it, why.Gone); err != nil {
		return false, err
	}
	defer func() { err = unnoted(it.ID, droppedThere, err) }()
	said := why.Why
	if dead != "" { // what is known of it stands beside what the person says
		why.Why += ". " + sentence(dead)
	}
	exported = dead == "" && (it.Signed != nil || it.Request != bundle.Digest{})
	if it.State == journal.Failed && it.Code != CodeDisarmed { // given up from now on
		if err := r.journal.Note(ctx, journal.Note{ID: it.ID, State: it.State, Code: CodeDisarmed, Reason: why.Why, Lease: lease}); err != nil {
			return false, err
		}
	}
	if it.State == journal.Rejected || it.State == journal.Failed {
		return exported, r.journal.Decide(ctx, it.ID, r.decided("reject", said))
	}
	m := journal.Move{ID: it.ID, From: it.State, To: journal.Rejected, Code: chain.RefusedByRelay, Reason: why.Why, Lease: lease, Decided: r.decided("reject", said)}
	if it.Signed != nil {
		m.To, m.Code = journal.Failed, CodeDisarmed
	}
	return exported, r.journal.Move(ctx, m) // seen by the signer, whatever became of it here
}

// droppedThere is what reject has done at Tatum before it is noted here.
const droppedThere = "Tatum has dropped it, and given back what a withdrawal took, if it was for one"

// closeSame ends an item that Tatum does not have any more, and whose transaction
// pays another one. The journal has which.
func (r *Relay) closeSame(ctx context.Context, lease journal.Lease, it, payer journal.Item, why Rejection) (exported bool, err error) {
	reason := fmt.Sprintf("%s; its very transaction %s pays %s, which is %s", why.Why, payer.TxID, payer.ID, payer.State)
	exported = it.Signed != nil || it.Request != bundle.Digest{}
	if it.State == journal.Rejected || it.State == journal.Failed {
		err := r.journal.Note(ctx, journal.Note{ID: it.ID, State: it.State, Code: CodeSameTx, Reason: reason, Lease: lease})
		return exported, errors.Join(err, r.journal.Decide(ctx, it.ID, r.decided("reject", why.Why)))
	}
	m := journal.Move{ID: it.ID, From: it.State, To: journal.Rejected, Code: CodeSameTx, Reason: reason, Lease: lease, Decided: r.decided("reject", why.Why)}
	if it.Signed != nil {
		m.To = journal.Failed
	}
	return exported, r.journal.Move(ctx, m)
}

// dropAtTatum drops an item that Tatum has under this API key, unless Tatum says
// that it was paid. The journal has on record that it was there before it is
// dropped, so that a run that was cut short is told from the key of somebody
// else: both meet kms.missing. A misspelt id is dropped here only: there, it names the
// payment.
func (r *Relay) dropAtTatum(ctx context.Context, it journal.Item, gone bool) error {
	if journal.Misspelt(it.ID) {
		return nil
	}
	txid, err := r.Tatum.TxIDOf(ctx, it.ID)
	switch {
	case missing(err) && (gone || goneBefore(it) && it.SeenBy == r.fingerprint()):
		return nil
	case missing(err):
		return fmt.Errorf("reject: item %s: %w: %w", it.ID, ErrNotThere, err)
	case err != nil:
		return err
	case txid != "":
		return fmt.Errorf("reject: item %s: Tatum says that %.80q completed it: %w", it.ID, txid, ErrTooLate)
	}
	revert, err := r.unpaidWithdrawal(ctx, it)
	if err != nil {
		return err
	}
	err = r.journal.Withhold(ctx, it.ID, journal.Dropping, slices.Concat(withheldCodes, byRestore)...)
	if err = errors.Join(err, r.journal.SeenBy(ctx, it.ID, r.fingerprint())); err != nil {
		return err
	}
	if err := r.Tatum.Delete(ctx, it.ID, revert); err != nil && !missing(err) {
		return err
	}
	return r.isDropped(ctx, it)
}

// isDropped reads back whether Tatum has dropped an item: only that counts. Its
// records may lag a little.
func (r *Relay) isDropped(ctx context.Context, it journal.Item) error {
	for try := range lookTries {
		txid, err := r.Tatum.TxIDOf(ctx, it.ID)
		switch {
		case missing(err):
			return nil
		case err != nil:
			return fmt.Errorf("reject: item %s: it is not known whether Tatum dropped it: %w", it.ID, err)
		case txid != "":
			return fmt.Errorf("reject: item %s: Tatum says that %.80q completed it: %w", it.ID, txid, ErrTooLate)
		}
		if err := r.Sleep(ctx, lookPause<<try); err != nil {
			return err
		}
	}
	return fmt.Errorf("reject: item %s: %w", it.ID, ErrNotDropped)
}

// goneBefore reports whether it is no news that Tatum does not have an item. It
// counts only under the very API key that Tatum was seen to have it for: a name in
// the file of keys may have another key by now.
func goneBefore(it journal.Item) bool {
	switch {
	case it.Marked(journal.Dropping), it.State == journal.Rejected, it.State == journal.Failed:
		return true
	}
	return it.State == journal.Signed && it.Marked(CodeUnknown)
}

// unpaidWithdrawal makes sure that Tatum does not have the withdrawal of an item
// as done, and reports whether its amount is to be given back: not twice.
func (r *Relay) unpaidWithdrawal(ctx context.Context, it journal.Item) (revert bool, err error) {
	if it.Withdrawal == "" {
		return true, nil
	}
	if err := r.paysNoOther(ctx, it); err != nil {
		return false, err
	}
	w, err := r.Tatum.Withdrawal(ctx, it.Chain, it.Withdrawal)
	switch {
	case err != nil:
		return false, fmt.Errorf("reject: item %s: nobody knows where its withdrawal stands: %w", it.ID, err)
	case w.State == tatum.WithdrawalDone:
		return false, fmt.Errorf("reject: item %s: Tatum says that its withdrawal is done, by %.80q: %w", it.ID, w.TxID, ErrTooLate)
	}
	return w.State != tatum.WithdrawalCancelled, nil
}

// paysNoOther makes sure that the withdrawal of an item is not paid by another
// one: Tatum cancels the withdrawal when it drops any item of it.
func (r *Relay) paysNoOther(ctx context.Context, it journal.Item) error {
	ids, err := r.journal.SameWithdrawal(ctx, it.Withdrawal)
	if err != nil {
		return err
	}
	ids = slices.DeleteFunc(ids, func(id string) bool { return id == it.ID })
	if len(ids) == 0 {
		return nil
	}
	others, err := r.journal.Items(ctx, journal.Filter{IDs: ids})
	if err != nil {
		return err
	}
	for _, other := range others {
		_, never, err := r.leaving(ctx, other)
		if err != nil {
			return err
		}
		unpaid := other.State == journal.Rejected || never && (other.Signed == nil || other.State == journal.Failed && slices.Contains(givenUp, other.Code))
		if !unpaid {
			return fmt.Errorf("reject: item %s: its withdrawal is that of %s, which is %s, too, and to drop either at Tatum cancels it: %w", it.ID, other.ID, other.State, ErrTooLate)
		}
	}
	return nil
}

// missing reports whether Tatum itself says that this API key has no such
// pending transaction. Any other 404 is some proxy's.
func missing(err error) bool {
	var said *tatum.Error
	return errors.As(err, &said) && said.Code == "kms.missing"
}
