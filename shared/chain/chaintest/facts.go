// Package chaintest has what tests of families of chains share.
package chaintest

import (
	"cmp"

	"coldkms/shared/chain"
)

// Complete fills in what facts written by hand leave out: the coin as an asset
// of eight decimals, names of destinations, and exclusive ids.
func Complete(f chain.Facts) chain.Facts {
	f.Asset = chain.Asset{Coin: f.Coin, Symbol: string(f.Chain), Decimals: 8}
	f.Unit = cmp.Or(f.Unit, "vB")
	for i := range f.Sources {
		s := &f.Sources[i]
		if s.Asset == (chain.Asset{}) {
			s.Asset = f.Asset
		}
		f.Exclusive = append(f.Exclusive, s.ID)
	}
	for i := range f.Movements {
		m := &f.Movements[i]
		if m.Asset == (chain.Asset{}) {
			m.Asset = f.Asset
		}
		m.To = cmp.Or(m.To, m.Address)
	}
	return f
}
