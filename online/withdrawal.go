package online

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"coldkms/online/journal"
	"coldkms/online/tatum"
)

// A withdrawal moves the balance of a virtual account beside what happens on
// the chain. One withdrawal is one payment; that Tatum has it as done is read
// back; one that was paid and cancelled is an alarm, since the amount was
// given back.

// sameWithdrawal refuses an item whose withdrawal is that of an older one.
func (p *preparing) sameWithdrawal(ctx context.Context, it journal.Item, m *journal.Move) error {
	if it.Withdrawal == "" || m.To != journal.Prepared {
		return nil
	}
	ids, err := p.journal.SameWithdrawal(ctx, it.Withdrawal)
	if err != nil || len(ids) == 0 || ids[0] == it.ID {
		return err
	}
	why := Problem{ID: it.ID, Code: CodeSameWithdraw, Reason: fmt.Sprintf("ALARM: its withdrawal is that of %s already, and one withdrawal is one payment: find out who made both. Tatum cancels a withdrawal when either is dropped: if neither is paid, reject both and have it requested anew", ids[0])}
	m.To, m.Code, m.Reason, m.Alarm = journal.Refused, why.Code, why.Reason, why.alarm(ids[0])
	p.report.Prepared--
	p.report.Problems = append(p.report.Problems, why)
	return nil
}

// claimWithdrawal makes this item the only one that ever pays its withdrawal.
func (s *step) claimWithdrawal(ctx context.Context) (ours bool, err error) {
	for _, withdrawal := range []string{s.item.Withdrawal, s.item.Offered.Withdrawal} {
		if withdrawal == "" {
			continue
		}
		owner, err := s.journal.ClaimWithdrawal(ctx, withdrawal, s.item.ID)
		if err != nil {
			return false, err
		}
		if owner != s.item.ID {
			return false, s.fails(ctx, CodeSameWithdraw, owner, fmt.Sprintf("ALARM: withdrawal %.80q is paid by %s already, and one withdrawal is one payment: it is not sent. %s. Find out who made both. Do not drop this id at Tatum: that cancels the withdrawal, and gives back what the other pays. Who has a copy of its result can send it", withdrawal, owner, s.left(ctx)))
		}
	}
	return true, nil
}

// sameAsRetried makes sure that what a person has sent in spite of an offer is
// not for a withdrawal that another item pays, or is about to.
func (r *Relay) sameAsRetried(ctx context.Context, it journal.Item) error {
	if it.Offered.Withdrawal == "" {
		return nil
	}
	ids, err := r.journal.SameWithdrawal(ctx, it.Offered.Withdrawal)
	if err != nil {
		return err
	}
	others, err := r.journal.Items(ctx, journal.Filter{IDs: append(ids, it.ID)})
	for _, other := range others {
		if other.ID != it.ID && other.State != journal.Refused && (other.State != journal.Failed || !other.Handed.IsZero()) {
			return fmt.Errorf("retry: item %s: by now Tatum has it for withdrawal %.64s, and %s, which is %s, is for the same: %w", it.ID, it.Offered.Withdrawal, other.ID, other.State, ErrSameWithdrawal)
		}
	}
	return err
}

// settleWithdrawal completes the withdrawal of an item that Tatum has on record
// under our txid, and reads back how it ended, also where Tatum's reply to the
// broadcast says that it is completed.
func (s *step) settleWithdrawal(ctx context.Context) error {
	if s.marked {
		if w, err := s.withdrawal(ctx); err != nil || s.otherwise(w) || s.byOurs(w) {
			return s.endsAs(ctx, w, nil, err)
		}
	}
	said := s.Tatum.CompleteWithdrawal(ctx, s.item.Withdrawal, s.item.TxID)
	if said != nil && !tatum.IsNotOpen(said) {
		return s.trouble(ctx, CodeNotMarked, said)
	}
	w, err := s.withdrawal(ctx)
	return s.endsAs(ctx, w, said, err)
}

// withdrawal reads where the item's withdrawal stands.
func (s *step) withdrawal(ctx context.Context) (tatum.Withdrawal, error) {
	return s.Tatum.Withdrawal(ctx, s.item.Chain, s.item.Withdrawal)
}

// endsAs ends an item that Tatum has on record under our txid as its withdrawal
// did. said is why Tatum did not complete that now, nil if it says that it did: that
// alone ends nothing, and neither does a list that does not show how it ended. Where
// the list cannot be read or does not show it, Tatum's refusal to complete what is
// done already is evidence.
func (s *step) endsAs(ctx context.Context, w tatum.Withdrawal, said, err error) error {
	done := tatum.SaidState(said) == tatum.WithdrawalDone
	switch {
	case err != nil && !s.unreadable(err):
		return s.trouble(ctx, CodeNotMarked, err)
	case s.otherwise(w):
		return s.paidButCancelled(ctx, w)
	case s.byOurs(w), done && w.State != tatum.WithdrawalOpen:
		return s.completes(ctx) // both records have our txid
	}
	return s.unclear(ctx, w, said, err)
}

// unreadableFor is how long after a payment its withdrawal may not be read back for
// what may be an outage.
const unreadableFor = time.Hour

// unreadable reports whether the list of withdrawals is refused to this API key, or
// fails for so long that a person must look there.
func (s *step) unreadable(err error) bool {
	return tatum.IsDefinite(err) || !general(err) && s.Now().Sub(s.item.Since) > unreadableFor
}

// byOurs reports whether Tatum lists a withdrawal as done by our transaction.
func (s *step) byOurs(w tatum.Withdrawal) bool {
	return w.State == tatum.WithdrawalDone && strings.EqualFold(w.TxID, s.item.TxID)
}

// otherwise reports whether Tatum lists a withdrawal as ended by something else than
// our transaction.
func (s *step) otherwise(w tatum.Withdrawal) bool {
	return w.State == tatum.WithdrawalCancelled ||
		w.State == tatum.WithdrawalDone && w.TxID != "" && !strings.EqualFold(w.TxID, s.item.TxID)
}

// cancelledMeanwhile handles an item whose txid Tatum does not take, for the reason
// said, if its withdrawal has ended otherwise. ended is false if nothing says so.
func (s *step) cancelledMeanwhile(ctx context.Context, said error) (ended bool, err error) {
	if s.item.Withdrawal == "" {
		return false, nil
	}
	w, err := s.withdrawal(ctx)
	switch {
	case err != nil:
		return true, s.trouble(ctx, CodeNotMarked, errors.Join(said, err))
	case s.otherwise(w):
		return true, s.paidButCancelled(ctx, w)
	case w.State == tatum.WithdrawalUnknown && tatum.IsNotOpen(said):
		return true, s.unclear(ctx, w, said, nil)
	}
	return false, nil
}

// unclear handles an item that is paid, and of whose withdrawal nothing that Tatum
// shows says that it is done by that. said and read are its refusals to complete it
// and to list it, nil if there is none. What Tatum says now may lag: it is an alarm if
// a later look finds no more.
func (s *step) unclear(ctx context.Context, w tatum.Withdrawal, said, read error) error {
	state := tatum.SaidState(said)
	again, err := s.absentSince(ctx, aboutWithdrawal, string(state))
	shown := s.shown(w, said, read)
	switch {
	case err != nil:
		return err
	case !again.IsZero():
		why := fmt.Errorf("it is paid (%s), and %s; it is asked again, and if Tatum shows no more "+
			"from %s on, that is an alarm", s.item.TxID, shown, again.UTC().Format(time.RFC3339))
		return s.trouble(ctx, CodeNotMarked, because(why, said, read))
	case state == tatum.WithdrawalCancelled && w.State == tatum.WithdrawalUnknown:
		return s.paidButCancelled(ctx, tatum.Withdrawal{State: state})
	}
	why := fmt.Errorf("ALARM: the payment is made (%s), and %s. Do not have it paid anew; look at Tatum whether "+
		"the withdrawal is done by this transaction. If it is, kms-online acknowledge ALARM --why TEXT; "+
		"if it is cancelled, its amount was given back", s.item.TxID, shown)
	return s.paidAnyway(ctx, CodeUnclear, s.item.TxID, because(why, said, read))
}

// shown is what Tatum shows of a withdrawal that is unclear.
func (s *step) shown(w tatum.Withdrawal, said, read error) string {
	says := "Tatum says that it completed it"
	if said != nil {
		says = "Tatum says that it is not in progress"
	}
	lists := "its list, of which the newest 500 are read, does not show how it ended"
	switch {
	case read != nil:
		lists = "its list of withdrawals, which would show how it ended, cannot be read with this API key"
	case w.State == tatum.WithdrawalOpen:
		lists = "its list has it in progress"
	case w.State == tatum.WithdrawalDone:
		lists = "its list does not show by which transaction it is done"
	}
	return fmt.Sprintf("withdrawal %.80q is not known to be done by that: %s, and %s", s.item.Withdrawal, says, lists)
}

// because adds the errors that there are behind what they mean.
func because(why error, errs ...error) error {
	for _, err := range errs {
		if err != nil {
			why = fmt.Errorf("%w: %w", why, err)
		}
	}
	return why
}

// paidButCancelled raises the alarm about an item that is paid, and whose withdrawal
// Tatum says ended otherwise.
func (s *step) paidButCancelled(ctx context.Context, w tatum.Withdrawal) error {
	how := "is cancelled at Tatum, and its amount given back"
	if w.State == tatum.WithdrawalDone {
		how = fmt.Sprintf("is completed at Tatum by another transaction, %.80q", w.TxID)
	}
	return s.paidAnyway(ctx, CodePaidDropped, string(w.State)+" "+w.TxID, fmt.Errorf("ALARM: the payment is made (%s), but withdrawal %.80q %s. Do not have it paid anew; correct the account", s.item.TxID, s.item.Withdrawal, how))
}

// notOpen is about a signed withdrawal that Tatum does not send because it is
// not in progress, and that the network does not show.
func (s *step) notOpen(ctx context.Context, said error) error {
	w, err := s.withdrawal(ctx)
	if w.State == tatum.WithdrawalUnknown {
		w.State = tatum.SaidState(said)
	}
	switch {
	case err != nil:
		return s.trouble(ctx, CodeNetwork, err)
	case w.State == tatum.WithdrawalDone && strings.EqualFold(w.TxID, s.item.TxID):
		return s.stays(ctx, CodeUnseen, errors.New("the withdrawal is completed by ours at Tatum, but the network was not seen to have it yet; the next run looks again"))
	}
	return s.alarms(ctx, CodeNotOpen, string(w.State), fmt.Errorf("ALARM: it is signed (%s) and withdrawal %.80q is not in progress at Tatum (%s), so Tatum does not send it now. %s. Look there what became of it; who has a copy of the result can send it: %w", s.item.TxID, s.item.Withdrawal, w.State, s.left(ctx), said))
}
