//go:build unix

package journal_test

import (
	"errors"
	"testing"
	"time"

	"coldkms/online/journal"
)

// Between the choice of what is permitted and the permission nothing changes it, and
// nothing is permitted where the choice is an error.
func TestPermitOf(t *testing.T) {
	t.Parallel()
	j, _ := open(t)
	bring(t, j, "a", journal.Signed)
	none := errors.New("none")
	f := journal.Filter{States: []journal.State{journal.Signed}, Wanted: true, Unreleased: true}
	fails := func([]journal.Item) ([]string, error) { return []string{"a"}, none }
	if _, err := j.PermitOf(t.Context(), "me", f, fails); !errors.Is(err, none) {
		t.Error(err)
	}
	withheld := make(chan error, 1)
	ids, err := j.PermitOf(t.Context(), "me", f, func(items []journal.Item) ([]string, error) {
		if len(items) != 1 || items[0].Released != "" {
			t.Errorf("%+v", items)
		}
		go func() { withheld <- j.Withhold(t.Context(), "a", journal.Unwanted) }()
		select {
		case err := <-withheld:
			t.Errorf("it was withheld between: %v", err)
		case <-time.After(200 * time.Millisecond):
		}
		return []string{"a"}, nil
	})
	if err != nil || len(ids) != 1 {
		t.Fatal(ids, err)
	}
	must(t, <-withheld)
	if it, err := j.Item(t.Context(), "a"); err != nil || it.Released == "" || it.Withheld != journal.Unwanted {
		t.Errorf("%+v, %v", it, err)
	}
}
