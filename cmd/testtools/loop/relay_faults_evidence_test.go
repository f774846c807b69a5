//go:build unix

package loop

import (
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"strings"
	"testing"

	"github.com/btcsuite/btcd/wire/v2"

	"coldkms/cmd/testtools/relaytest"
)

// evidenceFaults are about what counts as evidence of what became of a payment.
func evidenceFaults() []fault {
	return []fault{
		{"20a-a-height-that-cannot-be", impossibleHeight},
		{"20b-child-of-what-paid-the-same", childPaid},
		{"20c-an-empty-shell-is-no-transaction", emptyShell},
		{"20d-confirmed-is-looked-at-once-more", confirmedOnce},
		{"20e-a-txid-written-otherwise", otherWriting},
	}
}

// twice broadcasts, and again when a second look counts.
func (h *teller) twice(ids ...string) {
	h.Helper()
	h.run(3, append([]string{"broadcast"}, ids...)...)
	h.age("looks", "at", 601)
	h.run(3, append([]string{"broadcast"}, ids...)...)
}

// age makes times in the relay's journal older, as if it had waited.
func (h *teller) age(table, column string, by int) {
	h.Helper()
	h.sql(fmt.Sprintf("UPDATE %s SET %s = %s - %d", table, column, column, by))
}

// sql changes the relay's journal by hand.
func (h *teller) sql(query string) {
	h.Helper()
	db, err := sql.Open("sqlite", "file:"+filepath.Join(h.dir, "relay", "journal.db")+"?_pragma=busy_timeout(10000)")
	if err != nil {
		h.Fatal(err)
	}
	defer db.Close()
	if _, err := db.ExecContext(h.Context(), query); err != nil {
		h.Fatal(err)
	}
}

// Tatum serves a valid transaction that was never mined, with a height that
// contradicts what else it says, and does not find ours, which is mined.
// Nothing is dead, and nobody is told to pay anew.
func impossibleHeight(t *testing.T) {
	h := newTeller(t)
	h.server.Mine(3)
	h.signed(nil, 1)
	h.server.Mine(1) // what it spends is in block 4
	txid := h.wants(1, "signed", "").TxID
	h.server.Chain(h.signedHex(1))
	h.server.Mine(9) // ours in block 5
	funding := h.signer.Funding(1)
	rival := h.signer.Rival(funding, relaytest.Payee(9))
	other := rival.TxHash().String()
	op := rival.TxIn[0].PreviousOutPoint
	list := fmt.Sprintf(`[{"hash":%q,"inputs":[{"prevout":{"hash":%q,"index":%d}}]}]`, other, op.Hash, op.Index)
	for _, lie := range []string{`"blockNumber":1`, `"blockNumber":5`, `"blockNumber":6`, `"blockNumber":99`, `"blockNumber":6,"confirmations":100`, `"confirmations":13`, `"confirmations":1000`, `"blockNumber":6`} {
		h.answers(
			answer{"POST /v3/bitcoin/broadcast", missing, 403},
			answer{"GET /v3/bitcoin/transaction/address/", list, 200},
			answer{"GET /v3/bitcoin/transaction/" + other, fmt.Sprintf(`{"hash":%q,"hex":%q,%s}`, other, relaytest.Hex(rival), lie), 200},
			answer{"GET /v3/bitcoin/transaction/" + txid, noTx, 404},
		)
		h.twice()
		h.age("items", "retry_at", 1<<30)
		if s := h.item(1); s.State != "signed" || strings.Contains(s.Reason, "made anew") {
			t.Errorf("%s: %+v", lie, s)
		}
	}
	if s := h.item(1); !strings.Contains(s.Reason, "block 6 does not have it") || !strings.Contains(s.Reason, "independent block explorer") {
		t.Errorf("%+v", s)
	}
	h.alarms("inputs-spent")
	h.server.Fault(nil)
	h.run(0, "broadcast")
	h.wants(1, "completed", "")
	h.alarms("inputs-spent(healed)")
}

// item is where an item stands.
func (h *teller) item(n int) itemStatus {
	h.Helper()
	var list []itemStatus
	if err := json.Unmarshal(h.run(0, "status", relaytest.ID(n)), &list); err != nil || len(list) != 1 {
		h.Fatalf("status: %v", err)
	}
	return list[0]
}

// What took the place of a payment paid its child's payee: then nobody is told
// to have the child paid anew.
func childPaid(t *testing.T) {
	h := newTeller(t)
	prev := h.signer.Funding(1)
	h.server.Chain(relaytest.Hex(prev))
	h.server.Add(h.signer.PaymentWithChange(1, prev, nil))
	h.cross(0)
	parent := h.server.Chain(h.signedHex(1))
	var msg, child wire.MsgTx
	if err := msg.Deserialize(hex.NewDecoder(strings.NewReader(h.signedHex(1)))); err != nil {
		t.Fatal(err)
	}
	h.server.Add(h.signer.PaymentOf(2, &msg, 40_000))
	h.cross(0)
	if err := child.Deserialize(hex.NewDecoder(strings.NewReader(h.signedHex(2)))); err != nil {
		t.Fatal(err)
	}
	h.server.Forget(parent)
	h.rival(1, child.TxOut[0].PkScript)
	h.server.Mine(6)
	h.answers(answer{"POST /v3/bitcoin/broadcast", missing, 403})
	h.twice(relaytest.ID(1))
	h.run(3, "broadcast", relaytest.ID(2))
	if s := h.wants(2, "failed", "parent-dead"); strings.Contains(s.Reason, "made anew") || !strings.Contains(s.Reason, "do NOT have it paid anew") {
		t.Errorf("%+v", s)
	}
}

// A reply that names the transaction and has nothing of it, or other bytes, is
// no sight of it.
func emptyShell(t *testing.T) {
	h := newTeller(t)
	h.signed(nil, 1)
	txid := h.wants(1, "signed", "").TxID
	other := relaytest.Hex(h.signer.Funding(9))
	shells := []string{`{"hash":%q}`, `{"hash":%q,"confirmations":0}`, `{"hash":%q,"hex":"` + other + `","blockNumber":1}`, `{"hash":%q,"inputs":[],"outputs":[],"blockNumber":1}`, `{"hash":%q,"confirmations":100}`}
	for _, shell := range shells {
		h.answers(answer{"GET /v3/bitcoin/transaction/" + txid, fmt.Sprintf(shell, txid), 200}, answer{"POST /v3/bitcoin/broadcast", missing, 403})
		h.run(3, "broadcast")
		h.run(0, "watch")
		h.wants(1, "signed", "network")
	}
	if len(h.server.Sent()) != 0 || h.server.TxID(relaytest.ID(1)) != "" {
		t.Error("Tatum was told that it is sent")
	}
}

// One lying "confirmed" does not end the watch: it is looked at once more, and
// what was not true is an alarm.
func confirmedOnce(t *testing.T) {
	h := newTeller(t)
	h.signed(nil, 1)
	h.run(0, "broadcast")
	txid := h.wants(1, "completed", "").TxID
	lie := fmt.Sprintf(`{"hash":%q,"hex":%q,"confirmations":1000}`, txid, h.signedHex(1))
	h.answers(answer{"GET /v3/bitcoin/transaction/" + txid, lie, 200})
	h.run(3, "watch") // deeper than the chain
	h.wants(1, "completed", "not-seen")
	h.server.Fault(nil)
	h.server.Mine(6)
	h.run(0, "watch")
	h.server.Unmine(txid)
	h.run(3, "watch")
	h.run(3, "watch")
	h.alarms("reorganised")
	h.server.Mine(6)
	h.run(3, "watch") // all is well, and nobody has dealt with its alarm
	h.run(0, "acknowledge", "1", "--why", "it is back")
	h.server.Mine(6)
	h.run(0, "watch") // in too short a time
	h.age("looks", "at", 601)
	h.run(0, "watch")
	calls := h.server.Calls("GET /v3/bitcoin/transaction/")
	h.run(0, "watch")
	if h.server.Calls("GET /v3/bitcoin/transaction/") != calls {
		t.Error("it is watched for ever")
	}
}

// named is Tatum's record of payment n with a txId.
func named(n int, txid string) string {
	signer := relaytest.NewSigner(2)
	return string(signer.Payment(n, signer.Funding(n), func(p map[string]any) { p["txId"] = txid }))
}

// Tatum writes our txid with spaces or 0x, says something that is none, or
// names another one once: nothing is failed for that. What was failed for a
// txid that its record does not name any more goes on.
func otherWriting(t *testing.T) {
	h := newTeller(t)
	h.signed(nil, 1, 2, 3)
	record := func(n int) string { return "GET /v3/kms/" + relaytest.ID(n) }
	txid, other := h.wants(1, "signed", "").TxID, strings.Repeat("ab", 32)
	h.server.Chain(h.signedHex(1))
	for _, none := range []string{"none", txid[:63], txid + "00"} {
		h.answers(answer{record(1), named(1, none), 200})
		h.run(3, "broadcast", relaytest.ID(1))
		h.wants(1, "signed", "network")
	}
	h.answers(answer{record(1), named(1, " 0x"+strings.ToUpper(txid)+" "), 200})
	h.run(0, "broadcast", relaytest.ID(1))
	h.wants(1, "completed", "")
	once := false
	h.server.Fault(func(w http.ResponseWriter, r *http.Request) bool {
		if r.Method+" "+r.URL.Path != record(2) || once {
			return false
		}
		once = true
		_, _ = io.WriteString(w, named(2, other))
		return true
	})
	h.run(3, "broadcast", relaytest.ID(2))
	h.wants(2, "signed", "network")
	h.alarms("")
	h.answers(answer{record(3), named(3, other), 200})
	h.run(3, "broadcast", relaytest.ID(3))
	h.wants(3, "failed", "completed-with-other-txid")
	h.server.Fault(nil)
	h.run(3, "watch")
	h.run(3, "watch", relaytest.ID(3))
	h.run(0, "watch", relaytest.ID(1)) // of which there is none
	h.alarms("completed-with-other-txid(healed)")
	h.run(0, "broadcast")
	h.wants(2, "completed", "")
	h.wants(3, "completed", "")
}
