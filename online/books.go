package online

import (
	"cmp"
	"context"
	"slices"
	"time"

	"coldkms/online/journal"
	"coldkms/online/prepare"
	"coldkms/shared/chain"
)

// BookLine is what was paid on one day, or to one payee, for the books.
type BookLine struct {
	Day      string   `json:"day,omitempty"`   // UTC, on which it was first handed to the network
	Payee    string   `json:"payee,omitempty"` // an address; "" also for scripts without one
	Chain    chain.ID `json:"chain"`
	Network  string   `json:"network"`
	Asset    string   `json:"asset"`
	Payments int      `json:"payments"` // outputs
	Amount   string   `json:"amount"`   // in units of the asset, without what comes back
}

// Books is what the network has of this relay, summed up.
type Books struct {
	Lines []BookLine `json:"lines"`
	// ChangeUnknown are the transactions whose change is not known: all that they
	// pay is counted, also what may have come back.
	ChangeUnknown []string `json:"changeUnknown"`
	Unread        []string `json:"unread"` // are not counted: what they pay cannot be read
}

// bookKey is what a line is of.
type bookKey struct {
	day, payee, network string
	chain               chain.ID
	asset               chain.Asset
}

// tally adds up what items pay.
type tally struct {
	byPayee bool
	keys    map[string]prepare.Watched
	sums    map[bookKey]chain.Amount
	counts  map[bookKey]int
	books   Books
}

// Books sums up what was broadcast or completed, by day or by payee. The bounds
// of o are of the day on which a transaction was first handed to the network.
func (r *Relay) Books(ctx context.Context, o ReportOptions, byPayee bool) (Books, error) {
	t := tally{byPayee, r.watched(ctx), make(map[bookKey]chain.Amount), make(map[bookKey]int),
		Books{ChangeUnknown: []string{}, Unread: []string{}}}
	f := journal.Filter{IDs: o.IDs, Network: o.Network, Max: batch,
		States: []journal.State{journal.Broadcast, journal.Completed}}
	for {
		items, err := r.journal.Items(ctx, f)
		if err != nil || len(items) == 0 {
			t.books.Lines = t.lines()
			return t.books, err
		}
		f.After = items[len(items)-1].After()
		for _, it := range items {
			if at := paidAt(it); !at.Before(o.From) && (o.To.IsZero() || at.Before(o.To)) {
				t.add(it, r.drafted(it))
			}
		}
	}
}

func (t *tally) add(it journal.Item, d draft) {
	var outputs []prepare.Pay
	var known prepare.ChangeKnown
	err := d.err
	if err == nil {
		outputs, known, err = t.keys[d.family.Name()].Pays(d.draft)
	}
	if err != nil {
		t.books.Unread = append(t.books.Unread, it.ID)
		return
	}
	if known == prepare.NotKnown {
		t.books.ChangeUnknown = append(t.books.ChangeUnknown, it.ID)
	}
	for _, p := range outputs {
		if p.Back {
			continue
		}
		k := bookKey{network: it.Network.String(), chain: it.Chain, asset: p.Asset}
		if t.byPayee {
			k.payee = p.Address
		} else {
			k.day = paidAt(it).UTC().Format(time.DateOnly)
		}
		t.sums[k] = t.sums[k].Plus(p.Amount)
		t.counts[k]++
	}
}

// paidAt is when the bytes of an item were first handed to the network.
func paidAt(it journal.Item) time.Time {
	if it.Handed.IsZero() {
		return it.Since
	}
	return it.Handed
}

// lines returns the sums in the order of days, networks, chains and payees.
func (t *tally) lines() []BookLine {
	lines := make([]BookLine, 0, len(t.sums))
	for k, sum := range t.sums {
		lines = append(lines, BookLine{k.day, k.payee, k.chain, k.network, k.asset.Symbol, t.counts[k], k.asset.Units(sum)})
	}
	slices.SortFunc(lines, func(a, b BookLine) int {
		return cmp.Or(cmp.Compare(a.Day, b.Day), cmp.Compare(a.Network, b.Network), cmp.Compare(a.Chain, b.Chain),
			cmp.Compare(a.Asset, b.Asset), cmp.Compare(a.Payee, b.Payee))
	})
	return lines
}
