package tatum

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"coldkms/shared/chain"
)

// codeSpent is how Tatum says that an output is spent.
const codeSpent = "tx.hash.index.spent"

// errNoOutput is returned for what does not name an output.
var errNoOutput = errors.New("not the name of an output")

// Spent reports whether Tatum says that an output, "txid:index", is spent, by
// whatever. Only a reply about that very output says that it is not.
func (c *Client) Spent(ctx context.Context, id chain.ID, output string) (bool, error) {
	if id == chain.BCH { // Tatum has no such call
		return c.NodeSpent(ctx, id, output)
	}
	txid, index, err := splitOutput(output)
	if err != nil {
		return false, err
	}
	name, err := segment(id)
	if err != nil {
		return false, err
	}
	var reply struct {
		transactionReply
		Index  *uint64         `json:"index"`
		Best   json.RawMessage `json:"bestblock"`
		Value  json.RawMessage `json:"value"`
		Script *outputScript   `json:"scriptPubKey"`
	}
	err = c.do(ctx, call{
		kind: "utxo", line: lineOf(id), cost: dear(id, 1), purpose: Watch, op: "output " + output, method: http.MethodGet,
		path: fmt.Sprintf("/v3/%s/utxo/%s/%d", name, url.PathEscape(txid), index), into: &reply,
	})
	var said *Error
	switch {
	case errors.As(err, &said) && said.Code == codeSpent:
		return true, nil
	case err != nil:
		return false, err
	case id == chain.DOGE && nameless(reply.transactionReply, reply.Index) && isTxID(text(reply.Best)) &&
		len(reply.Value) > 0 && reply.Script.present():
		return false, nil // a node's gettxout, which does not repeat what was asked for
	case reply.Index == nil || *reply.Index != index:
		return false, &Error{Op: "output " + output, Status: http.StatusOK, err: errOtherReply}
	}
	return false, reply.about(txid)
}

// outputScript is an output's script as a node shows it.
type outputScript struct {
	Hex string `json:"hex"`
}

// present reports whether there is a script.
func (s *outputScript) present() bool {
	if s == nil {
		return false
	}
	b, err := hex.DecodeString(s.Hex)
	return err == nil && len(b) > 0
}

// nameless reports whether a reply about an output does not say which it is about.
func nameless(r transactionReply, index *uint64) bool {
	return len(r.Hash) == 0 && len(r.TxID) == 0 && index == nil
}

// splitOutput reads "txid:index".
func splitOutput(output string) (txid string, index uint64, err error) {
	txid, number, _ := strings.Cut(output, ":")
	if index, err = strconv.ParseUint(number, 10, 32); err != nil {
		err = fmt.Errorf("%w: %.80q", errNoOutput, output)
	}
	return txid, index, err
}

// NodeSpent asks a node, which has nothing where an output is spent, also by what
// is in no block yet.
func (c *Client) NodeSpent(ctx context.Context, id chain.ID, output string) (bool, error) {
	txid, index, err := splitOutput(output)
	if err != nil {
		return false, err
	}
	result, err := c.node(ctx, id, txid, "gettxout", txid, index, true)
	if err != nil {
		return false, err
	}
	var out struct {
		Script *outputScript `json:"scriptPubKey"`
	}
	if string(result) == "null" || len(result) == 0 {
		return true, nil
	}
	if json.Unmarshal(result, &out) != nil || !out.Script.present() {
		return false, &Error{Op: "output of " + txid, Status: http.StatusOK, err: errOtherReply}
	}
	return false, nil
}
