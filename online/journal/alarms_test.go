//go:build unix

package journal_test

import (
	"errors"
	"testing"

	"coldkms/online/journal"
)

// An alarm is one record for each item and code, stays open whatever happens,
// and is raised again only for what a person has not seen.
func TestAlarms(t *testing.T) {
	t.Parallel()
	j, _ := open(t)
	ctx := t.Context()
	raise := func(evidence string) {
		t.Helper()
		if err := j.Raise(ctx, journal.Raise{Item: "a", Code: "other", Evidence: evidence, Reason: "because of " + evidence}); err != nil {
			t.Fatal(err)
		}
	}
	list := func(f journal.AlarmFilter, want int) []journal.Alarm {
		t.Helper()
		all, err := j.Alarms(ctx, f)
		if err != nil || len(all) != want {
			t.Fatalf("%+v (%v), want %d", all, err, want)
		}
		return all
	}
	untold := func(want int) {
		t.Helper()
		for _, a := range list(journal.AlarmFilter{Untold: true}, want) {
			if err := j.AlarmTold(ctx, a); err != nil {
				t.Fatal(err)
			}
		}
	}
	raise("x")
	raise("x")
	untold(1)
	raise("x")
	untold(0)
	if err := j.Heal(ctx, "a", "other", "gone"); err != nil {
		t.Fatal(err)
	}
	if a := list(journal.AlarmFilter{}, 1)[0]; a.Healed.IsZero() || a.Reason != "gone" || a.Item != "a" {
		t.Errorf("%+v", a)
	}
	untold(1)
	raise("x")
	if a := list(journal.AlarmFilter{Items: []string{"a"}}, 1)[0]; !a.Healed.IsZero() {
		t.Errorf("it is back: %+v", a)
	}
	untold(1)
	id := list(journal.AlarmFilter{}, 1)[0].ID
	if _, err := j.Acknowledge(ctx, []int64{id, 99}, "me", "why"); !errors.Is(err, journal.ErrNoAlarm) {
		t.Error(err)
	}
	list(journal.AlarmFilter{}, 1)
	if before, err := j.Acknowledge(ctx, []int64{id}, "me", "why"); err != nil || len(before) > 0 {
		t.Fatal(err)
	}
	raise("x") // seen by a person
	list(journal.AlarmFilter{}, 0)
	raise("y")
	list(journal.AlarmFilter{}, 1)
	if err := j.Decide(ctx, "a", journal.Decision{By: "somebody", Why: "retry"}); err != nil {
		t.Fatal(err)
	}
	raise("y") // what was tried brought the same
	list(journal.AlarmFilter{}, 1)
	all := list(journal.AlarmFilter{All: true}, 3)
	if all[0].Closer != "me" || all[0].Why != "why" || all[0].Closed.IsZero() ||
		all[1].Closer != "somebody" || all[1].Why != "retry" {
		t.Errorf("%+v", all)
	}
	if n, err := j.Notices(ctx); len(n.Alarms) != 1 || err != nil {
		t.Error(n, err)
	}
}
