package tatum

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strings"

	"coldkms/shared/chain"
)

// transactionReply is what the chains' replies have in common: BTC and LTC
// say hash, DOGE and BCH txid (and there hash may be the id with witness).
type transactionReply struct {
	Hash json.RawMessage `json:"hash"`
	TxID json.RawMessage `json:"txid"`
	Hex  json.RawMessage `json:"hex"`
}

func (c *Client) transaction(ctx context.Context, id chain.ID, txid string) (transactionReply, error) {
	name, err := segment(id)
	if err != nil {
		return transactionReply{}, err
	}
	var reply transactionReply
	err = c.do(ctx, call{kind: "transaction", line: lineOf(id), cost: dear(id, 1), op: "transaction " + txid,
		method: http.MethodGet, path: "/v3/" + name + "/transaction/" + url.PathEscape(txid), into: &reply})
	return reply, err
}

// errOtherReply is about a reply that does not speak of what was asked for.
var errOtherReply = errors.New("the reply is about something else")

// about checks that a reply is about a transaction: anything else says
// nothing about it.
func (r transactionReply) about(txid string) error {
	if text(r.Hash) != txid && text(r.TxID) != txid {
		return &Error{Op: "transaction " + txid, Status: http.StatusOK, err: errOtherReply}
	}
	return nil
}

// RawTransaction returns the bytes of a transaction, as claimed: from the
// transaction reply where it has them, else from a node. IsNotFound tells
// that both say it does not exist.
func (c *Client) RawTransaction(ctx context.Context, id chain.ID, txid string) ([]byte, error) {
	if _, known := c.noHex.Load(id); known { // one call each, not two
		return c.nodeTransaction(ctx, id, txid)
	}
	reply, first := c.transaction(ctx, id, txid)
	if first == nil {
		if raw, err := hex.DecodeString(text(reply.Hex)); err == nil && len(raw) > 0 {
			return raw, nil
		}
		raw, err := c.nodeTransaction(ctx, id, txid)
		if err == nil {
			c.noHex.Store(id, true)
		}
		return raw, err
	}
	if IsAuth(first) || IsUnreachable(first) {
		return nil, first
	}
	raw, err := c.nodeTransaction(ctx, id, txid)
	if err != nil && IsNotFound(err) && !IsNotFound(first) {
		return nil, first // one of them may still have it
	}
	return raw, err
}

// rpcNoSuch is what a node says of a transaction that it does not have
// (Bitcoin Core, rpc/protocol.h: RPC_INVALID_ADDRESS_OR_KEY).
const rpcNoSuch = -5

type rpcReply struct {
	Result json.RawMessage `json:"result"`
	Error  *struct {
		Code    int `json:"code"`
		Message any `json:"message"`
	} `json:"error"`
}

var errNoTransaction = errors.New("reply has no transaction in hex")

// nodeTransaction asks a node for the bytes of a transaction.
func (c *Client) nodeTransaction(ctx context.Context, id chain.ID, txid string) ([]byte, error) {
	result, err := c.node(ctx, id, txid, "getrawtransaction", txid, false)
	if err != nil {
		return nil, err
	}
	var verbose struct {
		Hex json.RawMessage `json:"hex"`
	}
	h := text(result)
	if h == "" && json.Unmarshal(result, &verbose) == nil {
		h = text(verbose.Hex)
	}
	raw, err := hex.DecodeString(h)
	if err != nil || len(raw) == 0 {
		return nil, &Error{Op: "node getrawtransaction " + txid, Status: http.StatusOK, err: errNoTransaction}
	}
	return raw, nil
}

// node asks a node. The API key is a part of this address.
func (c *Client) node(ctx context.Context, id chain.ID, about, method string, params ...any) (json.RawMessage, error) {
	var reply rpcReply
	k := call{
		kind: "node", line: lineOfNode(id), cost: 2, op: "node " + method + " " + about, method: http.MethodPost, limit: maxBlock,
		path:  "/v3/blockchain/node/" + url.PathEscape(string(id)) + "/" + url.PathEscape(c.key) + "/",
		body:  map[string]any{"jsonrpc": "2.0", "method": method, "params": params, "id": 1},
		into:  &reply,
		final: func(e *Error) bool { return rpcErrorIn(e) }, // a node's own no comes as HTTP 500
	}
	err := c.do(ctx, k)
	var failed *Error
	if errors.As(err, &failed) && rpcErrorIn(failed) {
		_ = json.Unmarshal(failed.body, &reply)
		err = nil
	}
	if err != nil {
		return nil, err
	}
	if reply.Error != nil {
		absent := reply.Error.Code == rpcNoSuch
		status := http.StatusBadGateway
		if absent {
			status = http.StatusNotFound
		}
		return nil, &Error{Op: k.op, Status: status, absent: absent, Message: c.words(reply.Error.Message, maxMessage)}
	}
	return reply.Result, nil
}

func rpcErrorIn(e *Error) bool {
	var reply rpcReply
	return json.Unmarshal(e.body, &reply) == nil && reply.Error != nil && reply.Error.Code != 0
}

// text returns a JSON string in lower case, "" for anything else.
func text(raw json.RawMessage) string {
	var s string
	_ = json.Unmarshal(raw, &s)
	return strings.ToLower(s)
}
