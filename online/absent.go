package online

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"coldkms/online/journal"
	"coldkms/online/tatum"
	"coldkms/shared/chain"
)

// One reply of Tatum's that it does not have something may come from a replica that
// lags. It counts once the same was said again, lookApart later, and nothing else
// between.

// What Tatum may not show of an item.
const (
	aboutRecord     = "record"
	aboutWithdrawal = "withdrawal"
)

// absentSince notes that Tatum does not show something of the item, and returns from
// when on that counts if it is found again; zero: it does now.
func (s *step) absentSince(ctx context.Context, what, evidence string) (time.Time, error) {
	first, err := s.journal.Looked(ctx, journal.About(s.item.ID, what), evidence)
	if err != nil {
		return time.Time{}, err
	}
	if again := first.Add(lookApart); s.Now().Before(again) {
		return again, nil
	}
	return time.Time{}, nil
}

// shows forgets that Tatum did not show something of the item.
func (s *step) shows(ctx context.Context, what string) error {
	if s.item.Code == "" && s.item.Tries == 0 {
		return nil // nothing was missed
	}
	return s.journal.Unlooked(ctx, journal.About(s.item.ID, what))
}

// recordedRightly heals alarms that Tatum had the item as something else than paid by
// our transaction.
func (s *step) recordedRightly(ctx context.Context) error {
	for _, code := range []chain.Code{CodePaidDropped, CodeUnclear} {
		if !slices.Contains(s.alarmed, code) {
			continue
		}
		why := fmt.Sprintf("by now Tatum has it as paid by our transaction %s: "+
			"if an account was corrected because of this, take that back", s.item.TxID)
		if err := s.journal.Heal(ctx, s.item.ID, code, why); err != nil {
			return err
		}
	}
	return s.shows(ctx, aboutWithdrawal)
}

// dropped is about a signed item that Tatum says it does not have.
func (s *step) dropped(ctx context.Context, said error) error {
	if s.otherKey(s.item) {
		return s.heldForKey(ctx)
	}
	seen, err := s.seen(ctx)
	switch {
	case err != nil:
		return s.trouble(ctx, CodeNetwork, err)
	case seen:
		return s.paidDropped(ctx, said)
	}
	again, err := s.absentSince(ctx, aboutRecord, "")
	switch {
	case err != nil:
		return err
	case !again.IsZero() && !withdrawn(s.item):
		return s.stays(ctx, CodeUnknown, fmt.Errorf("it is signed (%s) and waits: Tatum says that "+
			"it does not have it, which may be a part of it that lags. %s. It is asked again; it goes on once Tatum "+
			"has it, and is held for you if Tatum says the same from %s on: %w",
			s.item.TxID, s.left(ctx), again.UTC().Format(time.RFC3339), said))
	}
	err = s.journal.Withhold(ctx, s.item.ID, CodeUnknown)
	if err = errors.Join(err, s.offered(ctx, journal.Offer{Digest: journal.OfferNone})); err != nil {
		return err
	}
	if !withdrawn(s.item) {
		s.item.Withheld = CodeUnknown
	}
	return s.heldBack(ctx, said)
}

// paidDropped is about what the network has and Tatum says that it does not have. Where
// a person had given it up here, that is the alarm about it. Else how its withdrawal
// ended tells more than that.
func (s *step) paidDropped(ctx context.Context, said error) error {
	if s.item.Marked(journal.Dropping, CodeGivenUp) || slices.Contains(s.alarmed, CodePaidRejected) {
		return s.paidAnyway(ctx, CodePaidRejected, s.item.TxID, fmt.Errorf("ALARM: the payment is made (%s), though "+
			"it was given up here, and Tatum does not have it any more: what a withdrawal took may have been given "+
			"back there. %s. Do not have it paid anew; correct the account", s.item.TxID, s.sentBy(ctx)))
	}
	next := "find out what was done about it"
	if s.item.Withdrawal != "" {
		w, err := s.withdrawal(ctx)
		switch {
		case err != nil:
			return s.trouble(ctx, CodeNotMarked, err)
		case s.otherwise(w):
			return s.paidButCancelled(ctx, w)
		case s.byOurs(w):
			return s.completes(ctx)
		case w.State == tatum.WithdrawalOpen: // whoever drops the record cancels it: the record lags
			return s.settleWithdrawal(ctx)
		}
		next = fmt.Sprintf("look there how withdrawal %.80q ended (%s in its list): if it is cancelled, "+
			"its amount was given back", s.item.Withdrawal, w.State)
	}
	again, err := s.absentSince(ctx, aboutRecord, "")
	switch {
	case err != nil:
		return err
	case !again.IsZero():
		return s.stays(ctx, CodeNotMarked, fmt.Errorf("it is paid (%s), and Tatum says that it does "+
			"not have it: %s; it is asked again, and if it says the same from %s on, that is an alarm: %w",
			s.item.TxID, s.whyGone("a part of it may lag"), again.UTC().Format(time.RFC3339), said))
	}
	return s.paidAnyway(ctx, CodePaidDropped, s.item.TxID, fmt.Errorf("ALARM: the payment is made (%s), but Tatum "+
		"says that it does not have it, as it said ten minutes before or earlier: %s. "+
		"Do not have it paid anew; %s: %w", s.item.TxID, s.whyGone("somebody dropped it there"), next, said))
}

// whyGone is why Tatum does not have what was paid: what the journal has about that,
// else what is likely.
func (s *step) whyGone(likely string) string {
	switch {
	case s.item.FailedFor == CodeDisarmed:
		return "it was rejected here before a retry had it sent, and a rejection drops it there"
	case s.item.Accepted == journal.OfferNone:
		return "it was dropped there before, and a retry had it sent all the same"
	}
	return likely
}
