//go:build unix

package journal_test

import (
	"strings"
	"testing"

	"coldkms/online/journal"
)

// A request that holds something rejected is void, whether or not that was
// withheld before it came to its end.
func TestRecallOfRejected(t *testing.T) {
	j, _ := open(t)
	ctx := t.Context()
	add(t, j, "a", "b")
	for _, id := range []string{"a", "b"} {
		must(t, j.Move(ctx, journal.Move{ID: id, From: journal.Fetched, To: journal.Prepared}))
	}
	r := request(t, 1, "a", "b")
	must(t, export(t, j, r))
	if list, err := j.Recall(ctx); len(list) != 0 || err != nil {
		t.Errorf("%+v, %v", list, err)
	}
	must(t, j.Move(ctx, journal.Move{ID: "a", From: journal.Exported, To: journal.Rejected}))
	list, err := j.Recall(ctx)
	if err != nil || len(list) != 1 || list[0].Digest != r.Digest || !strings.Contains(list[0].Why, "a was rejected") {
		t.Errorf("%+v, %v", list, err)
	}
	if state := stateOf(t, j, "b"); state != journal.Prepared {
		t.Errorf("what else it holds is %s", state)
	}
}
