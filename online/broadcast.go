package online

import (
	"context"
	"encoding/hex"
	"fmt"
	"strings"
	"time"

	"github.com/btcsuite/btcd/chaincfg/chainhash"

	"coldkms/online/journal"
	"coldkms/online/tatum"
	"coldkms/shared/chain"
	"coldkms/shared/chain/utxo"
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
	Problems  []Problem `json:"problems"`
}

// Broadcast sends what is signed, and marks at Tatum what was sent. It may
// be killed and run again at any point: before anything is sent, Tatum and
// the chain are asked for it by the txid computed here, and what is sent is
// always the same bytes.
func (r *Relay) Broadcast(ctx context.Context, o BroadcastOptions) (Broadcasted, error) {
	report := Broadcasted{Broadcast: []Sent{}, Completed: []string{}, Problems: []Problem{}}
	f := journal.Filter{States: []journal.State{journal.Signed, journal.Broadcast}, IDs: o.IDs, Network: o.Network}
	steps, err := r.work(ctx, job{filter: f, due: o.Due, do: (*step).run})
	for _, s := range steps {
		if s.sent {
			report.Broadcast = append(report.Broadcast, Sent{s.item.ID, s.item.TxID})
		}
		if s.completed {
			report.Completed = append(report.Completed, s.item.ID)
		}
		if s.problem != nil {
			report.Problems = append(report.Problems, *s.problem)
		}
	}
	return report, err
}

func (s *step) run(ctx context.Context) error {
	if err := s.checkBytes(); err != nil {
		return s.alarms(ctx, CodeJournalFault, "", err)
	}
	if payer, err := s.journal.Payer(ctx, s.item.TxID); err != nil {
		return err
	} else if payer != s.item.ID {
		return s.fails(ctx, CodeSameTx, payer, fmt.Sprintf("it asks for the very transaction that pays %s, and one payment does not settle two: find out who made both, then drop this id at Tatum (DELETE /v3/kms/%s)", payer, s.item.ID))
	}
	txid, err := s.Tatum.TxIDOf(ctx, s.item.ID)
	switch {
	case tatum.IsNotFound(err):
		s.line.works()
		return s.stays(ctx, CodeUnknown, fmt.Errorf("not known at Tatum any more, or made with another API key: %w", err))
	case err != nil:
		return s.trouble(ctx, CodeNetwork, err)
	}
	s.line.works()
	if txid != "" {
		return s.completedAs(ctx, txid)
	}
	if s.item.State == journal.Signed {
		there, err := s.send(ctx)
		if err != nil || !there {
			return err
		}
		if s.completed {
			return nil
		}
	}
	if s.item.Withdrawal != "" {
		return s.markWithdrawal(ctx)
	}
	return s.mark(ctx)
}

// checkBytes hashes what is about to leave.
func (s *step) checkBytes() error {
	stripped, err := utxo.StripWitness(s.item.Signed)
	if err != nil {
		return fmt.Errorf("the signed bytes in the journal are damaged: %w", err)
	}
	if got := chainhash.DoubleHashH(stripped).String(); got != s.item.TxID {
		return fmt.Errorf("the signed bytes in the journal hash to %s, not to %s", got, s.item.TxID)
	}
	return nil
}

// completedAs ends an item that Tatum says is completed.
func (s *step) completedAs(ctx context.Context, txid string) error {
	if strings.EqualFold(txid, s.item.TxID) {
		return s.completes(ctx)
	}
	return s.fails(ctx, CodeOtherTxID, txid, fmt.Sprintf("ALARM: Tatum says that %.80q completed it, our transaction is %s: something else signs for this id", txid, s.item.TxID))
}

// fails leaves the item to a person, with an alarm. evidence identifies what
// was found.
func (s *step) fails(ctx context.Context, code chain.Code, evidence, reason string) error {
	s.problem = &Problem{ID: s.item.ID, Code: code, Reason: reason}
	return s.journal.Move(ctx, journal.Move{ID: s.item.ID, From: s.item.State, To: journal.Failed, Code: code, Reason: reason, Lease: s.lease, Alarm: s.problem.alarm(evidence)})
}

// completes takes the item through broadcast to completed.
func (s *step) completes(ctx context.Context) error {
	var moves []journal.Move
	if s.item.State == journal.Signed {
		moves = append(moves, journal.Move{ID: s.item.ID, From: journal.Signed, To: journal.Broadcast, Lease: s.lease})
		s.sent = true
	}
	moves = append(moves, journal.Move{ID: s.item.ID, From: journal.Broadcast, To: journal.Completed, Lease: s.lease})
	if err := s.journal.Move(ctx, moves...); err != nil {
		return err
	}
	s.item.State, s.completed = journal.Completed, true
	return nil
}

// broadcast takes the item to the state of that name.
func (s *step) broadcast(ctx context.Context) error {
	if err := s.journal.Move(ctx, journal.Move{ID: s.item.ID, From: journal.Signed, To: journal.Broadcast, Lease: s.lease}); err != nil {
		return err
	}
	s.item.State, s.sent = journal.Broadcast, true
	return nil
}

const (
	sendTries = 3                      // times that the same bytes are sent in one run
	lookTries = 2                      // times that a transaction is looked for after a clear no
	lookPause = 500 * time.Millisecond // before the second look, doubling
)

// send gets the transaction to the network: look, send, and look again
// whenever the reply does not say it all. there is false, with a problem,
// where the network does not have it.
func (s *step) send(ctx context.Context) (there bool, err error) {
	var last error // of the last time it was sent
	for try := 0; ; try++ {
		known, err := s.Tatum.Known(ctx, s.item.Chain, s.item.TxID)
		switch {
		case err != nil:
			return false, s.trouble(ctx, CodeNetwork, err)
		case known:
			return true, s.broadcast(ctx)
		case tatum.IsDefinite(last) && try >= lookTries:
			return s.refusedByNode(ctx, last)
		case try >= sendTries:
			return false, s.trouble(ctx, CodeNetwork, fmt.Errorf("sent, no clear reply, and not found by its txid yet; run broadcast again: %w", last))
		}
		if try == 0 {
			if may, err := s.mayLeave(ctx); err != nil || !may {
				return false, err
			}
		}
		if !tatum.IsDefinite(last) {
			completed, err := s.sendOnce(ctx)
			if err == nil && completed {
				return true, s.completes(ctx)
			}
			if err == nil {
				return true, s.broadcast(ctx)
			}
			if tatum.IsAuth(err) {
				return false, s.trouble(ctx, CodeNetwork, err)
			}
			last = err
		}
		if err := s.Sleep(ctx, max(lookPause<<try, tatum.RetryAfter(last))); err != nil {
			return false, err
		}
	}
}

// sendOnce sends the bytes. A reply with another txid than ours is no success.
func (s *step) sendOnce(ctx context.Context) (completed bool, err error) {
	raw := hex.EncodeToString(s.item.Signed)
	var reply tatum.Sent
	if s.item.Withdrawal != "" {
		reply, err = s.Tatum.BroadcastWithdrawal(ctx, s.item.Chain, s.item.ID, s.item.Withdrawal, raw)
	} else {
		reply, err = s.Tatum.Broadcast(ctx, s.item.Chain, s.item.ID, raw)
	}
	if err == nil && !strings.EqualFold(reply.TxID, s.item.TxID) {
		err = fmt.Errorf("the reply to the broadcast says txId %.80q", reply.TxID)
	}
	return reply.Completed, err
}

// mark tells Tatum the txid. An error may mean that it knows already.
func (s *step) mark(ctx context.Context) error {
	failed := s.Tatum.Complete(ctx, s.item.ID, s.item.TxID)
	if failed == nil {
		return s.completes(ctx)
	}
	txid, err := s.Tatum.TxIDOf(ctx, s.item.ID)
	if err == nil && txid != "" {
		return s.completedAs(ctx, txid)
	}
	return s.trouble(ctx, CodeNotMarked, failed)
}

// markWithdrawal completes the withdrawal, which is the part that moves the
// virtual account, and then what is left to mark. A withdrawal that is not
// in progress any more says no; whether that is because it is completed is
// seen by the pending transaction.
func (s *step) markWithdrawal(ctx context.Context) error {
	failed := s.Tatum.CompleteWithdrawal(ctx, s.item.Withdrawal, s.item.TxID)
	if failed != nil && (!tatum.IsDefinite(failed) || tatum.IsAuth(failed)) {
		return s.trouble(ctx, CodeNotMarked, failed)
	}
	txid, err := s.Tatum.TxIDOf(ctx, s.item.ID)
	switch {
	case err != nil:
		return s.trouble(ctx, CodeNotMarked, err)
	case txid != "":
		return s.completedAs(ctx, txid)
	case failed != nil:
		return s.trouble(ctx, CodeNotMarked, failed)
	}
	return s.mark(ctx)
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
	return s.noteWith(ctx, s.item, s.lease, *s.problem, evidence)
}

// trouble is stays for an error that may concern every item.
func (s *step) trouble(ctx context.Context, code chain.Code, why error) error {
	if err := s.stays(ctx, code, why); err != nil {
		return err
	}
	return s.line.judge(why)
}
