//go:build unix

package loop

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	btcaddr "github.com/btcsuite/btcd/address/v2"
	"github.com/btcsuite/btcd/wire/v2"

	"coldkms/cmd/testtools/relaytest"
)

// oneVerdictFaults check that every command that asks whether a payment can
// confirm gets the same answer, from replies that do not contradict each other.
func oneVerdictFaults() []fault {
	return []fault{
		{"50a-contradictions-are-no-evidence", contradictions},
		{"50b-reject-wants-the-same-evidence", rejectContradictions},
		{"50c-no-record-is-no-answer", noRecord},
		{"50d-confirmed-needs-the-same-evidence", confirmedContradictions},
		{"50e-the-same-key-by-another-script", sameKey},
		{"50f-a-mined-payment-is-not-rejected-unsigned", minedUnsigned},
		{"50g-restored-counts-as-handed", restoredIsHanded},
		{"50h-rejected-after-export-is-watched", rejectedIsWatched},
	}
}

// lie changes what a Tatum says of a payment, its record and its block.
type lie struct {
	name   string
	record string                          // of the payment; "": the true one
	block  func(reply map[string]any) bool // changes a node's reply to getblock; may be nil
	hash   string                          // of the block, at the second look; "": the true one
}

// contradicting are lies under which nothing can be taken as decided. ours is
// the txid of the payment.
func contradicting(ours string) []lie {
	tx := func(more ...any) func(map[string]any) bool {
		return func(b map[string]any) bool { b["tx"] = append(b["tx"].([]any), more...); return true }
	}
	field := func(name string, value any) func(map[string]any) bool {
		return func(b map[string]any) bool { b[name] = value; return true }
	}
	other := strings.Replace(named(1, ""), relaytest.ID(1), relaytest.ID(9), 1)
	return []lie{
		{name: "null for the record", record: "null"},
		{name: "an empty record", record: "{}"},
		{name: "the record of another id", record: other},
		{name: "the record names ours in capitals", record: named(1, strings.ToUpper(ours))},
		{name: "the block has ours in capitals", block: tx(strings.ToUpper(ours))},
		{name: "the block has ours with spaces", block: tx(" " + ours + " ")},
		{name: "the block has what is no txid", block: tx("?")},
		{name: "the block has an object", block: tx(map[string]any{"txid": ours})},
		{name: "another block than was asked for", block: field("hash", strings.Repeat("22", 32))},
		{name: "a block of another height", block: field("height", 3)},
		{name: "a block without height", block: field("height", nil)},
		{name: "a block that is in no chain", block: field("confirmations", -1)},
		{name: "a block of another depth", block: field("confirmations", 100)},
		{name: "another block at the second look", hash: strings.Repeat("0", 62) + "77"},
	}
}

// lies has the server tell a lie.
func (h *teller) lies(l lie, second bool, more ...answer) {
	h.answers(more...)
	plain := h.server.Faulty()
	h.server.Fault(func(w http.ResponseWriter, r *http.Request) bool {
		if r.Method+" "+r.URL.Path == "GET /v3/kms/"+relaytest.ID(1) && l.record != "" {
			_, _ = io.WriteString(w, l.record)
			return true
		}
		return h.liesAsNode(l, second, w, r) || plain(w, r)
	})
}

func (h *teller) liesAsNode(l lie, second bool, w http.ResponseWriter, r *http.Request) bool {
	if r.Method != http.MethodPost || !strings.HasPrefix(r.URL.Path, "/v3/blockchain/node/") {
		return false
	}
	body, _ := io.ReadAll(r.Body)
	r.Body = io.NopCloser(bytes.NewReader(body))
	var ask struct {
		Method string
		Params []any
	}
	_ = json.Unmarshal(body, &ask)
	height := h.server.Height()
	switch {
	case ask.Method == "getblockhash" && l.hash != "" && second:
		_, _ = fmt.Fprintf(w, `{"result":%q}`, l.hash)
	case ask.Method == "getblock" && (l.block != nil || ask.Params[0] == l.hash):
		at := height - 7
		reply := map[string]any{"hash": ask.Params[0], "height": at, "confirmations": 8, "tx": []any{h.server.InBlock(at)}}
		if l.block != nil {
			l.block(reply)
		}
		_ = json.NewEncoder(w).Encode(map[string]any{"result": reply})
	default:
		return false
	}
	return true
}

// A rival that is mined, as the server says, while it contradicts itself.
func contradictions(t *testing.T) {
	h := newTeller(t)
	h.signed(nil, 1)
	h.server.Mine(1)
	ours := h.wants(1, "signed", "").TxID
	h.rival(1, []byte{0x51})
	h.server.Mine(8)
	refused := answer{"POST /v3/bitcoin/broadcast", missing, 403}
	for _, l := range contradicting(ours) {
		h.lies(l, false, refused)
		h.run(3, "broadcast")
		h.age("looks", "at", 601)
		h.lies(l, true, refused)
		h.run(3, "broadcast")
		if s := h.item(1); s.State != "signed" || strings.Contains(s.Reason, "made anew") {
			t.Errorf("%s: %+v", l.name, s)
		}
		h.sql("DELETE FROM looks")
	}
	h.answers(refused)
	h.twice()
	h.wants(1, "failed", "inputs-spent")
}

// reject believes no more than broadcast does.
func rejectContradictions(t *testing.T) {
	h := newTeller(t)
	h.handedAndHeld(withdrawn)
	h.server.Mine(1)
	ours := h.wants(1, "signed", "four-eye-refused").TxID
	h.rival(1, []byte{0x51})
	h.server.Mine(8)
	other := h.signer.Rival(h.signer.Funding(1), []byte{0x51}).TxHash().String()
	list := contradicting(ours)
	for _, says := range []string{`"confirmations":50`, `"blockNumber":1,"confirmations":8`, `"blockNumber":99`} {
		list = append(list, lie{name: says, hash: says})
	}
	for _, l := range list {
		var more []answer
		if strings.Contains(l.hash, `"`) {
			more, l.hash = []answer{{"GET /v3/bitcoin/transaction/" + other, fmt.Sprintf(`{"hash":%q,%s}`, other, l.hash), 200}}, ""
		}
		for _, second := range []bool{false, true} {
			code := 1
			if l.record != "" && !strings.Contains(l.record, strings.ToUpper(ours)) {
				code = 30 // no usable reply
			}
			h.lies(l, second, more...)
			h.run(code, "reject", relaytest.ID(1), "--why", "as the service says")
			h.age("looks", "at", 601)
		}
		h.sql("DELETE FROM looks")
		if h.server.Calls("DELETE /v3/kms/") != 0 {
			t.Fatalf("%s: given back", l.name)
		}
	}
	h.server.Fault(nil)
	h.run(1, "reject", relaytest.ID(1), "--why", "as the service says")
	h.age("looks", "at", 601)
	h.run(0, "reject", relaytest.ID(1), "--why", "as the service says")
	h.dropped(1)
}

// What is not the record of the payment neither lets it be sent nor dropped.
func noRecord(t *testing.T) {
	h := newTeller(t)
	h.signed(nil, 1)
	h.pay(nil, 2)
	h.run(0, "fetch")
	for _, record := range []string{"null", "{}", `[]`, `{"id":"` + relaytest.ID(1) + `"}`, named(3, ""), `{"id":"` + relaytest.ID(1) + `","serializedTransaction":null}`} {
		h.answers(answer{"GET /v3/kms/0", record, 200})
		h.run(3, "broadcast")
		h.wants(1, "signed", "network")
		if words := h.says(30, "reject", relaytest.ID(2), "--why", "a mistake"); !strings.Contains(words, "says nothing about it") && !strings.Contains(words, "not of the expected form") {
			t.Errorf("%s: %s", record, words)
		}
	}
	h.sends(0)
	h.dropped(0)
	h.alarms("")
	h.server.Fault(nil)
	h.run(0, "broadcast")
	h.wants(1, "completed", "")
}

// "Confirmed" of what was never mined, in replies that contradict themselves.
func confirmedContradictions(t *testing.T) {
	h := newTeller(t)
	h.pay(nil, 1)
	h.server.Mine(5) // what it spends is in block 1
	h.cross(0)
	h.run(0, "broadcast")
	txid, whole := h.wants(1, "completed", "").TxID, h.signedHex(1)
	h.server.Mine(20)
	h.server.Unmine(txid)
	var msg wire.MsgTx
	var bare bytes.Buffer
	if err := msg.Deserialize(hex.NewDecoder(strings.NewReader(whole))); err != nil {
		t.Fatal(err)
	}
	if err := msg.SerializeNoWitness(&bare); err != nil {
		t.Fatal(err)
	}
	unsigned := hex.EncodeToString(bare.Bytes())
	for _, reply := range []string{
		`"hex":"` + whole + `","blockNumber":6`,   // which does not have it
		`"hex":"` + whole + `","blockNumber":999`, // above the tip
		`"hex":"` + whole + `","confirmations":20`,
		`"hex":"` + whole + `","confirmations":1000`,
		`"hex":"` + whole + `","blockNumber":6,"confirmations":1`,
	} {
		h.answers(answer{"GET /v3/bitcoin/transaction/" + txid, fmt.Sprintf(`{"hash":%q,%s}`, txid, reply), 200})
		h.unconfirmed(reply)
	}
	h.server.Put(txid, 6) // a block that has it: then only the rest is false
	for _, reply := range []string{`{"hash":%q,"hex":"` + unsigned + `","blockNumber":6}`, `{"hash":%q,"blockNumber":6}`} {
		h.bare(txid, fmt.Sprintf(reply, txid), unsigned)
		h.unconfirmed(reply)
	}
	h.server.Fault(nil)
	h.server.Put(h.signer.Funding(1).TxHash().String(), 9) // made after it
	h.unconfirmed("below its parent")
	h.server.Put(h.signer.Funding(1).TxHash().String(), 1)
	h.run(0, "watch")
	h.age("items", "retry_at", 1<<40)
	if calls := h.watched(txid); calls == 0 {
		t.Error("one look ends the watch")
	}
	h.age("looks", "at", 601)
	h.run(0, "watch")
	if calls := h.watched(txid); calls != 0 {
		t.Error("it is watched for ever")
	}
}

// bare answers for a transaction without what makes it valid, also as a node does;
// what the node says of blocks is true.
func (h *teller) bare(txid, reply, unsigned string) {
	h.server.Fault(func(w http.ResponseWriter, r *http.Request) bool {
		if r.URL.Path == "/v3/bitcoin/transaction/"+txid {
			_, _ = io.WriteString(w, reply)
			return true
		}
		if !strings.HasPrefix(r.URL.Path, "/v3/blockchain/node/") {
			return false
		}
		body, _ := io.ReadAll(r.Body)
		r.Body = io.NopCloser(bytes.NewReader(body))
		if !bytes.Contains(body, []byte("getrawtransaction")) {
			return false
		}
		_, _ = fmt.Fprintf(w, `{"result":%q}`, unsigned)
		return true
	})
}

// watched counts the calls about a transaction that a watch makes.
func (h *teller) watched(txid string) int {
	h.Helper()
	before := h.server.Calls("GET /v3/bitcoin/transaction/" + txid)
	h.run(0, "watch")
	return h.server.Calls("GET /v3/bitcoin/transaction/"+txid) - before
}

// unconfirmed wants a watch to confirm nothing.
func (h *teller) unconfirmed(why string) {
	h.Helper()
	var got struct{ Confirmed []string }
	if err := json.Unmarshal(h.run(3, "watch"), &got); err != nil || len(got.Confirmed) != 0 {
		h.Errorf("%.200s: confirmed (%v)", why, err)
	}
}

// What took the place of a payment pays the same key by another form of script.
func sameKey(t *testing.T) {
	hash := relaytest.Payee(1)[2:]
	wrapped := btcaddr.Hash160(relaytest.Payee(1))
	for name, script := range map[string][]byte{
		"P2PKH":       append(append([]byte{0x76, 0xa9, 0x14}, hash...), 0x88, 0xac),
		"P2SH-P2WPKH": append(append([]byte{0xa9, 0x14}, wrapped...), 0x87),
	} {
		h := newTeller(t)
		h.signed(nil, 1)
		h.server.Mine(1)
		h.rival(1, script)
		h.server.Mine(8)
		h.answers(answer{"POST /v3/bitcoin/broadcast", missing, 403})
		h.twice()
		if s := h.wants(1, "failed", "inputs-spent"); strings.Contains(s.Reason, "made anew") || !strings.Contains(s.Reason, "do NOT have it paid anew") {
			t.Errorf("%s: %+v", name, s)
		}
	}
}

// twin copies the relay's folder as it is, and returns what puts the copy in its
// place: another relay with the same journal that has heard of nothing since.
func (h *teller) twin() (swap func()) {
	h.Helper()
	relay, other := filepath.Join(h.dir, "relay"), filepath.Join(h.dir, "twin")
	if err := os.CopyFS(other, os.DirFS(relay)); err != nil {
		h.Fatal(err)
	}
	for _, name := range []string{"", "identity.key", "journal.db"} {
		if err := os.Chmod(filepath.Join(other, name), 0o700); err != nil && name != "" {
			h.Fatal(err)
		}
	}
	return func() {
		if err := os.Rename(relay, filepath.Join(h.dir, "first")); err != nil {
			h.Fatal(err)
		}
		if err := os.Rename(other, relay); err != nil {
			h.Fatal(err)
		}
	}
}

// A payment is sent by another relay with the same journal, and mined. Tatum did
// not mark it. Where it is only prepared or exported, it is not given back.
func minedUnsigned(t *testing.T) {
	for _, state := range []string{"prepared", "exported"} {
		t.Run(state, func(t *testing.T) {
			h := newTeller(t)
			h.pay(withdrawn, 1)
			h.run(0, "fetch")
			var swap func()
			if state == "prepared" {
				swap = h.twin()
			}
			h.run(0, "export", "--out", filepath.Join(h.dir, "usb"))
			if state == "exported" {
				swap = h.twin()
			}
			h.sign(filepath.Join(h.dir, "usb"))
			h.run(0, "import", filepath.Join(h.dir, "usb"))
			txid := h.server.Chain(h.signedHex(1))
			h.server.Mine(3)
			swap()
			h.wants(1, state, "")
			reject := []string{"reject", relaytest.ID(1), "--why", "the stick is lost"}
			if words := h.says(1, reject...); !strings.Contains(words, "it may be paid") {
				t.Error(words)
			}
			h.answers(answer{"GET /v3/bitcoin/transaction/" + txid, noTx, 404}, answer{"POST /v3/blockchain/node/", `{"error":{"code":-5,"message":"No such"}}`, 500})
			if words := h.says(1, reject...); !strings.Contains(words, "nothing proves what that is") {
				t.Error(words)
			}
			h.answers(answer{"GET /v3/bitcoin/transaction/address/", `[]`, 200})
			if words := h.says(1, reject...); !strings.Contains(words, "the network has its transaction") {
				t.Error(words)
			}
			h.dropped(0)
			h.server.Forget(txid)
			h.server.Fault(nil)
			h.run(0, reject...) // nothing spends it
			h.dropped(1)
		})
	}
}

// What was signed or exported when the backup was made may have been sent since,
// whatever the network shows.
func restoredIsHanded(t *testing.T) {
	h := newTeller(t)
	h.signed(nil, 1)
	h.pay(withdrawn, 2)
	h.run(0, "fetch")
	h.run(0, "export", "--out", filepath.Join(h.dir, "usb"))
	backup := filepath.Join(h.dir, "backup")
	h.run(0, "backup", backup)
	for _, name := range []string{"journal.db", "journal.db-wal", "journal.db-shm"} {
		_ = os.Remove(filepath.Join(h.dir, "relay", name))
	}
	h.run(0, "restore", backup)
	h.wants(2, "exported", "")
	for range 2 {
		if words := h.says(1, "reject", relaytest.ID(2), "--why", "a mistake"); !strings.Contains(words, "it may be paid") || !strings.Contains(words, "it may have been sent between") {
			t.Error(words)
		}
	}
	h.dropped(0)
	h.server.Change(relaytest.ID(1), "index", 7)
	h.run(3, "broadcast")
	if s := h.wants(1, "signed", "signed-after-drop"); strings.Contains(s.Reason, "not sent") || !strings.Contains(s.Reason, "may be paid") {
		t.Errorf("%+v", s)
	}
	h.run(1, "reject", relaytest.ID(1), "--why", "a mistake")
	h.rival(2, []byte{0x51})
	h.server.Mine(8)
	h.run(1, "reject", relaytest.ID(2), "--why", "a mistake")
	h.dropped(0)
	h.age("looks", "at", 601)
	h.run(0, "reject", relaytest.ID(2), "--why", "a mistake")
	h.dropped(1)
}
