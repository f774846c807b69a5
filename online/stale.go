package online

import (
	"context"
	"encoding/hex"
	"fmt"
	"slices"

	"coldkms/online/journal"
	"coldkms/shared/chain"
)

// Tatum's index may go on to answer what was true before a reorganisation, or before
// a transaction was dropped. So that it is in a block counts only if a node shows it
// there, and that it waits for one only if a node has it. Where a node does not, it
// is asked for the transaction itself, and for what that spends.

// missingCodes are noted of what was with the network, and is not where it was.
var missingCodes = []chain.Code{CodeEvicted, CodeReorganised, CodeUnseen, CodeInputsSpent, CodeParentDead}

// astray reports whether an item was with the network, and is not where it was: alarmed
// are its alarms whose cause lasts.
func astray(it journal.Item, alarmed []chain.Code) bool {
	return slices.ContainsFunc(append([]chain.Code{it.Code}, alarmed...), func(code chain.Code) bool {
		return slices.Contains(missingCodes, code)
	})
}

// pooled deals with a transaction that waits for a block, as Tatum says.
func (s *step) pooled(ctx context.Context) error {
	const index = "Tatum says that it waits for a block"
	has, err := s.nodeHas(ctx)
	switch {
	case err != nil:
		return s.trouble(ctx, CodeNetwork, err)
	case !has:
		return s.lost(ctx, index)
	case s.wasMined():
		return s.unmined(ctx, 0, "")
	}
	if err := s.isBack(ctx); err != nil {
		return err
	}
	return s.journal.Sighted(ctx, journal.Sight{ID: s.item.ID, Lease: s.lease})
}

// misplaced deals with a transaction that is not in the block that Tatum names.
func (s *step) misplaced(ctx context.Context, doubt string) error {
	has, err := s.nodeHas(ctx)
	switch {
	case err != nil:
		return s.trouble(ctx, CodeNetwork, err)
	case !has:
		return s.lost(ctx, "Tatum says that it is in a block, but "+doubt)
	case s.wasMined():
		return s.unmined(ctx, 0, " by what a node says (Tatum says otherwise, but "+doubt+")")
	}
	return s.doubts(ctx, 1, doubt)
}

// wasMined reports whether it was in a block at an earlier look, and in none since.
func (s *step) wasMined() bool { return s.item.Depth > 0 || s.item.Code == CodeReorganised }

// nodeHas asks a node, and no index, for the item's transaction.
func (s *step) nodeHas(ctx context.Context) (bool, error) {
	return s.Tatum.NodeHas(ctx, s.item.Chain, s.item.TxID, s.whole(ctx))
}

// lost deals with a transaction that a node does not have, while Tatum's index says
// otherwise. If what it spends is spent by something else, that is an alarm at once.
// Else the same bytes are sent again, and it is one if the next look finds the same.
// The index is believed in nothing here, so nothing is decided.
func (s *step) lost(ctx context.Context, index string) error {
	if err := s.journal.Sighted(ctx, journal.Sight{ID: s.item.ID, Lease: s.lease}); err != nil {
		return err
	}
	output, err := s.spentAtNode(ctx)
	if err != nil {
		return s.trouble(ctx, CodeNetwork, err)
	}
	if output != "" {
		return s.displaced(ctx, index, output)
	}
	has, err := s.sendLost(ctx)
	switch {
	case err != nil:
		return s.trouble(ctx, CodeNetwork, err)
	case has && s.wasMined():
		return s.unmined(ctx, 0, "")
	case has:
		return nil // the next look tells how deep
	}
	why := fmt.Errorf("%s, and a node does not have it: it was dropped, or the chain was reorganised, "+
		"and an index lags", index)
	if s.item.Code != CodeEvicted {
		return s.stays(ctx, CodeEvicted, why)
	}
	return s.alarms(ctx, CodeEvicted, s.item.TxID, fmt.Errorf("ALARM: it was with the network, and now %w. "+
		"Do not take it as paid, and do not have it paid anew: it may confirm yet. Look for %s in an independent "+
		"block explorer", why, s.item.TxID))
}

// sendLost sends the same bytes again, unless they were given up, and asks a node
// whether it has them then.
func (s *step) sendLost(ctx context.Context) (bool, error) {
	if s.item.Withheld != "" {
		return false, nil
	}
	if err := s.handOver(ctx); err != nil {
		return false, err
	}
	raw := hex.EncodeToString(s.item.Signed)
	_, _ = s.Tatum.Broadcast(ctx, s.item.Chain, s.item.ID, raw) // only what the node has counts
	if err := s.Sleep(ctx, 2*lookPause); err != nil {
		return false, err
	}
	return s.nodeHas(ctx)
}

// spentAtNode returns what the item's transaction spends and is spent, by what a node
// says, "" if that is nothing.
func (s *step) spentAtNode(ctx context.Context) (output string, err error) {
	ours, err := s.ourTx()
	if err != nil {
		return "", err
	}
	f, err := s.search(ctx)
	if err != nil {
		return "", err
	}
	uses := ours.Uses()
	for _, id := range uses[:min(len(uses), maxAddresses)] {
		if !f.Uses(id) {
			continue
		}
		spent, err := s.Tatum.NodeSpent(ctx, s.item.Chain, id)
		switch {
		case general(err):
			return "", err
		case err == nil && spent:
			return id, nil
		}
	}
	return "", nil
}

// displaced raises the alarm about a transaction that a node does not have, while it
// says that what that spends is spent. It names what spends it, where Tatum's lists do.
func (s *step) displaced(ctx context.Context, index, output string) error {
	f, err := s.search(ctx)
	if err != nil {
		return err
	}
	f.past = true
	other := ""
	_, err = f.spenders(ctx, func(sp spender) bool {
		if sp.rival != nil {
			other = sp.txid
		}
		return other != ""
	})
	if general(err) {
		return s.trouble(ctx, CodeNetwork, err)
	}
	code, evidence, by := CodeEvicted, s.item.TxID+" inputs", "Tatum's lists do not name what spends it"
	if other != "" {
		code, evidence = CodeInputsSpent, other
		by = "transaction " + other + " spends it. Find out what signed that one (another wallet with this key, an old KMS?)"
	}
	return s.alarms(ctx, code, evidence, fmt.Errorf("ALARM: %s, and a node has neither this transaction nor %s, "+
		"which it spends: that is spent by something else; %s. Do not take it as paid, and do not have it paid anew "+
		"yet: look for %s in an independent block explorer", index, output, by, s.item.TxID))
}
