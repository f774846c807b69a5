//go:build unix

package journal_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"coldkms/online/journal"
)

func claim(t testing.TB, j *journal.Journal, owner string, ttl time.Duration, max int) (journal.Lease, []journal.Item) {
	t.Helper()
	l, items, err := j.Claim(t.Context(), owner, ttl, journal.Filter{States: []journal.State{journal.Fetched}, Max: max})
	must(t, err)
	return l, items
}

// What one has claimed nobody else gets, moves or exports.
func TestLease(t *testing.T) {
	j, where := open(t)
	other := reopen(t, where)
	for n := range 5 {
		bring(t, j, fmt.Sprintf("i%d", n), journal.Fetched)
	}
	first, mine := claim(t, j, "one", time.Minute, 2)
	second, theirs := claim(t, other, "two", time.Minute, 0)
	if len(mine) != 2 || mine[0].ID != "i0" || mine[1].ID != "i1" || len(theirs) != 3 || theirs[0].ID != "i2" {
		t.Fatal(len(mine), len(theirs))
	}
	if _, none := claim(t, j, "one", time.Minute, 0); len(none) != 0 {
		t.Errorf("claimed twice: %d", len(none))
	}
	step := journal.Move{ID: "i0", From: journal.Fetched, To: journal.Prepared}
	for _, l := range []journal.Lease{{}, second} {
		step.Lease = l
		if err := other.Move(t.Context(), step); !errors.Is(err, journal.ErrLeased) {
			t.Errorf("moved by another: %v", err)
		}
	}
	err := other.Note(t.Context(), journal.Note{ID: "i0", State: journal.Fetched, Reason: "stale", Lease: second})
	if !errors.Is(err, journal.ErrLeased) {
		t.Errorf("noted by another: %v", err)
	}
	step.Lease = first
	must(t, j.Move(t.Context(), step))
	if _, err := other.Export(t.Context(), request(t, 1, "i0"), journal.Lease{}); !errors.Is(err, journal.ErrLeased) {
		t.Errorf("exported by another: %v", err)
	}
	if err := j.Move(t.Context(), step); !errors.Is(err, journal.ErrState) {
		t.Errorf("a step twice: %v", err)
	}
	must(t, j.Release(t.Context(), first))
	if _, free := claim(t, other, "two", time.Minute, 0); len(free) != 1 || free[0].ID != "i1" {
		t.Errorf("after release: %d", len(free))
	}
}

// A lease runs out by the database's clock; who had it cannot act any more,
// not even if nobody has taken it since.
func TestLeaseExpires(t *testing.T) {
	j, _ := open(t)
	bring(t, j, "a", journal.Fetched)
	bring(t, j, "b", journal.Fetched)
	const ttl = 300 * time.Millisecond
	late, items := claim(t, j, "one", ttl, 0)
	if len(items) != 2 {
		t.Fatal(len(items))
	}
	if late.Left(clock()) != ttl {
		t.Errorf("left: %s", late.Left(clock()))
	}
	time.Sleep(ttl + 50*time.Millisecond)
	step := journal.Move{ID: "a", From: journal.Fetched, To: journal.Prepared, Lease: late}
	if err := j.Move(t.Context(), step); !errors.Is(err, journal.ErrLeased) {
		t.Errorf("after it ran out: %v", err)
	}
	if _, err := j.Renew(t.Context(), late, "a"); !errors.Is(err, journal.ErrLeased) {
		t.Errorf("renewed after it ran out: %v", err)
	}
	next, items := claim(t, j, "two", time.Minute, 0)
	if len(items) != 2 {
		t.Fatalf("nobody gets what ran out: %d", len(items))
	}
	if err := j.Move(t.Context(), step); !errors.Is(err, journal.ErrLeased) {
		t.Errorf("after it was taken over: %v", err)
	}
	must(t, j.Release(t.Context(), late)) // gives back nothing of the other's
	step.Lease = next
	must(t, j.Move(t.Context(), step))
	if _, err := j.Renew(t.Context(), next, "b"); err != nil {
		t.Error(err)
	}
}

// A relay that was killed gets its own items back at once, and no other's.
func TestEnter(t *testing.T) {
	j, _ := open(t)
	bring(t, j, "a", journal.Fetched)
	bring(t, j, "b", journal.Fetched)
	claim(t, j, "one", time.Hour, 1)
	claim(t, j, "two", time.Hour, 1)
	must(t, j.Enter(t.Context(), journal.Holder{Owner: "on", Name: "machine 3"}, func(owner string) bool { return owner == "on" }))
	if _, items := claim(t, j, "x", time.Minute, 0); len(items) != 0 {
		t.Fatal(len(items))
	}
	must(t, j.Enter(t.Context(), journal.Holder{Owner: "two", Name: "machine 2"}, func(string) bool { return false }))
	claim(t, j, "two", time.Hour, 1)
	held, err := j.Held(t.Context(), "one", journal.Filter{States: []journal.State{journal.Fetched}})
	if err != nil || len(held) != 1 || held[0].ID != "b" || held[0].By != "machine 2" || time.Until(held[0].Until) < 50*time.Minute {
		t.Errorf("%+v, %v", held, err)
	}
	must(t, j.Enter(t.Context(), journal.Holder{Owner: "one", Name: "machine 1"}, func(owner string) bool { return owner == "one" }))
	if _, items := claim(t, j, "x", time.Minute, 0); len(items) != 1 || items[0].ID != "a" {
		t.Error(len(items))
	}
	must(t, j.Enter(t.Context(), journal.Holder{Owner: "one", Name: "machine 1"}, func(string) bool { return true })) // nobody else can be there
	if _, items := claim(t, j, "y", time.Minute, 0); len(items) != 2 {
		t.Errorf("alone: %d", len(items))
	}
}

// A signature that comes when nobody waits for it is not lost: it is taken
// where nobody has said no, and left to a person where somebody has.
func TestLateSignature(t *testing.T) {
	j, _ := open(t)
	for from, want := range map[journal.State]journal.State{
		journal.Fetched: journal.Signed, journal.Prepared: journal.Signed, journal.Refused: journal.Failed,
		journal.Rejected: journal.Failed,
	} {
		id := "late-" + string(from)
		bring(t, j, id, from)
		r := request(t, 7, id)
		bring(t, j, "other-"+id, journal.Prepared)
		must(t, export(t, j, request(t, 8, "other-"+id)))
		err := j.Adopt(t.Context(), journal.SignedItem{ID: id, TxID: "tx-" + id, Raw: []byte(r.File)})
		if got := stateOf(t, j, id); err != nil || got != want {
			t.Errorf("%s: %v, it is %s, want %s", from, err, got, want)
		}
	}
	it, err := j.Item(t.Context(), "late-refused")
	if err != nil || it.Code != journal.SignedLate || it.Signed == nil {
		t.Errorf("%+v, %v", it, err)
	}
	if it, err := j.Item(t.Context(), "late-rejected"); err != nil || it.Code != journal.SignedDropped {
		t.Errorf("%+v, %v", it, err)
	}
	if n, err := j.Notices(t.Context()); len(n.Alarms) != 2 || err != nil {
		t.Errorf("%v alarms, %v", n, err)
	}
}

// Of two ids with one transaction the first that is signed is paid.
func TestPayer(t *testing.T) {
	j, _ := open(t)
	for _, id := range []string{"a", "b"} {
		bring(t, j, id, journal.Prepared)
	}
	must(t, j.Adopt(t.Context(), journal.SignedItem{ID: "b", TxID: "same", Raw: []byte{1}}))
	must(t, j.Adopt(t.Context(), journal.SignedItem{ID: "a", TxID: "same", Raw: []byte{1}}))
	if id, err := j.Payer(t.Context(), "same"); id != "b" || err != nil {
		t.Error(id, err)
	}
}

// A journal belongs to one relay identity for good.
func TestOwn(t *testing.T) {
	j, _ := open(t)
	if _, has, err := j.Owner(t.Context()); has || err != nil {
		t.Error(has, err)
	}
	must(t, j.Own(t.Context(), key(1).Public()))
	must(t, j.Own(t.Context(), key(1).Public()))
	if err := j.Own(t.Context(), key(2).Public()); !errors.Is(err, journal.ErrOtherRelay) || !strings.Contains(err.Error(), key(1).Public().Fingerprint()) {
		t.Error(err)
	}
	if got, has, err := j.Owner(t.Context()); !has || err != nil || got != key(1).Public() {
		t.Error(got, has, err)
	}
}

// The very same Request twice is no error, and its first file stays.
func TestSameRequest(t *testing.T) {
	j, _ := open(t)
	bring(t, j, "a", journal.Prepared)
	r := request(t, 1, "a")
	for n, want := range []bool{false, true} {
		known, err := j.Export(t.Context(), r, journal.Lease{})
		if known != want || err != nil {
			t.Errorf("%d: %v, %v", n, known, err)
		}
		r.File = append([]byte("another compressor "), r.File...)
	}
	if file, err := j.Request(t.Context(), r.Digest); err != nil || string(file) == string(r.File) {
		t.Errorf("replaced, %v", err)
	}
}

// Foreign words of any kind are kept as well as each database can.
func TestOddWords(t *testing.T) {
	j, _ := open(t)
	bring(t, j, "a", journal.Fetched)
	must(t, j.Note(t.Context(), journal.Note{ID: "a", State: journal.Fetched, Code: "c\x00", Reason: "zero\x00, not UTF-8 \xff, ? and $1"}))
	it, err := j.Item(t.Context(), "a")
	if err != nil || it.Reason != "zero\uFFFD, not UTF-8 \uFFFD, ? and $1" {
		t.Errorf("%q, %v", it.Reason, err)
	}
}

// Addresses that show a secret, or trust a stranger, are refused, and no
// error repeats one.
func TestAddress(t *testing.T) {
	for address, want := range map[string]string{
		"postgres://u:s3cret@localhost/db":                     "passfile",
		"postgresql://u@localhost/db?password=s3cret":          "passfile",
		"postgres://u@db.example.com/x?sslmode=disable":        "sslmode",
		"postgres://u@db.example.com/x?sslmode=prefer":         "sslmode",
		"postgres://u@10.0.0.1,127.0.0.1/x?sslmode=require":    "sslmode",
		"postgres:///x?host=/tmp,db.example.com&sslmode=allow": "sslmode",
		"mysql://u@localhost/db":                               "want postgres://",
		"postgres://u:s3cret%zz@localhost/db":                  "want postgres://",
		"postgres://u@localhost/db?connect_timeout=s3cret":     "ParseInt",
	} {
		_, err := journal.Open(t.Context(), address, clock)
		if !errors.Is(err, journal.ErrAddress) || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "localhost") {
			t.Errorf("%s: %v", address, err)
		}
		if err != nil && strings.Contains(err.Error(), "s3cret") && want == "passfile" {
			t.Errorf("the password is in the error: %v", err)
		}
	}
}

// A server on another machine must show a certificate for its name, unless
// somebody asks for less.
func TestDefaultTLS(t *testing.T) {
	c, err := journal.ResolvedTLS("postgres://u@db.example.com/x")
	if err != nil || c == nil || c.InsecureSkipVerify || c.ServerName != "db.example.com" {
		t.Errorf("%+v, %v", c, err)
	}
	t.Setenv("PGSSLMODE", "disable")
	if c, err := journal.ResolvedTLS("postgres://u@db.example.com/x"); err != nil || c == nil || c.InsecureSkipVerify {
		t.Errorf("PGSSLMODE=disable: %+v, %v", c, err)
	}
}
