//go:build unix

package loop

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/wire/v2"

	"coldkms/cmd/kms-sandbox/sandbox"
	"coldkms/cmd/kms-sandbox/sandbox/records"
	"coldkms/cmd/kms-sandbox/sandbox/simchain"
	"coldkms/cmd/testtools/relaytest"
	"coldkms/online/journal"
	"coldkms/shared/bundle"
	"coldkms/shared/chain"
	"coldkms/shared/chain/utxo"
)

// badTatum is a sandbox over a chain of LTC that misbehaves at random, and
// keeps a book of every byte string that any relay sent to it.
type badTatum struct {
	t      *testing.T
	url    string
	signer *relaytest.Signer
	chain  *simchain.Chain

	mu     sync.Mutex
	random *rand.Rand
	rate   float64                    // of calls that go wrong
	sent   map[string]map[string]bool // pending id: what was sent for it
	home   map[string]string          // pending id: the relay's journal
	early  []string                   // what left before it was journaled

	highest           int64
	reorganised, lost int // blocks taken back, and payments lost with them
}

func newBadTatum(t *testing.T, seed uint64, rate float64) *badTatum {
	t.Helper()
	b := &badTatum{
		t: t, signer: relaytest.NewSigner(2), random: rand.New(rand.NewPCG(seed, 1)), rate: rate,
		sent: make(map[string]map[string]bool), home: make(map[string]string),
	}
	store, err := records.Open(t.Context(), filepath.Join(t.TempDir(), "records.sqlite"))
	if err != nil {
		t.Fatal(err)
	}
	miner, err := store.Miner(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	params, err := utxo.ParamsOf(chain.Coin{Chain: chain.LTC, Network: chain.Testnet})
	if err != nil {
		t.Fatal(err)
	}
	b.chain = simchain.New(params, time.Now)
	s, err := sandbox.New(t.Context(), sandbox.Config{
		Nodes: map[chain.ID]sandbox.Node{chain.LTC: b.chain}, Store: store, Miner: miner, APIKey: testKey,
		Faults: sandbox.Faults{Wrap: b.wrap, Unmarked: func(string) bool { return b.chance(0.4) }},
	})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(s)
	t.Cleanup(func() {
		server.CloseClientConnections()
		server.Close()
		_ = store.Close()
	})
	b.url = server.URL
	return b
}

func (b *badTatum) chance(p float64) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.random.Float64() < p
}

// wrap books what is sent, and misbehaves.
func (b *badTatum) wrap(next http.Handler) http.Handler {
	lose := sandbox.LoseReplies(func(*http.Request) bool { return true })(next)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("User-Agent") != "coldkms" { // the test itself
			next.ServeHTTP(w, r)
			return
		}
		if strings.HasSuffix(r.URL.Path, "/broadcast") {
			b.book(r)
		}
		if !b.chance(b.rate) {
			next.ServeHTTP(w, r)
			return
		}
		b.mu.Lock()
		kind := b.random.IntN(11)
		b.mu.Unlock()
		switch kind {
		case 0, 1:
			lose.ServeHTTP(w, r)
		case 2:
			http.Error(w, `{"errorCode":"x","message":"y","statusCode":500}`, http.StatusInternalServerError)
		case 3:
			http.Error(w, "<html>Bad Gateway</html>", http.StatusBadGateway)
		case 4:
			http.Error(w, `{"message":"slow down"}`, http.StatusTooManyRequests)
		case 5: // hangs, until the relay gives up or is killed
			select {
			case <-r.Context().Done():
			case <-time.After(200 * time.Millisecond):
			}
			panic(http.ErrAbortHandler)
		case 6: // half a body
			w.Header().Set("Content-Length", "1000")
			_, _ = io.WriteString(w, `{"txId":"00`)
			panic(http.ErrAbortHandler)
		case 7: // an index that lags: what is there is not found
			if strings.HasPrefix(r.Method+" "+r.URL.Path, "GET /v3/litecoin/transaction/") {
				http.Error(w, `{"errorCode":"tx.not.found","message":"not found","statusCode":404}`, http.StatusNotFound)
				return
			}
			next.ServeHTTP(w, r)
		case 8: // a page of some proxy, in the place of any answer
			http.Error(w, "<html>404 Not Found</html>", http.StatusNotFound)
		case 9: // it is known already, whether it is or not
			if strings.HasSuffix(r.URL.Path, "/broadcast") {
				http.Error(w, `{"errorCode":"litecoin.broadcast.failed","message":"txn-already-known","statusCode":403}`, http.StatusForbidden)
				return
			}
			next.ServeHTTP(w, r)
		case 10: // the newest blocks are gone between two calls
			b.reorganise()
			next.ServeHTTP(w, r)
		}
	})
}

// reorganise takes some blocks off the chain. Some of the payments in them are
// in no block now, some are lost altogether.
func (b *badTatum) reorganise() {
	b.mu.Lock()
	defer b.mu.Unlock()
	tip, err := b.chain.Tip(b.t.Context())
	if err != nil {
		return
	}
	b.highest = max(b.highest, tip.Height)
	room := int64(2*depth-1) - (b.highest - tip.Height) // deeper, the relay does not look any more
	if room <= 0 {
		return
	}
	b.reorganised++
	b.chain.Reorganise(min(1+b.random.IntN(3), int(room)), func(*wire.MsgTx) bool {
		gone := b.random.IntN(2) == 0
		if gone {
			b.lost++
		}
		return gone
	})
}

// mine makes blocks.
func (b *badTatum) mine(n int) {
	b.t.Helper()
	if err := b.chain.Mine(b.t.Context(), n); err != nil {
		b.t.Fatal(err)
	}
	tip, _ := b.chain.Tip(b.t.Context())
	b.mu.Lock()
	defer b.mu.Unlock()
	b.highest = max(b.highest, tip.Height)
}

// confirmed reports whether a transaction is in a block.
func (b *badTatum) confirmed(txid string) bool {
	b.t.Helper()
	id, err := chainhash.NewHashFromStr(txid)
	if err != nil {
		return false
	}
	tx, err := b.chain.Tx(b.t.Context(), *id)
	return err == nil && tx.Height != sandbox.Unconfirmed
}

// book writes down what was sent, and looks whether the relay's journal has it.
func (b *badTatum) book(r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return // it was killed in mid-sentence: nothing arrives
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	var said struct{ TxData, SignatureID string }
	if json.Unmarshal(body, &said) != nil {
		return
	}
	b.mu.Lock()
	path := b.home[said.SignatureID]
	if b.sent[said.SignatureID] == nil {
		b.sent[said.SignatureID] = make(map[string]bool)
	}
	b.sent[said.SignatureID][said.TxData] = true
	b.mu.Unlock()
	if held, err := journaled(r.Context(), path, said.SignatureID); err != nil || held != said.TxData {
		b.mu.Lock()
		b.early = append(b.early, fmt.Sprintf("%s: sent %.40s, the journal has %.40s (%v)", said.SignatureID, said.TxData, held, err))
		b.mu.Unlock()
	}
}

// journaled returns the signed bytes that a journal holds, seen from outside.
func journaled(ctx context.Context, where, id string) (string, error) {
	if where == "" {
		return "", fmt.Errorf("no journal is known for %q", id)
	}
	driver, address, parameter := "sqlite", "file:"+where+"?mode=ro&_pragma=busy_timeout(10000)", "?"
	if journal.IsAddress(where) {
		driver, address, parameter = "pgx", where, "$1"
	}
	db, err := sql.Open(driver, address)
	if err != nil {
		return "", err
	}
	defer db.Close()
	var signed []byte
	err = db.QueryRowContext(context.WithoutCancel(ctx), "SELECT signed FROM items WHERE id = "+parameter, id).Scan(&signed)
	return hex.EncodeToString(signed), err
}

// call is a call of the test itself.
func (b *badTatum) call(method, path string, body, reply any) {
	b.t.Helper()
	(&world{t: b.t, url: b.url}).api(method, path, body, reply)
}

// watch is the signer's watch file for its one key.
func (b *badTatum) watch() []byte {
	w, err := bundle.SealWatch(bundle.Watch{Created: 1, Entries: []bundle.WatchEntry{
		{SignatureID: relaytest.SignatureID, Coin: chain.Coin{Chain: chain.LTC, Network: chain.Testnet}, PubKey: b.signer.Coin.PubKey().SerializeCompressed()},
	}}, b.signer.Identity)
	if err != nil {
		b.t.Fatal(err)
	}
	return w.File
}

// pay makes n payments wait, each from an output of its own, for the relays
// with this journal.
func (b *badTatum) pay(n int, where string) []string {
	b.t.Helper()
	params, err := utxo.ParamsOf(chain.Coin{Chain: chain.LTC, Network: chain.Testnet})
	if err != nil {
		b.t.Fatal(err)
	}
	address, _ := params.KeyAddress(b.signer.Coin.PubKey().SerializeCompressed())
	outputs := make([]map[string]string, n)
	for i := range outputs {
		outputs[i] = map[string]string{"address": address, "amount": "0.01"}
	}
	var fund struct{ TxID string }
	b.call("POST", "/sandbox/faucet", map[string]any{"chain": "LTC", "outputs": outputs, "mine": true}, &fund)
	ids := make([]string, n)
	for i := range ids {
		var made struct{ SignatureID string }
		b.call("POST", "/v3/litecoin/transaction", map[string]any{
			"fromUTXO": []any{map[string]any{"txHash": fund.TxID, "index": i, "signatureId": relaytest.SignatureID}},
			"to":       []any{map[string]any{"address": address, "value": 0.009}},
		}, &made)
		ids[i] = made.SignatureID
		b.mu.Lock()
		b.home[ids[i]] = where
		b.mu.Unlock()
	}
	return ids
}

// txID is under which Tatum has completed a pending transaction.
func (b *badTatum) txID(id string) string {
	b.t.Helper()
	var kms struct{ TxID string }
	b.call("GET", "/v3/kms/"+id, nil, &kms)
	return kms.TxID
}

// distinct is how many byte strings were sent for a pending id.
func (b *badTatum) distinct(id string) int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.sent[id])
}
