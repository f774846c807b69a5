//go:build unix

package loop

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/btcsuite/btcd/wire/v2"

	"coldkms/cmd/testtools/relaytest"
)

// againFaults are about what is looked at, told or written again and again.
func againFaults() []fault {
	return []fault{
		{"98a-refused-and-given-up-are-two-alarms", refusedAndGivenUp},
		{"98b-what-was-given-up-uses-up-no-budget", givenUpBudget},
		{"98e-events-are-told-from-now-on", eventsFromNowOn},
		{"98i-a-list-longer-than-one-look", crowdedAddress},
		{"98c-child-of-a-parent-that-is-replaced", replacedParent},
	}
}

// A payment was refused by the approval service and given up, and somebody sends a
// copy of it: each of the two is an alarm that a person deals with.
func refusedAndGivenUp(t *testing.T) {
	h := newTeller(t)
	approvals := newService(t, true, "application/json", "")
	h.signed(nil, 1)
	h.run(3, "broadcast", "--external-url", approvals.url)
	h.run(0, "reject", relaytest.ID(1), "--why", "as the service says")
	h.run(0, "retry", relaytest.ID(1)) // and is held
	h.server.Chain(h.signedHex(1))
	h.run(3, "broadcast")
	h.sends(0)
	h.alarms("paid-but-rejected paid-but-refused")
	h.run(3, "broadcast")
	h.run(0, "acknowledge", "2", "--why", "the service knows")
	h.alarms("paid-but-rejected")
}

// Many items were rejected after they had been exported. To look for each of them
// leaves enough of a budget to look after what is on its way.
func givenUpBudget(t *testing.T) {
	const many = 8
	h := newTeller(t)
	h.signed(nil, 1)
	h.run(0, "broadcast")
	for n := range many {
		h.pay(nil, n+2)
	}
	h.run(0, "fetch")
	h.run(0, "export", "--out", t.TempDir())
	for n := range many {
		h.run(0, "reject", relaytest.ID(n+2), "--why", "a mistake")
	}
	watch := func() {
		cmd := exec.Command(filepath.Join(h.bin, "kms-online"),
			"--state", filepath.Join(h.dir, "relay"), "--testnet",
			"daemon", "--runOnce", "--drop", h.dir, "--budget", "400/hour")
		cmd.Env = h.env()
		_ = cmd.Run() // the budget may end it
	}
	for range 8 {
		watch()
		h.sql("UPDATE items SET retry_at = 0") // their time has come again
	}
	h.server.Mine(4)
	watch()
	if s := h.item(1); s.Confirmations < 4 {
		t.Errorf("%+v", s)
	}
}

// The parent of a payment is replaced, and neither has its confirmations: nobody is
// told that the child stays valid.
func replacedParent(t *testing.T) {
	h := newTeller(t)
	prev := h.signer.Funding(1)
	h.server.Chain(relaytest.Hex(prev))
	h.server.Add(h.signer.PaymentWithChange(1, prev, nil))
	h.cross(0)
	var msg wire.MsgTx
	if err := msg.Deserialize(hex.NewDecoder(strings.NewReader(h.signedHex(1)))); err != nil {
		t.Fatal(err)
	}
	h.run(0, "broadcast")
	h.server.Add(h.signer.PaymentOf(2, &msg, 40_000))
	h.cross(0)
	h.run(0, "broadcast")
	h.server.Forget(h.item(2).TxID)
	h.server.Forget(h.item(1).TxID)
	h.rival(1, relaytest.Payee(9))
	h.server.Mine(1)
	h.answers(answer{"POST /v3/bitcoin/broadcast", missing, 403})
	for range 2 {
		h.run(3, "watch", relaytest.ID(2))
	}
	s := h.wants(2, "completed", "parent-dead")
	if strings.Contains(s.Reason, "valid") || !strings.Contains(s.Reason, "can never confirm") ||
		!strings.Contains(s.Reason, "Do not have anything paid anew yet") {
		t.Error(s.Reason)
	}
	h.alarms("parent-dead")
}

// A daemon is told for the first time who hears of events, on a journal with a
// history. That is not told, unless it is asked for; nothing later is lost.
func eventsFromNowOn(t *testing.T) {
	for name, history := range map[string]bool{"from now on": false, "with history": true} {
		t.Run(name, func(t *testing.T) {
			h := newTeller(t)
			heard := filepath.Join(h.dir, "heard")
			program := filepath.Join(h.dir, "hear")
			script := "#!/bin/sh\necho $1 >> " + heard + "\ncat >/dev/null\n"
			if err := os.WriteFile(program, []byte(script), 0o700); err != nil {
				t.Fatal(err)
			}
			wants := func(want string) {
				t.Helper()
				b, _ := os.ReadFile(heard)
				if got := strings.Join(strings.Fields(string(b)), " "); got != want {
					t.Errorf("%q was told, want %q", got, want)
				}
			}
			h.signed(nil, 1, 2)
			h.run(0, "broadcast")
			args := []string{"daemon", "--runOnce", "--drop", h.dir, "--event-command", program}
			before := ""
			if history {
				args, before = append(args, "--event-history"), "completed completed "
			}
			h.signed(nil, 3)
			h.run(0, args...) // sends 3
			wants(before + "completed")
			h.signed(nil, 4)
			h.run(0, "daemon", "--runOnce", "--drop", h.dir) // nobody hears, for once
			wants(before + "completed")
			h.run(0, args...)
			wants(before + "completed completed")
		})
	}
}

// crowd has the list of an address begin with so many other transactions, newest
// first; it may grow.
func (h *teller) crowd(n *atomic.Int64) {
	h.server.Fault(func(w http.ResponseWriter, r *http.Request) bool {
		if !strings.HasPrefix(r.URL.Path, "/v3/bitcoin/transaction/address/") {
			return false
		}
		newest := int(n.Load())
		offset, _ := strconv.Atoi(r.URL.Query().Get("offset"))
		list := []map[string]any{}
		for i := offset; i < min(newest, offset+50); i++ {
			list = append(list, map[string]any{"hash": fmt.Sprintf("%064x", newest-i), "inputs": []any{}})
		}
		if len(list) == 0 { // what there is really is behind them
			q := r.URL.Query()
			q.Set("offset", strconv.Itoa(offset-newest))
			r.URL.RawQuery = q.Encode()
			return false
		}
		_ = json.NewEncoder(w).Encode(list)
		return true
	})
}

// The address of the inputs has had more transactions since than one look reads. The
// next look reads on, with what has come meanwhile, and what does not fit is read
// from its beginning.
func crowdedAddress(t *testing.T) {
	h := newTeller(t)
	h.pay(nil, 1)
	h.run(0, "fetch")
	h.run(0, "export", "--out", t.TempDir())
	var n atomic.Int64
	n.Store(20_500)
	h.crowd(&n)
	reject := func(code int, want string, calls int) {
		t.Helper()
		before := h.server.Calls("GET /v3/bitcoin/transaction/address/")
		words := h.says(code, "reject", relaytest.ID(1), "--why", "x")
		if !strings.Contains(words, want) {
			t.Error(words)
		}
		if got := h.server.Calls("GET /v3/bitcoin/transaction/address/") - before; got > calls {
			t.Errorf("%d calls, want %d at most", got, calls)
		}
	}
	reject(1, "the next look reads on from there", 400)
	n.Add(100) // they are read, and the rest is where it was
	h.sql(`UPDATE readings SET state = replace(state, '"last":"', '"last":"x')`)
	reject(1, "does not go on where it was read before", 10)
	reject(1, "the next look reads on from there", 400)
	n.Add(100)
	reject(0, "rejected", 20)
	h.dropped(1)
}
