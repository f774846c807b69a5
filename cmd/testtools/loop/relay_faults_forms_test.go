//go:build unix

package loop

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"coldkms/cmd/testtools/relaytest"
	"coldkms/cmd/testtools/tatumtest"
	"coldkms/shared/bundle"
	"coldkms/shared/chain"
)

// formFaults are about one thing that comes twice in two forms, and about a
// decision that is taken for more than a person saw.
func formFaults() []fault {
	return []fault{
		{"50j-an-id-in-capitals-is-no-second-payment", twinID},
		{"51a-retry-stands-for-one-content", retryOneContent},
		{"51b-retry-after-it-was-there-again", retryThereAgain},
		{"51c-a-withdrawal-that-becomes-known-later", lateWithdrawal},
		{"52-a-body-that-says-no-lifts-no-veto", bodiesLiftNothing},
		{"53a-acknowledged-and-evicted-again", evictedAgain},
		{"53b-acknowledged-and-refused-by-the-node", evictedWorse},
		{"54-late-is-counted-from-the-first-state", lateFromTheBeginning},
		{"56a-one-chain-that-hangs-delays-no-other", hangingChain},
		{"56b-payments-that-hang-hold-up-no-other", hangingSends},
		{"56c-one-401-is-about-one-payment", oneDenied},
		{"55-reject-under-a-key-that-was-swapped", swappedKeys},
	}
}

// twin is payment n under the id of payment 1, in capitals.
func twin(p map[string]any) { p["id"] = strings.ToUpper(twinned) }

const twinned = "6b09d456def4cc1706d3fd02"

func twinID(t *testing.T) {
	h := newTeller(t)
	h.signed(func(p map[string]any) { p["id"] = twinned }, 1)
	h.run(0, "broadcast")
	h.pay(twin, 2)
	for range 2 {
		if words := h.says(3, "fetch"); !strings.Contains(words, "letter case") {
			t.Error(words)
		}
	}
	h.alarms("same-id")
	h.run(3, "status", strings.ToUpper(twinned))
	h.run(0, "export", "--out", t.TempDir())
	h.sends(1)
}

func retryOneContent(t *testing.T) {
	h := newTeller(t)
	h.signed(nil, 1)
	id := relaytest.ID(1)
	h.server.Change(id, "index", 7)
	h.run(3, "broadcast")
	h.retries(1)
	h.server.Change(id, "index", 8)
	if words := h.says(3, "broadcast"); !strings.Contains(words, "held") {
		t.Error(words)
	}
	h.alarms("content-changed signed-after-drop")
	h.sends(0)
	h.run(3, "fetch") // its list says so, too
	h.retries(1)
	h.run(3, "fetch")
	h.run(0, "broadcast")
	h.sends(1)
}

func retryThereAgain(t *testing.T) {
	h := newTeller(t)
	h.signed(nil, 1)
	away := answer{"GET /v3/kms/", gone, 403}
	h.answers(away)
	h.twice()
	h.server.Fault(nil)
	h.run(3, "broadcast") // there again, and held all the same
	h.retries(1)
	h.answers(away)
	h.twice()
	h.sends(0)
	h.alarms("signed-after-drop")
	h.retries(1)
	h.server.Fault(nil)
	h.run(0, "broadcast")
	h.sends(1)
}

// Two ids without a withdrawal are for the same one later.
func lateWithdrawal(t *testing.T) {
	h := newTeller(t)
	h.signed(nil, 1)
	one, two := relaytest.ID(1), relaytest.ID(2)
	h.server.Change(one, "withdrawalId", twinned)
	h.pay(func(p map[string]any) { p["withdrawalId"] = strings.ToUpper(twinned) }, 2)
	h.run(3, "fetch")
	h.wants(2, "refused", "same-withdrawal")
	h.retries(1)
	h.server.Change(two, "withdrawalId", nil)
	h.run(0, "broadcast")
	h.sends(1)

	h = newTeller(t)
	h.signed(nil, 1)
	h.signed(func(p map[string]any) { p["withdrawalId"] = twinned }, 2)
	h.server.Change(one, "withdrawalId", twinned)
	h.run(3, "broadcast", one)
	if words := h.says(1, h.retry(1)...); !strings.Contains(words, "one withdrawal is one payment") {
		t.Error(words)
	}
	h.run(3, "broadcast", one)
	h.sends(0)
}

func bodiesLiftNothing(t *testing.T) {
	for _, body := range []string{`{"approved":false}`, `{"error":"denied","statusCode":403}`, "<html>login</html>", `{}`} {
		h, approvals := newTeller(t), newService(t, true, "application/json", body)
		h.signed(nil, 1)
		h.run(3, "broadcast", "--externalUrl", approvals.url)
		approvals.no.Store(false)
		h.run(3, "broadcast")
		h.sends(0)
	}
	h, approvals := newTeller(t), newService(t, true, "application/json", `{"approved":true}`)
	h.signed(nil, 1)
	h.run(3, "broadcast", "--externalUrl", approvals.url)
	approvals.no.Store(false)
	h.run(2, "broadcast", "--externalUrl", approvals.url+"/#")
	h.run(0, "broadcast")
	h.sends(1)
}

// evicted has payment 1 completed, and takes it from the network.
func (h *teller) evicted() string {
	h.Helper()
	h.signed(nil, 1)
	h.run(0, "broadcast")
	return h.server.Sent()[0]
}

func evictedAgain(t *testing.T) {
	h := newTeller(t)
	raw := h.evicted()
	lose := func() {
		h.answers(lag, answer{"POST /v3/bitcoin/broadcast", `{"txId":"` + h.wants1() + `"}`, 200}, answer{"POST /v3/blockchain/node/", `{"result":null,"error":{"code":-5,"message":"No such mempool or blockchain transaction"}}`, 200})
		h.run(3, "watch")
		h.run(3, "watch")
	}
	lose()
	h.alarms("evicted")
	h.run(0, "acknowledge", "1", "--why", "fee low")
	h.run(3, "watch")
	h.alarms("") // the same occurrence
	h.server.Fault(nil)
	h.server.Chain(raw)
	h.run(0, "watch")
	lose()
	h.alarms("evicted")
}

// wants1 returns the txid of payment 1.
func (h *teller) wants1() string {
	h.Helper()
	var list []itemStatus
	if err := json.Unmarshal(h.run(0, "status", relaytest.ID(1)), &list); err != nil {
		h.Fatal(err)
	}
	return list[0].TxID
}

func evictedWorse(t *testing.T) {
	h := newTeller(t)
	h.evicted()
	node := answer{"POST /v3/blockchain/node/", `{"result":null,"error":{"code":-5,"message":"No such mempool or blockchain transaction"}}`, 200}
	h.answers(lag, answer{"POST /v3/bitcoin/broadcast", `{"txId":"` + h.wants1() + `"}`, 200}, node)
	h.run(3, "watch")
	h.run(3, "watch")
	h.run(0, "acknowledge", "1", "--why", "fee low")
	h.answers(lag, answer{"POST /v3/bitcoin/broadcast", missing, 403}, node)
	h.run(3, "watch")
	h.alarms("evicted")
}

func lateFromTheBeginning(t *testing.T) {
	p := newStick(t)
	p.unprovable(1)
	var heard bytes.Buffer
	hook := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { _, _ = io.Copy(&heard, r.Body) }))
	defer hook.Close()
	p.round("--event-url", hook.URL)
	if strings.Contains(heard.String(), `"late"`) {
		t.Errorf("late at once: %s", &heard)
	}
	p.journal("UPDATE items SET since = since - 1000000")
	p.round("--event-url", hook.URL)
	if !strings.Contains(heard.String(), `"late"`) {
		t.Errorf("never late: %s", &heard)
	}
}

// The name of an API key has another tenant's key by now.
func swappedKeys(t *testing.T) {
	p := newStick(t, 1)
	p.must("fetch")
	p.must("import", p.result(p.export(), nil))
	p.server.Fault(func(w http.ResponseWriter, r *http.Request) bool {
		if r.Header.Get("x-api-key") == tatumtest.Key {
			return false
		}
		if !strings.HasPrefix(r.URL.Path, "/v3/kms/") { // the chain is everybody's
			r.Header.Set("x-api-key", tatumtest.Key)
			return false
		}
		w.WriteHeader(http.StatusForbidden)
		_, _ = io.WriteString(w, gone)
		return true
	})
	id := relaytest.ID(1)
	p.env = []string{"TATUM_API_KEY=another-tenant"}
	p.must("broadcast")
	for range 2 {
		if got := p.run("reject", id, "--why", "gone"); got.code != 1 || !strings.Contains(got.err, "API key") {
			t.Errorf("exit code %d, %s", got.code, got.err)
		}
	}
	if state := p.states()[id]; state != "signed" {
		t.Error(state)
	}
	p.env = nil
	p.must("reject", id, "--why", "gone")
	if p.server.Calls("DELETE") != 1 || p.states()[id] != "failed" {
		t.Errorf("%d deleted, %v", p.server.Calls("DELETE"), p.states())
	}
}

// Tatum never answers with the list of one chain: payments of another one go on,
// pass after pass.
func hangingChain(t *testing.T) {
	p := newStick(t)
	watch := filepath.Join(p.dir, "two.kmswatch")
	key := p.signer.Coin.PubKey().SerializeCompressed()
	w, err := bundle.SealWatch(bundle.Watch{Created: 2, Entries: []bundle.WatchEntry{
		{SignatureID: relaytest.SignatureID, Coin: chain.Coin{Chain: chain.BTC, Network: chain.Testnet}, PubKey: key},
		{SignatureID: "ltc", Coin: chain.Coin{Chain: chain.LTC, Network: chain.Testnet}, PubKey: key},
	}}, p.signer.Identity)
	if err != nil {
		t.Fatal(err)
	}
	p.write(watch, w.File)
	p.must("pair", watch)
	hangs := make(chan struct{})
	defer close(hangs)
	p.server.Fault(func(_ http.ResponseWriter, r *http.Request) bool {
		if !strings.HasSuffix(r.URL.Path, "/pending/LTC") {
			return false
		}
		select {
		case <-hangs:
		case <-r.Context().Done():
		}
		return true
	})
	d := p.daemon()
	defer d.stop()
	p.eventually("a list hangs", func() bool {
		return p.server.Calls("POST /v3/kms/pending/LTC") > 0 && p.server.Calls("POST /v3/kms/pending/BTC") > 0
	})
	p.pay(1)
	p.eventually("the payment is exported", func() bool { return p.states()[relaytest.ID(1)] == "exported" })
	if n := p.server.Calls("POST /v3/kms/pending/LTC"); n != 1 {
		t.Errorf("it was exported after %d lists that hang", n)
	}
}

// The oldest payments hang at Tatum, more of them than are sent at a time.
func hangingSends(t *testing.T) {
	p := newStick(t)
	p.signed(numbers(1, 20)...)
	var sent atomic.Int32
	begun := time.Now()
	var good time.Duration // after which all others were sent
	p.server.Fault(func(_ http.ResponseWriter, r *http.Request) bool {
		if !strings.HasSuffix(r.URL.Path, "/broadcast") {
			return false
		}
		body, _ := io.ReadAll(r.Body)
		r.Body = io.NopCloser(bytes.NewReader(body))
		var said struct{ SignatureID string }
		_ = json.Unmarshal(body, &said)
		if said.SignatureID > relaytest.ID(16) {
			if sent.Add(1) == 4 {
				good = time.Since(begun)
			}
			return false
		}
		<-r.Context().Done()
		if sent.Load() < 4 {
			t.Error("a send was given up before the others had their turn")
		}
		return true
	})
	p.run("broadcast")
	t.Logf("the others were sent after %s", good)
	if n := p.count("completed"); n != 4 {
		t.Errorf("%d completed", n)
	}
}

// Tatum answers one send with 401, or says that the credits are used up.
func oneDenied(t *testing.T) {
	for _, body := range []string{`{"errorCode":"subscription.invalid","message":"no subscription"}`, `{"errorCode":"credits.exhausted","message":"out of credits"}`} {
		p := newStick(t)
		p.signed(numbers(1, 24)...) // more than are sent at a time
		var once sync.Once
		p.server.Fault(func(w http.ResponseWriter, r *http.Request) (denied bool) {
			if strings.HasSuffix(r.URL.Path, "/broadcast") {
				once.Do(func() {
					denied = true
					w.WriteHeader(http.StatusUnauthorized)
					_, _ = io.WriteString(w, body)
				})
			}
			return denied
		})
		p.run("broadcast")
		if n := p.count("completed"); n != 23 {
			t.Errorf("%d of 23 others were sent", n)
		}
	}
}
