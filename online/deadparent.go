package online

import (
	"context"
	"fmt"

	"coldkms/online/journal"
	"coldkms/shared/chain"
)

// deadParent returns the item of this journal that makes an output which ours
// spends, if that one is a dead end.
func (s *step) deadParent(ctx context.Context) (*journal.Item, error) {
	ours, err := s.ourTx()
	if err != nil {
		return nil, err
	}
	ids, err := s.journal.Payers(ctx, ours.Parents())
	if err != nil || len(ids) == 0 {
		return nil, err
	}
	dead, err := s.journal.Items(ctx, journal.Filter{IDs: ids, States: []journal.State{journal.Failed}, Codes: deadCodes, Max: 1})
	if err != nil || len(dead) == 0 {
		return nil, err
	}
	return &dead[0], nil
}

// contestedParent looks for a rival of the transactions that the item's spends
// outputs of, as far as this journal made them and they are not deep enough: what
// took the place of one of those ends this one, too.
func (s *step) contestedParent(ctx context.Context) (v verdict, err error) {
	ours, err := s.ourTx()
	if err != nil {
		return v, err
	}
	ids, err := s.journal.Payers(ctx, ours.Parents())
	if err != nil || len(ids) == 0 {
		return v, err
	}
	parents, err := s.journal.Items(ctx, journal.Filter{IDs: ids, States: sendable})
	if err != nil {
		return v, err
	}
	for _, parent := range parents[:min(len(parents), maxParents)] {
		if parent.Depth >= 2*s.depth() {
			continue
		}
		of, _, err := (&step{Relay: s.Relay, item: parent}).contest(ctx)
		if err != nil {
			return v, err
		}
		if of.code != "" {
			v = verdict{code: CodeParentDead, by: parent.TxID}
			v.why = fmt.Sprintf("it spends an output of %s, and of that one: %s", parent.TxID, of.why)
			v.words = fmt.Sprintf("it spends an output of %s, the transaction of %s, and of that one: %s. If that "+
				"one has lost its place, this one can never confirm. "+
				"Do not have anything paid anew yet: kms-online watch looks again", parent.TxID, parent.ID, of.why)
			return v, nil
		}
	}
	return v, nil
}

// sendable are the states of an item whose transaction is with the network, or is
// to come there.
var sendable = []journal.State{journal.Signed, journal.Broadcast, journal.Completed}

// deadCodes are those of items that are failed because they can never confirm.
var deadCodes = []chain.Code{CodeInputsSpent, CodeParentDead}

// maxLine bounds how many dead parents are followed to the first.
const maxLine = 25

// childOf judges an item whose parent is a dead end: it is one too, while what
// took the place of the first of its dead parents is still to be found.
func (s *step) childOf(ctx context.Context, parent *journal.Item) (verdict, error) {
	named, v, err := s.oursAfterAll(ctx)
	if err != nil || v.code != "" {
		return v, err
	}
	v = verdict{code: CodeParentDead, by: parent.TxID}
	if named {
		v.why = "it spends an output of a transaction that was found to be dead, but Tatum has it on record as the payment"
		v.words = v.why + ". Do not have anything paid anew yet: the next run looks again"
		return v, nil
	}
	root, err := s.firstOf(ctx, parent)
	if err != nil {
		return v, err
	}
	first := &step{Relay: s.Relay, item: *root}
	was, r, err := first.contest(ctx)
	if err != nil {
		return v, err
	}
	if !was.never {
		if was.why == "" {
			was.why = "what took the place of that one is not found any more"
		}
		v.why = fmt.Sprintf("it spends an output of %s, which was found to be dead, but %s", parent.TxID, was.why)
		v.words = fmt.Sprintf("it spends an output of %s, the transaction of %s, which was found to be dead, but %s. Do not have anything paid anew yet: the next run looks again", parent.TxID, parent.ID, was.why)
		return v, nil
	}
	advice := ""
	if v.same, advice, err = s.childWords(ctx, first, r); err != nil {
		return v, err
	}
	v.never, v.words = true, fmt.Sprintf("it spends an output of %s, the transaction of %s, which can never confirm: neither can this one. See what became of that one; ", parent.TxID, parent.ID)+advice
	return v, nil
}

// firstOf follows dead parents to the one whose own inputs were spent.
func (s *step) firstOf(ctx context.Context, it *journal.Item) (*journal.Item, error) {
	for range maxLine {
		if it.Code != CodeParentDead {
			break
		}
		up, err := (&step{Relay: s.Relay, item: *it}).deadParent(ctx)
		if err != nil || up == nil {
			return it, err
		}
		it = up
	}
	return it, nil
}

// childWords say what to do about a child. What took its parent's place may
// have paid whom the child pays.
func (s *step) childWords(ctx context.Context, first *step, r rival) (same, advice string, err error) {
	own, err := s.search(ctx)
	if err != nil {
		return "", "", err
	}
	root, err := first.search(ctx)
	if err != nil {
		return "", "", err
	}
	other := r.spender.txid
	if same = own.Same(r.spender.rival.Tx, append(own.Payers(), root.Payers()...)); same != "" {
		return same, fmt.Sprintf("transaction %s took the place of that one, and %s", other, same) + notAnew, nil
	}
	return "", look(s.item.TxID, other) + "have this payment made anew under a new id", nil
}
