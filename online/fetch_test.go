package online_test

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"coldkms/cmd/testtools/relaytest"
	"coldkms/online"
	"coldkms/online/journal"
	"coldkms/online/tatum"
	"coldkms/shared/chain"
	"coldkms/shared/chain/utxo"
)

func TestFetchRefusals(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	serialized := func(old, new string) func(map[string]any) {
		return func(p map[string]any) {
			p["serializedTransaction"] = strings.Replace(p["serializedTransaction"].(string), old, new, 1)
		}
	}
	w.pay(1, serialized(`"hash":"`, `"hash":"00`))
	w.pay(2, serialized(`"satoshis":100000`, `"satoshis":100001`))
	w.pay(3, serialized(`"script":""`, `"script":"51"`))
	w.pay(4, func(p map[string]any) { p["serializedTransaction"] = "{}" })
	w.pay(5, nil)
	w.pay(6, func(p map[string]any) { p["index"] = "seven" })
	w.pay(7, func(p map[string]any) { p["id"] = "../../etc" })
	w.pay(8, func(p map[string]any) { p["hashes"] = []string{wallet, "somebody-elses"} }) // the signer's to judge
	got := w.fetch()
	want := "malformed hash-mismatch amount-mismatch foreign-script malformed malformed "
	if got.Fetched != 7 || got.Prepared != 2 || codes(got.Problems) != want {
		t.Errorf("%+v", got)
	}
	for n, state := range map[int]string{1: "refused", 2: "refused", 3: "refused", 4: "refused", 5: "prepared", 6: "refused", 8: "prepared"} {
		w.wantState(id(n), state)
	}
	if got := w.status(id(2)); got.Code != chain.AmountMismatch || got.Reason == "" {
		t.Errorf("%+v", got)
	}
	if again := w.fetch(); again.Fetched != 0 || again.Prepared != 0 || codes(again.Problems) != "malformed " { // only what could not be journaled
		t.Errorf("again: %+v", again)
	}
}

func TestFetchChanged(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.pay(1, nil)
	w.fetch()
	w.server.Change(id(1), "hashes", []any{wallet, "another"})
	if got := w.fetch(); got.Fetched != 0 || codes(got.Problems) != "content-changed " {
		t.Errorf("%+v", got)
	}
	if got := w.export(online.ExportOptions{}); got.Request != nil {
		t.Errorf("what Tatum changed went to the signer: %+v", got)
	}
	w.server.Change(id(1), "hashes", []any{wallet})
	w.fetch()
	if req := w.exported(online.ExportOptions{}); len(req.Items[0].Keys) != 1 {
		t.Errorf("what was journaled first did not stay: %+v", req.Items[0].Keys)
	}
}

// What reads is not replaced, also where it was refused for what it says.
func TestFetchChangedRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.pay(1, func(p map[string]any) {
		text := p["serializedTransaction"].(string)
		p["serializedTransaction"] = strings.Replace(text, `"satoshis":100000`, `"satoshis":100001`, 1)
	})
	if got := w.fetch(); codes(got.Problems) != "amount-mismatch " {
		t.Fatalf("%+v", got)
	}
	w.server.Change(id(1), "hashes", []any{wallet, "another"})
	if got := w.fetch(); codes(got.Problems) != "content-changed " {
		t.Errorf("%+v", got)
	}
}

func TestFetchChoice(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.pay(1, nil)
	w.pay(2, nil)
	w.server.Change(id(2), "txId", "done")
	w.pay(3, nil)
	w.pay(4, func(p map[string]any) { p["chain"] = "LTC" })
	r := w.open()
	defer r.Close()
	if got, err := r.Fetch(t.Context(), online.FetchOptions{Network: chain.Mainnet}); err != nil || got.Fetched != 0 || len(got.Notes) != 1 {
		t.Errorf("mainnet: %+v, %v", got, err)
	}
	if n := w.server.Calls("POST"); n != 0 {
		t.Errorf("%d calls for nothing", n)
	}
	if _, err := r.Fetch(t.Context(), online.FetchOptions{Network: chain.Testnet, Chains: []chain.ID{"ETH"}}); err == nil || !strings.Contains(err.Error(), "not supported yet") {
		t.Errorf("ETH: %v", err)
	}
	got, err := r.Fetch(t.Context(), online.FetchOptions{Network: chain.Testnet, Chains: []chain.ID{chain.BTC}, IDs: []string{id(3)}})
	if err != nil || got.Fetched != 1 || got.Prepared != 1 {
		t.Errorf("one id: %+v, %v", got, err)
	}
	if got, err = r.Fetch(t.Context(), online.FetchOptions{Network: chain.Testnet}); err != nil || got.Fetched != 1 || got.Prepared != 1 {
		t.Errorf("the rest: %+v, %v", got, err)
	}
}

// Each previous transaction is asked for once ever.
func TestPreviousOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	prev := w.funding(1)
	for n := range 3 {
		w.payFrom(n+1, prev, nil)
	}
	w.fetch()
	w.payFrom(4, prev, nil)
	if got := w.fetch(); got.Prepared != 1 {
		t.Errorf("%+v", got)
	}
	if n := w.server.Calls("GET /v3/bitcoin/transaction/"); n != 1 {
		t.Errorf("asked %d times", n)
	}
	if req := w.exported(online.ExportOptions{}); len(req.Items) != 4 || len(req.Attached(utxo.Name)) != 1 {
		t.Errorf("%d items, %d previous transactions", len(req.Items), len(req.Attached(utxo.Name)))
	}
}

// A previous transaction that cannot be had holds its item back, and only
// that one, until it can.
func TestPreviousMissing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.pay(1, nil)
	w.pay(2, nil)
	lost := w.funding(2).TxHash().String()
	for name, c := range map[string]struct {
		fault http.HandlerFunc
		code  string
	}{
		"nobody has it": {reply(404, `{"errorCode":"tx.not.found"}`), "unproven-amount "},
		"a wall":        {reply(404, `<html>nginx</html>`), "network "},
		"down":          {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(500) }, "network "},
		"throttled":     {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(429) }, "network "},
		"page":          {func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "<html>") }, "network "},
		"another one": {func(hw http.ResponseWriter, _ *http.Request) {
			fmt.Fprintf(hw, `{"hash":%q,"hex":%q}`, lost, relaytest.Hex(w.signer.Funding(99)))
		}, "unproven-amount "},
		"rubbish": {func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, `{"hex":"00"}`) }, "unproven-amount "},
	} {
		w.server.Fault(func(hw http.ResponseWriter, r *http.Request) bool {
			if strings.HasSuffix(r.URL.Path, "/transaction/"+lost) {
				c.fault(hw, r)
				return true
			}
			if strings.Contains(r.URL.Path, "/node/") {
				if name == "nobody has it" {
					reply(500, `{"error":{"code":-5,"message":"No such transaction"}}`)(hw, r)
				} else {
					hw.WriteHeader(503)
				}
				return true
			}
			return false
		})
		w.now = w.now.Add(journal.MaxDelay) // its time to be tried again
		got := w.fetch()
		if codes(got.Problems) != c.code || got.Problems[0].ID != id(2) {
			t.Errorf("%s: %+v", name, got)
		}
		w.wantState(id(1), "prepared")
		w.wantState(id(2), "fetched")
		if got := w.status(id(2)); string(got.Code)+" " != c.code {
			t.Errorf("%s: on record as %+v", name, got)
		}
	}
	if req := w.exported(online.ExportOptions{}); len(req.Items) != 1 {
		t.Errorf("%d items exported", len(req.Items))
	}
	w.server.Fault(nil)
	w.now = w.now.Add(journal.MaxDelay)
	if got := w.fetch(); got.Prepared != 1 || len(got.Problems) != 0 {
		t.Errorf("when it is back: %+v", got)
	}
}

func TestFetchStops(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for n := range 40 {
		w.pay(n+1, nil)
	}
	w.server.FailOnce("POST /v3/kms/pending", 401, `{"errorCode":"subscription.invalid"}`, nil)
	if _, err := w.tryFetch(); !tatum.IsAuth(err) {
		t.Errorf("key refused: %v", err)
	}
	previous := func(status int) {
		w.server.Fault(func(hw http.ResponseWriter, r *http.Request) bool {
			if r.Method == http.MethodGet || strings.Contains(r.URL.Path, "/node/") {
				hw.WriteHeader(status)
				return true
			}
			return false
		})
	}
	previous(401)
	if _, err := w.tryFetch(); !tatum.IsAuth(err) {
		t.Errorf("key refused on the way: %v", err)
	}
	if n := w.server.Calls("GET"); n > 16 {
		t.Errorf("%d calls with a key that is refused", n)
	}
	previous(500)
	if _, err := w.tryFetch(); !tatum.IsTransient(err) {
		t.Errorf("all of it is down: %v", err)
	}
	w.wantState(id(1), "fetched")
	w.server.Fault(nil)
	w.now = w.now.Add(time.Minute)
	if got := w.fetch(); got.Fetched != 0 || got.Prepared != 40 {
		t.Errorf("%+v", got)
	}
}

// The reply names somebody else's chain.
func TestFetchWrongChain(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.pay(1, nil)
	w.server.Fault(func(hw http.ResponseWriter, r *http.Request) bool {
		if !strings.HasPrefix(r.URL.Path, "/v3/kms/pending/") {
			return false
		}
		_, _ = io.WriteString(hw, `[{"id":"aa","chain":"LTC","hashes":["`+wallet+`"],"serializedTransaction":"{}"},{"id":"aa","chain":"LTC","hashes":["`+wallet+`"],"serializedTransaction":"{}"},7,null,{"id":7},{"id":"bb","chain":"BTC","txId":"done"}]`)
		return true
	})
	got := w.fetch()
	if got.Fetched != 1 || codes(got.Problems) != "malformed wrong-chain " {
		t.Errorf("%+v", got)
	}
}
