package tatum

import (
	"context"
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
	txid, number, _ := strings.Cut(output, ":")
	index, err := strconv.ParseUint(number, 10, 32)
	if err != nil {
		return false, fmt.Errorf("%w: %.80q", errNoOutput, output)
	}
	if id == chain.BCH { // Tatum has no such call
		return c.nodeSpent(ctx, id, txid, index)
	}
	name, err := segment(id)
	if err != nil {
		return false, err
	}
	var reply struct {
		transactionReply
		Index *uint64 `json:"index"`
	}
	err = c.do(ctx, call{
		kind: "utxo", cost: dear(id, 1), purpose: Watch, op: "output " + output, method: http.MethodGet,
		path: fmt.Sprintf("/v3/%s/utxo/%s/%d", name, url.PathEscape(txid), index), into: &reply,
	})
	var said *Error
	switch {
	case errors.As(err, &said) && said.Code == codeSpent:
		return true, nil
	case err != nil:
		return false, err
	case reply.Index == nil || *reply.Index != index:
		return false, &Error{Op: "output " + output, Status: http.StatusOK, err: errOtherReply}
	}
	return false, reply.about(txid)
}

// nodeSpent asks a node, which has nothing where an output is spent, also by what
// is in no block yet.
func (c *Client) nodeSpent(ctx context.Context, id chain.ID, txid string, index uint64) (bool, error) {
	result, err := c.node(ctx, id, txid, "gettxout", txid, index, true)
	if err != nil {
		return false, err
	}
	var out struct {
		ScriptPubKey *struct {
			Hex string `json:"hex"`
		} `json:"scriptPubKey"`
	}
	if string(result) == "null" || len(result) == 0 {
		return true, nil
	}
	if json.Unmarshal(result, &out) != nil || out.ScriptPubKey == nil {
		return false, &Error{Op: "output of " + txid, Status: http.StatusOK, err: errOtherReply}
	}
	return false, nil
}
