//go:build unix

package online_test

import (
	"database/sql"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"coldkms/cmd/testtools/relaytest"
	"coldkms/online"
	"coldkms/online/journal"
	"coldkms/shared/chain"
	"coldkms/shared/durable"
)

// One relay hangs in the middle of a broadcast until its lease has run out.
// Another takes over and completes; the late one changes nothing any more.
func TestLateRelay(t *testing.T) {
	t.Parallel()
	a := newArena(t)
	a.lease = 2 * time.Second
	a.onSQLite()
	prev := a.even.Funding(1)
	a.server.Chain(relaytest.Hex(prev))
	a.server.Add(a.even.Payment(1, prev, nil))
	slow, quick := a.open(0), a.open(1)
	defer slow.Close()
	defer quick.Close()
	stick := filepath.Join(t.TempDir(), "0")
	if err := os.Mkdir(stick, 0o700); err != nil {
		t.Fatal(err)
	}
	if _, err := slow.Fetch(t.Context(), online.FetchOptions{Network: chain.Testnet}); err != nil {
		t.Fatal(err)
	}
	if _, err := slow.Export(t.Context(), online.ExportOptions{Dir: stick}); err != nil {
		t.Fatal(err)
	}
	for _, result := range a.sign(filepath.Dir(stick), 0) {
		if err := slow.Import(t.Context(), result, &online.Imported{}); err != nil {
			t.Fatal(err)
		}
	}
	reached, first := make(chan struct{}), atomic.Bool{}
	a.server.Fault(func(_ http.ResponseWriter, r *http.Request) bool {
		if strings.HasSuffix(r.URL.Path, "/broadcast") && first.CompareAndSwap(false, true) {
			close(reached)
			select {
			case <-r.Context().Done():
			case <-time.After(6 * time.Second):
			}
		}
		return false
	})
	type outcome struct {
		report online.Broadcasted
		err    error
	}
	late := make(chan outcome)
	go func() {
		report, err := slow.Broadcast(t.Context(), online.BroadcastOptions{})
		late <- outcome{report, err}
	}()
	<-reached
	if got, err := quick.Broadcast(t.Context(), online.BroadcastOptions{}); err != nil || len(got.Broadcast) != 0 || codes(got.Problems) != "other-relay " || !strings.Contains(got.Problems[0].Reason, "held by ") {
		t.Errorf("while it is held: %+v, %v", got, err)
	}
	if _, err := quick.Reject(t.Context(), relaytest.ID(1), online.Rejection{Why: "why"}); !errors.Is(err, online.ErrTooLate) {
		t.Errorf("reject: %v", err)
	}
	time.Sleep(a.lease + time.Second)
	got, err := quick.Broadcast(t.Context(), online.BroadcastOptions{})
	if err != nil || len(got.Completed) != 1 {
		t.Errorf("taking over: %+v, %v", got, err)
	}
	if o := <-late; len(o.report.Completed) != 0 {
		t.Errorf("the late one says it is done: %+v, %v", o.report, o.err)
	}
	distinct := make(map[string]bool)
	for _, text := range a.server.Sent() {
		distinct[text] = true
	}
	list, err := quick.Status(t.Context(), chain.UnknownNetwork)
	if err != nil || len(distinct) != 1 || list[0].State != journal.Completed || list[0].Code != "" {
		t.Errorf("%d byte strings, %+v, %v", len(distinct), list, err)
	}
}

// What another relay is at work with is not dropped under its hands.
func TestRejectHeld(t *testing.T) {
	t.Parallel()
	a := newArena(t)
	a.onSQLite()
	prev := a.even.Funding(1)
	a.server.Chain(relaytest.Hex(prev))
	a.server.Add(a.even.Payment(1, prev, nil))
	one, other := a.open(0), a.open(1)
	defer one.Close()
	defer other.Close()
	var err error
	a.server.Fault(func(_ http.ResponseWriter, r *http.Request) bool {
		if strings.HasPrefix(r.URL.Path, "/v3/bitcoin/transaction/") && err == nil { // one prepares it now
			_, err = other.Reject(t.Context(), relaytest.ID(1), online.Rejection{Why: "why"})
		}
		return false
	})
	if _, err := one.Fetch(t.Context(), online.FetchOptions{Network: chain.Testnet}); err != nil {
		t.Fatal(err)
	}
	if !errors.Is(err, journal.ErrLeased) || a.server.Calls("DELETE") != 0 {
		t.Errorf("%v, %d deleted", err, a.server.Calls("DELETE"))
	}
}

// hookFS calls before before a new file comes to its name.
type hookFS struct {
	durable.OS
	before func()
}

func (f hookFS) RenameNew(from, to string) error {
	if strings.HasSuffix(to, ".kmsreq") {
		f.before()
	}
	return f.OS.RenameNew(from, to)
}

// A request that another relay is about to write is left to it.
func TestExportHeld(t *testing.T) {
	t.Parallel()
	a := newArena(t)
	a.onSQLite()
	prev := a.even.Funding(1)
	a.server.Chain(relaytest.Hex(prev))
	a.server.Add(a.even.Payment(1, prev, nil))
	one, other := a.open(0), a.open(1)
	defer one.Close()
	defer other.Close()
	if _, err := one.Fetch(t.Context(), online.FetchOptions{Network: chain.Testnet}); err != nil {
		t.Fatal(err)
	}
	asked := 0
	one.FS = hookFS{before: func() {
		asked++
		for _, again := range []bool{false, true} {
			got, err := other.Export(t.Context(), online.ExportOptions{Dir: t.TempDir(), Again: again})
			if err != nil || got.Request != nil {
				t.Errorf("again %v: %+v, %v", again, got, err)
			}
		}
	}}
	if got, err := one.Export(t.Context(), online.ExportOptions{Dir: t.TempDir()}); err != nil || got.Request == nil || asked != 1 {
		t.Errorf("%+v, %v, asked %d times", got, err, asked)
	}
	if got, err := other.Export(t.Context(), online.ExportOptions{Dir: t.TempDir()}); err != nil || got.Request == nil {
		t.Errorf("when it is written anybody may write it again: %+v, %v", got, err)
	}
}

// The lease is gone when the reply comes: the item is the other relay's, and
// that is no failure of the run.
func TestLeaseLost(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.toSigned(nil, 1)
	w.server.Fault(func(_ http.ResponseWriter, r *http.Request) bool {
		if !strings.HasSuffix(r.URL.Path, "/broadcast") {
			return false
		}
		db, err := sql.Open("sqlite", filepath.Join(w.dir, "journal.db"))
		if err == nil {
			_, err = db.Exec("UPDATE items SET holder = 'another', held_until = held_until + 1000")
		}
		if err := errors.Join(err, db.Close()); err != nil {
			t.Error(err)
		}
		return false
	})
	got, err := w.tryBroadcast()
	if err != nil || codes(got.Problems) != "other-relay " || len(got.Completed) != 0 {
		t.Errorf("%+v, %v", got, err)
	}
	w.wantState(id(1), "signed")
}
