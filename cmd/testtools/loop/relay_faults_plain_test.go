//go:build unix

package loop

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"coldkms/cmd/testtools/relaytest"
)

// plainFaults are about what the relay leaves unsaid, or says in words that lead
// nowhere.
func plainFaults() []fault {
	return []fault{
		{"95a-what-was-failed-and-turns-up-is-told", healedIsTold},
	}
}

// heard are the events that a receiver got.
type heard struct {
	mu  sync.Mutex
	all []event
}

// event is an event as its receiver reads it.
type event struct {
	Event, Message string
	Item           struct{ ID, State, Healed, FailedFor string }
}

// hears starts a receiver of events.
func hears(t *testing.T) (h *heard, url string) {
	h = &heard{}
	s := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		var e event
		_ = json.NewDecoder(r.Body).Decode(&e)
		h.mu.Lock()
		defer h.mu.Unlock()
		h.all = append(h.all, e)
	}))
	t.Cleanup(s.Close)
	return h, s.URL
}

// of returns the event of a kind about a payment; known is false if none came.
func (h *heard) of(kind string, n int) (e event, known bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, e := range h.all {
		if e.Event == kind && e.Item.ID == relaytest.ID(n) {
			return e, true
		}
	}
	return event{}, false
}

// beside returns a relay on the same state, for its helpers around daemons.
func (h *teller) beside() *plainRelay {
	return &plainRelay{T: h.T, program: filepath.Join(h.bin, "kms-online"), server: h.server, signer: h.signer, dir: h.dir,
		where: []string{"--state", filepath.Join(h.dir, "relay")}}
}

// Two payments are declared dead, and everybody is told; a person acknowledges
// that. Then they turn up: status, the exit code, a metric and events say so, too.
func healedIsTold(t *testing.T) {
	h := newTeller(t)
	heard, url := hears(t)
	h.signed(nil, 1, 2)
	h.rival(1, []byte{0x51})
	h.rival(2, []byte{0x51})
	h.server.Mine(8)
	h.answers(answer{"POST /v3/bitcoin/broadcast", missing, 403})
	h.twice()
	for n := range 2 {
		h.wants(n+1, "failed", "inputs-spent")
	}
	h.run(3, "daemon", "--runOnce", "--confirmations", "0", "--event-url", url) // Tatum lists them yet
	for n := range 2 {
		if e, known := heard.of("failed", n+1); !known || e.Item.Healed != "" {
			t.Errorf("failed is not told: %+v", e)
		}
	}
	h.run(0, "acknowledge", "1", "2", "--why", "paid anew")
	h.answers(answer{"PUT /v3/kms/", "", 500}) // they stay where they are for a while
	h.server.Chain(h.signedHex(1))
	var seen struct{ Healed []string }
	if err := json.Unmarshal(h.run(3, "watch", relaytest.ID(1)), &seen); err != nil || len(seen.Healed) != 1 {
		t.Errorf("watch: %+v, %v", seen, err)
	}
	var list []struct{ State, Healed, FailedFor string }
	if err := json.Unmarshal(h.run(0, "status", relaytest.ID(1)), &list); err != nil || list[0].State != "broadcast" || list[0].Healed == "" || list[0].FailedFor != "inputs-spent" {
		t.Errorf("status: %+v, %v", list, err)
	}
	if words := h.says(0, "status"); !strings.Contains(words, "it was failed (inputs-spent) until") {
		t.Error(words)
	}
	h.server.Chain(h.signedHex(2))
	p := h.beside()
	_, get := p.listening("--event-url", url)
	p.eventually("it is counted", func() bool {
		_, text := get("metrics")
		return metric(text, `kms_item_outcomes_total{outcome="healed"}`) == "1"
	})
	for n := range 2 {
		p.eventually("it is told", func() bool {
			e, known := heard.of("healed", n+1)
			return known && e.Item.State == "broadcast" && e.Item.FailedFor == "inputs-spent" && strings.Contains(e.Message, "do not have it paid anew")
		})
	}
	h.server.Fault(nil)
	h.sql("UPDATE items SET retry_at = 0")
	p.eventually("its end is told", func() bool {
		e, known := heard.of("completed", 1)
		return known && e.Item.FailedFor == "inputs-spent" && strings.Contains(e.Message, "after it was failed")
	})
}
