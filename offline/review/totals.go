package review

import (
	"cmp"
	"fmt"
	"slices"

	"coldkms/shared/chain"
)

// Choice says of an item's place whether it counts; nil: what can be signed.
type Choice func(i int) bool

// counts reports whether an item can be signed and was chosen.
func (b Batch) counts(i int, choice Choice) bool {
	return !b.Items[i].Refused() && (choice == nil || choice(i))
}

// Total is what the chosen items do together with one coin, or with one token of
// it.
type Total struct {
	Chain   chain.ID     `json:"chain"`
	Network string       `json:"network"`
	Token   string       `json:"token,omitempty"` // none: the coin itself
	Items   int          `json:"items"`
	Paid    chain.Amount `json:"paid"` // smallest units
	Own     chain.Amount `json:"own"`  // how much of it goes to own keys
	Fees    chain.Amount `json:"fees"`
	Burnt   chain.Amount `json:"burnt"`                  // what nobody can ever spend; it counts as fee
	MaxFee  chain.Amount `json:"maxFee"`                 // of one item, with what it burns
	MaxFeed int          `json:"maxFeeItem"`             // number of the item with that fee, from 1
	Again   int          `json:"signedBefore,omitempty"` // items whose signature is on record: they pay nothing new
	Before  chain.Amount `json:"paidBefore,omitzero"`    // how much of Paid those pay

	asset chain.Asset
}

// name is the coin and its network, or the token on them.
func (t Total) name() string {
	if t.Token != "" {
		return t.asset.Symbol + " on " + t.asset.Coin.String()
	}
	return t.asset.Coin.String()
}

// Totals sums the chosen items up, for each coin and token.
func (b Batch) Totals(choice Choice) []Total {
	by := make(map[chain.Asset]*Total)
	of := func(asset chain.Asset) *Total {
		if by[asset] == nil {
			by[asset] = &Total{Chain: asset.Chain, Network: asset.Network.String(), Token: asset.Token, asset: asset}
		}
		return by[asset]
	}
	for i, it := range b.Items {
		if !b.counts(i, choice) {
			continue
		}
		again := it.again()
		of(it.Facts.Asset).add(i, it.Facts, again)
		for asset, t := range tokens(it.Facts) {
			of(asset).addToken(t, again)
		}
	}
	list := make([]Total, 0, len(by))
	for _, t := range by {
		list = append(list, *t)
	}
	slices.SortFunc(list, func(x, y Total) int {
		return cmp.Or(cmp.Compare(x.Chain, y.Chain), cmp.Compare(x.Network, y.Network), cmp.Compare(x.Token, y.Token))
	})
	return list
}

// highest says what the highest fee of one item is.
func (t Total) highest() string {
	burn := ""
	if !t.Burnt.IsZero() {
		burn = " with what is burnt"
	}
	return fmt.Sprintf("%s%s, of [%d]", t.asset.Format(t.MaxFee), burn, t.MaxFeed)
}

// add adds what item i does with the coin itself.
func (t *Total) add(i int, f *chain.Facts, again bool) {
	t.pay(f.Paid(), again)
	t.Own = t.Own.Plus(f.Transferred())
	t.Fees = t.Fees.Plus(f.Fee)
	t.Burnt = t.Burnt.Plus(f.Burnt())
	if f.Cost().Cmp(t.MaxFee) > 0 || t.MaxFeed == 0 {
		t.MaxFee, t.MaxFeed = f.Cost(), i+1
	}
}

func (t *Total) addToken(of Total, again bool) {
	t.pay(of.Paid, again)
	t.Own = t.Own.Plus(of.Own)
	t.Burnt = t.Burnt.Plus(of.Burnt)
}

// pay counts one item and what it pays.
func (t *Total) pay(paid chain.Amount, again bool) {
	t.Items++
	t.Paid = t.Paid.Plus(paid)
	if again {
		t.Again++
		t.Before = t.Before.Plus(paid)
	}
}

// tokens sums up what one item does with each token.
func tokens(f *chain.Facts) map[chain.Asset]Total {
	var by map[chain.Asset]Total
	for _, m := range f.Movements {
		if m.Asset.Token == "" {
			continue
		}
		if by == nil {
			by = make(map[chain.Asset]Total)
		}
		t := by[m.Asset]
		t.Paid, t.Own = t.Paid.Plus(m.Paid()), t.Own.Plus(m.Transfer())
		if m.Burnt {
			t.Burnt = t.Burnt.Plus(m.Amount)
		}
		by[m.Asset] = t
	}
	return by
}

// Destination is what the chosen items pay to one place.
type Destination struct {
	Chain    chain.ID     `json:"chain"`
	Network  string       `json:"network"`
	Token    string       `json:"token,omitempty"` // none: the coin itself
	To       string       `json:"to"`              // canonical name, as policy and ledger have it
	Kind     string       `json:"type"`            // such as "P2WPKH"
	Payments int          `json:"payments"`        // movements
	Paid     chain.Amount `json:"paid"`            // smallest units
	New      bool         `json:"new"`             // was never paid before
	First    int          `json:"firstItem"`       // number of the first item that pays it, from 1
	Own      string       `json:"own,omitempty"`   // the own key that it is, as OwnNames has it
	Named    bool         `json:"-"`               // To is an address
	Label    string       `json:"label,omitempty"` // what policy calls it

	first *chain.Movement // of the first item
}

// Destinations lists where the chosen items pay to: new ones first, then by
// how much they get.
func (b Batch) Destinations(choice Choice) []Destination {
	at := make(map[chain.Asset]map[string]int) // canonical name → place in the list
	var list []Destination
	for i, it := range b.Items {
		if !b.counts(i, choice) {
			continue
		}
		isNew := it.newDestinations()
		for k := range it.Facts.Movements {
			m := &it.Facts.Movements[k]
			if m.IsChange() || m.IsData && m.Amount.IsZero() {
				continue
			}
			if at[m.Asset] == nil {
				at[m.Asset] = make(map[string]int)
			}
			n, known := at[m.Asset][m.To]
			if !known {
				n = len(list)
				at[m.Asset][m.To] = n
				list = append(list, Destination{Chain: it.Chain, Network: it.Network.String(), Token: m.Asset.Token,
					To: m.To, Kind: m.Kind, First: i + 1, Named: m.Address != "", Label: b.LabelOf(it.Coin, m.To), first: m})
			}
			list[n].add(*m, isNew[m.To])
		}
	}
	slices.SortStableFunc(list, func(x, y Destination) int {
		return cmp.Or(cmp.Compare(x.Chain, y.Chain), cmp.Compare(x.Network, y.Network), newFirst(x, y), cmp.Compare(x.Token, y.Token), y.Paid.Cmp(x.Paid))
	})
	return list
}

func (d *Destination) add(m chain.Movement, isNew bool) {
	d.Payments++
	d.Paid = d.Paid.Plus(m.Paid())
	if m.Own != nil {
		d.Own = OwnNames(m)
	}
	d.New = d.New || isNew
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

// newDestinations are those that a finding of the item says are new.
func (it Item) newDestinations() map[string]bool {
	var isNew map[string]bool
	for _, r := range it.Findings {
		if r.Code != chain.FlagNew || r.At.Part != chain.OfMovement || r.At.Index >= len(it.Facts.Movements) {
			continue
		}
		if isNew == nil {
			isNew = make(map[string]bool)
		}
		isNew[it.Facts.Movements[r.At.Index].To] = true
	}
	return isNew
}
