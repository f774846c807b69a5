package tatum

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"

	"coldkms/shared/chain"
)

// Sighting is what the network knows of a transaction.
type Sighting struct {
	Known         bool
	Confirmations int64 // 0: in the memory pool
	Height        int64 // of its block; 0: the reply does not say
}

// Mined is the block that a transaction is in, as claimed.
type Mined struct {
	Height, Confirmations int64 // both 0: it is in none
}

// maxDepth bounds what a reply may claim.
const maxDepth = 1 << 40

var (
	errShell = errors.New("the reply names the transaction and has nothing of it, and no node has its bytes: whether the network has it is unclear")
	errBare  = errors.New("the reply has the transaction without what makes it valid, and no node has more of it: whether the network has it is unclear")
	errDepth = errors.New("heights and confirmations in the replies contradict each other: how deep it is, is unclear")
)

// minedReply is a transaction with the block it is in. BTC and LTC say
// blockNumber, others confirmations.
type minedReply struct {
	transactionReply
	Block         json.RawMessage `json:"blockNumber"`
	Confirmations json.RawMessage `json:"confirmations"`
}

// Whole returns the id of a transaction's bytes, "" where they are none, and
// reports whether its signatures are there too: an id does not say so.
type Whole func(raw []byte) (txid string, whole bool)

// Known reports whether the chain, or a node's memory pool, has a
// transaction. Only its whole bytes say yes; false is Tatum's own word, and may
// be late.
func (c *Client) Known(ctx context.Context, id chain.ID, txid string, whole Whole) (bool, error) {
	seen, _, err := c.look(ctx, id, txid, whole, 0)
	return seen, err
}

// Sight looks for a transaction, of which the reply or a node must have the
// whole bytes, and how deep it is in the chain.
func (c *Client) Sight(ctx context.Context, id chain.ID, txid string, whole Whole) (Sighting, error) {
	known, reply, err := c.look(ctx, id, txid, whole, Watch)
	if err != nil || !known {
		return Sighting{}, err
	}
	block, stated := number(reply.Block), number(reply.Confirmations)
	if block == 0 {
		return Sighting{Known: true, Confirmations: stated}, nil
	}
	at, err := c.depth(ctx, id, txid, block, reply.Confirmations)
	return Sighting{err == nil, at.Confirmations, at.Height}, err
}

// look asks for a transaction and makes sure that its bytes are there.
func (c *Client) look(ctx context.Context, id chain.ID, txid string, whole Whole, p Purpose) (bool, minedReply, error) {
	reply, err := c.mined(ctx, id, txid, p)
	if IsNotFound(err) {
		return false, reply, nil
	}
	if err == nil {
		err = c.shown(ctx, id, txid, reply.Hex, whole)
	}
	return err == nil, reply, err
}

func (c *Client) mined(ctx context.Context, id chain.ID, txid string, p Purpose) (minedReply, error) {
	var reply minedReply
	name, err := segment(id)
	if err != nil {
		return reply, err
	}
	err = c.do(ctx, call{kind: "transaction", line: lineOf(id), cost: dear(id, 1), purpose: p, op: "transaction " + txid, method: http.MethodGet, path: "/v3/" + name + "/transaction/" + url.PathEscape(txid), into: &reply})
	if err == nil {
		err = reply.about(txid)
	}
	return reply, err
}

// shown makes sure that the whole bytes of a transaction are there: the reply's,
// or a node's where the reply does not have them.
func (c *Client) shown(ctx context.Context, id chain.ID, txid string, inReply json.RawMessage, whole Whole) error {
	raw, err := hex.DecodeString(text(inReply))
	if err != nil {
		return unclear(txid, errOtherReply)
	}
	if len(raw) > 0 {
		switch is, signed := whole(raw); {
		case is != txid:
			return unclear(txid, errOtherReply)
		case signed:
			return nil
		}
	}
	has, err := c.NodeHas(ctx, id, txid, whole)
	if err == nil && !has {
		err = unclear(txid, errShell)
	}
	return err
}

// NodeHas asks a node, and no index, for a transaction in its chain or memory pool.
// Only the whole bytes say yes; false is the node's own word.
func (c *Client) NodeHas(ctx context.Context, id chain.ID, txid string, whole Whole) (bool, error) {
	raw, err := c.nodeTransaction(ctx, id, txid)
	switch {
	case IsNotFound(err):
		return false, nil
	case err != nil:
		return false, err
	}
	switch is, signed := whole(raw); {
	case is != txid:
		return false, unclear(txid, errOtherReply)
	case !signed:
		return false, unclear(txid, errBare)
	}
	return true, nil
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

// Height asks for the height of the block that a transaction is in, 0 if it is in
// none. It is not compared with anything.
func (c *Client) Height(ctx context.Context, id chain.ID, txid string) (int64, error) {
	reply, err := c.mined(ctx, id, txid, Watch)
	if err != nil {
		return 0, err
	}
	block, stated := number(reply.Block), number(reply.Confirmations)
	if block > 0 || stated == 0 {
		return block, nil
	}
	tip, err := c.tip(ctx, id)
	return tip - stated + 1, err
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
	err = c.do(ctx, call{kind: "info", line: lineOf(id), cost: 5, purpose: Watch, op: "chain info", method: http.MethodGet, path: "/v3/" + name + "/info", into: &reply})
	return number(reply.Blocks), err
}

// number returns a JSON integer that can be a height, 0 for anything else.
func number(raw json.RawMessage) int64 {
	var n int64
	if json.Unmarshal(raw, &n) != nil || n < 0 || n > maxDepth {
		return 0
	}
	return n
}
