package online

import (
	"context"
	"errors"
	"fmt"
	"slices"
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

	Withheld chain.Code `json:"withheld,omitempty"` // why it does not go to the signer
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
	of, err := r.alarmed(ctx)
	for i := range list {
		list[i].Alarms = of[list[i].ID]
	}
	return err
}

func statusOf(it journal.Item) Status {
	return Status{
		ID: it.ID, Chain: it.Chain, Network: it.Network.String(), State: it.State, TxID: it.TxID,
		Updated: it.Updated.Format(time.RFC3339), Since: it.Since.Format(time.RFC3339), Account: it.Account, Depth: max(it.Depth, 0), Code: it.Code, Reason: it.Reason,
		Withheld: it.Withheld,
	}
}

// Rejection says how an item is rejected.
type Rejection struct {
	Why  string
	Gone bool // a person has seen that Tatum does not have it any more
}

// Reject drops an item at Tatum, giving back what a withdrawal took, and
// here. One whose signed bytes are here is ErrTooLate; one that Tatum does not
// know under the item's API key is ErrNotThere, for that may be another
// tenant's key. exported tells that the signer may have signed it: the person
// must know that a copy of that signature stays valid.
func (r *Relay) Reject(ctx context.Context, id string, why Rejection) (exported bool, err error) {
	it, err := r.journal.Item(ctx, id)
	if err != nil {
		return false, err
	}
	if it.State == journal.Rejected {
		if err := r.dropAgain(ctx, it); err != nil {
			return false, err
		}
		return it.Request != bundle.Digest{}, r.journal.Decide(ctx, id, "reject")
	}
	if it.State == journal.Signed && it.Withheld == CodeVetoed {
		return r.disarm(ctx, it, why)
	}
	if it.State == journal.Failed && (it.Code == journal.SignedLate || it.Code == journal.SignedDropped) {
		return r.dropLate(ctx, it, why)
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

// disarm drops a signed item that the approval service has refused: it is not
// sent from here any more, though whoever has a copy of its signature can.
func (r *Relay) disarm(ctx context.Context, it journal.Item, why Rejection) (exported bool, err error) {
	lease, items, err := r.claim(ctx, journal.Filter{IDs: []string{it.ID}, States: []journal.State{journal.Signed}})
	if err != nil {
		return false, err
	}
	if len(items) == 0 {
		return false, fmt.Errorf("reject: item %s: %w", it.ID, journal.ErrLeased)
	}
	defer func() { err = errors.Join(err, r.release(ctx, lease)) }()
	mine, err := r.As(it.Account)
	if err == nil {
		err = mine.dropAtTatum(ctx, it, why.Gone)
	}
	if err != nil {
		return false, err
	}
	return true, r.journal.Move(ctx, journal.Move{ID: it.ID, From: journal.Signed, To: journal.Failed, Code: CodeDisarmed, Reason: why.Why, Lease: lease, Decided: "reject"})
}

// drop drops a claimed item, at Tatum and then here.
func (r *Relay) drop(ctx context.Context, lease journal.Lease, it journal.Item, why Rejection) (exported bool, err error) {
	defer func() { err = errors.Join(err, r.release(ctx, lease)) }()
	bounded, cancel := context.WithTimeout(ctx, lease.Left(r.Now()))
	defer cancel()
	mine, err := r.As(it.Account)
	if err != nil {
		return false, err
	}
	if err := mine.dropAtTatum(bounded, it, why.Gone); err != nil {
		return false, err
	}
	seen := it.Request != bundle.Digest{} // it was once on its way to the signer, whatever became of it here
	return seen, r.journal.Move(ctx, journal.Move{ID: it.ID, From: it.State, To: journal.Rejected, Code: chain.RefusedByRelay, Reason: why.Why, Lease: lease, Decided: "reject"})
}

// dropAtTatum drops an item that Tatum has under this API key. The journal has
// on record that it was there before it is dropped, so that a run that was cut
// short is told from the key of somebody else: both meet kms.missing.
func (r *Relay) dropAtTatum(ctx context.Context, it journal.Item, gone bool) error {
	txid, err := r.Tatum.TxIDOf(ctx, it.ID)
	switch {
	case missing(err) && (gone || it.Withheld == journal.Dropping):
		return nil
	case missing(err):
		return errors.Join(fmt.Errorf("reject: item %s: %w: %w", it.ID, ErrNotThere, err), r.journal.Withhold(ctx, it.ID, CodeUnknown))
	case err != nil:
		return err
	case txid != "":
		return fmt.Errorf("reject: item %s: Tatum says that %.80q completed it: %w", it.ID, txid, ErrTooLate)
	}
	if err := r.journal.Withhold(ctx, it.ID, journal.Dropping, withheldCodes...); err != nil {
		return err
	}
	if err := r.Tatum.Delete(ctx, it.ID, true); err != nil && !missing(err) {
		return err
	}
	return nil
}

// dropAgain drops what was rejected here before and may still be at Tatum.
func (r *Relay) dropAgain(ctx context.Context, it journal.Item) error {
	mine, err := r.As(it.Account)
	if err != nil {
		return err
	}
	if err := mine.Tatum.Delete(ctx, it.ID, true); err != nil && !missing(err) {
		return err
	}
	return nil
}

// dropLate drops at Tatum what was refused or rejected here and signed all the
// same. It stays failed, and is not sent unless somebody retries it.
func (r *Relay) dropLate(ctx context.Context, it journal.Item, why Rejection) (exported bool, err error) {
	mine, err := r.As(it.Account)
	if err != nil {
		return false, err
	}
	known, err := mine.Tatum.Known(ctx, it.Chain, it.TxID)
	if err != nil {
		return false, err
	}
	if known {
		return false, fmt.Errorf("reject: item %s: the network has its transaction %s: %w", it.ID, it.TxID, ErrTooLate)
	}
	if err := mine.Tatum.Delete(ctx, it.ID, true); err != nil && !missing(err) {
		return false, err
	}
	if err := r.note(ctx, it, journal.Lease{}, journal.SignedDropped, "dropped by a person, though signed: "+why.Why, 0); err != nil {
		return false, err
	}
	return true, r.journal.Decide(ctx, it.ID, "reject")
}

// missing reports whether Tatum itself says that this API key has no such
// pending transaction. Any other 404 is some proxy's.
func missing(err error) bool {
	var said *tatum.Error
	return errors.As(err, &said) && said.Code == "kms.missing"
}

// Retry lets an item that ended badly start again: a refused one is prepared
// anew at the next fetch; a failed one, whose signed bytes are here, goes to
// the next broadcast with those; one that is withheld from the signer, by a
// veto or a rejection that was cut short, is not any more.
func (r *Relay) Retry(ctx context.Context, id string) (journal.State, error) {
	it, err := r.journal.Item(ctx, id)
	if err != nil {
		return "", err
	}
	if it.Signed != nil && it.Withheld == CodeVetoed {
		return "", fmt.Errorf("retry: item %s: %w: kms-online unveto lifts that", id, errVetoed)
	}
	lifts := slices.Contains(liftable, it.Withheld)
	if lifts {
		err = r.journal.Unwithhold(ctx, id, liftable...)
	}
	switch {
	case err != nil:
		return "", err
	case it.State != journal.Refused && it.State != journal.Failed && lifts:
		return it.State, nil
	case it.State != journal.Refused && it.State != journal.Failed:
		return "", fmt.Errorf("retry: item %s is %s: %w: only refused, failed and withheld ones start again", id, it.State, journal.ErrState)
	}
	to := journal.Fetched
	if it.Signed != nil {
		to = journal.Signed
	}
	return to, r.journal.Move(ctx, journal.Move{ID: id, From: it.State, To: to, Decided: "retry"})
}
