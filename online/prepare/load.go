package prepare

import (
	"github.com/btcsuite/btcd/chaincfg/chainhash"

	"coldkms/shared/bundle"
	"coldkms/shared/chain"
	"coldkms/shared/chain/utxo"
)

// load is what the transaction takes of a Request without its previous
// transactions.
func (d Draft) load() bundle.Load {
	raw, context := utxo.Encode(d.msg, func(chainhash.Hash) int { return bundle.MaxPrevious }, nil)
	l := bundle.Item{ID: d.id, Family: utxo.Name, Chain: d.chain, Network: d.network, Tx: raw, Context: context, Keys: d.keys}.Load()
	l.Inputs, l.Outputs = len(d.msg.TxIn), len(d.msg.TxOut)
	return l
}

// fits refuses a transaction that no Request can hold.
func fits(l bundle.Load) error {
	if err := l.CheckItem(); err != nil {
		return chain.Refuse(chain.TooLarge, "%v: have it made anew in smaller parts", err)
	}
	return nil
}

// load is what the transaction takes of a Request without its previous
// transactions, its legacy signatures counted.
func (p Prepared) load() bundle.Load {
	l := p.Draft.load()
	l.Hashed = p.hashed
	return l
}

// loadOf is what the transaction takes of a Request on its own.
func (p Prepared) loadOf() bundle.Load {
	l := p.load()
	for _, prev := range p.Previous {
		l = l.Add(bundle.LoadOf(prev.Raw))
	}
	return l
}

// Split returns how many of the first transactions fit into one Request, each
// with so many statements; at least one of those that Prove has let pass.
func Split(list []Prepared, statements int) int {
	const perStatement = 128
	var sum bundle.Load
	seen := make(map[chainhash.Hash]bool)
	for i, p := range list {
		next := sum.Add(p.load()).Add(bundle.Load{Statements: statements, Bytes: statements * perStatement})
		for _, prev := range p.Previous {
			if !seen[prev.ID] {
				seen[prev.ID] = true
				next = next.Add(bundle.LoadOf(prev.Raw))
			}
		}
		if next.Check() != nil {
			return max(i, 1)
		}
		sum = next
	}
	return len(list)
}
