package review

import (
	"cmp"
	"slices"
	"strings"

	"coldkms/shared/chain"
	"coldkms/shared/chain/utxo"
)

// Choice says of an item's place whether it counts; nil: what can be signed.
type Choice func(i int) bool

// counts reports whether an item can be signed and was chosen.
func (b Batch) counts(i int, choice Choice) bool {
	return !b.Items[i].Refused() && (choice == nil || choice(i))
}

// Total is what the chosen items of one coin and network do together.
type Total struct {
	Chain   chain.ID `json:"chain"`
	Network string   `json:"network"`
	Items   int      `json:"items"`
	Paid    *Sum     `json:"paid"` // smallest units
	Own     *Sum     `json:"own"`  // how much of it goes to own keys
	Fees    *Sum     `json:"fees"`
	Burnt   *Sum     `json:"burnt"` // what nobody can ever spend; it counts as fee
	MaxFee  int64    `json:"maxFee"`
	MaxFeed int      `json:"maxFeeItem"` // number of the item with that fee, from 1
}

// Totals sums the chosen items up, for each coin and network.
func (b Batch) Totals(choice Choice) []Total {
	by := make(map[chain.Coin]*Total)
	for i, it := range b.Items {
		if !b.counts(i, choice) {
			continue
		}
		t := by[it.Coin]
		if t == nil {
			t = &Total{Chain: it.Chain, Network: it.Network.String(), Paid: new(Sum), Own: new(Sum), Fees: new(Sum), Burnt: new(Sum)}
			by[it.Coin] = t
		}
		t.Items++
		t.Paid.Add(it.Facts.Paid())
		t.Own.Add(it.Facts.Transferred())
		t.Fees.Add(it.Facts.Fee)
		t.Burnt.Add(it.Facts.Burnt())
		if it.Facts.Fee > t.MaxFee || t.MaxFeed == 0 {
			t.MaxFee, t.MaxFeed = it.Facts.Fee, i+1
		}
	}
	list := make([]Total, 0, len(by))
	for _, t := range by {
		list = append(list, *t)
	}
	slices.SortFunc(list, func(x, y Total) int {
		return cmp.Or(cmp.Compare(x.Chain, y.Chain), cmp.Compare(x.Network, y.Network))
	})
	return list
}

// Destination is what the chosen items pay to one place.
type Destination struct {
	Chain    chain.ID `json:"chain"`
	Network  string   `json:"network"`
	To       string   `json:"to"`            // as utxo.Destination names it
	Kind     string   `json:"type"`          // such as "P2WPKH"
	Payments int      `json:"payments"`      // outputs
	Paid     *Sum     `json:"paid"`          // smallest units
	New      bool     `json:"new"`           // was never paid before
	First    int      `json:"firstItem"`     // number of the first item that pays it, from 1
	Own      string   `json:"own,omitempty"` // the own key that it is, as KeyName has it
	Named    bool     `json:"-"`             // To is an address
	Script   []byte   `json:"-"`
}

// Destinations lists where the chosen items pay to: new ones first, then by
// how much they get.
func (b Batch) Destinations(choice Choice) []Destination {
	type place struct {
		chain.Coin
		to string
	}
	at := make(map[place]int)
	var list []Destination
	for i, it := range b.Items {
		if !b.counts(i, choice) {
			continue
		}
		for _, out := range it.Facts.Outputs {
			if out.IsChange() || isData(out) && out.Value == 0 {
				continue
			}
			where := place{it.Coin, To(out)}
			n, known := at[where]
			if !known {
				n = len(list)
				at[where] = n
				list = append(list, Destination{Chain: it.Chain, Network: it.Network.String(), To: where.to, Kind: out.Kind,
					Paid: new(Sum), First: i + 1, Named: out.Address != "", Script: out.Script})
			}
			list[n].Payments++
			list[n].Paid.Add(out.Paid())
			if out.Own != nil {
				list[n].Own = KeyName(*out.Own)
			}
			list[n].New = list[n].New || it.saysNew(where.to)
		}
	}
	slices.SortStableFunc(list, func(x, y Destination) int {
		return cmp.Or(cmp.Compare(x.Chain, y.Chain), cmp.Compare(x.Network, y.Network), newFirst(x, y), y.Paid.Cmp(x.Paid))
	})
	return list
}

func newFirst(x, y Destination) int {
	switch {
	case x.New == y.New:
		return 0
	case x.New:
		return -1
	}
	return 1
}

// saysNew reports whether a finding of the item names this destination as new.
func (it Item) saysNew(to string) bool {
	for _, r := range it.Findings {
		if r.Code == chain.FlagNew && strings.Contains(r.Text, to) {
			return true
		}
	}
	return false
}

// To names where an output goes, as policy and ledger do.
func To(out chain.Output) string {
	return utxo.Destination(out.Address, out.Script)
}
