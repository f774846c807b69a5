package online

import (
	"context"
	"errors"
	"fmt"
	"time"

	"coldkms/online/journal"
	"coldkms/online/tatum"
	"coldkms/shared/bundle"
	"coldkms/shared/chain"
)

// Status is where one item stands.
type Status struct {
	ID      string        `json:"id"`
	Chain   chain.ID      `json:"chain"`
	Network string        `json:"network"`
	State   journal.State `json:"state"`
	TxID    string        `json:"txId"`
	Updated string        `json:"updated"`                 // RFC 3339
	Since   string        `json:"since"`                   // when it came into its state, RFC 3339
	Account string        `json:"account,omitempty"`       // name of the API key that fetched it
	Depth   int64         `json:"confirmations,omitempty"` // when it was last looked for
	Code    chain.Code    `json:"code,omitempty"`
	Reason  string        `json:"reason,omitempty"`
	Alarms  []chain.Code  `json:"alarms,omitempty"` // codes of the open ones about it
}

// Status lists items, oldest first; no id means all. An id that is not in
// the journal is journal.ErrNoItem.
func (r *Relay) Status(ctx context.Context, network chain.Network, ids ...string) ([]Status, error) {
	items, err := r.journal.Items(ctx, journal.Filter{IDs: ids, Network: network})
	if err != nil {
		return nil, err
	}
	list := make([]Status, len(items))
	known := make(map[string]bool, len(items))
	for i, it := range items {
		known[it.ID] = true
		list[i] = statusOf(it)
	}
	for _, id := range ids {
		if !known[id] {
			return nil, fmt.Errorf("%.80q: %w", id, journal.ErrNoItem)
		}
	}
	return list, r.markAlarms(ctx, list)
}

// markAlarms puts the codes of open alarms beside the items they are about.
func (r *Relay) markAlarms(ctx context.Context, list []Status) error {
	open, err := r.journal.Alarms(ctx, journal.AlarmFilter{})
	if err != nil || len(open) == 0 {
		return err
	}
	of := make(map[string][]chain.Code, len(open))
	for _, a := range open {
		of[a.Item] = append(of[a.Item], a.Code)
	}
	for i := range list {
		list[i].Alarms = of[list[i].ID]
	}
	return nil
}

func statusOf(it journal.Item) Status {
	return Status{
		ID: it.ID, Chain: it.Chain, Network: it.Network.String(), State: it.State, TxID: it.TxID,
		Updated: it.Updated.Format(time.RFC3339), Since: it.Since.Format(time.RFC3339), Account: it.Account, Depth: max(it.Depth, 0), Code: it.Code, Reason: it.Reason,
	}
}

// Reject drops an item at Tatum, giving back what a withdrawal took, and
// here. One whose signed bytes are here is ErrTooLate. exported tells that
// the signer may have signed it: the person must know that a copy of that
// signature stays valid.
func (r *Relay) Reject(ctx context.Context, id, why string) (exported bool, err error) {
	it, err := r.journal.Item(ctx, id)
	if err != nil {
		return false, err
	}
	if it.State == journal.Rejected {
		return false, r.journal.Decide(ctx, id, "reject")
	}
	if it.Signed != nil || !journal.Allowed(it.State, journal.Rejected) {
		return false, fmt.Errorf("reject: item %s is %s: %w", id, it.State, ErrTooLate)
	}
	lease, items, err := r.claim(ctx, journal.Filter{IDs: []string{id}, States: []journal.State{it.State}})
	if err != nil {
		return false, err
	}
	if len(items) == 0 {
		return false, fmt.Errorf("reject: item %s: %w", id, journal.ErrLeased)
	}
	return r.drop(ctx, lease, items[0], why)
}

// drop drops a claimed item, at Tatum and then here.
func (r *Relay) drop(ctx context.Context, lease journal.Lease, it journal.Item, why string) (exported bool, err error) {
	defer func() { err = errors.Join(err, r.release(ctx, lease)) }()
	bounded, cancel := context.WithTimeout(ctx, lease.Left(r.Now()))
	defer cancel()
	mine, err := r.As(it.Account)
	if err != nil {
		return false, err
	}
	if err := mine.Tatum.Delete(bounded, it.ID, true); err != nil && !gone(err) {
		return false, err
	}
	seen := it.Request != bundle.Digest{} // it was once on its way to the signer, whatever became of it here
	return seen, r.journal.Move(ctx, journal.Move{ID: it.ID, From: it.State, To: journal.Rejected, Code: chain.RefusedByRelay, Reason: why, Lease: lease, Decided: "reject"})
}

// gone says whether Tatum itself says that there is no such pending
// transaction: an earlier run was cut short. Any other 404 is some proxy's.
func gone(err error) bool {
	var said *tatum.Error
	return errors.As(err, &said) && said.Code == "kms.missing"
}

// Retry lets an item that ended badly start again: a refused one is prepared
// anew at the next fetch; a failed one, whose signed bytes are here, goes to
// the next broadcast with those.
func (r *Relay) Retry(ctx context.Context, id string) (journal.State, error) {
	it, err := r.journal.Item(ctx, id)
	if err != nil {
		return "", err
	}
	if it.State != journal.Refused && it.State != journal.Failed {
		return "", fmt.Errorf("retry: item %s is %s: %w: only refused and failed ones start again", id, it.State, journal.ErrState)
	}
	to := journal.Fetched
	if it.Signed != nil {
		to = journal.Signed
	}
	return to, r.journal.Move(ctx, journal.Move{ID: id, From: it.State, To: to, Decided: "retry"})
}
