package prepare

import (
	"github.com/btcsuite/btcd/chainhash/v2"

	"coldkms/shared/bundle"
	"coldkms/shared/chain"
	"coldkms/shared/chain/utxo"
)

// load is what the transaction takes of a Request without its previous
// transactions.
func (d Draft) load() bundle.Load {
	raw, context := utxo.Encode(d.msg, func(chainhash.Hash) int { return bundle.MaxPrevious }, nil)
	l := bundle.Item{ID: d.id, Family: utxo.Name, Coin: chain.Coin{Chain: d.chain, Network: d.network}, Tx: raw, Context: context, Keys: d.keys}.Load()
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

// A Room is what is left of one Request that is being filled. Its zero value is
// that of an empty one.
type Room struct {
	Statements int // that each transaction may bring with it

	sum  bundle.Load
	have map[chainhash.Hash][]byte
}

// Take reserves room for a transaction, or reports that there is not enough. A
// transaction that Prove has let pass always fits into an empty Request.
func (r *Room) Take(p Prepared) bool {
	const perStatement = 128
	next := r.sum.Add(p.load()).Add(bundle.Load{Statements: r.Statements, Bytes: r.Statements * perStatement})
	for _, prev := range p.Previous {
		if _, twice := r.have[prev.ID]; !twice {
			next = next.Add(bundle.LoadOf(prev.Raw))
		}
	}
	if next.Check() != nil && r.sum.Items > 0 {
		return false
	}
	if r.have == nil {
		r.have = make(map[chainhash.Hash][]byte)
	}
	for _, prev := range p.Previous {
		r.have[prev.ID] = prev.Raw
	}
	r.sum = next
	return true
}

// Previous returns a previous transaction that the Request has already, or nil.
func (r *Room) Previous(id chainhash.Hash) []byte { return r.have[id] }
