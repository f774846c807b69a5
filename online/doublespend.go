package online

import (
	"context"
	"errors"
	"fmt"

	"coldkms/online/tatum"
	"coldkms/shared/chain"
)

// A signed transaction is a dead end only on positive evidence, which verdict.go
// looks for: that ours is not found, that an output is "spent", that a node
// refuses, is none. Our own transaction makes all of it true while an index lags
// behind.

// Depths are the confirmations for each chain from which on a transaction is
// taken to stay.
type Depths map[chain.ID]int64

// DefaultDepths are an hour of blocks for BTC, half an hour for LTC, 40 minutes
// for DOGE, and for BCH what exchanges ask for.
func DefaultDepths() Depths {
	return Depths{chain.BTC: 6, chain.LTC: 12, chain.DOGE: 40, chain.BCH: 10}
}

// of is the depth for a chain: what was set, or the default, and never none.
func (d Depths) of(id chain.ID) int64 {
	if n := d[id]; n > 0 {
		return n
	}
	return max(DefaultDepths()[id], 1)
}

// refused deals with a transaction that a node does not take, and that is not
// found. It stays signed, whatever the node said, unless there is evidence
// that it can never confirm.
func (s *step) refused(ctx context.Context, said error) error {
	if tatum.IsKnownAlready(said) {
		return s.stays(ctx, CodeUnseen, fmt.Errorf("a node has it already, and it is not found by its txid yet; the next run looks again: %w", said))
	}
	if s.item.Withdrawal != "" && tatum.IsNotOpen(said) {
		return s.notOpen(ctx, said)
	}
	dead, err := s.deadEnd(ctx)
	if err != nil || dead || s.problem != nil { // or another transaction was found, and is no evidence yet
		return err
	}
	return s.stays(ctx, CodeNodeRefused, said)
}

// deadEnd makes the item failed if it can never confirm. One that may become a
// dead end is a problem.
func (s *step) deadEnd(ctx context.Context) (dead bool, err error) {
	v, err := s.verdict(ctx)
	switch {
	case err != nil:
		return false, s.trouble(ctx, CodeNetwork, err)
	case v.never:
		return true, s.fails(ctx, v.code, v.by, v.words)
	case v.code == CodeUnseen:
		return false, s.stays(ctx, v.code, errors.New(v.words))
	case v.code != "":
		return false, s.alarms(ctx, v.code, v.by, errors.New("ALARM: "+v.words))
	}
	return false, nil
}
