package tatumtest

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/btcsuite/btcd/wire/v2"

	"coldkms/shared/chain"
	"coldkms/shared/chain/utxo"
)

// Cancel cancels a withdrawal, and leaves its pending transaction as it is.
func (s *Server) Cancel(withdrawalID string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.cancelled == nil {
		s.cancelled = make(map[string]bool)
	}
	s.cancelled[withdrawalID] = true
}

// withdrawals lists the withdrawals of all pending transactions.
func (s *Server) withdrawals(w http.ResponseWriter, query url.Values) {
	list := []map[string]any{}
	for _, p := range s.pending {
		id, _ := p["withdrawalId"].(string)
		if id == "" {
			continue
		}
		line := map[string]any{"id": id, "status": "InProgress"}
		switch {
		case s.cancelled[id]:
			line["status"] = "Cancelled"
		case p["txId"] != nil:
			line["status"], line["transactionHash"] = "Done", p["txId"]
		}
		list = append(list, line)
	}
	s.json(w, page(list, query))
}

// ofAddress lists the transactions that pay to or spend from an address.
func (s *Server) ofAddress(w http.ResponseWriter, address string, query url.Values) {
	if s.Accounts != nil {
		s.ofAccount(w, address, query)
		return
	}
	params, err := utxo.ParamsOf(chain.Coin{Chain: chain.BTC, Network: chain.Testnet})
	if err != nil {
		panic(err)
	}
	script, err := params.ScriptOf(address)
	if err != nil {
		s.fail(w, http.StatusBadRequest, "validation.failed", err.Error())
		return
	}
	list := []map[string]any{}
	for id, raw := range s.raw {
		msg := read(raw)
		if msg == nil || !s.touches(msg, script) {
			continue
		}
		inputs := []any{}
		for _, in := range msg.TxIn {
			op := in.PreviousOutPoint
			inputs = append(inputs, map[string]any{"prevout": map[string]any{"hash": op.Hash.String(), "index": op.Index}})
		}
		list = append(list, map[string]any{"hash": id, "inputs": inputs})
	}
	slices.SortFunc(list, func(a, b map[string]any) int {
		return bytes.Compare([]byte(a["hash"].(string)), []byte(b["hash"].(string)))
	})
	s.json(w, page(list, query))
}

// Accounts reads the transactions of a chain with accounts.
type Accounts interface {
	TxID(raw []byte) string // "" where it is no transaction
	Sender(raw []byte) (from string, nonce uint64)
}

// ofAccount lists the transactions that an account made.
func (s *Server) ofAccount(w http.ResponseWriter, address string, query url.Values) {
	list := []map[string]any{}
	for id, text := range s.raw {
		raw, _ := hex.DecodeString(text)
		if from, nonce := s.Accounts.Sender(raw); from == address {
			list = append(list, map[string]any{"hash": id, "from": from, "nonce": nonce})
		}
	}
	slices.SortFunc(list, func(a, b map[string]any) int { return strings.Compare(a["hash"].(string), b["hash"].(string)) })
	s.json(w, page(list, query))
}

// output answers with one output, unless something spends it.
func (s *Server) output(w http.ResponseWriter, txid, index string) {
	n, err := strconv.ParseUint(index, 10, 32)
	msg := read(s.raw[txid])
	if err != nil || msg == nil || n >= uint64(len(msg.TxOut)) {
		s.fail(w, http.StatusNotFound, "tx.not.found", "no such output")
		return
	}
	if s.spent(txid, n) {
		s.fail(w, http.StatusForbidden, "tx.hash.index.spent", "spent")
		return
	}
	s.json(w, map[string]any{"hash": txid, "index": n, "value": msg.TxOut[n].Value,
		"script": hex.EncodeToString(msg.TxOut[n].PkScript)})
}

// unspent answers as gettxout does.
func (s *Server) unspent(w http.ResponseWriter, txid string, params []any) {
	var n float64 = -1
	if len(params) > 1 {
		n, _ = params[1].(float64)
	}
	msg := read(s.raw[txid])
	var result any
	if msg != nil && n >= 0 && int(n) < len(msg.TxOut) && !s.spent(txid, uint64(n)) {
		out := msg.TxOut[int(n)]
		result = map[string]any{"bestblock": fmt.Sprintf("%064x", s.height), "value": out.Value,
			"scriptPubKey": map[string]any{"hex": hex.EncodeToString(out.PkScript)}}
	}
	s.json(w, map[string]any{"result": result, "error": nil, "id": 1})
}

// spent reports whether something spends an output.
func (s *Server) spent(txid string, n uint64) bool {
	for _, raw := range s.raw {
		spender := read(raw)
		for i := range spender.TxIn {
			if op := spender.TxIn[i].PreviousOutPoint; op.Hash.String() == txid && uint64(op.Index) == n {
				return true
			}
		}
	}
	return false
}

func (s *Server) touches(msg *wire.MsgTx, script []byte) bool {
	for _, out := range msg.TxOut {
		if bytes.Equal(out.PkScript, script) {
			return true
		}
	}
	for _, in := range msg.TxIn {
		prev := read(s.raw[in.PreviousOutPoint.Hash.String()])
		if at := in.PreviousOutPoint.Index; prev != nil && int(at) < len(prev.TxOut) &&
			bytes.Equal(prev.TxOut[at].PkScript, script) {
			return true
		}
	}
	return false
}

func read(text string) *wire.MsgTx {
	raw, err := hex.DecodeString(text)
	var msg wire.MsgTx
	if err != nil || msg.Deserialize(bytes.NewReader(raw)) != nil {
		return nil
	}
	return &msg
}

func page(list []map[string]any, query url.Values) []map[string]any {
	size, _ := strconv.Atoi(query.Get("pageSize"))
	offset, _ := strconv.Atoi(query.Get("offset"))
	from := min(max(offset, 0), len(list))
	return list[from:min(from+max(size, 1), len(list))]
}
