//go:build unix

package journal_test

import (
	"testing"
	"time"

	"coldkms/online/journal"
	"coldkms/shared/chain"
)

// What came to an end is listed until it was told, also after the program was
// started anew, and once more where it came to another end.
func TestUntold(t *testing.T) {
	now := time.Unix(1_800_000_000, 0)
	j, err := journal.Open(t.Context(), t.TempDir()+"/journal.db", func() time.Time { return now })
	if err != nil {
		t.Fatal(err)
	}
	defer j.Close()
	items := []journal.Item{{ID: "a", Chain: chain.BTC, Network: chain.Testnet, Account: "main", Pending: []byte("{}")}, {ID: "b", Chain: chain.BTC, Network: chain.Testnet, Pending: []byte("{}")}}
	if _, err := j.Add(t.Context(), items); err != nil {
		t.Fatal(err)
	}
	move := func(id string, from, to journal.State) {
		t.Helper()
		now = now.Add(time.Minute)
		if err := j.Move(t.Context(), journal.Move{ID: id, From: from, To: to}); err != nil {
			t.Fatal(err)
		}
	}
	untold := func(want ...string) {
		t.Helper()
		list, err := j.Untold(t.Context(), 10)
		if err != nil || len(list) != len(want) {
			t.Fatalf("%d untold, want %v: %v", len(list), want, err)
		}
		for i, it := range list {
			if it.ID != want[i] {
				t.Errorf("%s, want %s", it.ID, want[i])
			}
		}
	}
	untold()
	move("a", journal.Fetched, journal.Refused)
	untold("a")
	if it, err := j.Item(t.Context(), "a"); err != nil || it.Account != "main" || !it.Since.Equal(now) || it.Created.Equal(now) {
		t.Errorf("%+v, %v", it, err)
	}
	if it, err := j.Item(t.Context(), "b"); err != nil || it.Account != "" || !it.Since.Equal(it.Created) {
		t.Errorf("%+v, %v", it, err)
	}
	if err := j.Tell(t.Context(), "a", string(journal.Refused)); err != nil {
		t.Fatal(err)
	}
	untold()
	since := now
	now = now.Add(time.Hour)
	if err := j.Note(t.Context(), journal.Note{ID: "a", State: journal.Refused, Code: "x"}); err != nil {
		t.Fatal(err)
	}
	if it, _ := j.Item(t.Context(), "a"); !it.Since.Equal(since) {
		t.Errorf("a note changed since when it is refused: %v", it.Since)
	}
	move("a", journal.Refused, journal.Rejected)
	untold("a")
}
