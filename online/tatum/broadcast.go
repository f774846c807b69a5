package tatum

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"

	"coldkms/shared/chain"
)

// Sent is Tatum's reply to a broadcast that a node took.
type Sent struct {
	TxID      string
	Completed bool // the pending transaction is marked as completed, too
}

// sentReply has both flags as they come. failed means that the node took the
// transaction and marking it did not work.
type sentReply struct {
	TxID      json.RawMessage `json:"txId"`
	Failed    json.RawMessage `json:"failed"`
	Completed json.RawMessage `json:"completed"`
}

func (r sentReply) txid() string {
	var s string
	_ = json.Unmarshal(r.TxID, &s) // anything else is no txid
	return normal(s)
}

// absent reports whether a flag is missing, or plainly what it is when all went
// well. Anything else is for the caller to check.
func absent(raw json.RawMessage, well string) bool {
	s := strings.Trim(string(raw), `"`)
	return s == "" || s == "null" || s == well
}

func isTrue(raw json.RawMessage) bool { return strings.Trim(string(raw), `"`) == "true" }

// Broadcast sends a signed transaction, once. Whatever error comes back, it
// may have reached the chain.
func (c *Client) Broadcast(ctx context.Context, id chain.ID, pendingID, hexTx string) (Sent, error) {
	name, err := segment(id)
	if err != nil {
		return Sent{}, err
	}
	var reply sentReply
	err = c.do(ctx, call{
		kind: "broadcast", line: lineOf(id), cost: dear(id, 2), op: "broadcast " + pendingID, method: http.MethodPost, path: "/v3/" + name + "/broadcast", once: true,
		body: map[string]string{"txData": hexTx, "signatureId": pendingID}, into: &reply,
	})
	if err != nil {
		return Sent{}, err
	}
	return Sent{TxID: reply.txid(), Completed: absent(reply.Failed, "false") && absent(reply.Completed, "true")}, nil
}

// BroadcastWithdrawal is Broadcast for a withdrawal from virtual accounts.
func (c *Client) BroadcastWithdrawal(ctx context.Context, id chain.ID, pendingID, withdrawalID, hexTx string) (Sent, error) {
	var reply sentReply
	err := c.do(ctx, call{
		kind: "broadcast-withdrawal", line: lineWithdrawals, cost: 2, op: "broadcast withdrawal " + withdrawalID, method: http.MethodPost, path: "/v3/offchain/withdrawal/broadcast", once: true,
		body: map[string]string{"currency": string(id), "txData": hexTx, "withdrawalId": withdrawalID, "signatureId": pendingID}, into: &reply,
	})
	if err != nil {
		return Sent{}, err
	}
	return Sent{TxID: reply.txid(), Completed: isTrue(reply.Completed) && !isTrue(reply.Failed)}, nil
}
