package online_test

import (
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/btcsuite/btcd/wire/v2"

	"coldkms/cmd/testtools/relaytest"
	"coldkms/online"
	"coldkms/online/journal"
	"coldkms/shared/chain"
)

// answers makes a fault that answers calls whose method and path start with a
// prefix: a status, then a body.
func (w *world) answers(with map[string]string) {
	w.server.Fault(func(rw http.ResponseWriter, r *http.Request) bool {
		for prefix, answer := range with {
			if !strings.HasPrefix(r.Method+" "+r.URL.Path, prefix) {
				continue
			}
			status, body, _ := strings.Cut(answer, " ")
			rw.WriteHeader(map[string]int{"200": 200, "403": 403, "404": 404}[status])
			_, _ = io.WriteString(rw, body)
			return true
		}
		return false
	})
}

const (
	conflict = `403 {"errorCode":"bitcoin.broadcast.failed","message":"bad-txns-inputs-missingorspent"}`
	spent    = `403 {"errorCode":"tx.hash.index.spent","message":"spent"}`
	absent   = `404 {"errorCode":"tx.not.found","message":"not found"}`
)

// openAlarms are the codes of the alarms that are open.
func (w *world) openAlarms() string {
	w.Helper()
	list, err := with(w, func(r *online.Relay) ([]online.Alarm, error) { return r.Alarms(w.Context(), false) })
	if err != nil {
		w.Fatal(err)
	}
	all := ""
	for _, a := range list {
		all += string(a.Code)
		if a.Healed != "" {
			all += "(healed)"
		}
		all += " "
	}
	return all
}

// twice broadcasts, and again when a second look counts.
func (w *world) twice() {
	w.Helper()
	w.broadcast()
	w.now = w.now.Add(11 * time.Minute)
	w.broadcast()
}

// rival puts another transaction on the chain that spends what payment 1 does.
func (w *world) rival(scripts ...[]byte) string {
	w.Helper()
	return w.server.Chain(relaytest.Hex(w.signer.Rival(w.signer.Funding(1), scripts...)))
}

// Another transaction spends the input: once it is deep enough in the chain,
// the item is a dead end and says so. It is never signed again, and if it
// turns up all the same, it heals by itself.
func TestInputsSpent(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.toSigned(nil, 1)
	other := w.rival(relaytest.Payee(9))
	w.answers(map[string]string{"POST /v3/bitcoin/broadcast": conflict})
	for _, blocks := range []int64{0, 5} {
		if blocks > 0 {
			w.server.Mine(blocks)
		}
		if got := w.broadcast(); codes(got.Problems) != "inputs-spent " || !strings.Contains(got.Problems[0].Reason, "Do not have anything paid anew yet") {
			t.Errorf("after %d blocks: %+v", blocks, got)
		}
		w.wantState(id(1), "signed")
		w.now = w.now.Add(11 * time.Minute) // after which a second look would decide
	}
	if got := w.openAlarms(); got != "inputs-spent " {
		t.Errorf("alarms: %s", got)
	}
	w.server.Mine(1)
	for range 2 { // two looks, and not at once
		if got := w.broadcast(); codes(got.Problems) != "inputs-spent " || !strings.Contains(got.Problems[0].Reason, "once more, from 2026-11-23T10:47:00Z") {
			t.Errorf("%+v", got)
		}
		w.wantState(id(1), "signed")
		w.now = w.now.Add(599 * time.Second)
	}
	w.now = w.now.Add(-598 * time.Second)
	if got := w.broadcast(); codes(got.Problems) != "inputs-spent " || len(got.Completed) != 0 {
		t.Errorf("%+v", got)
	}
	s := w.status(id(1))
	if s.State != journal.Failed || s.Code != online.CodeInputsSpent || !strings.Contains(s.Reason, ":1 is spent by transaction "+other) || !strings.Contains(s.Reason, "made anew under a new id") || !strings.Contains(s.Reason, "independent block explorer first, for ours ("+s.TxID+") and for the other ("+other) {
		t.Errorf("%+v", s)
	}
	if got := w.fetch(); got.Fetched+got.Prepared != 0 {
		t.Errorf("fetched anew: %+v", got)
	}
	if got := w.export(online.ExportOptions{Again: true}); got.Request != nil {
		t.Error("it goes to the signer again")
	}
	w.answers(nil)
	if got := w.watch(); len(got.Healed) != 0 {
		t.Errorf("%+v", got)
	}
	w.wantState(id(1), "failed")
	w.server.Chain(w.signedHex(id(1)))
	if got := w.watch(); len(got.Healed) != 1 {
		t.Errorf("%+v", got)
	}
	if got := w.broadcast(); len(got.Completed) != 1 || w.openAlarms() != "inputs-spent(healed) " {
		t.Errorf("%+v, %s", got, w.openAlarms())
	}
}

// What is no evidence: an output that is "spent", a list that claims a
// spender whose bytes are not those, do not verify, or spend something else.
func TestNoEvidence(t *testing.T) {
	t.Parallel()
	forged := relaytest.NewSigner(2)
	tx := forged.Rival(forged.Funding(1), relaytest.Payee(9))
	tx.TxIn[0].Witness[0][10] ^= 1
	elsewhere := forged.Rival(forged.Funding(2), relaytest.Payee(9))
	for name, tx := range map[string]*wire.MsgTx{"forged": tx, "spends something else": elsewhere, "nothing": nil} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.toSigned(nil, 1)
			prev := w.signer.Funding(1).TxHash().String()
			answers := map[string]string{"POST /v3/bitcoin/broadcast": conflict, "GET /v3/bitcoin/utxo/": spent}
			if tx != nil {
				txid := w.server.Chain(relaytest.Hex(tx))
				answers["GET /v3/bitcoin/transaction/address/"] = `200 [{"hash":"` + txid + `","inputs":[{"prevout":{"hash":"` + prev + `","index":1}}]}]`
			}
			w.server.Mine(100)
			w.answers(answers)
			if got := w.broadcast(); codes(got.Problems) != "node-refused " || w.openAlarms() != "" {
				t.Errorf("%+v %s", got, w.openAlarms())
			}
			w.wantState(id(1), "signed")
		})
	}
}

// To have it paid anew is not advised where the other transaction may be the
// same payment.
func TestSamePayment(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.toSigned(nil, 1)
	w.rival(relaytest.Payee(9), relaytest.Payee(1))
	w.server.Mine(6)
	w.answers(map[string]string{"POST /v3/bitcoin/broadcast": conflict})
	w.twice()
	if s := w.status(id(1)); s.State != journal.Failed || !strings.Contains(s.Reason, "do NOT have it paid anew") || strings.Contains(s.Reason, "made anew") {
		t.Errorf("%+v", s)
	}
}

// Tatum's record names ours, or the network has it: then no evidence against it
// counts.
func TestOursAfterAll(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.toSigned(nil, 1)
	w.rival(relaytest.Payee(9))
	w.server.Mine(6)
	txid := w.status(id(1)).TxID
	w.answers(map[string]string{"POST /v3/bitcoin/broadcast": conflict})
	w.server.Change(id(1), "txId", txid)
	if got := w.broadcast(); codes(got.Problems) != "inputs-spent " || strings.Contains(got.Problems[0].Reason, "anew") {
		t.Errorf("%+v", got)
	}
	w.wantState(id(1), "signed")
}

// The child of a dead parent is dead, and lives again with it.
func TestDeadParent(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.server.Add(w.signer.PaymentWithChange(1, w.funding(1), nil))
	w.fetch()
	w.imports(w.signer.Sign(w.exported(online.ExportOptions{}), nil))
	raw := w.signedHex(id(1))
	parent := w.server.Chain(raw)
	var msg wire.MsgTx
	bytes, _ := hex.DecodeString(raw)
	if err := msg.Deserialize(strings.NewReader(string(bytes))); err != nil {
		t.Fatal(err)
	}
	w.server.Add(w.signer.PaymentOf(2, &msg, 49_000))
	w.fetch()
	w.imports(w.signer.Sign(w.exported(online.ExportOptions{IDs: []string{id(2)}}), nil))
	w.wantState(id(2), "signed")
	w.server.Forget(parent)
	w.rival(relaytest.Payee(9))
	w.server.Mine(6)
	w.answers(map[string]string{"POST /v3/bitcoin/broadcast": conflict})
	w.twice()
	w.broadcast() // in whatever order the first one came to them
	w.wantState(id(1), "failed")
	if s := w.status(id(2)); s.State != journal.Failed || s.Code != online.CodeParentDead || !strings.Contains(s.Reason, id(1)) {
		t.Errorf("%+v", s)
	}
	w.answers(nil)
	w.server.Chain(raw)
	w.watch()
	w.watch()
	w.wantState(id(1), "broadcast")
	w.wantState(id(2), "signed")
	if got := w.broadcast(); len(got.Completed) != 2 {
		t.Errorf("%+v", got)
	}
	got := strings.Fields(w.openAlarms()) // of two items, in the order in which they were looked at
	if slices.Sort(got); !slices.Equal(got, []string{"inputs-spent(healed)", "parent-dead(healed)"}) {
		t.Errorf("alarms: %s", got)
	}
}

// A refusal for another reason leaves it where it is, for the next run.
func TestRefusedByNode(t *testing.T) {
	t.Parallel()
	for name, list := range map[string]string{"nothing": `200 []`, "unknown": absent, "page": `404 <html>`} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.toSigned(nil, 1)
			w.answers(map[string]string{"POST /v3/bitcoin/broadcast": conflict, "GET /v3/bitcoin/transaction/address/": list})
			if got := w.broadcast(); codes(got.Problems) != map[string]string{"nothing": "node-refused ", "unknown": "network ", "page": "network "}[name] {
				t.Errorf("%+v", got)
			}
			w.wantState(id(1), "signed")
		})
	}
}

// A spender was found, and ours came to light in the meantime.
func TestInputsSpentByUs(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.toSigned(nil, 1)
	w.rival(relaytest.Payee(9))
	w.server.Mine(6)
	ours, hex := w.status(id(1)).TxID, w.signedHex(id(1))
	w.server.Fault(func(rw http.ResponseWriter, r *http.Request) bool {
		switch path := r.Method + " " + r.URL.Path; {
		case strings.HasPrefix(path, "POST /v3/bitcoin/broadcast"):
			rw.WriteHeader(http.StatusForbidden)
			_, _ = io.WriteString(rw, `{"errorCode":"bitcoin.broadcast.failed"}`)
		case path == "GET /v3/bitcoin/transaction/"+ours && w.server.Calls("GET /v3/bitcoin/transaction/address/") > 0:
			_, _ = io.WriteString(rw, `{"hash":"`+ours+`","hex":"`+hex+`"}`)
		default:
			return false
		}
		return true
	})
	if got := w.broadcast(); codes(got.Problems) != "not-seen " {
		t.Errorf("%+v", got)
	}
	if got := w.broadcast(); len(got.Problems) != 0 || len(got.Broadcast) != 1 || len(got.Completed) != 1 {
		t.Errorf("%+v", got)
	}
}

func (w *world) watch(ids ...string) online.Watched {
	w.Helper()
	got, err := with(w, func(r *online.Relay) (online.Watched, error) {
		r.Depths = online.Depths{chain.BTC: 3}
		return r.Watch(w.Context(), online.WatchOptions{IDs: ids})
	})
	if err != nil {
		w.Fatal(err)
	}
	return got
}

// What was sent is watched until it is deep enough, also after it is
// completed; what the network drops is sent again as the same bytes, and is an
// alarm if that does not bring it back.
func TestWatch(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.toSigned(nil, 1)
	w.server.Mine(104)
	w.broadcast()
	p := sentPayment{w, w.status(id(1)).TxID}
	p.notDeepEnough()
	p.reorganised()
	p.evicted()
	p.back()
	p.replaced()
}

// sentPayment is payment 1 after it was sent.
type sentPayment struct {
	*world
	txid string
}

// transaction is the call that asks for it.
func (p sentPayment) transaction() string { return "GET /v3/bitcoin/transaction/" + p.txid }

// at has it in a block, and in none for 0.
func (p sentPayment) at(height int64) {
	p.server.Put(p.txid, height)
	p.answers(nil)
}

func (p sentPayment) notDeepEnough() {
	p.Helper()
	p.answers(map[string]string{p.transaction(): `200 {"hash":"` + p.txid + `","blockNumber":103}`})
	if got := p.watch(); codes(got.Problems) != "not-seen " || p.status(id(1)).Depth != 0 || p.openAlarms() != "" {
		p.Errorf("a block that does not have it: %+v", got)
	}
	p.server.Put(p.txid, 103)
	for _, block := range []string{"", `,"blockNumber":103`, `,"confirmations":2`} {
		p.answers(map[string]string{p.transaction(): `200 {"hash":"` + p.txid + `"` + block + `}`})
		if got := p.watch(); len(got.Confirmed) != 0 || len(got.Problems) != 0 {
			p.Errorf("%q: %+v", block, got)
		}
	}
	for _, lie := range []string{"404 <html>nginx</html>", `404 {"statusCode":404}`, "200 {}"} { // no word of Tatum's
		p.answers(map[string]string{p.transaction(): lie})
		if got := p.watch(); codes(got.Problems) != "network " || p.openAlarms() != "" {
			p.Errorf("%s: %+v", lie, got)
		}
	}
}

func (p sentPayment) reorganised() {
	p.Helper()
	p.at(0) // out of its block: once may be an index that lags
	if got := p.watch(); codes(got.Problems) != "reorganised " || p.openAlarms() != "" {
		p.Errorf("%+v", got)
	}
	if got := p.watch(); codes(got.Problems) != "reorganised " || p.openAlarms() != "reorganised " {
		p.Errorf("%+v %s", got, p.openAlarms())
	}
}

func (p sentPayment) evicted() {
	p.Helper()
	p.answers(map[string]string{p.transaction(): absent})
	sent := len(p.server.Sent())
	if got := p.watch(); codes(got.Problems) != "evicted " || p.status(id(1)).Code != online.CodeEvicted ||
		p.openAlarms() != "reorganised " {
		p.Errorf("evicted: %+v %s", got, p.openAlarms())
	}
	if all := p.server.Sent(); len(all) != sent+1 || all[sent] != all[0] {
		p.Errorf("sent again: %d", len(all))
	}
	if got := p.watch(); codes(got.Problems) != "evicted " || p.openAlarms() != "reorganised evicted " {
		p.Errorf("evicted for good: %+v %s", got, p.openAlarms())
	}
	p.wantState(id(1), "completed")
}

func (p sentPayment) back() {
	p.Helper()
	p.at(102)
	if got := p.watch(); len(got.Confirmed) != 1 || p.status(id(1)).Code != "" ||
		p.openAlarms() != "reorganised(healed) evicted(healed) " {
		p.Errorf("back: %+v, %+v %s", got, p.status(id(1)), p.openAlarms())
	}
	p.at(103) // what was deep enough is not any more
	if got := p.watch(); codes(got.Problems) != "reorganised " {
		p.Errorf("less deep: %+v", got)
	}
	p.at(99)
	for range 2 { // in another block than before: that is looked at twice, too
		if got := p.watch(); len(got.Confirmed)+len(got.Problems) != 0 {
			p.Errorf("once more: %+v", got)
		}
		p.now = p.now.Add(11 * time.Minute)
	}
}

func (p sentPayment) replaced() {
	p.Helper()
	p.answers(map[string]string{p.transaction(): absent, "POST /v3/bitcoin/broadcast": conflict})
	if got := p.watch(); len(got.Problems) != 0 {
		p.Errorf("deep enough is looked at again: %+v", got)
	}
	p.server.Forget(p.txid)
	p.rival(relaytest.Payee(9))
	p.server.Mine(2)
	if got := p.watch(id(1)); codes(got.Problems) != "inputs-spent " {
		p.Errorf("replaced: %+v", got)
	}
	p.wantState(id(1), "completed")
	p.server.Mine(1)
	if got := p.watch(id(1)); codes(got.Problems) != "inputs-spent " {
		p.Errorf("replaced: %+v", got)
	}
	p.wantState(id(1), "completed") // Tatum's record names it
	p.server.Change(id(1), "txId", nil)
	p.watch(id(1))
	p.now = p.now.Add(11 * time.Minute)
	p.watch(id(1))
	p.wantState(id(1), "failed")
}

// Two ids ask for one and the same transaction: it pays the first that was
// signed; the other is shown, and not marked with a payment that is not its.
func TestSameTransaction(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	prev := w.funding(1)
	first := w.payFrom(1, prev, nil)
	w.fetch()
	req1 := w.exported(online.ExportOptions{})
	second := id(2)
	w.payFrom(1, prev, func(p map[string]any) { p["id"] = second })
	w.fetch()
	req2 := w.exported(online.ExportOptions{IDs: []string{second}})
	w.imports(w.signer.Sign(req1, nil))
	w.imports(w.signer.Sign(req2, nil))
	got := w.broadcast()
	if len(got.Completed) != 1 || got.Completed[0] != first || codes(got.Problems) != "same-transaction " {
		t.Errorf("%+v", got)
	}
	if w.server.TxID(second) != "" || !strings.Contains(w.status(second).Reason, first) {
		t.Errorf("Tatum has %q, %+v", w.server.TxID(second), w.status(second))
	}
	w.wantState(second, "failed")
}

// A 404 of some proxy is no word of Tatum's that an item is gone.
func TestRejectNotFound(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.pay(1, nil)
	w.fetch()
	for answer, want := range map[string]string{"404 <html>nginx</html>": "prepared", `404 {"errorCode":"not.found"}`: "prepared"} {
		w.answers(map[string]string{"DELETE /v3/kms/": answer})
		if _, err := with(w, func(r *online.Relay) (bool, error) { return r.Reject(t.Context(), id(1), online.Rejection{Why: "why"}) }); err == nil {
			t.Errorf("%s: dropped", answer)
		}
		w.wantState(id(1), want)
	}
	w.answers(map[string]string{"DELETE /v3/kms/": `403 {"errorCode":"kms.missing"}`})
	if _, err := with(w, func(r *online.Relay) (bool, error) { return r.Reject(t.Context(), id(1), online.Rejection{Why: "why"}) }); !errors.Is(err, online.ErrNotDropped) {
		t.Errorf("it is there all the same: %v", err)
	}
	w.wantState(id(1), "prepared")
	w.answers(nil)
	if _, err := with(w, func(r *online.Relay) (bool, error) { return r.Reject(t.Context(), id(1), online.Rejection{Why: "why"}) }); err != nil {
		t.Error(err)
	}
	w.wantState(id(1), "rejected")
}

// The very same request, asked for twice in a second, is one.
func TestExportAgainAtOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.pay(1, nil)
	w.fetch()
	first := w.exported(online.ExportOptions{})
	if again := w.exported(online.ExportOptions{Again: true}); again.Digest != first.Digest {
		t.Errorf("%s and %s", first.Digest, again.Digest)
	}
}

// A dropped item's signature is kept, is not sent, and is an alarm until a
// person has dealt with it.
func TestImportRejected(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.pay(1, nil)
	w.fetch()
	req := w.exported(online.ExportOptions{})
	reject := func() (bool, error) {
		return with(w, func(r *online.Relay) (bool, error) { return r.Reject(t.Context(), id(1), online.Rejection{Why: "why"}) })
	}
	if _, err := reject(); err != nil {
		t.Fatal(err)
	}
	result := w.signer.Sign(req, nil)
	if got := w.imports(result); got.Imported != 0 || codes(got.Problems) != "signed-after-drop " || !strings.Contains(got.Problems[0].Reason, "ALARM") {
		t.Errorf("%+v", got)
	}
	w.wantState(id(1), "failed")
	w.imports(result)
	if got := w.openAlarms(); got != "signed-after-drop " {
		t.Errorf("%s", got)
	}
	if got := w.broadcast(); len(w.server.Sent()) != 0 {
		t.Errorf("%+v", got)
	}
	if exported, err := reject(); err != nil || !exported || w.openAlarms() != "" {
		t.Errorf("%v, %v, %s", exported, err, w.openAlarms())
	}
	if _, err := with(w, func(r *online.Relay) (any, error) { return r.Retry(t.Context(), id(1), "") }); err != nil {
		t.Fatal(err)
	}
	if got := w.broadcast(); codes(got.Problems) != "signed-after-drop " || len(w.server.Sent()) != 0 || w.openAlarms() != "signed-after-drop " {
		t.Errorf("what Tatum dropped is sent: %+v", got)
	}
}

// A rival cannot be in a block before that of the output that it spends, and
// that block must have it.
func TestBlockOfRival(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.server.Mine(3)
	w.toSigned(nil, 1)
	w.server.Mine(1)
	other := w.rival(relaytest.Payee(9))
	w.server.Mine(6)
	for block, want := range map[int]string{1: "made in block 4", 6: "block 6 does not have it", 11: "contradict"} {
		w.answers(map[string]string{
			"POST /v3/bitcoin/broadcast": conflict, "GET /v3/bitcoin/info": `200 {"blocks":100}`,
			"GET /v3/bitcoin/transaction/" + other: fmt.Sprintf(`200 {"hash":%q,"blockNumber":%d,"confirmations":%d}`, other, block, 101-min(block, 10)),
		})
		w.twice()
		if s := w.status(id(1)); s.State != journal.Signed || !strings.Contains(s.Reason, want) && block != 11 {
			t.Errorf("block %d: %+v", block, s)
		}
	}
}
