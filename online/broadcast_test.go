package online_test

import (
	"database/sql"
	"io"
	"net/http"
	"path/filepath"
	"strings"
	"testing"

	"coldkms/online"
	"coldkms/online/journal"
	"coldkms/online/tatum"
)

func withdrawal(p map[string]any) { p["withdrawalId"] = "w-1" }

// Whatever becomes of the reply, the transaction is there once and marked.
func TestBroadcastReplies(t *testing.T) {
	t.Parallel()
	for _, kind := range []struct {
		name   string
		change func(map[string]any)
	}{{"plain", nil}, {"withdrawal", withdrawal}} {
		for mode, marks := range map[string]int{"": 0, "failed": 1, "incomplete": 1, "lost": 1} {
			t.Run(kind.name+" "+mode, func(t *testing.T) {
				w := newWorld(t)
				w.toSigned(kind.change, 1)
				w.server.Reply(mode)
				got := w.broadcast()
				if len(got.Broadcast) != 1 || len(got.Completed) != 1 || len(got.Problems) != 0 {
					t.Fatalf("%+v", got)
				}
				w.wantState(id(1), "completed")
				if w.server.TxID(id(1)) != got.Broadcast[0].TxID {
					t.Errorf("Tatum has %q", w.server.TxID(id(1)))
				}
				if len(w.server.Sent()) != 1 {
					t.Errorf("sent %d times", len(w.server.Sent()))
				}
				path := "PUT /v3/kms/"
				if kind.change != nil {
					path = "PUT /v3/offchain/withdrawal/w-1/"
				}
				if n := w.server.Calls(path); n != marks {
					t.Errorf("marked %d times", n)
				}
			})
		}
	}
}

// The network takes it, Tatum does not mark it: it stays broadcast and the
// next run marks it, without sending again.
func TestMarkedLater(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(map[string]any){"plain": nil, "withdrawal": withdrawal} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.toSigned(change, 1)
			w.server.Reply("failed")
			w.server.Fault(func(hw http.ResponseWriter, r *http.Request) bool {
				if r.Method == http.MethodPut {
					hw.WriteHeader(500)
				}
				return r.Method == http.MethodPut
			})
			got := w.broadcast()
			if len(got.Broadcast) != 1 || len(got.Completed) != 0 || codes(got.Problems) != "not-marked " {
				t.Fatalf("%+v", got)
			}
			w.wantState(id(1), "broadcast")
			w.server.Fault(nil)
			got = w.broadcast()
			if len(got.Broadcast) != 0 || len(got.Completed) != 1 || len(got.Problems) != 0 || len(w.server.Sent()) != 1 {
				t.Errorf("%+v, sent %d times", got, len(w.server.Sent()))
			}
		})
	}
}

// A withdrawal that is completed already says no to being completed.
func TestWithdrawalMarkedAlready(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.toSigned(withdrawal, 1)
	w.server.Reply("failed")
	txid := w.status(id(1)).TxID
	w.server.FailOnce("PUT /v3/offchain/", 403, `{"errorCode":"withdrawal.unexpected.state"}`, func() { w.server.Change(id(1), "txId", txid) })
	if got := w.broadcast(); len(got.Completed) != 1 || len(got.Problems) != 0 {
		t.Errorf("%+v", got)
	}
}

// It was sent before, and nobody wrote that down: found, not sent again.
func TestFoundOnChain(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.toSigned(nil, 1, 2)
	w.server.Chain(w.signedHex(id(1)))
	w.server.Chain(w.signedHex(id(2)))
	w.server.Change(id(2), "txId", strings.ToUpper(w.status(id(2)).TxID))
	got := w.broadcast()
	if len(got.Completed) != 2 || len(got.Broadcast) != 2 || len(w.server.Sent()) != 0 {
		t.Errorf("%+v, sent %d times", got, len(w.server.Sent()))
	}
}

func (w *world) signedHex(id string) string {
	w.Helper()
	db, err := sql.Open("sqlite", filepath.Join(w.dir, "journal.db"))
	if err != nil {
		w.Fatal(err)
	}
	defer db.Close()
	var hex string
	if err := db.QueryRow("SELECT lower(hex(signed)) FROM items WHERE id = ?", id).Scan(&hex); err != nil {
		w.Fatal(err)
	}
	return hex
}

func TestSomebodyElseCompleted(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.toSigned(nil, 1)
	w.server.Change(id(1), "txId", strings.Repeat("ab", 32))
	got := w.broadcast()
	if codes(got.Problems) != "completed-with-other-txid " || len(w.server.Sent()) != 0 {
		t.Errorf("%+v", got)
	}
	w.wantState(id(1), "failed")
	if got := w.broadcast(); len(got.Problems) != 0 {
		t.Errorf("a failed one is tried again: %+v", got)
	}
	to, err := with(w, func(r *online.Relay) (journal.State, error) { return r.Retry(t.Context(), id(1), "") })
	if to != journal.Signed || err != nil {
		t.Errorf("retry: %s, %v", to, err)
	}
	w.server.Change(id(1), "txId", nil) // a person put it right
	if got := w.broadcast(); len(got.Completed) != 1 {
		t.Errorf("%+v", got)
	}
}

func TestBroadcastTroubles(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		prefix string
		answer http.HandlerFunc
		code   string
		sent   int // calls of broadcast
	}{
		"node says no":    {"POST /v3/bitcoin/broadcast", reply(403, `{"errorCode":"blockchain.broadcast.error","message":"bad-txns-inputs-missingorspent"}`), "node-refused ", 1},
		"throttled":       {"POST /v3/bitcoin/broadcast", reply(429, ``), "network ", 3},
		"down":            {"POST /v3/bitcoin/broadcast", reply(502, `<html>`), "network ", 3},
		"page":            {"POST /v3/bitcoin/broadcast", reply(200, `<html>`), "network ", 3},
		"other txid":      {"POST /v3/bitcoin/broadcast", reply(200, `{"txId":"`+strings.Repeat("ab", 32)+`"}`), "network ", 3},
		"no txid":         {"POST /v3/bitcoin/broadcast", reply(200, `{}`), "network ", 3},
		"wrong types":     {"POST /v3/bitcoin/broadcast", reply(200, `{"txId":{"a":1}}`), "network ", 3},
		"moved":           {"POST /v3/bitcoin/broadcast", reply(301, ``), "network ", 3},
		"unknown":         {"GET /v3/kms/", reply(403, `{"errorCode":"kms.missing"}`), "unknown-at-tatum ", 0},
		"status down":     {"GET /v3/kms/", reply(500, ``), "network ", 0},
		"look-up down":    {"GET /v3/bitcoin/transaction/", reply(500, ``), "network ", 0},
		"status rubbish":  {"GET /v3/kms/", reply(200, `[]`), "network ", 0},
		"look-up refused": {"GET /v3/bitcoin/transaction/", reply(400, `{}`), "network ", 0},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.toSigned(nil, 1)
			w.server.Fault(func(hw http.ResponseWriter, r *http.Request) bool {
				if !strings.HasPrefix(r.Method+" "+r.URL.Path, c.prefix) {
					return false
				}
				c.answer(hw, r)
				return true
			})
			got := w.broadcast()
			if codes(got.Problems) != c.code || len(got.Broadcast)+len(got.Completed) != 0 {
				t.Fatalf("%+v", got)
			}
			if n := w.server.Calls("POST /v3/bitcoin/broadcast"); n != c.sent {
				t.Errorf("sent %d times, want %d", n, c.sent)
			}
			if s := w.status(id(1)); s.State != journal.Signed || string(s.Code)+" " != c.code {
				t.Errorf("%+v", s)
			}
			w.server.Fault(nil)
			if c.code == "signed-after-drop " { // that Tatum has it again decides nothing
				if got := w.broadcast(); codes(got.Problems) != c.code || len(w.server.Sent()) != 0 {
					t.Errorf("it is not held: %+v", got)
				}
				if _, err := with(w, func(r *online.Relay) (journal.State, error) { return r.Retry(t.Context(), id(1), "") }); err != nil {
					t.Error(err)
				}
			}
			if got := w.broadcast(); len(got.Completed) != 1 || len(got.Problems) != 0 {
				t.Errorf("when it is over: %+v", got)
			}
			if s := w.status(id(1)); s.Code != "" {
				t.Errorf("%+v", s)
			}
		})
	}
}

func reply(status int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status); _, _ = io.WriteString(w, body) }
}

// The node says "already known" in words of its own: the txid decides.
func TestAlreadyKnown(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.toSigned(nil, 1)
	raw := w.signedHex(id(1))
	w.server.FailOnce("POST /v3/bitcoin/broadcast", 403, `{"errorCode":"x","message":"-26: have it"}`, func() { w.server.Chain(raw) })
	if got := w.broadcast(); len(got.Completed) != 1 || len(got.Problems) != 0 || w.server.Calls("POST /v3/bitcoin/broadcast") != 1 {
		t.Errorf("%+v", got)
	}
}

// One bad item does not hold up the others; a refused key does.
func TestBroadcastMany(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	var ns []int
	for n := range 30 {
		ns = append(ns, n+1)
	}
	w.toSigned(nil, ns...)
	w.server.Fault(func(hw http.ResponseWriter, r *http.Request) bool {
		if r.Method == http.MethodGet && strings.HasSuffix(r.URL.Path, id(7)) {
			hw.WriteHeader(404)
			return true
		}
		return false
	})
	if got := w.broadcast(); len(got.Completed) != 29 || codes(got.Problems) != "network " {
		t.Errorf("%+v", got)
	}
	w.toSigned(nil, 31, 32, 33)
	before := w.server.Calls("GET /v3/kms/")
	w.server.Fault(func(hw http.ResponseWriter, _ *http.Request) bool { hw.WriteHeader(401); return true })
	if _, err := w.tryBroadcast(); !tatum.IsAuth(err) {
		t.Error(err)
	}
	if n := w.server.Calls("GET /v3/kms/") - before; n > 8 {
		t.Errorf("%d calls with a key that is refused", n)
	}
	w.wantState(id(31), "signed")
}

// Bytes that are not what was signed do not leave.
func TestDamagedJournal(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.toSigned(nil, 1, 2, 3)
	db, err := sql.Open("sqlite", filepath.Join(w.dir, "journal.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for _, q := range []string{
		"DROP TRIGGER signed_once",
		"UPDATE items SET signed = CAST(signed || x'00' AS BLOB) WHERE id = '" + id(1) + "'",
		"UPDATE items SET signed = (SELECT signed FROM items WHERE id = '" + id(3) + "') WHERE id = '" + id(2) + "'",
	} {
		if _, err := db.Exec(q); err != nil {
			t.Fatal(err)
		}
	}
	if got := w.broadcast(); codes(got.Problems) != "journal-fault journal-fault " || len(w.server.Sent()) != 1 {
		t.Errorf("%+v", got)
	}
}

// A mark that is answered well and has no effect is not taken for one.
func TestMarkedInVain(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.toSigned(nil, 1)
	w.server.Reply("failed")
	w.answers(map[string]string{"PUT /v3/kms/": "200 "})
	if got := w.broadcast(); len(got.Completed) != 0 || codes(got.Problems) != "not-marked " {
		t.Errorf("%+v", got)
	}
	w.wantState(id(1), "broadcast")
}

// One withdrawal is one payment, also where both were signed.
func TestOneWithdrawal(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.toSigned(withdrawal, 1)
	w.broadcast()
	w.toSigned(func(p map[string]any) { p["withdrawalId"] = "w-2" }, 2)
	db, err := sql.Open("sqlite", filepath.Join(w.dir, "journal.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.Exec("UPDATE withdrawals SET withdrawal = 'w-2'"); err != nil { // as if it were the same
		t.Fatal(err)
	}
	if got := w.broadcast(); codes(got.Problems) != "same-withdrawal " || len(w.server.Sent()) != 1 || w.openAlarms() != "same-withdrawal " {
		t.Errorf("%+v, %d sent, %s", got, len(w.server.Sent()), w.openAlarms())
	}
}

// A withdrawal that is paid and cancelled is an alarm, and not completed.
func TestPaidButCancelled(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.toSigned(withdrawal, 1)
	w.server.Chain(w.signedHex(id(1)))
	w.server.Change(id(1), "txId", w.status(id(1)).TxID)
	w.server.Cancel("w-1")
	w.answers(map[string]string{"PUT /v3/offchain/withdrawal/": `403 {"errorCode":"withdrawal.unexpected.state"}`})
	if got := w.broadcast(); len(got.Completed) != 0 || codes(got.Problems) != "paid-but-cancelled " || w.openAlarms() != "paid-but-cancelled " {
		t.Errorf("%+v %s", got, w.openAlarms())
	}
	w.wantState(id(1), "broadcast")
}
