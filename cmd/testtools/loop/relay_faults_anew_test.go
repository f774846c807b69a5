//go:build unix

package loop

import (
	"path/filepath"
	"strings"
	"testing"

	"coldkms/cmd/testtools/relaytest"
)

// anewFaults are about payments that people are told, or led, to make once more.
func anewFaults() []fault {
	return []fault{
		{"70a-reject-of-what-another-id-has-paid", paidByAnotherID},
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
