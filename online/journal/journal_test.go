//go:build unix

package journal_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"coldkms/online/journal"
	"coldkms/shared/bundle"
	"coldkms/shared/chain"
	"coldkms/shared/identity"
)

func clock() time.Time { return time.Unix(1_790_000_000, 0) }

func open(t testing.TB) (*journal.Journal, string) {
	t.Helper()
	where := filepath.Join(t.TempDir(), "journal.db")
	if strings.HasPrefix(t.Name(), "TestPostgres/") {
		where = testServer(t).Database(t)
	}
	return reopen(t, where), where
}

// raw opens the database behind the journal's back.
func raw(t testing.TB, where string) *sql.DB {
	t.Helper()
	driver := "sqlite"
	if journal.IsAddress(where) {
		driver = "pgx"
	}
	db, err := sql.Open(driver, where)
	must(t, err)
	t.Cleanup(func() { _ = db.Close() })
	return db
}

func reopen(t testing.TB, path string) *journal.Journal {
	t.Helper()
	j, err := journal.Open(context.Background(), path, clock)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = j.Close() })
	return j
}

func item(id string) journal.Item {
	p := []byte(`{"id":"` + id + `"}`)
	return journal.Item{ID: id, Chain: chain.BTC, Network: chain.Testnet, Pending: p, Content: sha256.Sum256(p)}
}

func add(t testing.TB, j *journal.Journal, ids ...string) {
	t.Helper()
	var items []journal.Item
	for _, id := range ids {
		items = append(items, item(id))
	}
	if _, err := j.Add(t.Context(), items); err != nil {
		t.Fatal(err)
	}
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func stateOf(t testing.TB, j *journal.Journal, id string) journal.State {
	t.Helper()
	it, err := j.Item(t.Context(), id)
	must(t, err)
	return it.State
}

func key(n byte) identity.Private {
	p, err := identity.FromSeed(bytes.Repeat([]byte{n}, identity.SeedSize))
	if err != nil {
		panic(err)
	}
	return p
}

func request(t testing.TB, created int64, ids ...string) bundle.SealedRequest {
	t.Helper()
	r := bundle.Request{Signer: key(2).Public(), Created: created}
	for _, id := range ids {
		r.Items = append(r.Items, bundle.Item{ID: id, Family: "utxo", Coin: chain.Coin{Chain: chain.BTC, Network: chain.Testnet}, Tx: []byte{1}, Context: []byte{}})
	}
	sealed, err := bundle.SealRequest(r, key(1))
	must(t, err)
	return sealed
}

func export(t testing.TB, j *journal.Journal, r bundle.SealedRequest) error {
	t.Helper()
	_, err := j.Export(t.Context(), r, journal.Lease{})
	return err
}

func result(t testing.TB, r bundle.SealedRequest, length uint64) bundle.SealedResult {
	t.Helper()
	res := bundle.Result{Request: r.Digest, LedgerHead: bytes.Repeat([]byte{byte(length)}, 32), LedgerLen: length}
	for _, it := range r.Items {
		res.Outcomes = append(res.Outcomes, bundle.Outcome{ID: it.ID, Signatures: [][]byte{{1}}})
	}
	sealed, err := bundle.SealResult(res, key(2))
	must(t, err)
	return sealed
}

// bring takes a new item to a state by the ways that exist.
func bring(t testing.TB, j *journal.Journal, id string, to journal.State) {
	t.Helper()
	add(t, j, id)
	move := func(from, to journal.State) { must(t, j.Move(t.Context(), journal.Move{ID: id, From: from, To: to})) }
	switch to {
	case journal.Fetched:
		return
	case journal.Refused, journal.Rejected:
		move(journal.Fetched, to)
		return
	}
	move(journal.Fetched, journal.Prepared)
	if to == journal.Prepared {
		return
	}
	r := request(t, int64(len(id)), id)
	must(t, export(t, j, r))
	if to == journal.Exported {
		return
	}
	must(t, j.Import(t.Context(), result(t, r, 1), []journal.SignedItem{{ID: id, TxID: "aa", Raw: []byte(id)}}, nil))
	if to == journal.Completed {
		move(journal.Signed, journal.Broadcast)
		move(journal.Broadcast, to)
	} else if to != journal.Signed {
		move(journal.Signed, to)
	}
}

// Every pair of states that is not in the table is refused, by Move and by
// the methods that have a step of their own.
func TestTransitions(t *testing.T) {
	j, _ := open(t)
	n := 0
	for _, from := range journal.States() {
		for _, to := range journal.States() {
			n++
			id := fmt.Sprintf("item%d", n)
			bring(t, j, id, from)
			var err error
			switch {
			case to == journal.Exported:
				err = export(t, j, request(t, int64(n), id))
			case to == journal.Signed && from != journal.Failed && from != journal.Refused && from != journal.Rejected, to == journal.Failed && (from == journal.Refused || from == journal.Rejected):
				r := request(t, int64(1000+n), "other"+id)
				bring(t, j, "other"+id, journal.Prepared)
				must(t, export(t, j, r))
				err = j.Import(t.Context(), result(t, r, 1), []journal.SignedItem{{ID: id, TxID: "aa", Raw: []byte(id)}}, nil)
				if from == journal.Signed || from == journal.Broadcast || from == journal.Completed {
					must(t, err) // the same bytes again: nothing happens
					if got := stateOf(t, j, id); got != from {
						t.Errorf("same bytes again: %s became %s", from, got)
					}
					continue
				}
			default:
				err = j.Move(t.Context(), journal.Move{ID: id, From: from, To: to})
			}
			if journal.Allowed(from, to) {
				if err != nil || stateOf(t, j, id) != to {
					t.Errorf("%s to %s: %v, it is %s", from, to, err, stateOf(t, j, id))
				}
				continue
			}
			if !errors.Is(err, journal.ErrState) || stateOf(t, j, id) != from {
				t.Errorf("%s to %s: %v, it is %s", from, to, err, stateOf(t, j, id))
			}
		}
	}
}

// A move starts from the state that its maker saw, and all moves happen or none.
func TestMoveIsOneTransaction(t *testing.T) {
	j, _ := open(t)
	bring(t, j, "a", journal.Fetched)
	bring(t, j, "b", journal.Prepared)
	err := j.Move(t.Context(), journal.Move{ID: "a", From: journal.Fetched, To: journal.Prepared}, journal.Move{ID: "b", From: journal.Fetched, To: journal.Prepared})
	if !errors.Is(err, journal.ErrState) || stateOf(t, j, "a") != journal.Fetched {
		t.Errorf("%v, a is %s", err, stateOf(t, j, "a"))
	}
	err = export(t, j, request(t, 1, "b", "a"))
	if !errors.Is(err, journal.ErrState) || stateOf(t, j, "b") != journal.Prepared {
		t.Errorf("%v, b is %s", err, stateOf(t, j, "b"))
	}
	if _, err := j.Request(t.Context(), request(t, 1, "b", "a").Digest); !errors.Is(err, journal.ErrNoRequest) {
		t.Errorf("a request that failed is kept: %v", err)
	}
}

func TestAdd(t *testing.T) {
	j, path := open(t)
	seen, err := j.Add(t.Context(), []journal.Item{item("a"), item("b"), item("a")})
	if err != nil || fmt.Sprint(seen) != fmt.Sprint([]journal.Seen{journal.New, journal.New, journal.Same}) {
		t.Fatal(seen, err)
	}
	other := item("a")
	other.Content[0] ^= 1
	other.Pending = []byte("{}")
	elsewhere := item("b")
	elsewhere.Network = chain.Mainnet
	if seen, err = j.Add(t.Context(), []journal.Item{other, elsewhere}); err != nil || seen[0] != journal.Changed || seen[1] != journal.Changed {
		t.Fatal(seen, err)
	}
	must(t, j.Close())
	j = reopen(t, path)
	items, err := j.Items(t.Context(), journal.Filter{})
	if err != nil || len(items) != 2 || items[0].ID != "a" || !bytes.Equal(items[0].Pending, item("a").Pending) || !items[0].Updated.Equal(clock()) {
		t.Errorf("%+v, %v", items, err)
	}
	if _, err := j.Item(t.Context(), "c"); !errors.Is(err, journal.ErrNoItem) {
		t.Error(err)
	}
}

// What was not made anything of is replaced; what was ever in a request is not.
func TestReplace(t *testing.T) {
	j, _ := open(t)
	bring(t, j, "refused", journal.Refused)
	bring(t, j, "exported", journal.Exported)
	for _, to := range [][2]journal.State{{journal.Exported, journal.Prepared}, {journal.Prepared, journal.Fetched}} {
		must(t, j.Move(t.Context(), journal.Move{ID: "exported", From: to[0], To: to[1]}))
	}
	for id, want := range map[string]bool{"refused": true, "exported": false} {
		was, err := j.Item(t.Context(), id)
		must(t, err)
		now := item(id)
		now.Content[0] ^= 1
		now.Pending = []byte("{}")
		if done, err := j.Replace(t.Context(), was, now); done != want || err != nil {
			t.Errorf("%s: %v, %v", id, done, err)
		}
		got, err := j.Item(t.Context(), id)
		if err != nil || (got.Content == now.Content) != want || got.State != journal.Fetched {
			t.Errorf("%+v, %v", got, err)
		}
		if done, err := j.Replace(t.Context(), was, was); done || err != nil { // that is not there any more
			t.Errorf("%s again: %v, %v", id, done, err)
		}
	}
}

func TestFilter(t *testing.T) {
	j, _ := open(t)
	for i, s := range []journal.State{journal.Prepared, journal.Fetched, journal.Prepared, journal.Prepared} {
		bring(t, j, fmt.Sprintf("i%d", i), s)
	}
	for want, f := range map[string]journal.Filter{
		"i0 i1 i2 i3": {},
		"i0 i2 i3":    {States: []journal.State{journal.Prepared}},
		"i0 i2":       {States: []journal.State{journal.Prepared}, Max: 2},
		"i2":          {States: []journal.State{journal.Prepared, journal.Exported}, IDs: []string{"i2", "i1", "x"}},
		"":            {Network: chain.Mainnet},
	} {
		items, err := j.Items(t.Context(), f)
		must(t, err)
		var got []string
		for _, it := range items {
			got = append(got, it.ID)
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%+v: %v", f, got)
		}
	}
}

// At most one signed byte string for one pending id: the same again is fine,
// another is an alarm, and even SQL that goes around this package cannot.
func TestSignedOnce(t *testing.T) {
	j, path := open(t)
	bring(t, j, "a", journal.Signed)
	r := request(t, 99, "b")
	bring(t, j, "b", journal.Prepared)
	must(t, export(t, j, r))
	res := result(t, r, 5)
	must(t, j.Import(t.Context(), res, []journal.SignedItem{{ID: "a", TxID: "aa", Raw: []byte("a")}}, nil))
	err := j.Import(t.Context(), res, []journal.SignedItem{{ID: "b", TxID: "bb", Raw: []byte("b")}, {ID: "a", TxID: "aa", Raw: []byte("other")}}, nil)
	if !errors.Is(err, journal.ErrOtherBytes) {
		t.Errorf("other bytes: %v", err)
	}
	if got := stateOf(t, j, "b"); got != journal.Exported {
		t.Errorf("part of a failed import stays: b is %s", got)
	}
	it, err := j.Item(t.Context(), "a")
	if err != nil || string(it.Signed) != "a" || it.TxID != "aa" {
		t.Errorf("%+v, %v", it, err)
	}
	db := raw(t, path)
	for _, q := range []string{
		"UPDATE items SET signed = pending WHERE id = 'a'",
		"UPDATE items SET txid = 'bb' WHERE id = 'a'",
		"UPDATE items SET signed = NULL, txid = '', state = 'fetched' WHERE id = 'a'",
		"UPDATE items SET state = 'fetched' WHERE id = 'a'",
		"UPDATE items SET state = 'signed' WHERE id = 'b'",
		"UPDATE items SET state = 'colourful' WHERE id = 'b'",
		"UPDATE items SET pending = content WHERE id = 'b'",
		"DELETE FROM items WHERE id = 'a'",
	} {
		_, err := db.Exec(q)
		if err == nil || !(strings.Contains(err.Error(), "once") || strings.Contains(err.Error(), "never") || strings.Contains(strings.ToUpper(err.Error()), "CHECK")) {
			t.Errorf("the database lets this through: %s: %v", q, err)
		}
	}
}

func TestRequests(t *testing.T) {
	j, _ := open(t)
	for _, id := range []string{"a", "b", "c"} {
		bring(t, j, id, journal.Prepared)
	}
	first, second := request(t, 9, "a", "b"), request(t, 1, "c")
	must(t, export(t, j, first))
	must(t, export(t, j, second))
	waiting, err := j.Waiting(t.Context())
	if err != nil || len(waiting) != 2 || waiting[0] != (journal.Waiting{Digest: first.Digest}) || waiting[1].Digest != second.Digest {
		t.Fatal(waiting, err)
	}
	must(t, j.Written(t.Context(), first.Digest))
	if waiting, err = j.Waiting(t.Context()); err != nil || !waiting[0].Written || waiting[1].Written {
		t.Fatal(waiting, err)
	}
	file, err := j.Request(t.Context(), first.Digest)
	if err != nil || !bytes.Equal(file, first.File) {
		t.Fatal(err)
	}
	must(t, j.Import(t.Context(), result(t, first, 3), []journal.SignedItem{{ID: "a", TxID: "aa", Raw: []byte{1}}},
		[]journal.RefusedItem{{ID: "b", Code: chain.Dust, Reason: "why"}}))
	if waiting, err = j.Waiting(t.Context()); err != nil || len(waiting) != 1 {
		t.Fatal(waiting, err)
	}
	if has, err := j.HasResult(t.Context(), result(t, first, 3).Digest); !has || err != nil {
		t.Error("result is not kept", err)
	}
	if has, err := j.HasResult(t.Context(), result(t, second, 3).Digest); has || err != nil {
		t.Error("a result that never came is known", err)
	}
	it, err := j.Item(t.Context(), "b")
	if err != nil || it.State != journal.Refused || it.Code != chain.Dust || it.Reason != "why" || it.Request != first.Digest {
		t.Errorf("%+v, %v", it, err)
	}
}

func TestPeer(t *testing.T) {
	j, _ := open(t)
	if _, err := j.Peer(t.Context()); !errors.Is(err, journal.ErrNoPeer) {
		t.Fatal(err)
	}
	watch := func(n byte, created int64) bundle.SealedWatch {
		w, err := bundle.SealWatch(bundle.Watch{Created: created}, key(n))
		must(t, err)
		return w
	}
	must(t, j.Pair(t.Context(), watch(2, 1)))
	must(t, j.Pair(t.Context(), watch(2, 2)))
	if err := j.Pair(t.Context(), watch(3, 3)); !errors.Is(err, journal.ErrOtherPeer) {
		t.Errorf("another signer: %v", err)
	}
	bring(t, j, "a", journal.Prepared)
	r := request(t, 1, "a")
	must(t, export(t, j, r))
	for _, length := range []uint64{4, 5, 3} {
		must(t, j.Import(t.Context(), result(t, r, length), nil, nil))
	}
	p, err := j.Peer(t.Context())
	if err != nil || p.Signer != key(2).Public() || !bytes.Equal(p.Watch, watch(2, 2).File) || p.LedgerLen != 5 || p.Head[0] != 5 {
		t.Errorf("%+v, %v", p, err)
	}
}

func TestPrevious(t *testing.T) {
	j, _ := open(t)
	must(t, j.AddPrevious(t.Context(), []journal.PreviousTx{{TxID: "a", Raw: []byte{1}}, {TxID: "b", Raw: []byte{2}}}))
	must(t, j.AddPrevious(t.Context(), []journal.PreviousTx{{TxID: "a", Raw: []byte{3}}}))
	got, err := j.Previous(t.Context(), []string{"a", "b", "c"})
	if err != nil || len(got) != 2 || got["a"][0] != 3 || got["b"][0] != 2 {
		t.Error(got, err)
	}
}

func TestFile(t *testing.T) {
	j, path := open(t)
	must(t, j.Check(t.Context(), true))
	add(t, j, "a")
	for _, suffix := range []string{"", "-wal", "-shm"} {
		info, err := os.Stat(path + suffix)
		if err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v, %v", suffix, info, err)
		}
	}
	must(t, j.Close())
	db := raw(t, path)
	if _, err := db.Exec("PRAGMA user_version = 99"); err != nil {
		t.Fatal(err)
	}
	if _, err := journal.Open(t.Context(), path, clock); err == nil {
		t.Error("a newer journal is opened")
	}
}

// A path is a path, whatever is in it.
func TestPath(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a b#?%41.db")
	j := reopen(t, path)
	add(t, j, "a")
	if info, err := os.Stat(path); err != nil || info.Size() == 0 {
		t.Errorf("%v, %v", info, err)
	}
}

// The settings that durability rests on are really in force.
func TestSettings(t *testing.T) {
	j, _ := open(t)
	got, err := j.Settings(t.Context())
	if err != nil || got != "wal 2 1" {
		t.Errorf("journal mode, synchronous, foreign keys: %q, %v", got, err)
	}
}
