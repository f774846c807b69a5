package online

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"coldkms/online/journal"
	"coldkms/online/tatum"
	"coldkms/shared/chain"
)

// WatchOptions choose what is watched.
type WatchOptions struct {
	Network chain.Network // UnknownNetwork: both
	IDs     []string      // none: all that is not deep enough yet
	Due     bool          // only those whose time has come to be looked at again
}

// Watched is what a look at the network found.
type Watched struct {
	Confirmed []string  `json:"confirmed"` // as deep as is demanded since this run
	Healed    []string  `json:"healed"`    // was failed, and goes on: the network has it after all, or it may be sent again
	Problems  []Problem `json:"problems"`
}

// Watch looks how deep in the chain what was sent is by now, also after it is
// completed, until it has twice the confirmations of its chain (Relay.Depths), at
// two looks at least. What the network dropped is sent again, the same bytes. What was declared dead is
// looked for too: if it turns up, it goes on by itself; and what was rejected after it was
// exported is an alarm if it was sent.
func (r *Relay) Watch(ctx context.Context, o WatchOptions) (Watched, error) {
	report := Watched{Confirmed: []string{}, Healed: []string{}, Problems: []Problem{}}
	sent := journal.Filter{IDs: o.IDs, Network: o.Network, Unsettled: len(o.IDs) == 0}
	if len(o.IDs) > 0 {
		sent.States = []journal.State{journal.Broadcast, journal.Completed}
	}
	dead := journal.Filter{IDs: o.IDs, Network: o.Network, States: []journal.State{journal.Failed}, Codes: revisited}
	rejected := journal.Filter{IDs: o.IDs, Network: o.Network, Outstanding: true}
	if found, err := r.journal.Any(ctx, sent, dead, rejected); err != nil || !found {
		return report, err
	}
	steps, err := r.work(ctx, job{filter: sent, due: o.Due, purpose: tatum.Watch, do: (*step).watch})
	if err == nil {
		var more []step
		more, err = r.work(ctx, job{filter: dead, due: o.Due, purpose: tatum.Revisit, do: (*step).revisit})
		steps = append(steps, more...)
	}
	if err == nil {
		var more []step
		more, err = r.work(ctx, job{filter: rejected, due: true, purpose: tatum.Revisit, do: (*step).rejected})
		steps = append(steps, more...)
	}
	for _, s := range steps {
		if s.deep {
			report.Confirmed = append(report.Confirmed, s.item.ID)
		}
		if s.healed {
			report.Healed = append(report.Healed, s.item.ID)
		}
		if s.problem != nil {
			report.Problems = append(report.Problems, *s.problem)
		}
	}
	return report, err
}

func (s *step) watch(ctx context.Context) error {
	seen, err := s.Tatum.Sight(ctx, s.item.Chain, s.item.TxID, s.whole(ctx))
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err != nil {
		s.problem = &Problem{ID: s.item.ID, Code: CodeNetwork, Reason: err.Error()}
		return s.line.judge(err)
	}
	s.line.works()
	switch {
	case !seen.Known:
		return s.vanished(ctx)
	case seen.Confirmations == 0:
		return s.pooled(ctx)
	}
	return s.mined(ctx, tatum.Mined{Height: seen.Height, Confirmations: seen.Confirmations})
}

// mined deals with a transaction that is in a block, as Tatum says. It counts only
// where that block, as a node shows it, has the transaction.
func (s *step) mined(ctx context.Context, said tatum.Mined) error {
	ours, err := s.ourTx()
	if err != nil {
		return s.alarms(ctx, CodeJournalFault, "", err)
	}
	want := s.depth()
	var parents []string // are looked at where something is decided
	if said.Confirmations >= want {
		parents = ours.Parents()
	}
	at, doubt, err := s.place(ctx, s.item.TxID, said, parents...)
	switch {
	case err != nil:
		return s.trouble(ctx, CodeNetwork, err)
	case at.absent:
		return s.misplaced(ctx, doubt)
	case doubt == "" && said.Confirmations >= want && at.depth < want:
		doubt = fmt.Sprintf("it has %d", at.depth)
	case doubt == "" && s.item.Depth >= want && at.depth < want:
		return s.unmined(ctx, at.depth, "")
	}
	if doubt != "" {
		return s.doubts(ctx, said.Confirmations, doubt)
	}
	if err := s.isBack(ctx); err != nil {
		return err
	}
	if at.depth < want {
		return s.journal.Sighted(ctx, journal.Sight{ID: s.item.ID, Lease: s.lease, Depth: at.depth})
	}
	return s.confirms(ctx, at, want)
}

// doubts records why the confirmations that Tatum states do not count.
func (s *step) doubts(ctx context.Context, said int64, doubt string) error {
	why := fmt.Errorf("it has %d confirmations or more by what Tatum says, but %s. It is not taken as confirmed, "+
		"and is watched; look for it in an independent block explorer", said, doubt)
	return errors.Join(s.stays(ctx, CodeUnseen, why), s.journal.Unlooked(ctx, s.item.ID))
}

// isBack clears what was noted of a transaction that was not found or not where it was.
func (s *step) isBack(ctx context.Context) error {
	if slices.Contains(missingCodes, s.item.Code) || s.item.Code == CodeNetwork {
		if err := s.note(ctx, s.item, s.lease, "", "", 0); err != nil {
			return err
		}
	}
	return s.heal(ctx, "the network has "+s.item.TxID+" again")
}

// confirms deals with a transaction that is as deep as is demanded. It is watched
// until the same block is found again, at twice the depth: one word of Tatum's is
// looked at once more.
func (s *step) confirms(ctx context.Context, at placed, want int64) error {
	again, err := s.firstLook(ctx, at.evidence)
	if err != nil {
		return err
	}
	s.deep = s.item.Depth < want
	settled := !s.deep && again.IsZero() && at.depth >= 2*want
	var later time.Duration
	if settled {
		err = s.journal.Unlooked(ctx, s.item.ID)
	} else {
		later = max(1, time.Duration(2*want-at.depth)) * s.pace().Block
	}
	if err != nil {
		return err
	}
	return s.journal.Sighted(ctx, journal.Sight{ID: s.item.ID, Lease: s.lease, Depth: at.depth, Settled: settled, Later: later})
}

// unmined deals with a transaction that was in a block, or deep enough, and is
// not now: index says what Tatum says all the same, "" for nothing else. An index
// that lags looks like this too: it is an alarm when the next look finds the same.
func (s *step) unmined(ctx context.Context, now int64, index string) error {
	had := "it was in a block"
	if s.item.Depth > 0 {
		had = fmt.Sprintf("it had %d confirmations", s.item.Depth)
	}
	why := fmt.Errorf("%s and is in no block now%s: the chain was reorganised, or an index lags; "+
		"it is with the network, and watched", had, index)
	evidence := s.item.TxID
	if now > 0 {
		evidence += " fewer"
		why = fmt.Errorf("%s and has %d now: the chain was reorganised, or one of the two was not true; "+
			"it is watched", had, now)
	} else if err := s.journal.Sighted(ctx, journal.Sight{ID: s.item.ID, Lease: s.lease}); err != nil {
		return err
	}
	if s.item.Code != CodeReorganised {
		return s.stays(ctx, CodeReorganised, why)
	}
	return s.alarms(ctx, CodeReorganised, evidence, fmt.Errorf("ALARM: %w. Do not take it as paid until it is in a block again", why))
}

// vanished deals with a transaction that the network had and is not found.
// The same bytes are sent again. What is still not found at the next look, or
// what a node refuses, is an alarm.
func (s *step) vanished(ctx context.Context) error {
	var said error
	if s.item.Withheld == "" { // it was not given up: then only others send it
		if err := s.handOver(ctx); err != nil {
			return err
		}
		_, said = s.Tatum.Broadcast(ctx, s.item.Chain, s.item.ID, hex.EncodeToString(s.item.Signed))
	}
	known, err := s.lookAgain(ctx)
	switch {
	case err != nil:
		return s.trouble(ctx, CodeNetwork, err)
	case known:
		return nil // the next look tells how deep
	}
	refused := tatum.IsDefinite(said) && !tatum.IsKnownAlready(said)
	if refused || s.item.Withheld != "" {
		dead, err := s.deadEnd(ctx)
		if err != nil || dead || s.problem != nil && s.problem.Code != CodeNetwork { // that nobody could look for another one silences nothing
			return err
		}
	}
	first := s.item.Depth >= 0
	if err := s.journal.Sighted(ctx, journal.Sight{ID: s.item.ID, Lease: s.lease, Depth: -1}); err != nil {
		return err
	}
	why := errors.New("the network does not have it any more (fee too low, or a reorganisation), or an index lags; the same bytes were sent again, and the next look tells whether it is back")
	if s.item.Withheld != "" {
		why = errors.New("the network does not have it any more, or an index lags; it was given up, so it is not sent again from here")
	}
	if refused {
		why = fmt.Errorf("the network does not have it any more, and does not take the same bytes again: %w", said)
	}
	if first && !refused {
		return s.stays(ctx, CodeEvicted, why)
	}
	return s.alarms(ctx, CodeEvicted, strings.TrimSpace(s.item.TxID+" "+refusalKind(said, refused)), fmt.Errorf("ALARM: it was with the network, and %w. Do not have it paid anew: it may confirm yet", why))
}

// refusalKind names why a node does not take a transaction again, "" where it
// did not refuse it: what was acknowledged as evicted is another matter once its
// inputs are spent.
func refusalKind(said error, refused bool) string {
	switch {
	case !refused:
		return ""
	case tatum.IsInputsGone(said):
		return "inputs"
	}
	return "refused"
}

// lookAgain asks for our own txid after a pause: what just came to the chain
// is not everywhere at once.
func (s *step) lookAgain(ctx context.Context) (known bool, err error) {
	if err := s.Sleep(ctx, 2*lookPause); err != nil {
		return false, err
	}
	return s.known(ctx)
}

// revisited are codes of failed items whose signed bytes may be paid all the
// same: what was declared dead, and what was given up.
var revisited = slices.Concat([]chain.Code{CodeInputsSpent, CodeParentDead, CodeOtherTxID}, givenUp)

// revisit looks whether what was declared dead is there after all. Then it
// goes on by itself, and its alarm says so.
func (s *step) revisit(ctx context.Context) error {
	known, err := s.known(ctx)
	if err == nil && known {
		known, err = s.nodeHas(ctx) // an index alone does not bring it back
	}
	if err != nil {
		s.problem = &Problem{ID: s.item.ID, Code: CodeNetwork, Reason: err.Error()}
		return s.line.judge(err)
	}
	if known {
		return s.turnsUp(ctx)
	}
	if s.item.Code == CodeOtherTxID {
		return s.unnamed(ctx)
	}
	alive := false
	if s.item.Code == CodeParentDead {
		parent, err := s.deadParent(ctx)
		if err != nil {
			return err
		}
		alive = parent == nil
	}
	if !alive {
		return s.deadStill(ctx)
	}
	if err := s.lives(ctx); err != nil {
		return err
	}
	return s.heal(ctx, "what it spends may confirm after all; it is sent again")
}

// lives has a failed item sent again.
func (s *step) lives(ctx context.Context) error {
	err := s.journal.Move(ctx, journal.Move{ID: s.item.ID, From: journal.Failed, To: journal.Signed, Lease: s.lease})
	s.healed = err == nil
	return err
}

// deadStill has it looked for again, less and less often.
func (s *step) deadStill(ctx context.Context) error {
	return s.note(ctx, s.item, s.lease, s.item.Code, s.item.Reason, delay(s.item.Code, s.item.Tries))
}

// unnamed looks whether Tatum still says that another transaction completed the
// item. If it names none, or ours, the item goes on.
func (s *step) unnamed(ctx context.Context) error {
	txid, err := s.Tatum.TxIDOf(ctx, s.item.ID)
	switch {
	case general(err):
		s.problem = &Problem{ID: s.item.ID, Code: CodeNetwork, Reason: err.Error()}
		return s.line.judge(err)
	case err != nil || txid != "" && txid != s.item.TxID:
		return s.deadStill(ctx)
	}
	if err := s.lives(ctx); err != nil {
		return err
	}
	next := "it goes on"
	if withdrawn(s.item) {
		next = fmt.Sprintf("it is signed and held all the same: kms-online status %s says why, after the next kms-online broadcast", s.item.ID)
	}
	return s.journal.Heal(ctx, s.item.ID, CodeOtherTxID, "Tatum's record does not name another transaction any more; "+next)
}
