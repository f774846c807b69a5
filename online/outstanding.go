package online

import (
	"context"
	"errors"
	"fmt"

	"coldkms/online/journal"
)

// What a restored journal has as not wanted or refused may have been taken up again
// and paid since the backup was made, and is looked for in the same way.
//
// An item that was rejected after it had been in a request may be signed and
// sent by who has a copy of that request or of its result. What spends its inputs
// is looked for, less and less often, until another payment has spent them for
// good, or for journal.OutstandingFor.

// rejected looks whether the transaction of an item that nobody wants signed was
// sent all the same.
func (s *step) rejected(ctx context.Context) error {
	paid, gone, gap, err := s.sentAllTheSame(ctx)
	switch {
	case err != nil:
		s.problem = &Problem{ID: s.item.ID, Code: CodeNetwork, Reason: err.Error()}
		if ctx.Err() == nil && !general(err) {
			return errors.Join(s.deadStill(ctx), s.line.judge(err))
		}
		return s.line.judge(err)
	case paid != "" && s.item.State != journal.Rejected:
		if s.problem, err = s.paidUnrecorded(ctx, s.item, s.lease, paid); err != nil {
			return err
		}
		return s.journal.Settle(ctx, s.item.ID)
	case paid != "":
		payer, err := s.payerOf(ctx, s.item)
		switch {
		case err != nil:
			return err
		case payer != nil: // it was sent for that one
			return s.journal.Settle(ctx, s.item.ID)
		}
		return s.paidThoughRejected(ctx, paid)
	case gone, s.Now().After(s.item.Outstanding) && gap == "":
		return s.journal.Settle(ctx, s.item.ID)
	}
	return s.deadStill(ctx)
}

// sentAllTheSame returns the txid of the item's transaction in the network, ""
// where it was not found. gone is set where it can never come; gap says why not
// all was looked at that could show it, "" if all was.
func (s *step) sentAllTheSame(ctx context.Context) (paid string, gone bool, gap string, err error) {
	ours, err := s.ourTx()
	if err != nil {
		return "", true, "", nil // nobody can sign it
	}
	known, err := s.known(ctx)
	if err != nil || known {
		if err != nil {
			return "", false, "", err
		}
		return ours.TxID(), false, "", nil
	}
	f, err := s.search(ctx)
	if err != nil {
		return "", false, "", err
	}
	others := make(map[string]bool) // used up by what is proven to be another payment
	found, err := f.spenders(ctx, func(sp spender) bool {
		switch {
		case sp.rival == nil:
		case sp.rival.Tx.UnsignedID() == ours.UnsignedID():
			paid = sp.txid
		default:
			for _, id := range sp.rival.Tx.Uses() {
				others[id] = true
			}
		}
		return paid != ""
	})
	switch {
	case err != nil || paid != "":
		return paid, false, found.gap, err
	case len(others) == 0 && found.gap == "": // there may have been no list to look into
		gap, err = f.spentByWhat(ctx, others)
		return "", false, gap, err
	case len(others) == 0:
		return "", false, found.gap, nil
	}
	v, err := s.verdict(ctx)
	return "", v.never, found.gap, err
}

// paidThoughRejected raises the alarm, once, and ends the watch.
func (s *step) paidThoughRejected(ctx context.Context, txid string) error {
	s.problem = &Problem{ID: s.item.ID, Code: CodePaidRejected, Reason: fmt.Sprintf("ALARM: the payment is made (%s), though it was rejected here after it had been exported: somebody signed and sent it from a copy of the request or of its result. Do not have it paid anew; correct the account, and find out who has a copy", txid)}
	if err := s.noteWith(ctx, s.item, s.lease, *s.problem, txid, 0); err != nil {
		return err
	}
	return s.journal.Settle(ctx, s.item.ID)
}
