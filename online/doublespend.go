package online

import (
	"context"
	"errors"
	"fmt"
	"time"

	"coldkms/online/prepare"
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

// DefaultDepths are those that the families have for their chains.
func DefaultDepths(families prepare.Families) Depths {
	depths := make(Depths)
	for _, f := range families {
		for _, id := range f.Chains() {
			depths[id] = f.Pace(id).Depth
		}
	}
	return depths
}

// depth is the depth for the item's chain: what was set, or the default, and never
// none.
func (s *step) depth() int64 {
	if n := s.Depths[s.item.Chain]; n > 0 {
		return n
	}
	return max(s.pace().Depth, 1)
}

// pace is how fast the item's chain settles.
func (s *step) pace() prepare.Pace {
	if f := s.families.Of(s.item.Chain); f != nil {
		return f.Pace(s.item.Chain)
	}
	return prepare.Pace{Block: 10 * time.Minute}
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
