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

// BroadcastOptions choose what is broadcast.
type BroadcastOptions struct {
	Network chain.Network // UnknownNetwork: both
	IDs     []string      // none: all that are signed, or not marked yet
	Due     bool          // only those whose time has come to be tried again
}

// Sent is a transaction that the network has.
type Sent struct {
	ID   string `json:"id"`
	TxID string `json:"txId"`
}

// Broadcasted is what a broadcast did.
type Broadcasted struct {
	Broadcast []Sent    `json:"broadcast"` // known to the network since this run
	Completed []string  `json:"completed"` // marked at Tatum since this run
	Ended     []string  `json:"ended"`     // paid otherwise than Tatum has it, and dealt with: completed here since this run
	Problems  []Problem `json:"problems"`
}

// Broadcast sends what is signed, and marks at Tatum what was sent. It may
// be killed and run again at any point: before anything is sent, Tatum and
// the chain are asked for it by the txid computed here, and what is sent is
// always the same bytes.
func (r *Relay) Broadcast(ctx context.Context, o BroadcastOptions) (Broadcasted, error) {
	report := Broadcasted{Broadcast: []Sent{}, Completed: []string{}, Ended: []string{}, Problems: []Problem{}}
	f := journal.Filter{States: []journal.State{journal.Signed, journal.Broadcast}, IDs: o.IDs, Network: o.Network}
	steps, err := r.work(ctx, job{filter: f, due: o.Due, do: (*step).run, lends: share - workers})
	for _, s := range steps {
		if s.sent {
			report.Broadcast = append(report.Broadcast, Sent{s.item.ID, s.item.TxID})
		}
		if s.completed {
			report.Completed = append(report.Completed, s.item.ID)
		}
		if s.ended {
			report.Ended = append(report.Ended, s.item.ID)
		}
		if s.problem != nil {
			report.Problems = append(report.Problems, *s.problem)
		}
	}
	return report, err
}

func (s *step) run(ctx context.Context) error {
	if err := s.checkBytes(); err != nil {
		return s.alarms(ctx, CodeJournalFault, err.Error(), err)
	}
	if payer, err := s.payer(); err != nil {
		return err
	} else if payer != s.item.ID {
		return s.sameTransaction(ctx, payer)
	}
	if journal.Misspelt(s.item.ID) && s.item.State == journal.Signed && withdrawn(s.item) {
		return s.heldBack(ctx, nil) // Tatum's record is that of the payment
	}
	kms, err := s.Tatum.PendingByID(ctx, s.item.ID)
	switch {
	case tatum.IsNotFound(err) && s.item.Accepted == journal.OfferNone && s.item.State == journal.Signed:
	case tatum.IsNotFound(err):
		s.line.works()
		return s.dropped(ctx, err)
	case err != nil:
		return s.trouble(ctx, CodeNetwork, err)
	default:
		if err := errors.Join(s.keyIsBack(ctx), s.shows(ctx, aboutRecord)); err != nil {
			return err
		}
	}
	s.line.works()
	if print := s.fingerprint(); s.item.SeenBy != print {
		if err := s.journal.SeenBy(ctx, s.item.ID, print); err != nil {
			return err
		}
	}
	if err := s.compare(ctx, kms.Raw); err != nil {
		return err
	}
	if kms.TxID != "" {
		return s.completedAs(ctx, kms.TxID)
	}
	if err := s.namedRightly(ctx, "does not name another transaction any more"); err != nil {
		return err
	}
	if there, err := s.there(ctx); err != nil || !there {
		return err
	}
	return s.mark(ctx)
}

// there makes sure that the network has the transaction, and has been seen to.
func (s *step) there(ctx context.Context) (bool, error) {
	if s.item.State != journal.Signed {
		return true, nil
	}
	return s.send(ctx)
}

// checkBytes hashes what is about to leave.
func (s *step) checkBytes() error {
	family, err := s.family()
	if err != nil {
		return err
	}
	got, err := family.TxID(s.item.Signed)
	if err != nil {
		return fmt.Errorf("the signed bytes in the journal are damaged: %w", err)
	}
	if got != s.item.TxID {
		return fmt.Errorf("the signed bytes in the journal hash to %s, not to %s", got, s.item.TxID)
	}
	return nil
}

// completedAs goes on with an item that Tatum says is completed. That its txid
// is ours counts once the network has been seen to have it.
func (s *step) completedAs(ctx context.Context, txid string) error {
	if !strings.EqualFold(txid, s.item.TxID) {
		return s.completedByOther(ctx, txid)
	}
	if err := s.namedRightly(ctx, "names our transaction now"); err != nil {
		return err
	}
	if s.item.Marked(CodeOtherTxID) { // it is none
		if err := s.journal.Unwithhold(ctx, s.item.ID, CodeOtherTxID); err != nil {
			return err
		}
		s.item.Unmark(CodeOtherTxID)
	}
	if there, err := s.there(ctx); err != nil || !there {
		return err
	}
	if s.item.Withdrawal != "" {
		return s.settleWithdrawal(ctx)
	}
	return s.completes(ctx)
}

// seen reports whether the network has ours, or had it before, and journals
// that where it is new.
func (s *step) seen(ctx context.Context) (bool, error) {
	if s.item.State == journal.Broadcast {
		return true, nil
	}
	known, err := s.known(ctx)
	if err != nil || !known {
		return false, err
	}
	return true, s.turnsUp(ctx)
}

// fails leaves the item to a person, with an alarm. evidence identifies what
// was found.
func (s *step) fails(ctx context.Context, code chain.Code, evidence, reason string) error {
	s.problem = &Problem{ID: s.item.ID, Code: code, Reason: reason}
	return s.journal.Move(ctx, journal.Move{ID: s.item.ID, From: s.item.State, To: journal.Failed, Code: code, Reason: reason, Lease: s.lease, Alarm: s.problem.alarm(evidence)})
}

// paidAnyway is about what the network has and Tatum has dropped, cancelled, or
// on record as paid by something else. It is an alarm, and comes to its end once
// a person has dealt with that and it is as deep in the chain as what is not
// watched any more.
func (s *step) paidAnyway(ctx context.Context, code chain.Code, evidence string, why error) error {
	said, _, err := s.journal.Dealt(ctx, s.item.ID, code, evidence)
	switch {
	case err != nil:
		return err
	case said.By == "" || s.item.Depth < 2*s.depth():
		return s.alarms(ctx, code, evidence, why)
	}
	reason := fmt.Sprintf("it is paid (%s, %d confirmations), though not as Tatum has it; %s dealt with that: %s", s.item.TxID, s.item.Depth, said.By, said.Why)
	if err := s.journal.Move(ctx, journal.Move{ID: s.item.ID, From: journal.Broadcast, To: journal.Completed, Code: code, Reason: reason, Lease: s.lease}); err != nil {
		return err
	}
	s.item.State, s.ended = journal.Completed, true
	return nil
}

// completes ends an item that the network has and Tatum has on record. That it is not
// found there any more is kept.
func (s *step) completes(ctx context.Context) error {
	m := journal.Move{ID: s.item.ID, From: journal.Broadcast, To: journal.Completed, Lease: s.lease}
	if slices.Contains(missingCodes, s.item.Code) {
		m.Code, m.Reason = s.item.Code, s.item.Reason
	}
	if err := s.journal.Move(ctx, m); err != nil {
		return err
	}
	s.item.State, s.completed = journal.Completed, true
	return s.recordedRightly(ctx)
}

// heals are alarms whose cause is gone once the network has the transaction.
var heals = []chain.Code{CodeStillListed, CodeInputsSpent, CodeParentDead, CodeEvicted, CodeReorganised, CodeNotOpen, journal.SignedDropped, journal.SignedLate}

// heal says of alarms about the item that their cause is gone, and why.
func (s *step) heal(ctx context.Context, why string) error {
	for _, code := range s.alarmed {
		if !slices.Contains(heals, code) {
			continue
		}
		if code == CodeInputsSpent {
			if err := s.journal.Unlooked(ctx, s.item.ID); err != nil {
				return err
			}
		}
		if err := s.journal.Heal(ctx, s.item.ID, code, why); err != nil {
			return err
		}
	}
	return nil
}

const (
	sendTries = 3                      // times that the same bytes are sent in one run
	lookTries = 2                      // times that a transaction is looked for after a clear no
	lookPause = 500 * time.Millisecond // before the second look, doubling
)

// send gets the transaction to the network: look, send, and look again,
// whatever the reply says. there is false, with a problem, where the network
// was not seen to have it.
func (s *step) send(ctx context.Context) (there bool, err error) {
	var last error // of the last time it was sent
	taken := false // Tatum's reply says that it was
	for try := 0; ; try++ {
		known, err := s.known(ctx)
		switch {
		case err != nil:
			return false, s.trouble(ctx, CodeNetwork, err)
		case known:
			return true, s.turnsUp(ctx)
		case taken && try >= lookTries:
			return false, s.stays(ctx, CodeUnseen, errors.New("it was sent, as Tatum says, but the network was not seen to have it yet; the next run looks again"))
		case tatum.IsDefinite(last) && try >= lookTries:
			return false, s.refused(ctx, last)
		case try >= sendTries:
			return false, s.trouble(ctx, CodeNetwork, fmt.Errorf("sent, no clear reply, and not found by its txid yet; run broadcast again: %w", last))
		}
		if try == 0 {
			if may, err := s.mayGo(ctx); err != nil || !may {
				return false, err
			}
		}
		if !taken && !tatum.IsDefinite(last) && !tatum.IsSlow(last) { // what hung is sent again in the next run
			if err := s.handOver(ctx); err != nil {
				return false, err
			}
			if last = s.sendOnce(ctx); last == nil {
				taken = true
				continue
			}
			if endsSending(last) {
				return false, s.trouble(ctx, CodeNetwork, last)
			}
		}
		if err := s.Sleep(ctx, max(lookPause<<try, tatum.RetryAfter(last))); err != nil {
			return false, err
		}
	}
}

// endsSending reports whether a payment is not sent again in this run.
func endsSending(err error) bool { return tatum.IsAuth(err) || tatum.LeftAlone(err) }

// mayGo asks whoever has a say before the bytes leave for the first time.
func (s *step) mayGo(ctx context.Context) (bool, error) {
	if ours, err := s.claimWithdrawal(ctx); err != nil || !ours {
		return false, err
	}
	return s.mayLeave(ctx)
}

// handOver has the journal know that the bytes leave, before they do.
func (s *step) handOver(ctx context.Context) error {
	if err := s.journal.Hand(ctx, s.item.ID, s.lease); err != nil {
		return err
	}
	s.done = fmt.Sprintf("its bytes were handed to the network (%s), and it may be paid", s.item.TxID)
	if !s.item.HandedKnown {
		s.item.Handed, s.item.HandedKnown = s.Now(), true
	}
	return nil
}

// sendOnce sends the bytes. A reply with another txid than ours is no success.
func (s *step) sendOnce(ctx context.Context) error {
	raw := hex.EncodeToString(s.item.Signed)
	var reply tatum.Sent
	var err error
	if s.item.Withdrawal != "" {
		reply, err = s.Tatum.BroadcastWithdrawal(ctx, s.item.Chain, s.item.ID, s.item.Withdrawal, raw)
	} else {
		reply, err = s.Tatum.Broadcast(ctx, s.item.Chain, s.item.ID, raw)
	}
	if err == nil && !strings.EqualFold(reply.TxID, s.item.TxID) {
		err = fmt.Errorf("the reply to the broadcast says txId %.80q", reply.TxID)
	}
	s.marked = err == nil && reply.Completed
	return err
}

// mark tells Tatum the txid, unless its reply says that it knows it, and reads
// back what it has on record: only that counts.
func (s *step) mark(ctx context.Context) error {
	var failed error
	if !s.marked {
		s.done = fmt.Sprintf("it is paid (%s), and Tatum was told so", s.item.TxID)
		failed = s.Tatum.Complete(ctx, s.item.ID, s.item.TxID)
	}
	txid, err := s.Tatum.TxIDOf(ctx, s.item.ID)
	switch {
	case tatum.IsNotFound(err):
		return s.dropped(ctx, err)
	case err != nil:
		return s.trouble(ctx, CodeNotMarked, errors.Join(failed, err))
	case txid != "":
		return s.completedAs(ctx, txid)
	}
	if ended, err := s.cancelledMeanwhile(ctx, failed); ended || err != nil {
		return err
	}
	if failed != nil {
		return s.trouble(ctx, CodeNotMarked, failed)
	}
	s.marked = false
	return s.stays(ctx, CodeNotMarked, errors.New("it is marked, as Tatum says, but its record does not have the txid; the next run marks it again"))
}

// stays records why the item does not go on.
// It is left alone for a while then, unless the trouble is not its own. What
// was cut short, such as at the end of the program, is nobody's trouble.
func (s *step) stays(ctx context.Context, code chain.Code, why error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	s.problem = &Problem{ID: s.item.ID, Code: code, Reason: why.Error()}
	later := delay(code, s.item.Tries)
	if general(why) {
		later = 0
	}
	return s.note(ctx, s.item, s.lease, code, why.Error(), later)
}

// alarms is stays for what a person must look at.
func (s *step) alarms(ctx context.Context, code chain.Code, evidence string, why error) error {
	s.problem = &Problem{ID: s.item.ID, Code: code, Reason: why.Error()}
	return s.noteWith(ctx, s.item, s.lease, *s.problem, evidence, delay(code, s.item.Tries))
}

// trouble is stays for an error that may concern every item.
func (s *step) trouble(ctx context.Context, code chain.Code, why error) error {
	if err := s.stays(ctx, code, why); err != nil {
		return err
	}
	return s.line.judge(why)
}
