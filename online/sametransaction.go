package online

import (
	"context"
	"fmt"
	"slices"

	"coldkms/online/journal"
	"coldkms/shared/chain"
)

// Two pending ids that ask for the very same transaction are settled by it once:
// it pays the one that was signed first. Where that one was given up here and
// never handed to the network, a person may have it pay the other one instead,
// by retry. Where it was not, the other one is not dropped at Tatum: whoever
// hears that it is unpaid makes the payment anew.

// sameTransaction leaves an item to a person whose transaction pays another one.
func (s *step) sameTransaction(ctx context.Context, payer string) error {
	other, err := s.journal.Item(ctx, payer)
	if err != nil {
		return err
	}
	free, err := s.movable(ctx, other)
	if err != nil {
		return err
	}
	why := paidByWords(s.item.ID, other)
	switch {
	case free:
		if why, err = s.givenUpBefore(ctx, other); err != nil {
			return s.trouble(ctx, CodeNetwork, err)
		}
	case other.State == journal.Failed:
		why = fmt.Sprintf("ALARM: it asks for the very transaction that %s asked for, which is failed (%s) and may have been sent: kms-online status %s. One payment does not settle two: find out who made both", payer, other.Code, payer)
	}
	return s.fails(ctx, CodeSameTx, sameEvidence(other), why)
}

// givenUpBefore says what is known of a transaction that was given up here and not
// sent from here, and that the item asks for, too. That it is not paid takes the
// same evidence as to reject it.
func (s *step) givenUpBefore(ctx context.Context, other journal.Item) (string, error) {
	words := fmt.Sprintf("ALARM: it asks for the very transaction that %s asked for, which was given up here (%s) and not sent from here", other.ID, other.Code)
	known, err := s.known(ctx)
	if err != nil {
		return "", err
	}
	if known {
		return fmt.Sprintf("%s: but the network has it (%s), so somebody sent a copy of the result. It is paid, once: do not have either paid anew, and find out who has a copy", words, s.item.TxID), nil
	}
	why, err := s.spentByOurs(ctx)
	switch {
	case err != nil:
		return "", err
	case why != "":
		return fmt.Sprintf("%s: but it may be paid: %s. Do not have either paid anew; broadcast looks again", words, why), nil
	}
	return fmt.Sprintf("%s: neither is paid. Find out who made both. To have this transaction pay %s instead, and %s never: kms-online retry %s", words, s.item.ID, other.ID, s.item.ID), nil
}

// paidByWords say that a transaction pays another item than one that asks for
// it, and what to do.
func paidByWords(id string, other journal.Item) string {
	return fmt.Sprintf("it asks for the very transaction %s that pays %s, which is %s, and one payment does not settle two. Do not have it paid anew before you have found out who made both. If they are one payment, it is paid by that one: close this one at Tatum by hand (to drop it there cancels a withdrawal, if it is for one), then: kms-online reject %s --why TEXT --gone. If they are two, have the second made under a new id, from other inputs", other.TxID, other.ID, other.State, id)
}

// sameEvidence identifies the finding that another item has the transaction.
func sameEvidence(other journal.Item) string {
	if other.State == journal.Failed {
		return other.ID + " failed"
	}
	return other.ID
}

// payerOf returns the item that the very transaction which another one asks for
// was signed for, nil if there is none, or it was given up and never sent, or can
// never confirm.
func (r *Relay) payerOf(ctx context.Context, it journal.Item) (*journal.Item, error) {
	d := r.drafted(it)
	if d.err != nil { // nobody can have signed it
		return nil, nil
	}
	if err := r.hashAsked(ctx); err != nil {
		return nil, err
	}
	unsigned := d.draft.Tx().UnsignedID()
	ids, err := r.journal.AskedFor(ctx, unsigned)
	if err != nil {
		return nil, err
	}
	payers, err := r.journal.Payers(ctx, []string{unsigned, it.TxID})
	if err != nil || len(ids)+len(payers) == 0 {
		return nil, err
	}
	others, err := r.journal.Items(ctx, journal.Filter{IDs: append(ids, payers...)})
	for _, other := range others {
		if other.ID == it.ID || other.Signed == nil || other.State == journal.Failed && slices.Contains(unpaidCodes, other.Code) {
			continue
		}
		if free, err := r.movable(ctx, other); err != nil || !free {
			return &other, err
		}
	}
	return nil, err
}

// unpaidCodes are those of failed items that their transaction does not pay.
var unpaidCodes = append([]chain.Code{CodeSameTx}, deadCodes...)

// hashAsked computes the unsigned txid of what was exported, of each item once
// in the life of the journal.
func (r *Relay) hashAsked(ctx context.Context) error {
	for {
		items, err := r.journal.Unhashed(ctx, batch)
		if err != nil || len(items) == 0 {
			return err
		}
		unsigned := make(map[string]string, len(items))
		for _, it := range items {
			unsigned[it.ID] = ""
			if d := r.drafted(it); d.err == nil {
				unsigned[it.ID] = d.draft.Tx().UnsignedID()
			}
		}
		if err := r.journal.Hash(ctx, unsigned); err != nil {
			return err
		}
	}
}

// paidByAnother has what is known of an item that another one's transaction
// pays put on record, and is ErrPaidByOther.
func (r *Relay) paidByAnother(ctx context.Context, lease journal.Lease, it, payer journal.Item) error {
	p := Problem{ID: it.ID, Code: CodeSameTx, Reason: paidByWords(it.ID, payer)}
	if err := r.noteWith(ctx, it, lease, p, sameEvidence(payer), 0); err != nil {
		return err
	}
	return fmt.Errorf("reject: item %s: %w: %s", it.ID, ErrPaidByOther, p.Reason)
}

// movable reports whether the transaction of an item may pay another one: it was
// given up, and the whole record of it says that it never left from here.
func (r *Relay) movable(ctx context.Context, it journal.Item) (bool, error) {
	if it.State != journal.Failed || !slices.Contains(rejectedCodes, it.Code) {
		return false, nil
	}
	_, never, err := r.leaving(ctx, it)
	return never, err
}

// takePayment has the transaction of an item that a person retries pay that one,
// if it was to pay another one that was given up.
func (r *Relay) takePayment(ctx context.Context, it journal.Item) error {
	payer, err := r.journal.Payer(ctx, it.TxID)
	if err != nil || payer == it.ID {
		return err
	}
	other, err := r.journal.Item(ctx, payer)
	if err != nil {
		return err
	}
	free, err := r.movable(ctx, other)
	switch {
	case err != nil:
		return err
	case !free:
		return fmt.Errorf("retry: item %s: %w: %s", it.ID, ErrPaidByOther, paidByWords(it.ID, other))
	}
	if err := r.journal.TakePayer(ctx, it.TxID, payer, it.ID, rejectedCodes...); err != nil {
		return fmt.Errorf("retry: item %s asks for the very transaction that pays %s, and one payment does not settle two: %w", it.ID, payer, err)
	}
	return nil
}
