//go:build unix

package journal_test

import (
	"errors"
	"fmt"
	"sync"
	"testing"

	"coldkms/online/journal"
)

// Changes that share a transaction each succeed or fail alone.
func TestTogether(t *testing.T) {
	j, where := open(t)
	const n = 40
	for i := range n {
		bring(t, j, fmt.Sprintf("i%d", i), journal.Fetched)
	}
	bring(t, j, "other", journal.Prepared)
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() {
			id := fmt.Sprintf("i%d", i)
			moves := []journal.Move{{ID: id, From: journal.Fetched, To: journal.Prepared}}
			bad := i%4 == 0
			if bad { // its second step cannot be: the first one is not made either
				moves = append(moves, journal.Move{ID: "other", From: journal.Fetched, To: journal.Prepared})
			}
			err := j.Move(t.Context(), moves...)
			if bad != errors.Is(err, journal.ErrState) || !bad && err != nil {
				t.Errorf("%s: %v", id, err)
			}
		})
	}
	wg.Wait()
	seen := reopen(t, where)
	for i := range n {
		want := journal.Prepared
		if i%4 == 0 {
			want = journal.Fetched
		}
		if got := stateOf(t, seen, fmt.Sprintf("i%d", i)); got != want {
			t.Errorf("i%d is %s, want %s", i, got, want)
		}
	}
}

// Where a transaction fails, no change of those that share it counts as made.
func TestTogetherFails(t *testing.T) {
	j, _ := open(t)
	const n = 16
	for i := range n {
		bring(t, j, fmt.Sprintf("i%d", i), journal.Fetched)
	}
	must(t, j.Close())
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() {
			id := fmt.Sprintf("i%d", i)
			if err := j.Move(t.Context(), journal.Move{ID: id, From: journal.Fetched, To: journal.Prepared}); err == nil {
				t.Errorf("%s counts as made on a journal that is closed", id)
			}
		})
	}
	wg.Wait()
}
