package tatum

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"

	"github.com/btcsuite/btcd/chaincfg/chainhash"

	"coldkms/shared/chain"
	"coldkms/shared/chain/utxo"
)

// Sighting is what the network knows of a transaction.
type Sighting struct {
	Known         bool
	Confirmations int64 // 0: in the memory pool
}

// Mined is the block that a transaction is in, as claimed.
type Mined struct {
	Height, Confirmations int64 // both 0: it is in none
}

// maxDepth bounds what a reply may claim.
const maxDepth = 1 << 40

var (
	errShell = errors.New("the reply names the transaction and has nothing of it, and no node has its bytes: whether the network has it is unclear")
	errDepth = errors.New("heights and confirmations in the replies contradict each other: how deep it is, is unclear")
)

// minedReply is a transaction with the block it is in. BTC and LTC say
// blockNumber, others confirmations.
type minedReply struct {
	transactionReply
	Block         json.RawMessage `json:"blockNumber"`
	Confirmations json.RawMessage `json:"confirmations"`
}

// Known reports whether the chain, or a node's memory pool, has a
// transaction. Only its very bytes say yes; false is Tatum's own word, and may
// be late.
func (c *Client) Known(ctx context.Context, id chain.ID, txid string) (bool, error) {
	seen, _, err := c.look(ctx, id, txid, 0)
	return seen, err
}

// Sight looks for a transaction, of which the reply or a node must have the
// very bytes, and how deep it is in the chain.
func (c *Client) Sight(ctx context.Context, id chain.ID, txid string) (Sighting, error) {
	known, reply, err := c.look(ctx, id, txid, Watch)
	if err != nil || !known {
		return Sighting{}, err
	}
	block, stated := number(reply.Block), number(reply.Confirmations)
	if block == 0 {
		return Sighting{true, stated}, nil
	}
	at, err := c.depth(ctx, id, txid, block, reply.Confirmations)
	return Sighting{err == nil, at.Confirmations}, err
}

// look asks for a transaction and makes sure that its bytes are there.
func (c *Client) look(ctx context.Context, id chain.ID, txid string, p Purpose) (bool, minedReply, error) {
	reply, err := c.mined(ctx, id, txid, p)
	if IsNotFound(err) {
		return false, reply, nil
	}
	if err == nil {
		err = c.whole(ctx, id, txid, reply.Hex)
	}
	return err == nil, reply, err
}

func (c *Client) mined(ctx context.Context, id chain.ID, txid string, p Purpose) (minedReply, error) {
	var reply minedReply
	name, err := segment(id)
	if err != nil {
		return reply, err
	}
	err = c.do(ctx, call{kind: "transaction", cost: dear(id, 1), purpose: p, op: "transaction " + txid, method: http.MethodGet, path: "/v3/" + name + "/transaction/" + url.PathEscape(txid), into: &reply})
	if err == nil {
		err = reply.about(txid)
	}
	return reply, err
}

// whole makes sure that bytes are those of a transaction: the reply's, or a
// node's where the reply has none.
func (c *Client) whole(ctx context.Context, id chain.ID, txid string, inReply json.RawMessage) error {
	raw, err := hex.DecodeString(text(inReply))
	if err != nil {
		return unclear(txid, errOtherReply)
	}
	if len(raw) == 0 {
		raw, err = c.nodeTransaction(ctx, id, txid)
		if IsNotFound(err) {
			return unclear(txid, errShell)
		}
		if err != nil {
			return err
		}
	}
	stripped, err := utxo.StripWitness(raw)
	if err != nil || chainhash.DoubleHashH(stripped).String() != txid {
		return unclear(txid, errOtherReply)
	}
	return nil
}

func unclear(txid string, err error) error {
	return &Error{Op: "transaction " + txid, Status: http.StatusOK, err: err}
}

// Where asks in which block a transaction is. Its bytes are not asked for.
func (c *Client) Where(ctx context.Context, id chain.ID, txid string) (Mined, error) {
	reply, err := c.mined(ctx, id, txid, Watch)
	if err != nil {
		return Mined{}, err
	}
	block, stated := number(reply.Block), number(reply.Confirmations)
	switch {
	case block > 0:
		return c.depth(ctx, id, txid, block, reply.Confirmations)
	case stated == 0:
		return Mined{}, nil
	}
	tip, err := c.tip(ctx, id)
	if err == nil && stated > tip {
		err = unclear(txid, errDepth)
	}
	return Mined{tip - stated + 1, stated}, err
}

// depth computes confirmations from the height of a block. They must agree with
// those that are stated, but for a block that came in between.
func (c *Client) depth(ctx context.Context, id chain.ID, txid string, block int64, stated json.RawMessage) (Mined, error) {
	tip, err := c.tip(ctx, id)
	if err != nil {
		return Mined{}, err
	}
	at := Mined{block, tip - block + 1}
	var said *int64
	_ = json.Unmarshal(stated, &said) // anything else states nothing
	if at.Confirmations < 1 || said != nil && (*said < at.Confirmations-1 || *said > at.Confirmations+1 || *said < 1) {
		return Mined{}, unclear(txid, errDepth)
	}
	return at, nil
}

// tip is the height of the chain.
func (c *Client) tip(ctx context.Context, id chain.ID) (int64, error) {
	name, err := segment(id)
	if err != nil {
		return 0, err
	}
	var reply struct {
		Blocks json.RawMessage `json:"blocks"`
	}
	err = c.do(ctx, call{kind: "info", cost: 5, purpose: Watch, op: "chain info", method: http.MethodGet, path: "/v3/" + name + "/info", into: &reply})
	return number(reply.Blocks), err
}

// maxBlock bounds a reply with the txids of a block.
const maxBlock = 64 << 20

// Block asks a node for the txids in the block of a height.
func (c *Client) Block(ctx context.Context, id chain.ID, height int64) (map[string]bool, error) {
	raw, err := c.node(ctx, id, fmt.Sprintf("block hash of %d", height), "getblockhash", height)
	if err != nil {
		return nil, err
	}
	hash := text(raw)
	if _, err := chainhash.NewHashFromStr(hash); err != nil || len(hash) != 2*chainhash.HashSize {
		return nil, &Error{Op: "node getblockhash", Status: http.StatusOK, err: errOtherReply}
	}
	if raw, err = c.node(ctx, id, "block "+hash, "getblock", hash, 1); err != nil {
		return nil, err
	}
	var block struct {
		Height *int64   `json:"height"`
		TxIDs  []string `json:"tx"`
	}
	if json.Unmarshal(raw, &block) != nil || block.Height == nil || *block.Height != height || len(block.TxIDs) == 0 {
		return nil, &Error{Op: "node getblock", Status: http.StatusOK, err: errOtherReply}
	}
	list := make(map[string]bool, len(block.TxIDs))
	for _, txid := range block.TxIDs {
		list[txid] = true
	}
	return list, nil
}

// number gives a JSON integer that can be a height, 0 for anything else.
func number(raw json.RawMessage) int64 {
	var n int64
	if json.Unmarshal(raw, &n) != nil || n < 0 || n > maxDepth {
		return 0
	}
	return n
}
