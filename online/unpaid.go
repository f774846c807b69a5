package online

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"coldkms/online/journal"
	"coldkms/online/tatum"
)

// unpaid makes sure that an item is not paid, as far as can be seen, and cannot
// be by what left from here. Where it is proven that it can never confirm, dead
// is the verdict's sentence about that. What was not handed to the network from here, or is
// not even signed here, may be paid all the same: by another relay with a copy
// of this journal, or whoever has the result.
func (r *Relay) unpaid(ctx context.Context, lease journal.Lease, it journal.Item) (dead string, err error) {
	alarmed, err := r.lasting(ctx, []journal.Item{it})
	if err != nil {
		return "", err
	}
	s := &step{Relay: r, item: it, lease: lease, line: newBreaker(&apiKey{}), alarmed: alarmed[it.ID]}
	if _, err := s.ourTx(); err != nil && it.Signed == nil {
		return "", nil // nobody can have signed it
	}
	known, err := s.known(ctx)
	switch {
	case err != nil:
		return "", fmt.Errorf("reject: item %s: the network was not asked for its transaction: %w", it.ID, err)
	case known && it.Signed == nil:
		ours, err := s.ourTx()
		if err != nil {
			return "", err
		}
		_, err = r.paidUnrecorded(ctx, it, lease, ours.TxID())
		return "", errors.Join(err, fmt.Errorf("reject: item %s: %w: the network has its transaction. Do not have it paid anew; find out who signed and sent it", it.ID, ErrMayBePaid))
	case known:
		err := fmt.Errorf("reject: item %s: the network has its transaction %s: %w", it.ID, it.TxID, ErrTooLate)
		return "", errors.Join(err, s.turnsUp(ctx))
	}
	words, never, err := r.leaving(ctx, it)
	if err != nil {
		return "", err
	}
	why := ""
	if never {
		if why, err = s.spentByOurs(ctx); err == nil && why == "" && slices.Contains(deadCodes, it.Code) {
			_, dead, err = s.mayConfirm(ctx)
		}
	} else if why, dead, err = s.mayConfirm(ctx); why != "" {
		why = words + ", and it is not found now\n" + why
	}
	switch {
	case err != nil:
		return "", fmt.Errorf("reject: item %s: what spends its inputs is not known: %w", it.ID, err)
	case why == "":
		return dead, nil
	case it.TxID != "":
		why = "its transaction is " + it.TxID + "\n" + why
	}
	return "", fmt.Errorf("reject: item %s: %w:\n%s", it.ID, ErrMayBePaid, why)
}

// spentByOurs says why what spends the inputs of an item may be its own
// transaction, "" where nothing spends them or only what is proven to be another
// payment. Lists that lack something, or that do not say what spends an output of
// which Tatum says that it is spent, say nothing.
func (s *step) spentByOurs(ctx context.Context) (why string, err error) {
	f, err := s.search(ctx)
	if err != nil {
		return "", err
	}
	others := make(map[string]bool) // used up by what is proven to be another payment
	found, err := f.spenders(ctx, func(sp spender) bool {
		if sp.rival == nil {
			why = fmt.Sprintf("Tatum lists transaction %s as one that spends what it spends, and nothing proves what that is", sp.txid)
			return true
		}
		if same := f.Same(sp.rival.Tx, f.Payers()); same != "" {
			why = fmt.Sprintf("transaction %s spends what it spends, and %s", sp.txid, same)
		}
		for _, id := range sp.rival.Tx.Uses() {
			others[id] = true
		}
		return why != ""
	})
	switch {
	case err != nil || why != "":
		return why, err
	case found.ours:
		return "Tatum lists it as one that spends what it spends", nil
	case found.gap != "":
		return "it is not known what spends its inputs: " + found.gap, nil
	}
	return f.spentByWhat(ctx, others)
}

// spentByWhat says of which output that the item's transaction spends Tatum says
// that it is spent, and nobody knows by what, "" if there is none.
func (f search) spentByWhat(ctx context.Context, others map[string]bool) (string, error) {
	ours, err := f.ourTx()
	if err != nil {
		return "", err
	}
	uses := ours.Uses()
	for _, id := range uses[:min(len(uses), maxAddresses)] {
		if others[id] {
			continue
		}
		spent, err := f.Tatum.Spent(ctx, f.item.Chain, id)
		switch {
		case err != nil && (f.Uses(id) || !tatum.IsNotFound(err)):
			return "", err
		case spent:
			return fmt.Sprintf("Tatum says that %s, which it spends, is spent, and its lists do not say by what", id), nil
		}
	}
	return "", nil
}

// isGone reports whether Tatum itself says that it does not have an item under
// this API key: then reject gives nothing back there.
func (r *Relay) isGone(ctx context.Context, it journal.Item) bool {
	_, err := r.Tatum.TxIDOf(ctx, it.ID)
	return missing(err)
}
