//go:build unix

package loop

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"coldkms/cmd/testtools/relaytest"
)

// damages are what a proxy or a replica may do to the element of a payment.
var damages = map[string]func(map[string]any){
	"a chain in small letters":     func(p map[string]any) { p["chain"] = "btc" },
	"no chain":                     func(p map[string]any) { delete(p, "chain") },
	"a transaction that is cut":    func(p map[string]any) { p["serializedTransaction"] = text100(p) },
	"a transaction that is null":   func(p map[string]any) { p["serializedTransaction"] = nil },
	"no transaction":               func(p map[string]any) { delete(p, "serializedTransaction") },
	"a withdrawal of another type": func(p map[string]any) { p["withdrawalId"] = 12 },
}

func text100(p map[string]any) string { return p["serializedTransaction"].(string)[:100] }

// damaging has Tatum's list show every payment with some damage.
func (h *teller) damaging(damage func(map[string]any)) {
	h.server.Fault(func(w http.ResponseWriter, r *http.Request) bool {
		if !strings.HasPrefix(r.URL.Path, "/v3/kms/pending/BTC") {
			return false
		}
		rec := httptest.NewRecorder()
		h.server.Serve(rec, r)
		var list []map[string]any
		if err := json.Unmarshal(rec.Body.Bytes(), &list); err != nil {
			h.Error(err)
		}
		for _, p := range list {
			damage(p)
		}
		b, err := json.Marshal(list)
		if err != nil {
			h.Error(err)
		}
		_, _ = w.Write(b)
		return true
	})
}

// One list has a damaged element, twice in two ways: the payment is refused, nobody is
// told that the API key is stolen, and it is made once it is listed as it is.
func damagedElement(t *testing.T) {
	for name, damage := range damages {
		t.Run(name, func(t *testing.T) {
			h := newTeller(t)
			h.pay(nil, 1)
			h.damaging(damage)
			h.run(3, "fetch")
			if s := h.item(1); s.State != "refused" {
				t.Errorf("%+v", s)
			}
			h.damaging(func(p map[string]any) { damage(p); p["index"] = "x" })
			if words := h.says(3, "fetch"); strings.Contains(words, "stolen") {
				t.Error(words)
			}
			h.alarms("")
			h.server.Fault(nil)
			if words := h.says(0, "fetch"); !strings.Contains(words, "takes its place") {
				t.Error(words)
			}
			h.wants(1, "prepared", "")
			h.alarms("")
			h.damaging(damage) // what was proven is not replaced
			h.run(3, "fetch")
			h.alarms("content-changed")
			h.server.Fault(nil)
			h.run(0, "fetch")
			h.run(0, "acknowledge", "1", "--why", "a damaged list")
			h.cross(0)
			h.run(0, "broadcast")
			h.wants(1, "completed", "")
		})
	}
}

// An older version kept a damaged element, and raised the alarm about each sound one: the
// next fetch takes that, and so it does after a retry.
func damagedKept(t *testing.T) {
	for _, state := range []string{"refused", "fetched"} {
		for _, retried := range []bool{false, true} {
			h := newTeller(t)
			h.pay(nil, 1)
			h.damaging(damages["a transaction that is cut"])
			h.run(3, "fetch")
			h.sql("UPDATE items SET state = '" + state + "', withheld = 'content-changed', code = 'content-changed'")
			h.sql("INSERT INTO alarms (item, code, evidence, reason, raised, seen) VALUES ('" + relaytest.ID(1) +
				"', 'content-changed', 'x', 'ALARM', 1, 1)")
			if retried {
				h.run(0, "retry", relaytest.ID(1))
				if s := h.item(1); s.State != "fetched" || s.Withheld != "" {
					t.Errorf("%s: %+v", state, s)
				}
				h.alarms("")
			}
			h.server.Fault(nil)
			h.run(0, "fetch")
			h.wants(1, "prepared", "")
			if s := h.item(1); s.Withheld != "" {
				t.Errorf("%s: %+v", state, s)
			}
			if !retried {
				h.alarms("content-changed(healed)")
				h.run(0, "acknowledge", "1", "--why", "a damaged list")
			}
			h.cross(0)
			h.run(0, "broadcast")
			h.wants(1, "completed", "")
		}
	}
}
