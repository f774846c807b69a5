//go:build unix

package loop

import (
	"encoding/json"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"coldkms/cmd/testtools/relaytest"
)

// anewFaults are about payments that people are told, or led, to make once more.
func anewFaults() []fault {
	return []fault{
		{"70a-reject-of-what-another-id-has-paid", paidByAnotherID},
		{"70b-a-restored-journal-looks-before-it-exports", restoredLooks},
		{"70f-reject-says-what-status-says", rejectSaysTheSame},
		{"70g-unveto-of-what-was-disarmed", unvetoDisarmed},
		{"70h-signed-after-drop-and-rejected", rejectedAfterDrop},
		{"70i-two-decisions-send-what-was-disarmed", twoDecisions},
		{"70j-a-copy-of-what-is-held-as-given-up-is-sent", copyOfGivenUp},
		{"70k-a-restored-journal-asks-for-the-outputs-too", restoredAsksOutputs},
	}
}

// unseen has the indexes show no transaction.
func (h *teller) unseen() {
	h.answers(
		answer{"GET /v3/bitcoin/transaction/address/", `[]`, 200},
		answer{"GET /v3/bitcoin/transaction/", noTx, 404},
		answer{"POST /v3/blockchain/node/", `{"error":{"code":-5,"message":"No such"}}`, 500},
	)
}

// asksAgain has another id ask for the very transaction of payment 1.
func (h *teller) asksAgain() {
	h.server.Add(h.signer.Payment(1, h.signer.Funding(1), func(tx map[string]any) { tx["id"] = relaytest.ID(2) }))
}

// Two ids ask for one transaction, which is sent for the old one. The index lags.
// The new one is neither dropped at Tatum nor called unpaid, in any state.
func paidByAnotherID(t *testing.T) {
	for _, state := range []string{"prepared", "exported", "failed"} {
		t.Run(state, func(t *testing.T) {
			h := newTeller(t)
			h.signed(nil, 1)
			if state == "failed" {
				h.asksAgain()
				h.cross(0)
			}
			h.run(0, "broadcast", relaytest.ID(1))
			txid := h.wants(1, "completed", "").TxID
			switch state {
			case "failed":
				h.run(3, "broadcast", relaytest.ID(2))
				if s := h.wants(2, "failed", "same-transaction"); !strings.Contains(s.Reason, txid) || !strings.Contains(s.Reason, "Do not have it paid anew") {
					t.Errorf("%+v", s)
				}
			case "exported":
				h.asksAgain()
				h.run(0, "fetch")
				h.run(0, "export", "--out", filepath.Join(h.dir, "usb"))
			default:
				h.asksAgain()
				h.run(0, "fetch")
			}
			h.unseen()
			reject := []string{"reject", relaytest.ID(2), "--why", "made twice"}
			for range 2 {
				words := h.says(1, reject...)
				for _, want := range []string{"pays " + relaytest.ID(1), txid, "completed", "o not have it paid anew", "kms-online reject " + relaytest.ID(2) + " --why TEXT --gone"} {
					if !strings.Contains(words, want) {
						t.Errorf("%q is not in: %s", want, words)
					}
				}
				if strings.Contains(words, "was not sent") {
					t.Error(words)
				}
			}
			h.dropped(0)
			if s := h.wants(2, state, "same-transaction"); !strings.Contains(s.Reason, txid) || !strings.Contains(s.Reason, relaytest.ID(1)) {
				t.Errorf("%+v", s)
			}
			h.alarms("same-transaction")
			h.server.Fault(nil)
			h.server.Change(relaytest.ID(2), "id", relaytest.ID(9)) // somebody dropped it there
			h.run(0, append(reject, "--gone")...)
			h.dropped(0)
			h.alarms("")
			h.age("items", "retry_at", 1<<40)
			h.run(0, "watch") // the network has it, for the other one
			h.alarms("")
			if s := h.item(2); !strings.Contains(s.Reason, txid) || !strings.Contains(s.Reason, relaytest.ID(1)) || s.State != "rejected" && s.State != "failed" {
				t.Errorf("%+v", s)
			}
		})
	}
}

// What a restored journal has as fetched, prepared or exported was signed and
// sent since the backup, and Tatum was not told. It is looked for before anything
// of it is exported again.
func restoredLooks(t *testing.T) {
	h := newTeller(t)
	usb, backup := filepath.Join(h.dir, "usb"), filepath.Join(h.dir, "backup")
	h.pay(nil, 2)
	h.run(0, "fetch")
	h.run(0, "export", "--out", usb)
	h.pay(nil, 1, 3)
	h.run(0, "fetch")
	h.run(0, "backup", backup)
	h.pay(nil, 4)
	h.run(0, "fetch")
	h.run(0, "export", "--out", usb, relaytest.ID(1), relaytest.ID(4))
	h.sign(usb)
	h.run(0, "import", usb)
	// No answer about each alone, and nothing wrong with the line.
	useless := []answer{{"POST /v3/blockchain/node/", `{"error":{"code":-1,"message":"busy"}}`, 200}}
	for _, n := range []int{1, 2, 4} {
		path := "GET /v3/bitcoin/transaction/" + h.server.Chain(h.signedHex(n))
		useless = append(useless, answer{path, `{"hash":"` + strings.Repeat("ab", 32) + `"}`, 200})
	}
	h.loses()
	h.run(0, "restore", backup)
	again := h.exports()
	if again.code != 3 || len(again.Requests) > 0 || strings.Count(again.words, "kms-online fetch") != 3 {
		t.Errorf("%+v", again)
	}
	h.answers(useless...)
	h.says(3, "fetch")
	if again := h.exports(); len(again.Requests) > 0 {
		t.Errorf("what nobody has looked for is exported: %+v", again)
	}
	h.server.Fault(nil)
	h.run(3, "fetch")
	for _, n := range []int{1, 2, 4} {
		if s := h.item(n); s.Code != "paid-unrecorded" || s.Withheld != "paid-unrecorded" || !strings.Contains(s.Reason, "Do not have it paid anew; import the result") {
			t.Errorf("%d: %+v", n, s)
		}
	}
	h.alarms("restored paid-unrecorded paid-unrecorded paid-unrecorded")
	if again := h.exports(); again.code != 0 || again.Items != 1 {
		t.Errorf("%+v", again)
	}
	h.wants(3, "exported", "")
	h.run(3, "import", usb) // alarms are open
	h.run(0, "broadcast")
	h.sends(0)
	for _, n := range []int{1, 2, 4} {
		h.wants(n, "completed", "")
	}
	h.alarms("restored paid-unrecorded(healed) paid-unrecorded(healed) paid-unrecorded(healed)")
}

// exported is what came of an export.
type exported struct {
	Requests []string
	Items    int

	code  int
	words string
}

// exports exports to a folder of its own.
func (h *teller) exports() (got exported) {
	h.Helper()
	cmd := exec.CommandContext(h.Context(), filepath.Join(h.bin, "kms-online"), "--state", filepath.Join(h.dir, "relay"), "--testnet", "--json", "export", "--out", h.TempDir())
	cmd.Env = h.env()
	out, _ := cmd.Output()
	got.code, got.words = cmd.ProcessState.ExitCode(), string(out)
	if err := json.Unmarshal(out, &got); err != nil {
		h.Error(err)
	}
	return got
}

// What is proven to be dead is rejected with the very sentence about paying anew
// that status shows, before and after; what may have been paid by what took its
// place is not rejected, with that one's.
func rejectSaysTheSame(t *testing.T) {
	for name, script := range map[string][]byte{"another": {0x51}, "the same payee": relaytest.Payee(1)} {
		h := newTeller(t)
		h.signed(nil, 1)
		h.server.Mine(1)
		h.losing(1)
		h.run(3, "broadcast")
		h.server.Forget(h.item(1).TxID)
		h.rival(1, script)
		h.server.Mine(8)
		h.answers(answer{"POST /v3/bitcoin/broadcast", missing, 403})
		h.twice()
		before := h.wants(1, "failed", "inputs-spent").Reason
		code := 0
		if name != "another" {
			code = 1
		}
		words := h.says(code, "reject", relaytest.ID(1), "--why", "it is dead")
		if !strings.Contains(words, before[1:]) || strings.Contains(words, "stays valid") {
			t.Errorf("%s: %s\nstatus: %s", name, words, before)
		}
		h.dropped(1 - code)
		if now := h.item(1); !strings.Contains(now.Reason, before[1:]) || strings.Contains(now.Reason, "made anew") != (code == 0) {
			t.Errorf("%s: %+v", name, now)
		}
	}
}

// To lift the veto of what was given up sends nothing, and does not make it
// forgotten that it was given up.
func unvetoDisarmed(t *testing.T) {
	h := newTeller(t)
	h.disarmed()
	unveto := []string{"unveto", relaytest.ID(1), "--why", "by phone"}
	if words := h.says(1, unveto...); !strings.Contains(words, "is failed (disarmed)") || !strings.Contains(words, "kms-online retry "+relaytest.ID(1)) {
		t.Error(words)
	}
	h.wants(1, "failed", "disarmed")
	h.run(0, "retry", relaytest.ID(1))
	h.run(0, unveto...)
	h.sends(0)
}

// A signature comes for what was rejected, and the person rejects it once more:
// it is disarmed, said so, never sent, and nothing is open any more.
func rejectedAfterDrop(t *testing.T) {
	h := newTeller(t)
	usb := filepath.Join(h.dir, "usb")
	h.pay(nil, 1)
	h.run(0, "fetch")
	h.run(0, "export", "--out", usb)
	h.sign(usb)
	reject := []string{"reject", relaytest.ID(1), "--why", "a mistake"}
	h.run(0, reject...)
	h.run(3, "import", usb)
	h.wants(1, "failed", "signed-after-drop")
	h.alarms("signed-after-drop")
	h.run(0, reject...)
	if s := h.wants(1, "failed", "disarmed"); !strings.Contains(s.Reason, "a mistake") {
		t.Errorf("%+v", s)
	}
	h.alarms("")
	h.run(0, "broadcast")
	h.run(0, "watch")
	h.sends(0)
	var totals struct{ Open, Finished int }
	if err := json.Unmarshal(h.run(0, "status", "--totals"), &totals); err != nil || totals.Open != 0 || totals.Finished != 1 {
		t.Errorf("%+v, %v", totals, err)
	}
}

// What Tatum had dropped was disarmed, and its money given back. One retry sends
// nothing, whether Tatum has it again or not; a second one, after a look, does.
func twoDecisions(t *testing.T) {
	for _, again := range []bool{false, true} {
		h := newTeller(t)
		h.signed(nil, 1)
		h.answers(answer{"GET /v3/kms/", gone, 403})
		h.twice()
		h.run(0, "reject", relaytest.ID(1), "--why", "a mistake", "--gone")
		h.wants(1, "failed", "disarmed")
		if again {
			h.server.Fault(nil)
		}
		h.run(0, "retry", relaytest.ID(1))
		if s := h.wants(1, "signed", "given-up"); !strings.Contains(s.Reason, "given back") || s.Withheld != "given-up" {
			t.Errorf("%+v", s)
		}
		for range 2 {
			if words := h.says(3, "broadcast"); !strings.Contains(words, "it was given up") {
				t.Error(words)
			}
		}
		h.sends(0)
		h.alarms("signed-after-drop")
		h.retries(1)
		code := 3 // paid, and Tatum does not have it
		if again {
			code = 0
		}
		h.run(code, "broadcast")
		h.sends(1)
	}
}

// Somebody sends a copy of what was disarmed and is held after one retry: that is
// as much an alarm as it was before.
func copyOfGivenUp(t *testing.T) {
	h := newTeller(t)
	h.signed(nil, 1)
	h.answers(answer{"GET /v3/kms/", gone, 403})
	h.twice()
	h.run(0, "reject", relaytest.ID(1), "--why", "a mistake", "--gone")
	h.run(0, "retry", relaytest.ID(1))
	h.server.Chain(h.signedHex(1))
	h.run(3, "broadcast")
	h.sends(0)
	h.alarms("paid-but-rejected")
}

// After a restore the list of an address lags by the item's own transaction, and so
// do index and node: Tatum still says that the output is spent.
func restoredAsksOutputs(t *testing.T) {
	h := newTeller(t)
	usb, backup := filepath.Join(h.dir, "usb"), filepath.Join(h.dir, "backup")
	h.pay(nil, 1)
	h.run(0, "fetch")
	h.run(0, "backup", backup)
	h.run(0, "export", "--out", usb)
	h.sign(usb)
	h.run(0, "import", usb)
	h.server.Chain(h.signedHex(1))
	h.loses()
	h.run(0, "restore", backup)
	funding := h.signer.Funding(1)
	list := fmt.Sprintf(`[{"hash":%q,"inputs":[]}]`, funding.TxHash())
	h.answers(answer{"GET /v3/bitcoin/transaction/address/", list, 200}, lag,
		answer{"POST /v3/blockchain/node/", `{"error":{"code":-5,"message":"No such"}}`, 500})
	if words := h.says(3, "fetch"); !strings.Contains(words, "is spent, and its lists do not say by what") {
		t.Error(words)
	}
	if again := h.exports(); len(again.Requests) > 0 {
		t.Errorf("%+v", again)
	}
	h.server.Fault(nil)
	h.run(3, "fetch")
	if s := h.item(1); s.Code != "paid-unrecorded" {
		t.Errorf("%+v", s)
	}
}
