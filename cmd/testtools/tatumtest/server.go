// Package tatumtest is a Tatum in memory, for tests that need its replies and
// its faults and no Bitcoin node. It judges nothing: what is sent to it is
// broadcast.
package tatumtest

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/btcsuite/btcd/chainhash/v2"

	"coldkms/shared/chain/utxo"
)

// Key is the API key that a Server accepts.
const Key = "t-test-key-0123456789"

// Server is the API. Its fields may be set before or between calls.
type Server struct {
	URL      string
	Accounts Accounts // set: the chain is one with accounts

	mu       sync.Mutex
	pending  []map[string]any
	byName   map[string]map[string]any // the first of each id, as it was added
	raw      map[string]string         // txid: hex of what is on the chain
	calls    map[string]int
	sent     []string
	reported []string
	fault    func(http.ResponseWriter, *http.Request) bool
	noHex    bool
	sentMode string
	height   int64            // of the chain
	blocks   map[string]int64 // txid: the block it is in

	cancelled map[string]bool // withdrawals
}

// New starts a server that lives as long as the test.
func New(t testing.TB) *Server {
	s, stop := Start()
	t.Cleanup(stop)
	return s
}

// Start starts a server, and returns what stops it.
func Start() (s *Server, stop func()) {
	s = Memory()
	srv := httptest.NewServer(s)
	s.URL = srv.URL
	return s, srv.Close
}

// Fault makes f see every call first; what it answers (true) is not handled
// any further. nil ends that.
func (s *Server) Fault(f func(http.ResponseWriter, *http.Request) bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fault = f
}

// Faulty returns what Fault was given; it handles nothing if that was nil.
func (s *Server) Faulty() func(http.ResponseWriter, *http.Request) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.fault != nil {
		return s.fault
	}
	return func(http.ResponseWriter, *http.Request) bool { return false }
}

// FailOnce answers the next call whose method and path start with prefix
// with a status and body, and calls before first.
func (s *Server) FailOnce(prefix string, status int, body string, before func()) {
	done := false
	s.Fault(func(w http.ResponseWriter, r *http.Request) bool {
		if done || !strings.HasPrefix(r.Method+" "+r.URL.Path, prefix) {
			return false
		}
		done = true
		if before != nil {
			before()
		}
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
		return true
	})
}

// WithoutHex makes transaction replies come without hex.
func (s *Server) WithoutHex() { s.mu.Lock(); defer s.mu.Unlock(); s.noHex = true }

// Reply sets how broadcasts are answered: "" as when all went well, "failed"
// or "incomplete" as when the node took it and marking it failed, "lost" by
// cutting the connection after it was sent.
func (s *Server) Reply(mode string) { s.mu.Lock(); defer s.mu.Unlock(); s.sentMode = mode }

// Add puts a pending transaction, as JSON, in front of everybody.
func (s *Server) Add(pending []byte) {
	var m map[string]any
	dec := json.NewDecoder(strings.NewReader(string(pending)))
	dec.UseNumber()
	if err := dec.Decode(&m); err != nil {
		panic(err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.pending = append(s.pending, m)
	if id, _ := m["id"].(string); s.byName[id] == nil {
		s.byName[id] = m
	}
}

// Change sets a field of a pending transaction.
func (s *Server) Change(id, field string, value any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if p := s.find(id); p != nil {
		p[field] = value
	}
}

// Chain puts a transaction on the chain and returns its txid.
func (s *Server) Chain(hexTx string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.chain(hexTx)
}

func (s *Server) chain(hexTx string) string {
	raw, err := hex.DecodeString(hexTx)
	if err != nil {
		return ""
	}
	id := ""
	if s.Accounts != nil {
		id = s.Accounts.TxID(raw)
	} else if stripped, err := utxo.StripWitness(raw); err == nil {
		id = chainhash.DoubleHashH(stripped).String()
	}
	if id == "" {
		return ""
	}
	s.raw[id] = hexTx
	return id
}

// Mine puts what is not in a block yet into the next one, and n-1 on top.
func (s *Server) Mine(n int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for id := range s.raw {
		if s.blocks[id] == 0 {
			s.blocks[id] = s.height + 1
		}
	}
	s.height += n
}

// Put puts a transaction into the block of a height.
func (s *Server) Put(txid string, height int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.blocks[txid] = height
}

// Unmine takes a transaction out of its block, as a reorganisation does.
func (s *Server) Unmine(txid string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.blocks, txid)
}

// Reorganise takes every transaction out of the newest n blocks. They wait to
// be mined again. It returns their ids, in order.
func (s *Server) Reorganise(n int64) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []string
	for txid, block := range s.blocks {
		if block > s.height-n {
			delete(s.blocks, txid)
			out = append(out, txid)
		}
	}
	s.height = max(0, s.height-n)
	slices.Sort(out)
	return out
}

// Height is that of the chain.
func (s *Server) Height() int64 { s.mu.Lock(); defer s.mu.Unlock(); return s.height }

// InBlock returns a transaction in the block of a height, "" if it has none.
func (s *Server) InBlock(height int64) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	for txid, at := range s.blocks {
		if at == height {
			return txid
		}
	}
	return ""
}

// Block returns the height of a transaction's block, 0 if it is in none.
func (s *Server) Block(txid string) int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.blocks[txid]
}

// Forget drops a transaction from the network, as when its fee is too low.
func (s *Server) Forget(txid string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.raw, txid)
	delete(s.blocks, txid)
}

// Calls counts the calls whose method and path start with prefix.
func (s *Server) Calls(prefix string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := 0
	for k, v := range s.calls {
		if strings.HasPrefix(k, prefix) {
			n += v
		}
	}
	return n
}

// Sent lists every signed transaction that was sent, repeats included.
func (s *Server) Sent() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string(nil), s.sent...)
}

// Reported lists the pending ids whose errors were reported.
func (s *Server) Reported() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string(nil), s.reported...)
}

// TxID returns the txid under which a pending transaction was completed.
func (s *Server) TxID(id string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	txid, _ := s.find(id)["txId"].(string)
	return txid
}

func (s *Server) find(id string) map[string]any {
	if p := s.byName[id]; p != nil && p["id"] == id {
		return p
	}
	for _, p := range s.pending { // it was changed, or is there twice
		if p["id"] == id {
			return p
		}
	}
	return nil
}

// ServeHTTP implements http.Handler.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	s.calls[r.Method+" "+r.URL.Path]++
	fault := s.fault
	s.mu.Unlock()
	if fault != nil && fault(w, r) {
		return
	}
	s.Serve(w, r)
}

// Serve answers a call without any Fault.
func (s *Server) Serve(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if r.Header.Get("x-api-key") != Key {
		s.fail(w, http.StatusUnauthorized, "subscription.invalid",
			"Unable to find valid subscription for '"+r.Header.Get("x-api-key")+"'")
		return
	}
	body, _ := io.ReadAll(r.Body)
	s.route(w, r, body)
}

func (s *Server) route(w http.ResponseWriter, r *http.Request, body []byte) {
	parts := strings.Split(strings.Trim(r.URL.Path, "/"), "/")
	at := func(i int) string {
		if i < len(parts) {
			return parts[i]
		}
		return ""
	}
	switch path := r.Method + " " + r.URL.Path; {
	case strings.HasPrefix(path, "POST /v3/kms/pending/"):
		s.list(w, at(3), body)
	case strings.HasPrefix(path, "GET /v3/kms/"):
		s.byID(w, at(2), func(p map[string]any) { s.json(w, p) })
	case strings.HasPrefix(path, "PUT /v3/kms/"):
		s.byID(w, at(2), func(p map[string]any) { p["txId"] = at(3); w.WriteHeader(http.StatusNoContent) })
	case strings.HasPrefix(path, "DELETE /v3/kms/"):
		s.byID(w, at(2), func(p map[string]any) { delete(p, "id"); w.WriteHeader(http.StatusNoContent) })
	case path == "POST /v3/bitcoin/broadcast", path == "POST /v3/offchain/withdrawal/broadcast":
		s.broadcast(w, body)
	case strings.HasPrefix(path, "PUT /v3/offchain/withdrawal/"):
		for _, p := range s.pending {
			if p["withdrawalId"] == at(3) && !s.cancelled[at(3)] {
				p["txId"] = at(4)
				w.WriteHeader(http.StatusNoContent)
				return
			}
		}
		s.fail(w, http.StatusForbidden, "withdrawal.unexpected.state", "not in progress")
	case path == "GET /v3/offchain/withdrawal":
		s.withdrawals(w, r.URL.Query())
	case strings.HasPrefix(path, "GET /v3/bitcoin/transaction/address/"):
		s.ofAddress(w, at(4), r.URL.Query())
	case strings.HasPrefix(path, "GET /v3/bitcoin/utxo/"):
		s.output(w, at(3), at(4))
	case strings.HasPrefix(path, "GET /v3/bitcoin/transaction/"):
		s.transaction(w, at(3))
	case strings.HasPrefix(path, "POST /v3/blockchain/node/"):
		s.node(w, body)
	case path == "GET /v3/bitcoin/info":
		s.json(w, map[string]any{"blocks": s.height})
	case path == "POST /v3/tatum/kms/batch":
		s.report(w, body)
	case path == "GET /v3/tatum/version":
		s.json(w, map[string]string{"version": "test"})
	default:
		s.fail(w, http.StatusNotFound, "not.found", "no such endpoint")
	}
}

func (s *Server) list(w http.ResponseWriter, chain string, body []byte) {
	var ask struct{ SignatureIDs []string }
	_ = json.Unmarshal(body, &ask)
	wanted := make(map[string]bool)
	for _, id := range ask.SignatureIDs {
		wanted[id] = true
	}
	found := []map[string]any{}
	for _, p := range s.pending {
		if p["id"] != nil && p["chain"] == chain && p["txId"] == nil && names(p, wanted) {
			found = append(found, p)
		}
	}
	s.json(w, found)
}

func names(p map[string]any, wanted map[string]bool) bool {
	hashes, _ := p["hashes"].([]any)
	for _, h := range hashes {
		if id, _ := h.(string); wanted[id] {
			return true
		}
	}
	signatures, _ := p["signatures"].([]any)
	for _, h := range signatures {
		m, _ := h.(map[string]any)
		if id, _ := m["id"].(string); wanted[id] {
			return true
		}
	}
	return false
}

func (s *Server) byID(w http.ResponseWriter, id string, then func(map[string]any)) {
	if p := s.find(id); p != nil {
		then(p)
		return
	}
	s.fail(w, http.StatusForbidden, "kms.missing", "No such pending transaction")
}

func (s *Server) broadcast(w http.ResponseWriter, body []byte) {
	var ask struct{ TxData, SignatureID, WithdrawalID string }
	_ = json.Unmarshal(body, &ask)
	s.sent = append(s.sent, ask.TxData)
	p := s.find(ask.SignatureID)
	before := len(s.raw)
	id := s.chain(ask.TxData)
	if id == "" || len(s.raw) == before || p == nil {
		s.fail(w, http.StatusForbidden, "blockchain.broadcast.error", "txn-already-in-mempool")
		return
	}
	switch s.sentMode {
	case "lost":
		panic(http.ErrAbortHandler)
	case "failed":
		s.json(w, map[string]any{"txId": id, "failed": true})
	case "incomplete":
		s.json(w, map[string]any{"txId": id, "completed": false})
	default:
		p["txId"] = id
		if ask.WithdrawalID == "" {
			s.json(w, map[string]any{"txId": id})
			return
		}
		s.json(w, map[string]any{"txId": id, "completed": true})
	}
}

func (s *Server) transaction(w http.ResponseWriter, txid string) {
	h, ok := s.raw[txid]
	switch {
	case !ok:
		s.fail(w, http.StatusNotFound, "tx.not.found", "Transaction not found")
	default:
		reply := map[string]any{"hash": txid, "fee": 1, "inputs": []any{}}
		if !s.noHex {
			reply["hex"] = h
		}
		if block := s.blocks[txid]; block > 0 {
			reply["blockNumber"] = block
		}
		s.json(w, reply)
	}
}

func (s *Server) node(w http.ResponseWriter, body []byte) {
	var ask struct {
		Method string
		Params []any
	}
	_ = json.Unmarshal(body, &ask)
	txid, _ := ask.Params[0].(string)
	switch height, _ := ask.Params[0].(float64); ask.Method {
	case "getblockhash":
		s.json(w, map[string]any{"result": fmt.Sprintf("%064x", int64(height)), "error": nil, "id": 1})
		return
	case "getblock":
		s.block(w, txid)
		return
	case "gettxout":
		s.unspent(w, txid, ask.Params)
		return
	}
	if h, ok := s.raw[txid]; ok {
		s.json(w, map[string]any{"result": h, "error": nil, "id": 1})
		return
	}
	w.WriteHeader(http.StatusInternalServerError)
	s.json(w, map[string]any{"result": nil,
		"error": map[string]any{"code": -5, "message": "No such mempool or blockchain transaction"}, "id": 1})
}

// block answers with the txids in the block of a hash, which is its height.
func (s *Server) block(w http.ResponseWriter, hash string) {
	height, _ := strconv.ParseInt(hash, 16, 64)
	txids := []string{strings.Repeat("c0", 32)}
	for txid, at := range s.blocks {
		if at == height {
			txids = append(txids, txid)
		}
	}
	s.json(w, map[string]any{"result": map[string]any{"hash": hash, "height": height,
		"confirmations": s.height - height + 1, "tx": txids}, "error": nil, "id": 1})
}

func (s *Server) report(w http.ResponseWriter, body []byte) {
	var ask struct {
		Errors []struct{ SignatureID string }
	}
	_ = json.Unmarshal(body, &ask)
	for _, e := range ask.Errors {
		s.reported = append(s.reported, e.SignatureID)
	}
	w.WriteHeader(http.StatusNoContent)
}

func (s *Server) json(w http.ResponseWriter, v any) { _ = json.NewEncoder(w).Encode(v) }

func (s *Server) fail(w http.ResponseWriter, status int, code, message string) {
	w.WriteHeader(status)
	fmt.Fprintf(w, `{"errorCode":%q,"message":%q,"statusCode":%d}`, code, message, status)
}
