package tatum

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"

	"coldkms/shared/chain"
	"coldkms/shared/pending"
)

// MaxIDs is how many signature ids one call may name.
const MaxIDs = 25_000

// maxList bounds the pending transactions of one reply.
const maxList = 200_000

// Pending asks for what waits for any of the signature ids. Each element is
// left as it came.
func (c *Client) Pending(ctx context.Context, id chain.ID, signatureIDs []string) ([]json.RawMessage, error) {
	var all []json.RawMessage
	for len(signatureIDs) > 0 {
		n := min(len(signatureIDs), MaxIDs)
		var reply []byte
		k := call{
			kind: "pending", cost: int64(n+499) / 500, purpose: List, op: "pending " + string(id), method: http.MethodPost, path: "/v3/kms/pending/" + url.PathEscape(string(id)),
			body: map[string]any{"signatureIds": signatureIDs[:n]}, into: &reply, limit: maxPending,
		}
		if err := c.do(ctx, k); err != nil {
			return nil, err
		}
		list, err := pending.ParseList(reply, maxList)
		if err != nil {
			return nil, c.fault(k, http.StatusOK, err)
		}
		all = append(all, list...)
		signatureIDs = signatureIDs[n:]
	}
	return all, nil
}

// TxIDOf asks for the txid under which a pending transaction was completed,
// "" while it is not.
func (c *Client) TxIDOf(ctx context.Context, id string) (string, error) {
	var reply struct {
		TxID *string `json:"txId"`
	}
	err := c.do(ctx, call{kind: "pending-by-id", cost: 1, op: "pending transaction " + id, method: http.MethodGet, path: "/v3/kms/" + url.PathEscape(id), into: &reply})
	if err != nil || reply.TxID == nil {
		return "", err
	}
	return *reply.TxID, nil
}

// Complete marks a pending transaction as completed by a txid.
func (c *Client) Complete(ctx context.Context, id, txid string) error {
	return c.do(ctx, call{kind: "complete", cost: 2, op: "complete " + id, method: http.MethodPut, path: "/v3/kms/" + url.PathEscape(id) + "/" + url.PathEscape(txid)})
}

// Delete drops a pending transaction; revert gives back what a withdrawal
// took from its virtual account.
func (c *Client) Delete(ctx context.Context, id string, revert bool) error {
	path := "/v3/kms/" + url.PathEscape(id) + "?revert=false"
	if revert {
		path = "/v3/kms/" + url.PathEscape(id) + "?revert=true"
	}
	return c.do(ctx, call{kind: "delete", cost: 2, op: "delete " + id, method: http.MethodDelete, path: path})
}

// CompleteWithdrawal marks a withdrawal as completed by a txid.
func (c *Client) CompleteWithdrawal(ctx context.Context, withdrawalID, txid string) error {
	return c.do(ctx, call{
		kind: "complete-withdrawal", cost: 2, op: "complete withdrawal " + withdrawalID, method: http.MethodPut,
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
	return c.do(ctx, call{kind: "report-errors", cost: 1, op: "report errors", once: true, method: http.MethodPost, path: "/v3/tatum/kms/batch", body: map[string]any{"errors": errs}})
}

// Ping asks for the API's version, which needs no credits.
func (c *Client) Ping(ctx context.Context) error {
	return c.do(ctx, call{op: "version", method: http.MethodGet, path: "/v3/tatum/version"})
}
