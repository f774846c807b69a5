//go:build unix

package loop

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"coldkms/cmd/testtools/relaytest"
)

// staleFaults are about a Tatum whose index goes on to answer what was true before a
// reorganisation.
func staleFaults() []fault {
	return []fault{
		{"140a-a-stale-index-hides-a-double-spend", staleIndex},
		{"140b-a-stale-index-hides-a-double-spend-from-the-daemon", staleIndexDaemon},
		{"140c-a-stale-index-and-nobody-knows-what-spends-it", staleUnnamed},
		{"140d-a-stale-index-of-what-never-was-in-a-block", stalePool},
		{"140e-a-stale-index-of-what-only-left-its-block", staleBlock},
		{"140f-what-failed-heals-by-no-stale-index", staleFailed},
	}
}

// stalePlace is a relay whose only payment is completed and watched, and a Tatum
// whose index has stopped.
type stalePlace struct {
	*plainRelay
	txid, raw string
}

// newStalePlace has a payment so many blocks deep, with the look that confirms it.
func newStalePlace(t *testing.T, deep int64) *stalePlace {
	t.Helper()
	p := &stalePlace{plainRelay: newPairedRelay(t)}
	p.signed(1)
	p.must("broadcast")
	p.txid, p.raw = p.item().TxID, p.server.Sent()[0]
	p.server.Mine(deep)
	if deep == 0 {
		p.server.Unmine(p.txid)
	}
	if got := p.run("watch"); got.code != 0 || p.item().Confirmations != deep {
		t.Fatalf("%d deep: %+v", deep, got)
	}
	return p
}

// item is where the payment stands.
func (p *stalePlace) item() itemStatus {
	p.Helper()
	var list []itemStatus
	p.json(&list, "status", relaytest.ID(1))
	if len(list) != 1 {
		p.Fatalf("%+v", list)
	}
	return list[0]
}

// stops has the index say of the payment what it says now, for ever, whatever comes.
// Lists of addresses go on, with the payment in them.
func (p *stalePlace) stops() {
	p.Helper()
	reply := map[string]any{"hash": p.txid, "hex": p.raw}
	if block := p.server.Block(p.txid); block > 0 {
		reply["blockNumber"] = block
	}
	p.server.Fault(func(w http.ResponseWriter, r *http.Request) bool {
		switch path := r.Method + " " + r.URL.Path; {
		case strings.HasPrefix(path, "GET /v3/bitcoin/transaction/address/"):
			var list []json.RawMessage
			rec := httptest.NewRecorder()
			p.server.Serve(rec, r)
			_ = json.Unmarshal(rec.Body.Bytes(), &list)
			ours, _ := json.Marshal(map[string]any{"hash": p.txid, "inputs": []any{}})
			_ = json.NewEncoder(w).Encode(append([]json.RawMessage{ours}, list...))
		case path == "GET /v3/bitcoin/transaction/"+p.txid:
			_ = json.NewEncoder(w).Encode(reply)
		case path == "POST /v3/bitcoin/broadcast" && p.isSpent():
			w.WriteHeader(http.StatusForbidden)
			_, _ = io.WriteString(w, missing)
		default:
			return false
		}
		return true
	})
}

// rival is another transaction that spends what the payment spends.
func (p *stalePlace) rival() string {
	return relaytest.Hex(p.signer.Rival(p.signer.Funding(1), []byte{0x51}))
}

// isSpent reports whether that one is in the network.
func (p *stalePlace) isSpent() bool {
	txid := p.signer.Rival(p.signer.Funding(1), []byte{0x51}).TxHash().String()
	return p.server.Block(txid) > 0
}

// replaced has the chain reorganised: the payment is gone, another one spends its
// input, so many blocks deep.
func (p *stalePlace) replaced(deep int64) {
	p.stops()
	p.server.Forget(p.txid)
	p.server.Chain(p.rival())
	p.server.Mine(deep)
}

// alarmed wants exactly these alarms to be open, by code and whether they are healed.
func (p *stalePlace) alarmed(want string) {
	p.Helper()
	var list []struct{ Code, Healed string }
	p.json(&list, "alarms")
	var got []string
	for _, a := range list {
		if a.Healed != "" {
			a.Code += "(healed)"
		}
		got = append(got, a.Code)
	}
	if s := strings.Join(got, " "); s != want {
		p.Errorf("open alarms: %q, want %q", s, want)
	}
}

func staleIndex(t *testing.T) {
	for _, deep := range []int64{1, 4, 7} {
		t.Run(fmt.Sprint(deep), func(t *testing.T) {
			p := newStalePlace(t, deep)
			p.replaced(1) // by the index ours is one block deeper
			p.seesThrough()
			p.must("acknowledge", "1", "--why", "seen")
			if got := p.run("watch"); got.code != 3 {
				t.Errorf("it is taken as paid once more: %+v", got)
			}
			p.alarmed("")
			p.goesOn()
			p.run("watch")
			p.journal("UPDATE looks SET at = at - 601")
			p.run("watch")
			if s := p.item(); s.Code != "inputs-spent" || s.Confirmations != 0 {
				t.Errorf("%+v", s)
			}
		})
	}
}

// seesThrough watches twice, and wants the alarm of the double spend each time: an
// index that says the same again heals nothing.
func (p *stalePlace) seesThrough() {
	p.Helper()
	for range 2 {
		got := p.run("watch")
		if got.code != 3 || !strings.Contains(got.out, "inputs-spent") || strings.Contains(got.out, "made anew") {
			p.Errorf("watch: %+v", got)
		}
		p.alarmed("inputs-spent")
	}
	if s := p.item(); s.State != "completed" || s.Code != "inputs-spent" || s.Confirmations != 0 ||
		!strings.Contains(s.Reason, "do not have it paid anew") {
		p.Errorf("%+v", s)
	}
	if got := p.run("status"); !strings.Contains(got.err, "alarm 1: ") {
		p.Errorf("status: %s", got.err)
	}
}

// goesOn has the index be true again. The network refuses the payment's bytes.
func (p *stalePlace) goesOn() {
	p.server.Fault(func(w http.ResponseWriter, r *http.Request) bool {
		if r.URL.Path != "/v3/bitcoin/broadcast" {
			return false
		}
		w.WriteHeader(http.StatusForbidden)
		_, _ = io.WriteString(w, missing)
		return true
	})
}

// heardEvents is a receiver of events.
type heardEvents struct {
	*httptest.Server
	mu  sync.Mutex
	all []string // each with its code
}

func newHeardEvents(t *testing.T) *heardEvents {
	h := &heardEvents{}
	h.Server = httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		var e struct {
			Event string
			Alarm struct{ Code string }
		}
		_ = json.NewDecoder(r.Body).Decode(&e)
		h.mu.Lock()
		defer h.mu.Unlock()
		h.all = append(h.all, strings.TrimSpace(e.Event+" "+e.Alarm.Code))
	}))
	t.Cleanup(h.Close)
	return h
}

func (h *heardEvents) text() string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return strings.Join(h.all, ", ")
}

func staleIndexDaemon(t *testing.T) {
	for _, deep := range []int64{1, 4, 7} {
		t.Run(fmt.Sprint(deep), func(t *testing.T) {
			p := newStalePlace(t, deep)
			p.replaced(1)
			p.journal("UPDATE items SET retry_at = 0")
			hook := newHeardEvents(t)
			_, get := p.listening("--event-url", hook.URL, "--event-history")
			p.eventually("it is counted", func() bool {
				_, text := get("metrics")
				return metric(text, `kms_alarms{code="inputs-spent"}`) == "1"
			})
			if code, text := get("healthz"); code != 503 {
				t.Errorf("healthz: %d %s", code, text)
			}
			p.eventually("the alarm is told", func() bool { return strings.Contains(hook.text(), "alarm inputs-spent") })
			if s := p.item(); s.State != "completed" || s.Code != "inputs-spent" || s.Confirmations != 0 {
				t.Errorf("%+v", s)
			}
			p.server.Fault(nil)
			p.server.Forget(p.signer.Rival(p.signer.Funding(1), []byte{0x51}).TxHash().String())
			p.server.Chain(p.raw)
			p.server.Mine(1)
			if got := hook.text(); strings.Contains(got, "completed") {
				t.Errorf("told: %s", got)
			}
			p.must("watch") // it is there after all
			p.alarmed("inputs-spent(healed)")
			p.eventually("it is told as completed now", func() bool { return strings.Contains(hook.text(), "completed") })
		})
	}
}

// The lists do not name what spends the input. The alarm does not wait for that.
func staleUnnamed(t *testing.T) {
	p := newStalePlace(t, 4)
	p.replaced(7)
	rest := p.server.Faulty()
	p.server.Fault(func(w http.ResponseWriter, r *http.Request) bool {
		if strings.HasPrefix(r.URL.Path, "/v3/bitcoin/transaction/address/") {
			_, _ = io.WriteString(w, "[]")
			return true
		}
		return rest(w, r)
	})
	if got := p.run("watch"); got.code != 3 {
		t.Errorf("%+v", got)
	}
	p.alarmed("evicted")
	if s := p.item(); s.Code != "evicted" || s.Confirmations != 0 ||
		!strings.Contains(s.Reason, "spent by something else") {
		t.Errorf("%+v", s)
	}
	p.journal("UPDATE items SET state = 'broadcast'")
	p.run("broadcast") // it is marked, and still not there
	if s := p.item(); s.State != "completed" || s.Code != "evicted" {
		t.Errorf("%+v", s)
	}
	hook := newHeardEvents(t)
	p.run("daemon", "--runOnce", "--event-url", hook.URL, "--event-history")
	if got := hook.text(); got != "alarm evicted" {
		t.Errorf("told: %s", got)
	}
}

// The index says for ever that the payment waits for a block.
func stalePool(t *testing.T) {
	p := newStalePlace(t, 0)
	p.replaced(7)
	if got := p.run("watch"); got.code != 3 {
		t.Errorf("%+v", got)
	}
	p.alarmed("inputs-spent")
	q := newStalePlace(t, 0) // dropped, and nothing else spends its input: it is sent again
	q.stops()
	q.server.Forget(q.txid)
	sent := len(q.server.Sent())
	if got := q.run("watch"); got.code != 0 || len(q.server.Sent()) != sent+1 {
		t.Errorf("%d sent: %+v", len(q.server.Sent())-sent, got)
	}
	q.alarmed("")
}

// The payment is in no block any more, and waits for one; the index has it in the
// old one. It is no alarm at the first look, and not healed by the index.
func staleBlock(t *testing.T) {
	p := newStalePlace(t, 4)
	p.stops()
	p.server.Unmine(p.txid)
	for _, want := range []string{"", "reorganised", "reorganised"} {
		if got := p.run("watch"); got.code != 3 {
			t.Errorf("%+v", got)
		}
		p.alarmed(want)
		if s := p.item(); s.Confirmations != 0 || s.Code != "reorganised" {
			t.Errorf("%+v", s)
		}
	}
	p.server.Fault(nil)
	p.run("watch") // it waits for a block, by all that is known
	p.alarmed("reorganised")
	p.server.Mine(1)
	p.run("watch")
	p.alarmed("reorganised(healed)")
	if s := p.item(); s.Confirmations != 1 || s.Code != "" {
		t.Errorf("%+v", s)
	}
}

// A payment failed, because another one spends its input. Then the index goes back
// to what it said before: nobody hears that the payment goes on.
func staleFailed(t *testing.T) {
	p := newStalePlace(t, 1)
	p.server.Change(relaytest.ID(1), "txId", nil)
	p.replaced(7)
	stale := p.server.Faulty()
	p.server.Fault(func(w http.ResponseWriter, r *http.Request) bool {
		if r.URL.Path == "/v3/bitcoin/broadcast" {
			return stale(w, r)
		}
		return false
	})
	p.run("watch")
	p.journal("UPDATE looks SET at = at - 601")
	p.run("watch")
	if s := p.item(); s.State != "failed" || s.Code != "inputs-spent" {
		t.Fatalf("%+v", s)
	}
	p.server.Fault(stale)
	for range 2 {
		p.run("watch", relaytest.ID(1))
	}
	if s := p.item(); s.State != "failed" {
		t.Errorf("%+v", s)
	}
	p.alarmed("inputs-spent")
}
