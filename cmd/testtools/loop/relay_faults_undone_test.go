//go:build unix

package loop

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"coldkms/cmd/testtools/relaytest"
)

// undoneFaults are about what a person has undone, by restore or reject, while the
// payment is made or may be.
func undoneFaults() []fault {
	return []fault{
		{"66a-fetched-after-a-restore-may-be-paid", fetchedAfterRestore},
		{"66b-two-restores-both-count", restoredTwice},
		{"66c-nothing-is-sent-before-the-service-is-named", serviceNotNamed},
		{"66d-a-busy-address-is-searched-to-the-funding", busyAddress},
		{"66e-a-list-is-whole-or-says-nothing", listIsWhole},
	}
}

// restores puts a backup in the place of the journal.
func (h *teller) restores(backup string) {
	h.Helper()
	h.loses()
	h.run(0, "restore", backup)
}

// A payment is made and sent after the backup, and its broadcast swallowed. The
// restored journal fetches it: whatever its state, and whenever its id was made by
// the clock of Tatum, it may be paid until something shows that it is not.
func fetchedAfterRestore(t *testing.T) {
	for name, ahead := range map[string]time.Duration{"no-time": 0, "now": time.Second, "ahead": 2 * time.Hour} {
		t.Run(name, func(t *testing.T) {
			h := newTeller(t)
			backup := filepath.Join(h.dir, "backup")
			h.run(0, "backup", backup)
			id := relaytest.ID(1)
			if ahead > 0 {
				id = fmt.Sprintf("%08x%016x", time.Now().Add(ahead).Unix(), 1)
			}
			h.signed(func(tx map[string]any) { tx["id"] = id; withdrawn(tx) }, 1)
			h.restores(backup)
			time.Sleep(1100 * time.Millisecond) // it is fetched after the restore, not in the same second
			h.run(0, "fetch")
			var list []struct{ State, Restored string }
			if err := json.Unmarshal(h.run(0, "status", id), &list); err != nil || list[0].State != "prepared" || !strings.Contains(list[0].Restored, "may be paid") {
				t.Errorf("%+v, %v", list, err)
			}
			if name != "ahead" {
				h.run(0, "export", "--out", filepath.Join(h.dir, "usb"))
			}
			reject := []string{"reject", id, "--why", "a mistake"}
			for range 2 {
				if words := h.says(1, reject...); !strings.Contains(words, "it may be paid") || !strings.Contains(words, "this journal was restored at") && !strings.Contains(words, "This journal was restored at") {
					t.Error(words)
				}
			}
			h.dropped(0)
			if name == "no-time" { // a person has seen that it was not paid, and dropped it there
				h.server.Change(id, "id", relaytest.ID(9))
				h.run(0, append(reject, "--gone")...)
				return
			}
			h.rival(1, []byte{0x51})
			h.server.Mine(8)
			h.run(1, reject...)
			h.age("looks", "at", 601)
			h.run(0, reject...)
			h.dropped(1)
		})
	}
}

// A journal that was restored twice knows of neither time what happened.
func restoredTwice(t *testing.T) {
	h := newTeller(t)
	h.pay(nil, 1)
	h.run(0, "fetch")
	first, second := filepath.Join(h.dir, "first"), filepath.Join(h.dir, "second")
	h.run(0, "backup", first)
	h.restores(first)
	h.sql("UPDATE restores SET made = made - 7200, at = at - 7200")
	h.run(0, "backup", second)
	h.restores(second)
	words := h.says(1, "reject", relaytest.ID(1), "--why", "a mistake")
	if n := strings.Count(strings.ToLower(words), "this journal was restored at"); n != 2 {
		t.Errorf("%d restores are told: %s", n, words)
	}
}

// The backup is older than the approval service, and its no. Nothing is sent
// before a person has said which service is asked.
func serviceNotNamed(t *testing.T) {
	for name, before := range map[string]bool{"named after the backup": false, "named before it": true} {
		t.Run(name, func(t *testing.T) {
			h := newTeller(t)
			approvals, other := newService(t, true, "application/json", ""), newService(t, false, "application/json", "")
			h.signed(nil, 1)
			if before {
				h.answers(answer{"GET /v3/kms/", "", 500})
				h.run(3, "broadcast", "--external-url", other.url)
				h.server.Fault(nil)
			}
			backup := filepath.Join(h.dir, "backup")
			h.run(0, "backup", backup)
			h.run(3, "broadcast", "--external-url", approvals.url)
			h.loses()
			if words := h.says(0, "restore", backup); !strings.Contains(words, "--external-url none") {
				t.Error(words)
			}
			if words := h.says(3, "alarms"); !strings.Contains(words, "--external-url none") {
				t.Error(words)
			}
			h.run(0, "fetch") // which has it listed
			h.run(3, "broadcast")
			if s := h.wants(1, "signed", "four-eye-not-named"); !strings.Contains(s.Reason, "--external-url none") {
				t.Errorf("%+v", s)
			}
			h.sends(0)
			h.releases()
			h.run(3, "broadcast", "--external-url", approvals.url)
			h.wants(1, "signed", "four-eye-refused")
			h.sends(0)
			h.loses()
			h.run(0, "restore", backup)
			h.run(0, "fetch")
			h.run(3, "broadcast")
			h.releases()
			if before {
				h.run(0, "broadcast", "--external-url", other.url) // the very one that the backup has
			} else {
				h.run(0, "broadcast", "--external-url", "none")
			}
			h.sends(1)
		})
	}
}

// busy has the list of an address begin with many other transactions, newest first.
func (h *teller) busy(n int) {
	h.server.Fault(func(w http.ResponseWriter, r *http.Request) bool {
		if !strings.HasPrefix(r.URL.Path, "/v3/bitcoin/transaction/address/") {
			return false
		}
		offset, _ := strconv.Atoi(r.URL.Query().Get("offset"))
		if offset >= n {
			q := r.URL.Query()
			q.Set("offset", strconv.Itoa(offset-n))
			r.URL.RawQuery = q.Encode()
			return false
		}
		list := make([]map[string]any, 50)
		for i := range list {
			list[i] = map[string]any{"hash": fmt.Sprintf("%064x", offset+i+1), "inputs": []any{map[string]any{"prevout": map[string]any{"hash": strings.Repeat("ab", 32), "index": 1}}}}
		}
		_ = json.NewEncoder(w).Encode(list)
		return true
	})
}

// The address of the inputs has had hundreds of later transactions. What was paid
// by another relay is found behind them: reject refuses, and watch tells.
func busyAddress(t *testing.T) {
	h := newTeller(t)
	h.pay(withdrawn, 1)
	h.run(0, "fetch")
	swap := h.twin()
	usb := filepath.Join(h.dir, "usb")
	h.run(0, "export", "--out", usb)
	h.sign(usb)
	h.run(0, "import", usb)
	txid := h.server.Chain(h.signedHex(1))
	h.server.Mine(3)
	swap()
	h.busy(600)
	faults := h.server.Faulty()
	hidden := func(w http.ResponseWriter, r *http.Request) bool { // index and node lag: only the list has it
		if strings.HasPrefix(r.URL.Path, "/v3/blockchain/node/") {
			w.WriteHeader(500)
			_, _ = io.WriteString(w, `{"error":{"code":-5,"message":"No such mempool or blockchain transaction"}}`)
			return true
		}
		if strings.Contains(r.URL.Path, txid) || strings.HasPrefix(r.URL.Path, "/v3/bitcoin/utxo/") {
			w.WriteHeader(404)
			_, _ = io.WriteString(w, noTx)
			return true
		}
		return faults(w, r)
	}
	h.server.Fault(hidden)
	if words := h.says(1, "reject", relaytest.ID(1), "--why", "x"); !strings.Contains(words, "may be paid") || !strings.Contains(words, "Tatum lists transaction "+txid) {
		t.Error(words)
	}
	h.dropped(0)
}

// Only a list that has the transaction which paid what is spent, and nothing that
// Tatum contradicts, shows that nothing was paid.
func listIsWhole(t *testing.T) {
	for name, list := range map[string]string{"empty": "[]", "null": "null", "hollow": "[null]", "lagging": ""} {
		t.Run(name, func(t *testing.T) {
			h := newTeller(t)
			h.pay(withdrawn, 1)
			h.run(0, "fetch")
			swap := h.twin()
			usb := filepath.Join(h.dir, "usb")
			h.run(0, "export", "--out", usb)
			h.sign(usb)
			h.run(0, "import", usb)
			raw := h.signedHex(1)
			swap()
			answers := []answer{{"GET /v3/bitcoin/transaction/address/", list, 200}, lag, {"POST /v3/blockchain/node/", `{"error":{"code":-5,"message":"No such"}}`, 500}}
			want := "not known what spends"
			if name == "lagging" { // it has everything but the newest one
				prev := h.signer.Funding(1)
				answers[0].body = fmt.Sprintf(`[{"hash":%q,"inputs":[]}]`, prev.TxHash())
				want = "is spent"
				h.server.Chain(raw)
			}
			h.answers(answers...)
			if words := h.says(1, "reject", relaytest.ID(1), "--why", "x"); !strings.Contains(words, "it may be paid") || !strings.Contains(words, want) {
				t.Error(words)
			}
			h.dropped(0)
			h.server.Fault(nil)
			if name != "lagging" { // it never was sent
				h.run(0, "reject", relaytest.ID(1), "--why", "x")
				h.dropped(1)
			}
		})
	}
}
