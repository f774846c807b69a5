package online

import (
	"context"
	"encoding/hex"

	"coldkms/online/journal"
	"coldkms/online/tatum"
	"coldkms/shared/chain"
)

// WatchOptions choose what is watched.
type WatchOptions struct {
	Network chain.Network // UnknownNetwork: both
	IDs     []string      // none: all that were sent
	Due     bool          // only those whose time has come to be looked at again
	Depth   int64         // until so many confirmations were seen; 0 is 1
}

// Watched is what a look at the network found.
type Watched struct {
	Confirmed []string  `json:"confirmed"` // as deep as was asked for since this run
	Problems  []Problem `json:"problems"`
}

// Watch looks how deep in the chain what was sent is by now. What the network
// dropped is sent again, the same bytes; what something else replaced becomes
// failed, for a person.
func (r *Relay) Watch(ctx context.Context, o WatchOptions) (Watched, error) {
	report := Watched{Confirmed: []string{}, Problems: []Problem{}}
	depth := max(o.Depth, 1)
	f := journal.Filter{States: []journal.State{journal.Broadcast, journal.Completed}, IDs: o.IDs, Network: o.Network, Shallow: depth}
	steps, err := r.work(ctx, job{filter: f, due: o.Due, purpose: tatum.Watch, do: (*step).watch})
	for _, s := range steps {
		if s.depth >= depth {
			report.Confirmed = append(report.Confirmed, s.item.ID)
		}
		if s.problem != nil {
			report.Problems = append(report.Problems, *s.problem)
		}
	}
	return report, err
}

func (s *step) watch(ctx context.Context) error {
	seen, err := s.Tatum.Sight(ctx, s.item.Chain, s.item.TxID)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err != nil {
		s.problem = &Problem{ID: s.item.ID, Code: CodeNetwork, Reason: err.Error()}
		return s.line.judge(err)
	}
	s.line.works()
	if !seen.Known {
		return s.vanished(ctx)
	}
	s.depth = seen.Confirmations
	if s.item.Code == CodeEvicted { // it is back
		if err := s.note(ctx, s.item, s.lease, "", "", 0); err != nil {
			return err
		}
	}
	return s.journal.Sighted(ctx, s.item.ID, s.lease, s.depth)
}

// vanished deals with a transaction that the network had and does not know.
func (s *step) vanished(ctx context.Context) error {
	spent, err := s.spentInput(ctx)
	if err != nil {
		return s.trouble(ctx, CodeNetwork, err)
	}
	known, err := s.lookAgain(ctx)
	switch {
	case err != nil:
		return s.trouble(ctx, CodeNetwork, err)
	case known:
		return nil // the next look tells how deep
	case spent != nil:
		return s.fails(ctx, CodeInputsSpent, spent.String(), "ALARM: it was with the network and something else took its place: "+deadEnd(spent, nil))
	}
	if err := s.journal.Sighted(ctx, s.item.ID, s.lease, -1); err != nil {
		return err
	}
	reason := "the network does not have it any more (fee too low, or a reorganisation); the same bytes were sent again, and the next look tells whether it is back"
	if _, err := s.Tatum.Broadcast(ctx, s.item.Chain, s.item.ID, hex.EncodeToString(s.item.Signed)); err != nil {
		reason = "the network does not have it any more, and does not take the same bytes again: " + err.Error()
	}
	s.problem = &Problem{ID: s.item.ID, Code: CodeEvicted, Reason: reason}
	return s.note(ctx, s.item, s.lease, CodeEvicted, reason, delay(CodeEvicted, s.item.Tries))
}
