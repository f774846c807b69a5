package online

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"

	"coldkms/online/journal"
	"coldkms/online/tatum"
	"coldkms/shared/bundle"
	"coldkms/shared/chain"
)

// ErrNoKey is returned for an item that an API key fetched which is not here:
// with another one Tatum would not know it.
var ErrNoKey = errors.New("the API key that fetched it is not here")

// As gives the relay as it works for an API key, by its name. The journal
// remembers names and never keys.
func (r *Relay) As(account string) (*Relay, error) {
	if account == r.Account {
		return r, nil
	}
	client := r.Accounts[account]
	if client == nil && account == "" {
		return nil, fmt.Errorf("%w: it was the only one then; give it in the file of keys under the name default", ErrNoKey)
	}
	if client == nil {
		return nil, fmt.Errorf("%w: its name is %.80q", ErrNoKey, account)
	}
	mine := *r
	mine.Tatum, mine.Account = client, account
	mine.Accounts = map[string]*tatum.Client{r.Account: r.Tatum}
	for name, c := range r.Accounts {
		mine.Accounts[name] = c
	}
	return &mine, nil
}

const reasonChanged = "ALARM: Tatum now asks for something else under this id; what was journaled first stays. Whoever changed it has your API key or is Tatum: treat the key as stolen"

// noteChanged raises an alarm where Tatum changed its mind about what it asks
// for, and shows it on the item too while that is where it was.
func (r *Relay) noteChanged(ctx context.Context, now journal.Item) error {
	it, err := r.journal.Item(ctx, now.ID)
	if err != nil {
		return err
	}
	p, evidence := Problem{ID: it.ID, Code: chain.ContentChanged, Reason: reasonChanged}, hex.EncodeToString(now.Content[:])
	if it.Code == chain.ContentChanged {
		return r.journal.Raise(ctx, *p.alarm(evidence))
	}
	return r.noteWith(ctx, it, journal.Lease{}, p, evidence)
}

// open are the states of an item that nothing is signed for yet.
var open = []journal.State{journal.Fetched, journal.Prepared, journal.Exported}

// withdrawn says whether Tatum does not ask for an item any more: then it is
// not taken to the signer.
func withdrawn(it journal.Item) bool { return it.Code == CodeUnknown || it.Code == CodeOtherTxID }

// missed looks for what Tatum asked for once and does not list any more, and
// for what is listed again. Nothing is dropped here: a list that came short
// by mistake does no harm. settled says that there is nothing to ask again.
func (r *Relay) missed(ctx context.Context, id chain.ID, list []json.RawMessage, o FetchOptions, report *Fetched) (settled bool, err error) {
	ids := make([]string, 0, len(list))
	listed := make(map[string]bool, len(list))
	for _, raw := range list {
		if it, completed, err := incoming(id, o.Network, raw); it.ID != "" && (err != nil || !completed) {
			ids, listed[it.ID] = append(ids, it.ID), true
		}
	}
	f := journal.Filter{States: open, Chains: []chain.ID{id}, Network: o.Network, Account: &r.Account}
	all, err := r.journal.Count(ctx, f)
	if err != nil || all == 0 {
		return err == nil, err
	}
	known := f
	known.IDs = ids
	there := 0
	if len(ids) > 0 {
		if there, err = r.journal.Count(ctx, known); err != nil {
			return false, err
		}
	}
	if err := r.listedAgain(ctx, known); err != nil || there == all {
		return err == nil, err
	}
	items, err := r.journal.Items(ctx, f)
	if err != nil {
		return false, err
	}
	settled = true
	for _, it := range items {
		if listed[it.ID] || withdrawn(it) {
			continue
		}
		known, err := r.askAfter(ctx, it, report)
		if err != nil {
			return false, err
		}
		settled = settled && known
	}
	return settled, nil
}

// listedAgain takes back what was said of items that were not listed.
func (r *Relay) listedAgain(ctx context.Context, known journal.Filter) error {
	if len(known.IDs) == 0 {
		return nil
	}
	known.Codes = []chain.Code{CodeUnknown, CodeOtherTxID}
	items, err := r.journal.Items(ctx, known)
	if err != nil {
		return err
	}
	for _, it := range items {
		if err := r.note(ctx, it, journal.Lease{}, "", ""); err != nil {
			return err
		}
	}
	return nil
}

// askAfter asks Tatum what became of an item that it does not list any more.
// known is false where it has to be asked again.
func (r *Relay) askAfter(ctx context.Context, it journal.Item, report *Fetched) (known bool, err error) {
	txid, err := r.Tatum.TxIDOf(ctx, it.ID)
	p := Problem{ID: it.ID}
	switch {
	case tatum.IsNotFound(err):
		p.Code, p.Reason = CodeUnknown, "Tatum does not have it any more: somebody dropped it there; it is not taken to the signer"
		if it.Request != (bundle.Digest{}) {
			p.Reason += ", but it was exported before: destroy that request and its result"
		}
	case err != nil:
		return false, nil // asked again at the next fetch
	case txid == "":
		return true, nil // it waits; the list was short, or its key is not in the watch file any more
	default:
		p.Code, p.Reason = CodeOtherTxID, fmt.Sprintf("ALARM: Tatum says that %.80q completed it, and nothing was signed for it here: something else signs for this id", txid)
	}
	report.Problems = append(report.Problems, p)
	var alarm *journal.Raise
	if p.Code == CodeOtherTxID {
		alarm = p.alarm(txid)
	}
	if it.State != journal.Prepared && alarm != nil {
		return true, r.noteWith(ctx, it, journal.Lease{}, p, txid)
	}
	if it.State != journal.Prepared {
		return true, r.note(ctx, it, journal.Lease{}, p.Code, p.Reason)
	}
	err = r.journal.Move(ctx, journal.Move{ID: it.ID, From: journal.Prepared, To: journal.Fetched, Code: p.Code, Reason: p.Reason, Alarm: alarm})
	if elsewhere(err) {
		return false, nil
	}
	return err == nil, err
}
