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
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/btcsuite/btcd/wire/v2"

	"coldkms/cmd/testtools/relaytest"
	"coldkms/cmd/testtools/tatumtest"
	"coldkms/shared/bundle"
)

// truthFaults are about what the relay says of a payment.
func truthFaults() []fault {
	return []fault{
		{"01a-lost-reply-lagging-index", lostReply},
		{"01b-page-of-a-proxy-for-twenty", proxyPages},
		{"01c-double-spend-needs-evidence", doubleSpend},
		{"01d-maybe-the-same-payment", maybeSame},
		{"02-signature-for-a-rejected-item", signedRejected},
		{"10a-evicted-after-completed", evictedLate},
		{"10b-content-changed-is-not-wiped", contentChanged},
		{"10c-completed-and-never-seen", neverSeen},
		{"10d-watched-beyond-depth-one", reorganised},
		{"15a-paid-but-cancelled", paidCancelled},
		{"15b-one-withdrawal-one-payment", sameWithdrawal},
		{"15c-marked-without-effect", markedInVain},
		{"15d-cancelled-before-it-was-sent", cancelledBefore},
		{"18-child-of-a-dead-parent", deadParent},
	}
}

// teller is the real kms-online before a Tatum in memory.
type teller struct {
	*testing.T
	server *tatumtest.Server
	signer *relaytest.Signer
	bin    string
	dir    string
}

func newTeller(t *testing.T) *teller {
	t.Helper()
	bin, err := programs()
	if err != nil {
		t.Fatal(err)
	}
	return newTellerOf(t, bin)
}

// newTellerOf is newTeller with the programs of a folder.
func newTellerOf(t *testing.T, bin string) *teller {
	t.Helper()
	h := &teller{T: t, server: tatumtest.New(t), signer: relaytest.NewSigner(2), bin: bin, dir: t.TempDir()}
	h.run(0, "init")
	watch := filepath.Join(h.dir, "signer.kmswatch")
	if err := os.WriteFile(watch, h.signer.Watch(1), 0o600); err != nil {
		t.Fatal(err)
	}
	h.run(0, "pair", watch)
	if err := os.Mkdir(filepath.Join(h.dir, "usb"), 0o700); err != nil {
		t.Fatal(err)
	}
	return h
}

// run runs a command, wants this exit code, and returns its output.
func (h *teller) run(code int, args ...string) []byte {
	h.Helper()
	cmd := exec.Command(filepath.Join(h.bin, "kms-online"), append([]string{"--state", filepath.Join(h.dir, "relay"), "--testnet", "--json"}, args...)...)
	cmd.Env = h.env()
	var out, words bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &words
	_ = cmd.Run()
	if got := cmd.ProcessState.ExitCode(); got != code {
		h.Fatalf("%s: exit code %d, want %d\n%s%s", strings.Join(args, " "), got, code, out.String(), words.String())
	}
	return out.Bytes()
}

func (h *teller) env() []string {
	return append(os.Environ(), "TATUM_API_URL="+h.server.URL, "TATUM_API_KEY="+tatumtest.Key)
}

// wants runs status and looks where an item stands.
func (h *teller) wants(n int, state, code string) itemStatus {
	h.Helper()
	var list []itemStatus
	if err := json.Unmarshal(h.run(0, "status", relaytest.ID(n)), &list); err != nil || len(list) != 1 {
		h.Fatalf("status: %v", err)
	}
	if s := list[0]; s.State != state || s.Code != code {
		h.Errorf("%d is %s (%s %s), want %s %s", n, s.State, s.Code, s.Reason, state, code)
	}
	return list[0]
}

// alarms lists the codes of open alarms.
func (h *teller) alarms(want string) {
	h.Helper()
	code := 0
	if want != "" {
		code = 3
	}
	var list []struct{ Code, Healed string }
	if err := json.Unmarshal(h.run(code, "alarms"), &list); err != nil {
		h.Fatal(err)
	}
	var got []string
	for _, a := range list {
		if a.Healed != "" {
			a.Code += "(healed)"
		}
		got = append(got, a.Code)
	}
	if s := strings.Join(got, " "); s != want {
		h.Errorf("open alarms: %q, want %q", s, want)
	}
}

// cross takes everything that is new to the signer and back. code is how fetch
// and import end.
func (h *teller) cross(code int) {
	h.Helper()
	out, err := os.MkdirTemp(h.dir, "usb")
	if err != nil {
		h.Fatal(err)
	}
	h.run(code, "fetch")
	h.run(0, "export", "--out", out)
	h.sign(out)
	h.run(code, "import", out)
}

// sign answers every request in a folder.
func (h *teller) sign(folder string) {
	h.Helper()
	requests, err := filepath.Glob(filepath.Join(folder, "*.kmsreq"))
	if err != nil || len(requests) == 0 {
		h.Fatal("no request", err)
	}
	for _, path := range requests {
		file, err := os.ReadFile(path)
		if err != nil {
			h.Fatal(err)
		}
		req, err := bundle.OpenRequest(file)
		if err != nil {
			h.Fatal(err)
		}
		if err := os.WriteFile(strings.TrimSuffix(path, ".kmsreq")+".kmsres", h.signer.Sign(req, nil), 0o600); err != nil {
			h.Fatal(err)
		}
	}
}

// pay makes payments wait.
func (h *teller) pay(change func(map[string]any), ns ...int) {
	for _, n := range ns {
		prev := h.signer.Funding(n)
		h.server.Chain(relaytest.Hex(prev))
		h.server.Add(h.signer.Payment(n, prev, change))
	}
}

// signed takes new payments as far as signed.
func (h *teller) signed(change func(map[string]any), ns ...int) {
	h.Helper()
	h.pay(change, ns...)
	h.cross(0)
}

// rival puts a transaction on the chain that spends what payment n spends.
func (h *teller) rival(n int, scripts ...[]byte) {
	h.server.Chain(relaytest.Hex(h.signer.Rival(h.signer.Funding(n), scripts...)))
}

// answer is a status and a body for calls whose method and path begin so.
type answer struct {
	prefix, body string
	status       int
}

func (h *teller) answers(list ...answer) {
	h.server.Fault(func(w http.ResponseWriter, r *http.Request) bool {
		for _, a := range list {
			if strings.HasPrefix(r.Method+" "+r.URL.Path, a.prefix) {
				w.WriteHeader(a.status)
				_, _ = io.WriteString(w, a.body)
				return true
			}
		}
		return false
	})
}

const (
	noTx     = `{"errorCode":"tx.not.found","message":"not found"}`
	spentOut = `{"errorCode":"tx.hash.index.spent","message":"spent"}`
	known    = `{"errorCode":"bitcoin.broadcast.failed","message":"txn-already-known"}`
	missing  = `{"errorCode":"bitcoin.broadcast.failed","message":"bad-txns-inputs-missingorspent"}`
)

// The reply to the broadcast is lost, the index lags, the output is "spent" (by
// ours), a resend is "already known": the payment waits, and completes.
func lostReply(t *testing.T) {
	h := newTeller(t)
	h.signed(nil, 1)
	txid := h.wants(1, "signed", "").TxID
	lost := false
	h.server.Fault(func(w http.ResponseWriter, r *http.Request) bool {
		switch path := r.Method + " " + r.URL.Path; {
		case strings.HasPrefix(path, "POST /v3/bitcoin/broadcast") && !lost:
			lost = true
			h.server.Serve(&nobody{}, r)
			panic(http.ErrAbortHandler)
		case strings.HasPrefix(path, "POST /v3/bitcoin/broadcast"):
			w.WriteHeader(403)
			_, _ = io.WriteString(w, known)
		case strings.HasPrefix(path, "GET /v3/bitcoin/transaction/"):
			w.WriteHeader(404)
			_, _ = io.WriteString(w, noTx)
		case strings.HasPrefix(path, "GET /v3/bitcoin/utxo/"):
			w.WriteHeader(403)
			_, _ = io.WriteString(w, spentOut)
		default:
			return false
		}
		return true
	})
	for range 3 {
		h.run(3, "broadcast")
		h.wants(1, "signed", "not-seen")
	}
	h.alarms("")
	h.server.Fault(nil)
	h.run(0, "broadcast")
	if s := h.wants(1, "completed", ""); s.TxID != txid || h.server.TxID(relaytest.ID(1)) != txid {
		t.Errorf("%+v", s)
	}
}

// nobody hears a reply.
type nobody struct{}

func (*nobody) Header() http.Header         { return http.Header{} }
func (*nobody) Write(b []byte) (int, error) { return len(b), nil }
func (*nobody) WriteHeader(int)             {}

// A proxy answers with a page, or a bare status, where the transactions of
// twenty completed payments are looked for: nothing is said of any of them.
func proxyPages(t *testing.T) {
	h := newTeller(t)
	var ns []int
	for n := range 20 {
		ns = append(ns, n+1)
	}
	h.signed(nil, ns...)
	h.run(0, "broadcast")
	h.server.Mine(2)
	for _, lie := range []answer{{"GET /v3/bitcoin/transaction/", "<html>404 Not Found</html>", 404}, {"GET /v3/bitcoin/transaction/", "", 404}, {"GET /v3/bitcoin/transaction/", `{"statusCode":404}`, 404}} {
		h.answers(lie, answer{"GET /v3/bitcoin/utxo/", spentOut, 403})
		h.run(3, "daemon", "--runOnce", "--confirmations", "6")
		h.run(3, "watch")
	}
	h.server.Fault(nil)
	for _, n := range ns {
		if s := h.wants(n, "completed", ""); s.State != "completed" {
			break
		}
	}
	h.alarms("")
	h.server.Mine(4)
	var got struct{ Confirmed []string }
	if err := json.Unmarshal(h.run(0, "watch"), &got); err != nil || len(got.Confirmed) != 20 {
		t.Errorf("%v, %d confirmed", err, len(got.Confirmed))
	}
}

// Another transaction spends the input. Nothing is dead before that one has
// its confirmations; what was dead and turns up heals by itself.
func doubleSpend(t *testing.T) {
	h := newTeller(t)
	h.signed(nil, 1)
	h.answers(answer{"POST /v3/bitcoin/broadcast", missing, 403}, answer{"GET /v3/bitcoin/utxo/", spentOut, 403})
	h.run(3, "broadcast") // "spent", and nobody knows by what
	h.wants(1, "signed", "node-refused")
	h.alarms("")
	h.rival(1, relaytest.Payee(9))
	h.server.Mine(5)
	h.run(3, "broadcast")
	if s := h.wants(1, "signed", "inputs-spent"); !strings.Contains(s.Reason, "Do not have anything paid anew yet") {
		t.Errorf("%+v", s)
	}
	h.alarms("inputs-spent")
	h.server.Mine(1)
	h.twice()
	if s := h.wants(1, "failed", "inputs-spent"); !strings.Contains(s.Reason, "made anew under a new id") {
		t.Errorf("%+v", s)
	}
	h.server.Fault(nil)
	h.server.Chain(h.signedHex(1))
	h.run(3, "watch") // the alarm waits for a person
	h.run(0, "broadcast")
	h.wants(1, "completed", "")
	h.alarms("inputs-spent(healed)")
}

// signedHex is what the relay has signed.
func (h *teller) signedHex(n int) string {
	h.Helper()
	text, err := journaled(h.Context(), filepath.Join(h.dir, "relay", "journal.db"), relaytest.ID(n))
	if err != nil {
		h.Fatal(err)
	}
	return text
}

// The transaction that spends the input pays the same address: to pay anew is
// not advised.
func maybeSame(t *testing.T) {
	h := newTeller(t)
	h.signed(nil, 1)
	h.answers(answer{"POST /v3/bitcoin/broadcast", missing, 403})
	h.rival(1, relaytest.Payee(1))
	h.server.Mine(6)
	h.twice()
	if s := h.wants(1, "failed", "inputs-spent"); strings.Contains(s.Reason, "made anew") || !strings.Contains(s.Reason, "do NOT have it paid anew") {
		t.Errorf("%+v", s)
	}
}

// A valid signature comes for an item that was rejected: an alarm that every
// import shows until a person has dealt with it.
func signedRejected(t *testing.T) {
	h := newTeller(t)
	h.pay(nil, 1, 2)
	usb := filepath.Join(h.dir, "usb")
	h.run(0, "fetch")
	h.run(0, "export", "--out", usb)
	h.run(0, "reject", relaytest.ID(1), "--why", "a mistake")
	h.sign(usb)
	h.run(3, "import", usb)
	h.wants(1, "failed", "signed-after-drop")
	h.wants(2, "signed", "")
	h.run(3, "import", usb) // nothing new, and still an alarm
	h.alarms("signed-after-drop")
	h.run(0, "broadcast")
	if len(h.server.Sent()) != 1 {
		t.Errorf("%d sent", len(h.server.Sent()))
	}
	var round struct{ Alarms map[string]int }
	if err := json.Unmarshal(h.run(0, "daemon", "--runOnce"), &round); err != nil || round.Alarms["signed-after-drop"] != 1 {
		t.Errorf("%v, %+v", err, round)
	}
	h.run(0, "acknowledge", "1", "--why", "result destroyed")
	h.alarms("")
	h.run(0, "import", usb)
}

// The network drops a completed payment and does not take it again.
func evictedLate(t *testing.T) {
	h := newTeller(t)
	h.signed(nil, 1)
	h.run(0, "broadcast")
	txid := h.wants(1, "completed", "").TxID
	h.server.Forget(txid)
	h.answers(answer{"POST /v3/bitcoin/broadcast", missing, 403})
	h.run(3, "watch")
	h.wants(1, "completed", "evicted")
	h.alarms("evicted")
	h.server.Fault(nil)
	h.run(3, "watch") // sent again, and taken; the alarm waits for a person
	h.run(3, "watch")
	h.wants(1, "completed", "")
	h.alarms("evicted(healed)")
}

// "Treat your key as stolen" stays, whatever becomes of the item.
func contentChanged(t *testing.T) {
	h := newTeller(t)
	h.pay(nil, 1)
	usb := filepath.Join(h.dir, "usb")
	h.run(0, "fetch")
	h.run(0, "export", "--out", usb)
	h.sign(usb)
	h.server.Change(relaytest.ID(1), "index", 7)
	h.run(3, "fetch")
	h.alarms("content-changed")
	h.run(3, "import", usb)
	h.server.Change(relaytest.ID(1), "index", nil)
	h.run(0, "fetch")
	h.alarms("content-changed signed-after-drop")
}

// Tatum answers 200 with our txid, and the network never has it.
func neverSeen(t *testing.T) {
	h := newTeller(t)
	h.signed(nil, 1)
	txid := h.wants(1, "signed", "").TxID
	h.answers(answer{"POST /v3/bitcoin/broadcast", fmt.Sprintf(`{"txId":%q}`, txid), 200}, answer{"GET /v3/kms/", named(1, txid), 200})
	h.run(3, "broadcast")
	h.wants(1, "signed", "not-seen")
	h.run(3, "broadcast")
	h.wants(1, "signed", "not-seen")
	h.server.Fault(nil)
	h.run(0, "broadcast")
	h.wants(1, "completed", "")
}

// After one confirmation it is looked at again: a reorganisation is seen.
func reorganised(t *testing.T) {
	h := newTeller(t)
	h.signed(nil, 1)
	h.run(0, "broadcast")
	txid := h.wants(1, "completed", "").TxID
	h.server.Mine(3)
	h.run(0, "watch")
	h.server.Unmine(txid)
	h.run(3, "watch")
	h.wants(1, "completed", "reorganised")
	h.run(3, "watch")
	h.alarms("reorganised")
	h.server.Mine(6)
	var got struct{ Confirmed []string }
	if err := json.Unmarshal(h.run(3, "watch"), &got); err != nil || len(got.Confirmed) != 1 { // 3: the alarm waits for a person
		t.Errorf("%v, %+v", err, got)
	}
	h.alarms("reorganised(healed)")
}

func withdrawn(p map[string]any) { p["withdrawalId"] = "w-1" }

// Sent, the reply lost, then cancelled at Tatum.
func paidCancelled(t *testing.T) {
	h := newTeller(t)
	h.signed(withdrawn, 1)
	h.server.Reply("lost")
	txid := h.wants(1, "signed", "").TxID
	h.server.Chain(h.signedHex(1))
	h.server.Change(relaytest.ID(1), "txId", txid)
	h.server.Cancel("w-1")
	h.answers(answer{"PUT /v3/offchain/withdrawal/", `{"errorCode":"withdrawal.unexpected.state"}`, 403})
	h.run(3, "broadcast")
	h.wants(1, "broadcast", "paid-but-cancelled")
	h.alarms("paid-but-cancelled")
}

// Two pending ids with one withdrawal: one of them is paid.
func sameWithdrawal(t *testing.T) {
	h := newTeller(t)
	h.pay(withdrawn, 1, 2)
	h.cross(3)
	h.run(0, "broadcast")
	h.wants(1, "completed", "")
	h.wants(2, "refused", "same-withdrawal")
	h.alarms("same-withdrawal")
	if len(h.server.Sent()) != 1 {
		t.Errorf("%d payments for one withdrawal", len(h.server.Sent()))
	}
}

// Marks are answered 204 and have no effect.
func markedInVain(t *testing.T) {
	h := newTeller(t)
	h.signed(nil, 1)
	h.server.Reply("failed")
	h.answers(answer{"PUT /v3/kms/", "", 204})
	h.run(3, "broadcast")
	h.wants(1, "broadcast", "not-marked")
	h.server.Fault(nil)
	h.run(0, "broadcast")
	h.wants(1, "completed", "")
}

// A withdrawal is cancelled after it was signed and before it was sent.
func cancelledBefore(t *testing.T) {
	h := newTeller(t)
	h.signed(withdrawn, 1)
	h.server.Cancel("w-1")
	h.answers(answer{"POST /v3/offchain/withdrawal/broadcast", `{"errorCode":"withdrawal.unexpected.state","message":"unexpected state"}`, 403})
	h.run(3, "broadcast")
	h.wants(1, "signed", "withdrawal-not-open")
	h.alarms("withdrawal-not-open")
}

// The child of a payment that can never confirm cannot either.
func deadParent(t *testing.T) {
	h := newTeller(t)
	prev := h.signer.Funding(1)
	h.server.Chain(relaytest.Hex(prev))
	h.server.Add(h.signer.PaymentWithChange(1, prev, nil))
	h.cross(0)
	parent := h.server.Chain(h.signedHex(1))
	var msg wire.MsgTx
	if err := msg.Deserialize(hex.NewDecoder(strings.NewReader(h.signedHex(1)))); err != nil {
		t.Fatal(err)
	}
	h.server.Add(h.signer.PaymentOf(2, &msg, 40_000))
	h.cross(0)
	h.server.Forget(parent)
	h.rival(1, relaytest.Payee(9))
	h.server.Mine(6)
	h.answers(answer{"POST /v3/bitcoin/broadcast", missing, 403})
	h.twice(relaytest.ID(1))
	h.run(3, "broadcast", relaytest.ID(2))
	h.wants(1, "failed", "inputs-spent")
	h.wants(2, "failed", "parent-dead")
}
