//go:build unix

package loop

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"coldkms/cmd/testtools/relaytest"
)

// unwantedFaults are about what is told of a payment that somebody else made, or
// changed.
func unwantedFaults() []fault {
	return []fault{
		{"66f-neither-is-paid-takes-a-look", looksBeforeNeither},
		{"66g-paid-though-the-service-said-no", paidThoughRefused},
		{"66h-other-content-is-another-alarm", contentChangedTwice},
		{"66i-items-that-nobody-answers-stop-no-export", badAnswersFirst},
		{"66j-small-words", smallWords},
	}
}

// The transaction of what was given up is with the network, or may be, when
// another id asks for it.
func looksBeforeNeither(t *testing.T) {
	for _, unclear := range []bool{false, true} {
		t.Run(fmt.Sprint("unclear ", unclear), func(t *testing.T) {
			h := newTeller(t)
			approvals := newService(t, true, "application/json", "")
			h.signed(nil, 1)
			h.run(3, "broadcast", "--external-url", approvals.url)
			h.run(0, "reject", relaytest.ID(1), "--why", "as the service says")
			approvals.no.Store(false)
			h.asksAgain()
			h.cross(0)
			h.server.Chain(h.signedHex(1))
			want := "the network has it"
			if unclear {
				h.unseen()
				want = "it may be paid"
			}
			h.run(3, "broadcast")
			if s := h.wants(2, "failed", "same-transaction"); strings.Contains(s.Reason, "neither is paid") || !strings.Contains(s.Reason, want) {
				t.Errorf("%+v", s)
			}
		})
	}
}

// Somebody sends a copy of the result of what the approval service refused.
func paidThoughRefused(t *testing.T) {
	h := newTeller(t)
	approvals := newService(t, true, "application/json", "")
	h.signed(nil, 1)
	h.run(3, "broadcast", "--external-url", approvals.url)
	h.server.Chain(h.signedHex(1))
	var got struct{ Broadcast []any }
	if err := json.Unmarshal(h.run(3, "broadcast"), &got); err != nil || len(got.Broadcast) != 0 {
		t.Errorf("%+v, %v", got, err)
	}
	h.wants(1, "completed", "")
	h.alarms("paid-but-refused")
	h.sends(0)
}

// Tatum changes what it asks for, and once more before anybody has acknowledged
// the first. An acknowledgement is about what was shown.
func contentChangedTwice(t *testing.T) {
	h := newTeller(t)
	h.pay(nil, 1)
	h.run(0, "fetch")
	for _, amount := range []int{90_000, 91_000} {
		other := h.signer.Payment(1, h.signer.Funding(1), func(p map[string]any) {
			var body map[string]any
			if err := json.Unmarshal([]byte(p["serializedTransaction"].(string)), &body); err != nil {
				t.Fatal(err)
			}
			body["outputs"].([]any)[0].(map[string]any)["satoshis"] = amount
			delete(body, "hash")
			whole, _ := json.Marshal(body)
			p["serializedTransaction"] = string(whole)
		})
		h.answers(answer{"POST /v3/kms/pending/", "[" + string(other) + "]", 200})
		h.run(3, "fetch")
	}
	var list []struct {
		Alarm  int
		Reason string
	}
	if err := json.Unmarshal(h.run(3, "alarms"), &list); err != nil || len(list) != 1 || list[0].Alarm != 2 {
		t.Fatalf("%+v, %v", list, err)
	}
	if words := list[0].Reason; !strings.Contains(words, "now it pays 0.00091000 to ") || !strings.Contains(words, "It paid 0.00099000 to ") {
		t.Error(words)
	}
	h.run(3, "acknowledge", "1", "--why", "seen")
	h.alarms("content-changed")
	h.run(0, "acknowledge", "2", "--why", "seen")
	h.alarms("")
}

// The oldest items have no usable answer of the approval service. The others go
// to the signer.
func badAnswersFirst(t *testing.T) {
	const bad, good = 20, 4
	var mu sync.Mutex
	asked := make(map[string]int)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		id := r.URL.Path[strings.LastIndex(r.URL.Path, "/")+1:]
		mu.Lock()
		asked[id]++
		mu.Unlock()
		for n := range bad {
			if id == relaytest.ID(n+1) {
				w.WriteHeader(http.StatusServiceUnavailable)
			}
		}
	}))
	t.Cleanup(server.Close)
	h := newTeller(t)
	for n := range bad + good {
		h.pay(nil, n+1)
	}
	h.run(0, "fetch")
	for range 2 { // after a moment of rest
		h.run(3, "export", "--out", t.TempDir(), "--external-url", server.URL)
	}
	for n := range good {
		h.wants(bad+n+1, "exported", "")
	}
}

func smallWords(t *testing.T) {
	h := newTeller(t)
	h.signed(nil, 1)
	if words := h.says(2, "status", "--limit", "-1"); !strings.Contains(words, "--limit 0") {
		t.Error(words)
	}
	backup := t.TempDir() + "/backup"
	h.run(0, "backup", backup)
	h.restores(backup)
	h.run(3, "watch") // the alarm that it was restored is open
	h.run(0, "acknowledge", "1", "--why", "all is in")
	h.run(0, "watch")
}
