package online

import (
	"context"
	"fmt"
	"slices"

	"coldkms/online/journal"
)

// Two pending ids that ask for the very same transaction are settled by it once:
// it pays the one that was signed first. Where that one was given up here and
// never handed to the network, a person may have it pay the other one instead,
// by retry.

// sameTransaction leaves an item to a person whose transaction pays another one.
func (s *step) sameTransaction(ctx context.Context, payer string) error {
	other, err := s.journal.Item(ctx, payer)
	if err != nil {
		return err
	}
	why := fmt.Sprintf("it asks for the very transaction that pays %s, which is %s, and one payment does not settle two: find out who made both. To drop this id at Tatum cancels a withdrawal, if it is for one", payer, other.State)
	switch {
	case movable(other):
		why = fmt.Sprintf("ALARM: it asks for the very transaction that %s asked for, which was given up here (%s) and not sent from here: neither is paid. Find out who made both. To have this transaction pay %s instead, and %s never: kms-online retry %s", payer, other.Code, s.item.ID, payer, s.item.ID)
	case other.State == journal.Failed:
		why = fmt.Sprintf("ALARM: it asks for the very transaction that %s asked for, which is failed (%s) and may have been sent: kms-online status %s. One payment does not settle two: find out who made both", payer, other.Code, payer)
	}
	return s.fails(ctx, CodeSameTx, payer+" "+string(other.State), why)
}

// movable reports whether the transaction of an item may pay another one.
func movable(it journal.Item) bool {
	return it.State == journal.Failed && slices.Contains(rejectedCodes, it.Code) && it.Handed.IsZero() && !it.HandedKnown
}

// takePayment has the transaction of an item that a person retries pay that one,
// if it was to pay another one that was given up.
func (r *Relay) takePayment(ctx context.Context, it journal.Item) error {
	payer, err := r.journal.Payer(ctx, it.TxID)
	if err != nil || payer == it.ID {
		return err
	}
	if err := r.journal.TakePayer(ctx, it.TxID, payer, it.ID, rejectedCodes...); err != nil {
		return fmt.Errorf("retry: item %s asks for the very transaction that pays %s, and one payment does not settle two: %w", it.ID, payer, err)
	}
	return nil
}
