package prepare

import (
	"encoding/json"
	"fmt"

	"coldkms/shared/bundle"
	"coldkms/shared/chain"
)

// form is a prepared transaction as the journal keeps it: an item whose context
// refers to nothing outside it.
type form struct {
	Family  string        `json:"family"`
	Chain   chain.ID      `json:"chain"`
	Network chain.Network `json:"network"`
	Tx      []byte        `json:"tx"`
	Context []byte        `json:"context"`
	Keys    []chain.Key   `json:"keys"`
}

// Form returns a prepared transaction as the journal keeps it.
func Form(p Prepared) ([]byte, error) {
	it := p.Item(func(string) int { return -1 })
	return json.Marshal(form{it.Family, it.Chain, it.Network, it.Tx, it.Context, it.Keys})
}

// Restore reads what Form wrote of the item with this pending id. Claims in it
// are proven again by whoever rests on them.
func (list Families) Restore(id string, text []byte) (Family, Draft, error) {
	var f form
	if err := json.Unmarshal(text, &f); err != nil {
		return nil, nil, fmt.Errorf("the prepared form in the journal is damaged: %w", err)
	}
	family := list.Named(f.Family)
	if family == nil {
		return nil, nil, chain.Refuse(chain.UnsupportedChain, "family %.20q is not supported", f.Family)
	}
	d, err := family.Restore(bundle.Item{ID: id, Family: f.Family, Coin: chain.Coin{Chain: f.Chain, Network: f.Network}, Tx: f.Tx, Context: f.Context, Keys: f.Keys})
	return family, d, err
}
