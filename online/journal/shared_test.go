//go:build unix

package journal_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"coldkms/cmd/testtools/pgtest"
	"coldkms/online/journal"
)

// servers keeps the server of a running TestPostgres for its parts.
var servers sync.Map // name of a test: *pgtest.Server

func testServer(t testing.TB) *pgtest.Server {
	t.Helper()
	name, _, _ := strings.Cut(t.Name(), "/")
	s, ok := servers.Load(name)
	if !ok {
		t.Fatal("no server")
	}
	return s.(*pgtest.Server)
}

// The same promises hold on both databases.
func TestPostgres(t *testing.T) {
	t.Parallel()
	servers.Store(t.Name(), pgtest.Start(t))
	for name, test := range map[string]func(*testing.T){
		"Transitions": TestTransitions, "MoveIsOneTransaction": TestMoveIsOneTransaction, "Add": TestAdd, "Filter": TestFilter,
		"SignedOnce": TestSignedOnce, "Requests": TestRequests, "Peer": TestPeer, "Previous": TestPrevious,
		"Lease": TestLease, "LeaseExpires": TestLeaseExpires, "Enter": TestEnter, "LateSignature": TestLateSignature, "Together": TestTogether,
		"Payer": TestPayer, "Own": TestOwn, "SameRequest": TestSameRequest, "Alarms": TestAlarms, "Hand": TestHand, "PermitOf": TestPermitOf, "WithdrawalCase": TestWithdrawalCase, "OddWords": TestOddWords,
		"OpenAtOnce": testOpenAtOnce, "Totals": TestTotals, "TallyIsApart": testTallyIsApart, "Newer": testNewer,
		"EndsWithItsContext": testEndsWithItsContext,
	} {
		t.Run(name, test)
	}
}

// Relays that start at once on an empty database make one journal.
func testOpenAtOnce(t *testing.T) {
	where := testServer(t).Database(t)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			j, err := journal.Open(t.Context(), where, clock)
			if err == nil {
				err = j.Close()
			}
			if err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
}

func testNewer(t *testing.T) {
	j, where := open(t)
	must(t, j.Close())
	if _, err := raw(t, where).Exec("UPDATE version SET version = 99"); err != nil {
		t.Fatal(err)
	}
	if _, err := journal.Open(t.Context(), where, clock); !errors.Is(err, journal.ErrNewer) {
		t.Errorf("a newer journal is opened: %v", err)
	}
}

// A change whose context ends while it waits for a row ends then, and holds up
// neither itself nor the changes that wait for their turn.
func testEndsWithItsContext(t *testing.T) {
	j, where := open(t)
	bring(t, j, "held", journal.Fetched)
	bring(t, j, "free", journal.Fetched)
	var pauses atomic.Int64
	j.CountPauses(&pauses)
	holder, err := raw(t, where).BeginTx(t.Context(), nil)
	must(t, err)
	defer func() { _ = holder.Rollback() }()
	_, err = holder.Exec("UPDATE items SET code = code WHERE id = 'held'")
	must(t, err)
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	err = j.Move(ctx, journal.Move{ID: "held", From: journal.Fetched, To: journal.Prepared})
	if !errors.Is(err, context.DeadlineExceeded) || errors.Is(err, journal.ErrAway) || pauses.Load() > 1 {
		t.Errorf("tried again %d times: %v", pauses.Load(), err)
	}
	must(t, j.Move(t.Context(), journal.Move{ID: "free", From: journal.Fetched, To: journal.Prepared}))
}

// A server that acknowledges what is not on disk is refused.
func TestPostgresWithoutFsync(t *testing.T) {
	t.Parallel()
	s := pgtest.Start(t)
	if !s.Ours() {
		t.Skip("needs a server of its own")
	}
	where := s.Database(t)
	db := raw(t, where)
	for _, q := range []string{"ALTER SYSTEM SET fsync = off", "SELECT pg_reload_conf()"} {
		if _, err := db.Exec(q); err != nil {
			t.Fatal(err)
		}
	}
	for fsync := "on"; fsync == "on"; time.Sleep(10 * time.Millisecond) {
		must(t, db.QueryRow("SHOW fsync").Scan(&fsync))
	}
	if _, err := journal.Open(t.Context(), where, clock); !errors.Is(err, journal.ErrNotDurable) {
		t.Errorf("opened: %v", err)
	}
}

// The server crashes and comes back while relays work: what was acknowledged
// is there, once, and nobody notices more than a pause.
func TestPostgresRestart(t *testing.T) {
	t.Parallel()
	s := pgtest.Start(t)
	if !s.Ours() {
		t.Skip("needs a server of its own")
	}
	where := s.Database(t)
	must(t, reopen(t, where).Close())
	const relays, each = 4, 40
	var wg sync.WaitGroup
	var done atomic.Int32
	for r := range relays {
		j := reopen(t, where)
		wg.Go(func() {
			for n := range each {
				id := fmt.Sprintf("r%dn%d", r, n)
				seen, err := j.Add(t.Context(), []journal.Item{item(id)})
				if err != nil || seen[0] != journal.New {
					t.Errorf("add: %v, %v", seen, err)
					return
				}
				if err := j.Move(t.Context(), journal.Move{ID: id, From: journal.Fetched, To: journal.Prepared}); err != nil {
					t.Error(err)
					return
				}
				done.Add(1)
				time.Sleep(5 * time.Millisecond)
			}
		})
	}
	for crash := range 3 {
		for done.Load() < int32(relays*each*(crash+1)/5) && !t.Failed() {
			time.Sleep(time.Millisecond)
		}
		s.End([]syscall.Signal{syscall.SIGQUIT, syscall.SIGINT, syscall.SIGKILL}[crash])
		time.Sleep(200 * time.Millisecond)
		must(t, s.Begin())
	}
	wg.Wait()
	items, err := reopen(t, where).Items(t.Context(), journal.Filter{States: []journal.State{journal.Prepared}})
	if err != nil || len(items) != relays*each {
		t.Errorf("%d items, want %d: %v", len(items), relays*each, err)
	}
}

// wire stands between a relay and the server, and cuts.
type wire struct {
	cut atomic.Int32 // 1: before the next COMMIT arrives, 2: before its reply does
}

func (w *wire) serve(l net.Listener, socket string) {
	for {
		near, err := l.Accept()
		if err != nil {
			return
		}
		far, err := net.Dial("unix", socket)
		if err != nil {
			_ = near.Close()
			continue
		}
		go w.up(near, far)
		go func() { _, _ = io.Copy(near, far); _ = near.Close() }()
	}
}

func (w *wire) up(near, far net.Conn) {
	defer near.Close()
	defer far.Close()
	buf := make([]byte, 1<<16)
	for {
		n, err := near.Read(buf)
		if err != nil {
			return
		}
		commit := bytes.Contains(bytes.ToLower(buf[:n]), []byte("commit\x00"))
		if commit && w.cut.CompareAndSwap(1, 0) {
			return
		}
		lose := commit && w.cut.CompareAndSwap(2, 0)
		if lose {
			_ = near.(*net.UnixConn).CloseWrite() // it never hears
		}
		if _, err := far.Write(buf[:n]); err != nil {
			return
		}
		if lose {
			time.Sleep(50 * time.Millisecond) // the server is at it
			return
		}
	}
}

// Where the connection is lost around a COMMIT, the journal finds out whether
// it landed, and the step is made exactly once.
func TestPostgresLostCommit(t *testing.T) {
	t.Parallel()
	s := pgtest.Start(t)
	if !s.Ours() {
		t.Skip("needs a server of its own")
	}
	where := s.Database(t)
	u, err := url.Parse(where)
	must(t, err)
	query := u.Query()
	dir, err := os.MkdirTemp("", "coldkms-wire-")
	must(t, err)
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	l, err := net.Listen("unix", filepath.Join(dir, ".s.PGSQL.5432"))
	must(t, err)
	t.Cleanup(func() { _ = l.Close() })
	w := new(wire)
	go w.serve(l, filepath.Join(query.Get("host"), ".s.PGSQL.5432"))
	query.Set("host", dir)
	u.RawQuery = query.Encode()
	j := reopen(t, u.String())
	const times = 6
	for n := range times {
		for _, cut := range []int32{1, 2} {
			id := fmt.Sprintf("c%dn%d", cut, n)
			w.cut.Store(cut)
			seen, err := j.Add(t.Context(), []journal.Item{item(id)})
			if err != nil || seen[0] != journal.New {
				t.Fatalf("cut %d: %v, %v", cut, seen, err)
			}
			w.cut.Store(cut)
			if err := j.Move(t.Context(), journal.Move{ID: id, From: journal.Fetched, To: journal.Prepared}); err != nil {
				t.Fatalf("cut %d: %v", cut, err)
			}
			if w.cut.Load() != 0 {
				t.Fatal("no COMMIT was seen on the wire")
			}
		}
	}
	items, err := j.Items(t.Context(), journal.Filter{States: []journal.State{journal.Prepared}})
	if err != nil || len(items) != 2*times {
		t.Errorf("%d items: %v", len(items), err)
	}
}

// A server that is not there is an error at once, without the address.
func TestPostgresAway(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	if _, err := journal.Open(ctx, "postgres:///nothing?host="+t.TempDir(), clock); !errors.Is(err, journal.ErrAway) {
		t.Errorf("opened: %v", err)
	}
}

// What finishes in one transaction does not wait for what finishes in another.
func testTallyIsApart(t *testing.T) {
	j, where := open(t)
	add(t, j, "a", "b", "c", "d", "e", "f")
	ids := []string{"a", "b", "c", "d", "e", "f"}
	for ; len(ids) > 0; ids = ids[2:] { // two connections share a row once in 256 times
		other, err := raw(t, where).Begin()
		must(t, err)
		_, err = other.Exec("UPDATE items SET state = 'rejected' WHERE id = $1", ids[0])
		must(t, err)
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		done := make(chan error, 1)
		go func() { done <- j.Move(ctx, journal.Move{ID: ids[1], From: journal.Fetched, To: journal.Rejected}) }()
		select {
		case err := <-done:
			must(t, err)
			must(t, other.Commit())
			cancel()
			counted(t, j, where)
			return
		case <-ctx.Done():
			must(t, other.Rollback())
			<-done
			cancel()
		}
	}
	t.Error("one transaction waits for another to end")
}
