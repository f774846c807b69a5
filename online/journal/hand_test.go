//go:build unix

package journal_test

import (
	"errors"
	"slices"
	"testing"

	"coldkms/online/journal"
)

// What is withheld is not handed to the network, and a veto is on record by
// itself, by who said it.
func TestHand(t *testing.T) {
	t.Parallel()
	j, _ := open(t)
	bring(t, j, "a", journal.Signed)
	must(t, j.Withhold(t.Context(), "a", journal.Unwanted))
	if err := j.Hand(t.Context(), "a", journal.Lease{}); !errors.Is(err, journal.ErrState) {
		t.Errorf("a withheld item: %v", err)
	}
	must(t, j.Veto(t.Context(), "a", "https://a"))
	must(t, j.Unwithhold(t.Context(), "a", journal.Unwanted))
	must(t, j.Approve(t.Context(), journal.Approval{ID: "a", Verdict: journal.Approved, Service: "https://b"}))
	if err := j.Hand(t.Context(), "a", journal.Lease{}); !errors.Is(err, journal.ErrState) {
		t.Errorf("a vetoed item: %v", err)
	}
	if n, err := j.VetoesBut(t.Context(), "https://b"); n != 1 || err != nil {
		t.Error(n, err)
	}
	must(t, j.Approve(t.Context(), journal.Approval{ID: "a", Verdict: journal.Approved, Service: "https://a"}))
	if it, err := j.Item(t.Context(), "a"); err != nil || it.Withheld != "" || !it.Handed.IsZero() {
		t.Errorf("%+v, %v", it, err)
	}
	must(t, j.Hand(t.Context(), "a", journal.Lease{}))
	must(t, j.Accept(t.Context(), "a", journal.OfferNone))
	if it, err := j.Item(t.Context(), "a"); err != nil || !it.Handed.Equal(clock()) || it.Accepted != journal.OfferNone {
		t.Errorf("%+v, %v", it, err)
	}
	must(t, j.Veto(t.Context(), "a", "https://a"))
	must(t, j.Approve(t.Context(), journal.Approval{ID: "a", Verdict: journal.Lifted}))
	if left, err := j.Vetoes(t.Context(), "a"); err != nil || len(left) != 0 {
		t.Error(left, err)
	}
}

// Ids of withdrawals that differ in letter case are one.
func TestWithdrawalCase(t *testing.T) {
	t.Parallel()
	j, _ := open(t)
	one, two := item("a"), item("b")
	one.Withdrawal, two.Withdrawal = "w-1", "W-1"
	_, err := j.Add(t.Context(), []journal.Item{one, two})
	must(t, err)
	if ids, err := j.SameWithdrawal(t.Context(), "W-1"); err != nil || !slices.Equal(ids, []string{"a", "b"}) {
		t.Error(ids, err)
	}
	for _, w := range []string{"W-1", "w-1"} {
		if owner, err := j.ClaimWithdrawal(t.Context(), w, map[string]string{"W-1": "a", "w-1": "b"}[w]); err != nil || owner != "a" {
			t.Error(owner, err)
		}
	}
}

// A transaction pays another item only where the one that it was to pay is given
// up and was never handed to the network.
func TestTakePayer(t *testing.T) {
	t.Parallel()
	for name, handed := range map[string]bool{"a": true, "b": false} {
		j, _ := open(t)
		bring(t, j, name, journal.Signed)
		it, err := j.Item(t.Context(), name)
		must(t, err)
		if err := j.TakePayer(t.Context(), it.TxID, name, "c", "disarmed"); !errors.Is(err, journal.ErrState) {
			t.Errorf("from a signed one: %v", err)
		}
		if handed {
			must(t, j.Hand(t.Context(), name, journal.Lease{}))
		}
		must(t, j.Move(t.Context(), journal.Move{ID: name, From: journal.Signed, To: journal.Failed, Code: "disarmed"}))
		err = j.TakePayer(t.Context(), it.TxID, name, "c", "disarmed")
		payer, _ := j.Payer(t.Context(), it.TxID)
		if handed != errors.Is(err, journal.ErrState) || handed != (payer == name) {
			t.Errorf("handed %v: %v, it pays %s", handed, err, payer)
		}
	}
}
