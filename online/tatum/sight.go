package tatum

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"

	"coldkms/shared/chain"
)

// Sighting is what the network knows of a transaction.
type Sighting struct {
	Known         bool
	Confirmations int64 // 0: in the memory pool
}

// maxDepth bounds what a reply may claim.
const maxDepth = 1 << 40

// Sight looks for a transaction and how deep it is in the chain.
func (c *Client) Sight(ctx context.Context, id chain.ID, txid string) (Sighting, error) {
	name, err := segment(id)
	if err != nil {
		return Sighting{}, err
	}
	var reply struct {
		transactionReply
		Block         json.RawMessage `json:"blockNumber"`
		Confirmations json.RawMessage `json:"confirmations"`
	}
	err = c.do(ctx, call{kind: "transaction", cost: dear(id, 1), purpose: Watch, op: "transaction " + txid, method: http.MethodGet, path: "/v3/" + name + "/transaction/" + url.PathEscape(txid), into: &reply})
	switch {
	case IsNotFound(err):
		return Sighting{}, nil
	case err != nil:
		return Sighting{}, err
	}
	if err := reply.about(txid); err != nil {
		return Sighting{}, err
	}
	seen := Sighting{Known: true, Confirmations: number(reply.Confirmations)}
	if block := number(reply.Block); seen.Confirmations == 0 && block > 0 {
		tip, err := c.tip(ctx, name)
		if err != nil {
			return seen, err
		}
		seen.Confirmations = max(1, tip-block+1)
	}
	return seen, nil
}

// tip is the height of the chain.
func (c *Client) tip(ctx context.Context, name string) (int64, error) {
	var reply struct {
		Blocks json.RawMessage `json:"blocks"`
	}
	err := c.do(ctx, call{kind: "info", cost: 5, purpose: Watch, op: "chain info", method: http.MethodGet, path: "/v3/" + name + "/info", into: &reply})
	return number(reply.Blocks), err
}

// number gives a JSON integer that can be a height, 0 for anything else.
func number(raw json.RawMessage) int64 {
	var n int64
	if json.Unmarshal(raw, &n) != nil || n < 0 || n > maxDepth {
		return 0
	}
	return n
}
