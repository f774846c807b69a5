//go:build unix

package journal_test

import (
	"fmt"
	"maps"
	"sync"
	"testing"

	"coldkms/online/journal"
	"coldkms/shared/chain"
)

// counted compares the tally with the items themselves.
func counted(t *testing.T, j *journal.Journal, where string) map[journal.State]int {
	t.Helper()
	rows, err := raw(t, where).Query("SELECT state, count(*) FROM items GROUP BY state")
	must(t, err)
	defer rows.Close()
	want := make(map[journal.State]int)
	for rows.Next() {
		var s journal.State
		var n int
		must(t, rows.Scan(&s, &n))
		want[s] = n
	}
	must(t, rows.Err())
	for _, f := range []struct {
		network chain.Network
		chains  []chain.ID
		want    map[journal.State]int
	}{
		{chain.UnknownNetwork, nil, want}, {chain.Testnet, nil, want}, {chain.Mainnet, nil, nil},
		{chain.UnknownNetwork, []chain.ID{chain.BTC, chain.LTC}, want}, {chain.Testnet, []chain.ID{chain.LTC}, nil},
	} {
		got, err := j.Totals(t.Context(), f.network, f.chains...)
		must(t, err)
		if !maps.Equal(got, f.want) {
			t.Errorf("%v %v: %v, want %v", f.network, f.chains, got, f.want)
		}
	}
	return want
}

// Totals are right whatever way items went, also where several journals move
// them at once.
func TestTotals(t *testing.T) {
	j, where := open(t)
	counted(t, j, where)
	ctx := t.Context()
	var wg sync.WaitGroup
	for n := range 4 {
		mine := reopen(t, where)
		wg.Go(func() {
			for i := range 5 {
				id := fmt.Sprintf("%d-%d", n, i)
				add(t, mine, id)
				if i == 0 {
					continue
				}
				if err := mine.Move(ctx, journal.Move{ID: id, From: journal.Fetched, To: journal.Rejected}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	add(t, j, "a", "b")
	must(t, j.Move(ctx, journal.Move{ID: "a", From: journal.Fetched, To: journal.Prepared}))
	r := request(t, 1, "a")
	must(t, export(t, j, r))
	must(t, j.Import(ctx, result(t, r, 1), []journal.SignedItem{{ID: "a", TxID: "aa", Raw: []byte("a")}}, nil))
	must(t, j.Move(ctx, journal.Move{ID: "a", From: journal.Signed, To: journal.Broadcast}))
	must(t, j.Move(ctx, journal.Move{ID: "a", From: journal.Broadcast, To: journal.Completed}))
	if got := counted(t, j, where); got[journal.Completed] != 1 || got[journal.Rejected] != 16 || got[journal.Fetched] != 5 {
		t.Errorf("%v", got)
	}
	must(t, j.Move(ctx, journal.Move{ID: "a", From: journal.Completed, To: journal.Failed}))
	if got := counted(t, j, where); got[journal.Completed] != 0 {
		t.Errorf("%v", got)
	}
	open, err := j.Unfinished(ctx)
	must(t, err)
	for _, o := range open {
		if want := map[journal.State]int{journal.Fetched: 5, journal.Failed: 1}[o.State]; o.Items != want || !o.Oldest.Equal(clock()) {
			t.Errorf("%+v", o)
		}
	}
}
