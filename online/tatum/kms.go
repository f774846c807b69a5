package tatum

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	"coldkms/shared/chain"
	"coldkms/shared/pending"
)

// MaxIDs is how many signature ids one call may name.
const MaxIDs = 25_000

// Listing is what waits to be signed.
type Listing struct {
	Elements []json.RawMessage // each as it came
	Skipped  []error           // what is left out, and why
	Next     int               // place in the list of the first element that could not be held, 0 if there is none
}

// Pending asks for what waits for any of the signature ids, beginning with the
// element at a place in the list. With an error, too, it returns what came
// whole.
func (c *Client) Pending(ctx context.Context, id chain.ID, signatureIDs []string, from int) (Listing, error) {
	var all Listing
	for len(signatureIDs) > 0 {
		n := min(len(signatureIDs), MaxIDs)
		part := partOfList{from: from}
		k := call{
			kind: "pending", line: lineOfList(id), cost: int64(n+499) / 500, purpose: List, op: "pending " + string(id), method: http.MethodPost, path: "/v3/kms/pending/" + url.PathEscape(string(id)),
			body: map[string]any{"signatureIds": signatureIDs[:n]}, into: &part, limit: maxPending,
		}
		err := c.do(ctx, k)
		all.Elements, all.Skipped = append(all.Elements, part.Elements...), append(all.Skipped, part.Skipped...)
		if err != nil {
			return all, err
		}
		if part.Next > 0 && (all.Next == 0 || part.Next < all.Next) {
			all.Next = part.Next
		}
		signatureIDs = signatureIDs[n:]
	}
	return all, nil
}

// partOfList is a Listing that begins somewhere in Tatum's list.
type partOfList struct {
	Listing
	from int
}

// readList reads a list as it comes in. Elements with the API key in them are
// left out: what is in an element may be journaled and shown. With an error it
// has what came whole.
func (c *Client) readList(body io.Reader, into *partOfList) error {
	var out leftOut
	seen := 0
	elements, err := pending.ReadList(body, func(e pending.Element) bool {
		seen = e.At + 1
		return e.At < into.from || out.leaves(c, e)
	})
	into.Listing = Listing{Skipped: out.errors()}
	for _, e := range elements {
		into.Elements = append(into.Elements, e.Raw)
	}
	if errors.Is(err, pending.ErrRest) {
		into.Next, err = seen-1, nil
	}
	return err
}

// Pending is a pending transaction as Tatum has it.
type Pending struct {
	TxID string          // under which it was completed, "" while it is not
	Raw  json.RawMessage // as it came
}

// PendingByID asks for a pending transaction. A reply that is not the whole
// record of this one says nothing about it: it is an error.
func (c *Client) PendingByID(ctx context.Context, id string) (Pending, error) {
	var p Pending
	k := call{kind: "pending-by-id", line: lineKMS, cost: 1, op: "pending transaction " + id, method: http.MethodGet,
		path: "/v3/kms/" + url.PathEscape(id), into: &p.Raw}
	if err := c.do(ctx, k); err != nil {
		return Pending{}, err
	}
	var reply struct {
		ID   string  `json:"id"`
		Tx   string  `json:"serializedTransaction"`
		TxID *string `json:"txId"`
	}
	if err := json.Unmarshal(p.Raw, &reply); err != nil {
		return Pending{}, c.fault(k, http.StatusOK, fmt.Errorf("reply is not of the expected form: %w", err))
	}
	if reply.ID != id || reply.Tx == "" {
		return Pending{}, &Error{Op: k.op, Status: http.StatusOK, err: errNoRecord}
	}
	if reply.TxID == nil {
		return p, nil
	}
	if p.TxID = normal(*reply.TxID); p.TxID != "" && !isTxID(p.TxID) {
		return Pending{}, &Error{Op: k.op, Status: http.StatusOK, err: errNoTxID}
	}
	return p, nil
}

// TxIDOf asks for the txid under which a pending transaction was completed,
// "" while it is not.
func (c *Client) TxIDOf(ctx context.Context, id string) (string, error) {
	p, err := c.PendingByID(ctx, id)
	return p.TxID, err
}

var (
	errNoRecord = errors.New("the reply is not the record of this pending transaction, and says nothing about it")
	errNoTxID   = errors.New("the txId in the reply is none: it is not 64 hexadecimal digits")
)

// normal is a txid in the one way that it is written here.
func normal(txid string) string {
	return strings.TrimPrefix(strings.ToLower(strings.TrimSpace(txid)), "0x")
}

// Complete marks a pending transaction as completed by a txid.
func (c *Client) Complete(ctx context.Context, id, txid string) error {
	return c.do(ctx, call{kind: "complete", line: lineKMS, cost: 2, op: "complete " + id, method: http.MethodPut,
		path: "/v3/kms/" + url.PathEscape(id) + "/" + url.PathEscape(txid)})
}

// Delete drops a pending transaction; revert gives back what a withdrawal
// took from its virtual account.
func (c *Client) Delete(ctx context.Context, id string, revert bool) error {
	path := "/v3/kms/" + url.PathEscape(id) + "?revert=false"
	if revert {
		path = "/v3/kms/" + url.PathEscape(id) + "?revert=true"
	}
	return c.do(ctx, call{kind: "delete", line: lineKMS, cost: 2, op: "delete " + id, method: http.MethodDelete,
		path: path})
}

// CompleteWithdrawal marks a withdrawal as completed by a txid.
func (c *Client) CompleteWithdrawal(ctx context.Context, withdrawalID, txid string) error {
	return c.do(ctx, call{
		kind: "complete-withdrawal", line: lineWithdrawals, cost: 2, op: "complete withdrawal " + withdrawalID, method: http.MethodPut,
		path: "/v3/offchain/withdrawal/" + url.PathEscape(withdrawalID) + "/" + url.PathEscape(txid),
	})
}

// ItemError says why a pending transaction was not signed.
type ItemError struct {
	ID    string `json:"signatureId"` // Tatum's name for the pending id here
	Error string `json:"error"`
}

// ReportErrors tells Tatum what was not signed, as its KMS does: it feeds the
// KMS_FAILED_TX subscription.
func (c *Client) ReportErrors(ctx context.Context, errs []ItemError) error {
	return c.do(ctx, call{kind: "report-errors", line: lineOther, cost: 1, op: "report errors", once: true,
		method: http.MethodPost, path: "/v3/tatum/kms/batch", body: map[string]any{"errors": errs}})
}

// Ping asks for the API's version, which needs no credits.
func (c *Client) Ping(ctx context.Context) error {
	return c.do(ctx, call{line: lineOther, op: "version", method: http.MethodGet, path: "/v3/tatum/version"})
}
