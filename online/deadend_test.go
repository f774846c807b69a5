package online_test

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"coldkms/online"
	"coldkms/online/journal"
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

// Something else spends the input: the item is a dead end and says so. It is
// never signed again, and what it is sent as stays the same bytes.
func TestInputsSpent(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.toSigned(nil, 1)
	w.answers(map[string]string{"POST /v3/bitcoin/broadcast": conflict, "GET /v3/bitcoin/utxo/": spent})
	if got := w.broadcast(); codes(got.Problems) != "inputs-spent " || len(got.Completed) != 0 {
		t.Errorf("%+v", got)
	}
	s := w.status(id(1))
	if s.State != journal.Failed || s.Code != online.CodeInputsSpent || !strings.Contains(s.Reason, ":1 is spent by another") || !strings.Contains(s.Reason, "bad-txns-inputs") {
		t.Errorf("%+v", s)
	}
	if got := w.fetch(); got.Fetched+got.Prepared != 0 {
		t.Errorf("fetched anew: %+v", got)
	}
	if got := w.export(online.ExportOptions{Again: true}); got.Request != nil {
		t.Error("it goes to the signer again")
	}
	w.answers(nil)
	if _, err := with(w, func(r *online.Relay) (any, error) { return r.Retry(t.Context(), id(1)) }); err != nil {
		t.Fatal(err)
	}
	if got := w.broadcast(); len(got.Completed) != 1 || got.Broadcast[0].TxID != s.TxID {
		t.Errorf("after retry: %+v", got)
	}
}

// A refusal for another reason leaves it where it is, for the next run.
func TestRefusedByNode(t *testing.T) {
	t.Parallel()
	for name, utxo := range map[string]string{"unspent": `200 {"value":1}`, "unknown": absent} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.toSigned(nil, 1)
			w.answers(map[string]string{"POST /v3/bitcoin/broadcast": conflict, "GET /v3/bitcoin/utxo/": utxo})
			if got := w.broadcast(); codes(got.Problems) != "node-refused " {
				t.Errorf("%+v", got)
			}
			w.wantState(id(1), "signed")
		})
	}
}

// It was spent by our own transaction, which only came to light meanwhile.
func TestInputsSpentByUs(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.toSigned(nil, 1)
	w.server.Fault(func(rw http.ResponseWriter, r *http.Request) bool {
		path := r.Method + " " + r.URL.Path
		switch {
		case strings.HasPrefix(path, "GET /v3/bitcoin/utxo/"):
			rw.WriteHeader(http.StatusForbidden)
			_, _ = io.WriteString(rw, `{"errorCode":"tx.hash.index.spent"}`)
		case strings.HasPrefix(path, "POST /v3/bitcoin/broadcast"):
			rw.WriteHeader(http.StatusForbidden)
			_, _ = io.WriteString(rw, `{"errorCode":"bitcoin.broadcast.failed"}`)
		case strings.HasPrefix(path, "GET /v3/bitcoin/transaction/") && w.server.Calls("GET /v3/bitcoin/utxo/") > 0:
			_, _ = io.WriteString(rw, `{"hash":"`+strings.TrimPrefix(r.URL.Path, "/v3/bitcoin/transaction/")+`"}`)
		default:
			return false
		}
		return true
	})
	if got := w.broadcast(); len(got.Problems) != 0 || len(got.Broadcast) != 1 || len(got.Completed) != 1 {
		t.Errorf("%+v", got)
	}
}

func (w *world) watch(depth int64) online.Watched {
	w.Helper()
	got, err := with(w, func(r *online.Relay) (online.Watched, error) {
		return r.Watch(w.Context(), online.WatchOptions{Depth: depth})
	})
	if err != nil {
		w.Fatal(err)
	}
	return got
}

// What was sent is watched until it is deep enough; what the network drops is
// sent again as the same bytes; what something else replaced is an alarm.
func TestWatch(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.toSigned(nil, 1)
	w.broadcast()
	s := w.status(id(1))
	transaction := "GET /v3/bitcoin/transaction/" + s.TxID
	at := func(block string) {
		w.answers(map[string]string{transaction: `200 {"hash":"` + s.TxID + `"` + block + `}`, "GET /v3/bitcoin/info": `200 {"blocks":104}`})
	}
	for block, confirmed := range map[string]int{"": 0, `,"blockNumber":103`: 0, `,"confirmations":2`: 0} {
		at(block)
		if got := w.watch(3); len(got.Confirmed) != confirmed || len(got.Problems) != 0 {
			t.Errorf("%q: %+v", block, got)
		}
	}
	w.answers(map[string]string{transaction: absent, "GET /v3/bitcoin/utxo/": `200 {"value":1}`})
	sent := len(w.server.Sent())
	if got := w.watch(3); codes(got.Problems) != "evicted " || w.status(id(1)).Code != online.CodeEvicted {
		t.Errorf("evicted: %+v", got)
	}
	if all := w.server.Sent(); len(all) != sent+1 || all[sent] != all[0] {
		t.Errorf("sent again: %d", len(all))
	}
	w.wantState(id(1), "completed")
	at(`,"blockNumber":102`)
	if got := w.watch(3); len(got.Confirmed) != 1 || w.status(id(1)).Code != "" {
		t.Errorf("back: %+v, %+v", got, w.status(id(1)))
	}
	w.answers(map[string]string{transaction: absent, "GET /v3/bitcoin/utxo/": spent})
	if got := w.watch(3); len(got.Problems) != 0 {
		t.Errorf("deep enough is looked at again: %+v", got)
	}
	if got := w.watch(4); codes(got.Problems) != "inputs-spent " {
		t.Errorf("replaced: %+v", got)
	}
	w.wantState(id(1), "failed")
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

// A dropped item's signature is not taken, and is an alarm.
func TestImportRejected(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.pay(1, nil)
	w.fetch()
	req := w.exported(online.ExportOptions{})
	if _, err := with(w, func(r *online.Relay) (bool, error) { return r.Reject(t.Context(), id(1), online.Rejection{Why: "why"}) }); err != nil {
		t.Fatal(err)
	}
	got := w.imports(w.signer.Sign(req, nil))
	if got.Imported != 0 || codes(got.Problems) != "not-waiting " || !strings.Contains(got.Problems[0].Reason, "ALARM") {
		t.Errorf("%+v", got)
	}
	w.wantState(id(1), "rejected")
}
