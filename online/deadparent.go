package online

import (
	"context"
	"errors"
	"fmt"
	"maps"

	"github.com/btcsuite/btcd/chaincfg/chainhash"

	"coldkms/online/journal"
	"coldkms/shared/chain"
)

// deadParent returns the item of this journal that makes an output which ours
// spends, if that one is a dead end.
func (s *step) deadParent(ctx context.Context) (*journal.Item, error) {
	msg := parseFinal(s.item.Signed)
	if msg == nil {
		return nil, errors.New("the signed bytes in the journal are damaged")
	}
	seen := make(map[chainhash.Hash]bool)
	var txids []string
	for _, in := range msg.TxIn {
		if id := in.PreviousOutPoint.Hash; !seen[id] {
			seen[id] = true
			txids = append(txids, id.String())
		}
	}
	ids, err := s.journal.Payers(ctx, txids)
	if err != nil || len(ids) == 0 {
		return nil, err
	}
	dead, err := s.journal.Items(ctx, journal.Filter{IDs: ids, States: []journal.State{journal.Failed}, Codes: deadCodes, Max: 1})
	if err != nil || len(dead) == 0 {
		return nil, err
	}
	return &dead[0], nil
}

// deadCodes are those of items that are failed because they can never confirm.
var deadCodes = []chain.Code{CodeInputsSpent, CodeParentDead}

// maxLine bounds how many dead parents are followed to the first.
const maxLine = 25

// childOf ends an item whose parent is a dead end, while what took the place of
// the first of its dead parents is still to be found.
func (s *step) childOf(ctx context.Context, parent *journal.Item) error {
	if parent == nil {
		return nil
	}
	if known, named, err := s.oursAfterAll(ctx); err != nil || known || named {
		return err
	}
	root, err := s.firstOf(ctx, parent)
	if err != nil {
		return err
	}
	first := &step{Relay: s.Relay, item: *root}
	r, err := first.rival(ctx)
	why := "what took the place of that one is not found any more, or not deep enough"
	if err == nil && r != nil && r.depth >= s.Depths.of(s.item.Chain) {
		why, err = first.doubt(ctx, r)
	}
	switch {
	case err != nil:
		return s.trouble(ctx, CodeNetwork, err)
	case why != "":
		return s.alarms(ctx, CodeParentDead, parent.TxID, fmt.Errorf("ALARM: it spends an output of %s, the transaction of %s, which was found to be dead, but %s. Do not have anything paid anew yet: the next run looks again", parent.TxID, parent.ID, why))
	}
	words, err := s.childWords(ctx, first, r)
	if err != nil {
		return s.trouble(ctx, CodeNetwork, err)
	}
	return s.fails(ctx, CodeParentDead, parent.TxID, fmt.Sprintf("it spends an output of %s, the transaction of %s, which can never confirm: neither can this one. See what became of that one; ", parent.TxID, parent.ID)+words)
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
func (s *step) childWords(ctx context.Context, first *step, r *rival) (string, error) {
	msg, root := parseFinal(s.item.Signed), parseFinal(first.item.Signed)
	if msg == nil || root == nil {
		return "", errors.New("the signed bytes in the journal are damaged")
	}
	own, err := s.spentOutputs(ctx, msg)
	if err != nil {
		return "", err
	}
	more, err := first.spentOutputs(ctx, root)
	if err != nil {
		return "", err
	}
	maps.Copy(own, more)
	if same := samePayment(msg, r.msg, own); same != "" {
		return fmt.Sprintf("transaction %s took the place of that one, and %s: do NOT have it paid anew before you know that it was not", r.txid, same), nil
	}
	return look(s.item.TxID, r.txid) + "have this payment made anew under a new id", nil
}
