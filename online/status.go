package online

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"coldkms/online/journal"
	"coldkms/online/prepare"
	"coldkms/shared/chain"
)

// Status is where one item stands.
type Status struct {
	ID       string        `json:"id"`
	Chain    chain.ID      `json:"chain"`
	Network  string        `json:"network"`
	State    journal.State `json:"state"`
	TxID     string        `json:"txId"`
	Updated  string        `json:"updated"`                 // RFC 3339
	Since    string        `json:"since"`                   // when it came into its state, RFC 3339
	Account  string        `json:"account,omitempty"`       // name of the API key that fetched it
	Depth    int64         `json:"confirmations,omitempty"` // when it was last looked for
	Code     chain.Code    `json:"code,omitempty"`
	Reason   string        `json:"reason,omitempty"`
	Trouble  string        `json:"trouble,omitempty"`   // the last one with the network, beside Reason
	Handed   string        `json:"handed,omitempty"`    // when its bytes were first handed to the network, RFC 3339
	Restored string        `json:"restored,omitempty"`  // the journal was restored and does not say what became of it meanwhile: when, and from which backup
	Healed   string        `json:"healed,omitempty"`    // when it went on though it was failed, RFC 3339
	Failed   chain.Code    `json:"failedFor,omitempty"` // why it was failed until then
	Alarms   []chain.Code  `json:"alarms,omitempty"`    // codes of the open ones about it

	Withheld chain.Code   `json:"withheld,omitempty"`     // why it does not go to the signer
	Beside   []chain.Code `json:"withheldAlso,omitempty"` // other reasons for that

	Pays    []Pay               `json:"pays,omitempty"`    // the first outputs
	Outputs int                 `json:"outputs,omitempty"` // how many there are
	Leaves  string              `json:"leaves,omitempty"`  // sum of all outputs that do not come back, in coins
	Change  prepare.ChangeKnown `json:"change,omitempty"`  // how those that come back are known

	HeldBy    string `json:"heldBy,omitempty"`    // another relay that works with it now, or was killed
	HeldUntil string `json:"heldUntil,omitempty"` // RFC 3339, by the database's clock
}

// MayBeOut reports whether the bytes were handed to the network, which was not
// seen to have them: the payment may be made.
func (s Status) MayBeOut() bool {
	return s.Handed != "" && s.State != journal.Broadcast && s.State != journal.Completed
}

// Pay is an output of a transaction as Tatum asks for it; nothing of it is
// proven. In review the signer shows what is. What comes back is told by the keys
// of the watch file, index 0 of each mnemonic among them, where a withdrawal's
// change goes.
type Pay struct {
	Address string `json:"address,omitempty"` // absent: the script has none
	Amount  string `json:"amount"`            // in coins
	Back    bool   `json:"back,omitempty"`    // it comes back to the payer
}

// StatusOptions choose items. Without IDs, States and All it is what is open,
// and what came to an end lately.
type StatusOptions struct {
	Network chain.Network
	Chains  []chain.ID
	States  []journal.State
	IDs     []string
	Since   time.Time // only what came into its state then or later
	All     bool      // what is finished, too
	After   string    // only what comes after this pending id
	Limit   int       // 0: no bound
}

// lately is how long what came to an end is listed with what is open.
const lately = time.Hour

// Status lists the items that are named, oldest first; no id means all. An id
// that is not in the journal is journal.ErrNoItem.
func (r *Relay) Status(ctx context.Context, network chain.Network, ids ...string) ([]Status, error) {
	list, _, err := r.StatusPage(ctx, StatusOptions{Network: network, IDs: ids, All: true})
	return list, err
}

// StatusPage lists items, oldest first, and reports whether there are more. Where
// it is journal.ErrNoItem, those that are in the journal are listed all the same.
func (r *Relay) StatusPage(ctx context.Context, o StatusOptions) (list []Status, more bool, err error) {
	items, more, err := r.page(ctx, o)
	if err != nil {
		return nil, false, err
	}
	keys := r.watched(ctx)
	restored, err := r.journal.Restorations(ctx)
	if err != nil {
		return nil, false, err
	}
	list = make([]Status, len(items))
	known := make(map[string]bool, len(items))
	for i, it := range items {
		known[it.ID] = true
		list[i] = whole(it, restored)
		list[i].pays(r.drafted(it), keys)
	}
	if err := errors.Join(r.markHeld(ctx, list), r.markAlarms(ctx, list)); err != nil {
		return nil, false, err
	}
	if more {
		return list, more, nil
	}
	return list, more, unknownOf(o.IDs, known)
}

// maxUnknown bounds how many ids an error names.
const maxUnknown = 20

// unknownOf is an error about the ids that are not known, nil if there are none.
func unknownOf(ids []string, known map[string]bool) error {
	var names []string
	n := 0
	for _, id := range ids {
		if known[id] {
			continue
		}
		if n++; n <= maxUnknown {
			names = append(names, fmt.Sprintf("%.80q", id))
		}
	}
	switch {
	case n == 0:
		return nil
	case n > maxUnknown:
		names = append(names, fmt.Sprintf("and %d more", n-maxUnknown))
	}
	return fmt.Errorf("%s: %w", strings.Join(names, ", "), journal.ErrNoItem)
}

// page reads the items of a page.
func (r *Relay) page(ctx context.Context, o StatusOptions) (items []journal.Item, more bool, err error) {
	f := journal.Filter{IDs: o.IDs, Network: o.Network, Chains: o.Chains, States: o.States, Since: o.Since}
	if o.After != "" {
		it, err := r.journal.Item(ctx, o.After)
		if err != nil {
			return nil, false, err
		}
		f.After = it.After()
	}
	if o.Limit > 0 {
		f.Max = o.Limit + 1
	}
	if open := len(o.IDs) == 0 && len(o.States) == 0 && !o.All; open {
		f.States = append([]journal.State{journal.Refused, journal.Failed}, unsettled...)
	}
	if items, err = r.journal.Items(ctx, f); err != nil {
		return nil, false, err
	}
	if ended := len(o.IDs) == 0 && len(o.States) == 0 && !o.All; ended {
		f.States = []journal.State{journal.Completed, journal.Rejected}
		if recent := r.Now().Add(-lately); f.Since.Before(recent) {
			f.Since = recent
		}
		finished, err := r.journal.Items(ctx, f)
		if err != nil {
			return nil, false, err
		}
		items = append(items, finished...)
		slices.SortFunc(items, func(a, b journal.Item) int { return cmp.Compare(a.After(), b.After()) })
	}
	if more = o.Limit > 0 && len(items) > o.Limit; more {
		items = items[:o.Limit]
	}
	return items, more, nil
}

// maxPays bounds how many outputs are listed of one item.
const maxPays = 20

// watched returns the keys of the watch file as each family reads them. Where that
// file cannot be read there are none: then Tatum's word on what is spent has to do.
func (r *Relay) watched(ctx context.Context) map[string]prepare.Watched {
	w, err := r.watch(ctx)
	if err != nil {
		w.Entries = nil
	}
	all := make(map[string]prepare.Watched, len(r.families))
	for _, f := range r.families {
		all[f.Name()] = f.Watched(w.Entries)
	}
	return all
}

// pays says what an item pays, where that can be read.
func (s *Status) pays(d draft, keys map[string]prepare.Watched) {
	if d.err != nil {
		return
	}
	outputs, known, err := keys[d.family.Name()].Pays(d.draft)
	if err != nil {
		return
	}
	leaves := make(map[chain.Asset]chain.Amount)
	for i, o := range outputs {
		if i < maxPays {
			s.Pays = append(s.Pays, Pay{o.Address, o.Asset.Units(o.Amount), o.Back})
		}
		sum := leaves[o.Asset]
		if !o.Back {
			sum = sum.Plus(o.Amount)
		}
		leaves[o.Asset] = sum
	}
	s.Outputs, s.Change, s.Leaves = len(outputs), known, unitsOf(leaves)
}

// unitsOf writes sums for people: of the chain's coin without its symbol, of
// tokens with it.
func unitsOf(sums map[chain.Asset]chain.Amount) string {
	var coins, tokens []string
	for asset, sum := range sums {
		if asset.Token == "" {
			coins = append(coins, asset.Units(sum))
		} else {
			tokens = append(tokens, asset.Units(sum)+" "+asset.Symbol)
		}
	}
	slices.Sort(tokens)
	return strings.Join(append(coins, tokens...), " and ")
}

// markHeld says which items are held, by whom, and until when.
func (r *Relay) markHeld(ctx context.Context, list []Status) error {
	held, err := r.journal.Held(ctx, r.owner, journal.Filter{})
	if err != nil || len(held) == 0 {
		return err
	}
	of := make(map[string]journal.Held, len(held))
	for _, h := range held {
		of[h.ID] = h
	}
	for i := range list {
		if h, is := of[list[i].ID]; is {
			list[i].HeldBy, list[i].HeldUntil = r.heldBy(h), h.Until.Format(time.RFC3339)
		}
	}
	return nil
}

// Totals counts all items by state.
func (r *Relay) Totals(ctx context.Context) (Totals, error) {
	return r.TotalsOf(ctx, StatusOptions{})
}

// TotalsOf counts, by state, the items that o chooses; in all states where it
// names none, and without its After and Limit.
func (r *Relay) TotalsOf(ctx context.Context, o StatusOptions) (Totals, error) {
	counts, err := r.counts(ctx, o)
	if err != nil {
		return Totals{}, err
	}
	if len(o.States) > 0 {
		maps.DeleteFunc(counts, func(s journal.State, _ int) bool { return !slices.Contains(o.States, s) })
	}
	t := totalsOf(counts)
	given, err := r.journal.Count(ctx, journal.Filter{IDs: o.IDs, Network: o.Network, Chains: o.Chains, States: []journal.State{journal.Failed}, Codes: []chain.Code{CodeDisarmed}, Since: o.Since})
	if err != nil || t.Items[journal.Failed] == 0 {
		return t, err
	}
	t.Open, t.Finished = t.Open-given, t.Finished+given // a person is done with it, though it is watched
	return t, nil
}

// counts reads no finished items, unless some are named or a time is.
func (r *Relay) counts(ctx context.Context, o StatusOptions) (map[journal.State]int, error) {
	if len(o.IDs) == 0 && o.Since.IsZero() {
		return r.journal.Totals(ctx, o.Network, o.Chains...)
	}
	counts := make(map[journal.State]int)
	for _, s := range journal.States() {
		n, err := r.journal.Count(ctx, journal.Filter{IDs: o.IDs, Network: o.Network, Chains: o.Chains, States: []journal.State{s}, Since: o.Since})
		if err != nil {
			return nil, err
		}
		if n > 0 {
			counts[s] = n
		}
	}
	return counts, nil
}

func totalsOf(counts map[journal.State]int) Totals {
	t := Totals{Items: make(map[journal.State]int)}
	for state, n := range counts {
		t.Items[state] += n
		if slices.Contains(unsettled, state) || state == journal.Refused || state == journal.Failed {
			t.Open += n
		} else {
			t.Finished += n
		}
	}
	return t
}

// Totals are how many items there are.
type Totals struct {
	Open     int                   `json:"open"`
	Finished int                   `json:"finished"` // completed, rejected and disarmed
	Items    map[journal.State]int `json:"items"`    // by state
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
	s := Status{
		ID: it.ID, Chain: it.Chain, Network: it.Network.String(), State: it.State, TxID: it.TxID,
		Updated: it.Updated.Format(time.RFC3339), Since: it.Since.Format(time.RFC3339), Account: it.Account, Depth: max(it.Depth, 0), Code: it.Code, Reason: it.Reason,
		Withheld: it.Withheld, Beside: it.Beside, Trouble: it.Trouble,
	}
	if it.HandedKnown {
		s.Handed = when(it.Handed)
	}
	if it.State != journal.Failed {
		s.Healed, s.Failed = when(it.Healed), it.FailedFor
	}
	if it.State == journal.Rejected || it.State == journal.Completed ||
		it.State == journal.Failed && slices.Contains(rejectedCodes, it.Code) {
		s.Withheld, s.Beside = "", nil // it has come to its end
	}
	return s
}

// whole is the status of an item with what a journal that was restored does not
// know of it.
func whole(it journal.Item, restored []journal.Restoration) Status {
	s := statusOf(it)
	if !it.HandedKnown && it.State != journal.Broadcast && it.State != journal.Completed && it.State != journal.Rejected {
		s.Restored = unrecorded(restored, it)
	}
	return s
}
