package offline

import (
	"errors"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"coldkms/offline/policy"
	"coldkms/shared/chain"
)

// What the person takes out of a batch is refused in their name; the rest is
// signed, and the review does not serve for all of it any more.
func TestPersonRejectsSome(t *testing.T) {
	s, relay := newSession(t, &memory{})
	sealed := request(t, s, relay, "alpha", "beta", "gamma")
	j, err := s.Judge(sealed.File)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.RecordReview(j); err != nil {
		t.Fatal(err)
	}
	var finished atomic.Int32
	s.Finished = func() { finished.Add(1) }
	done, err := s.Sign(j, j.Except(policy.Agree(sealed.Digest), 1), "typed")
	if err != nil {
		t.Fatal(err)
	}
	for i, o := range done.Result.Outcomes {
		if rejected := i == 1; o.Signed() == rejected || (o.Code == chain.RefusedByPerson) != rejected {
			t.Errorf("%s: signed %v, code %q", o.ID, o.Signed(), o.Code)
		}
	}
	if finished.Load() != 3 {
		t.Errorf("%d items were told of, want 3", finished.Load())
	}
	if !strings.Contains(logOf(t, s), `"code":"refused-by-person"`) {
		t.Error("the ledger does not say who refused")
	}
	if _, err := s.AgreeByDigest(j, sealed.Digest); !errors.Is(err, ErrNotReviewed) {
		t.Errorf("the review of before still serves for the whole batch: %v", err)
	}
}

func logOf(t *testing.T, s *Session) string {
	t.Helper()
	var b strings.Builder
	if err := s.Ledger.Export(func(body []byte) error { b.Write(body); return nil }); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// What the person takes out counts towards no quorum and no limit of the rest,
// while what stays in is counted together.
func TestTakenOutCountsTowardsNothing(t *testing.T) {
	m := newMachine(t, `"quorum": [{"per": "batch", "above": 200000, "operators": 1}]`) // two payments and their fees
	s, relay := m.start()
	sealed := request(t, s, relay, "alpha", "beta", "gamma")
	j, err := s.Judge(sealed.File)
	if err != nil {
		t.Fatal(err)
	}
	done, err := s.Sign(j, policy.Agree(sealed.Digest), "typed")
	if err != nil {
		t.Fatal(err)
	}
	if signed, _ := done.Count(); signed != 0 {
		t.Errorf("%d signed without the operator that three payments need", signed)
	}
	if done, err = s.Sign(j, j.Except(policy.Agree(sealed.Digest), 1), "typed"); err != nil {
		t.Fatal(err)
	}
	for i, o := range done.Result.Outcomes {
		if o.Signed() != (i != 1) {
			t.Errorf("%s: signed %v, code %q", o.ID, o.Signed(), o.Code)
		}
	}
}

// What a person took out is on record with the yes to the rest: where signing
// is cut short after that, it does not come back as if nobody had decided.
func TestRejectedIsOnRecordWithTheYes(t *testing.T) {
	m := &memory{}
	s, relay := newSession(t, m)
	sealed := request(t, s, relay, "alpha", "beta", "gamma")
	j := judged(t, s, sealed.File)
	reviewed(t, s, j)
	m.fail, m.after = errors.New("power is gone"), 2 // the yes and its mark
	if _, err := s.Sign(j, j.Except(policy.Agree(sealed.Digest), 1), "typed"); err == nil {
		t.Fatal("it was not cut short")
	}
	m.fail = nil
	again := judged(t, s, sealed.File)
	for i, it := range again.Batch.Items {
		found := slices.ContainsFunc(it.Findings, func(r policy.Reason) bool { return r.Code == chain.FlagRejected })
		if found != (i == 1) {
			t.Errorf("%s: %+v", it.ID, it.Findings)
		}
	}
	if _, err := s.AgreeByDigest(again, sealed.Digest); !errors.Is(err, ErrNotReviewed) {
		t.Errorf("the review of before serves for what was rejected: %v", err)
	}
}
