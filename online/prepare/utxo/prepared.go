package utxo

import (
	"github.com/btcsuite/btcd/chainhash/v2"

	"coldkms/online/prepare"
	"coldkms/shared/bundle"
	"coldkms/shared/chain"
	"coldkms/shared/chain/utxo"
)

// prepared is a transaction whose every input is proven. Its claims are those of
// the previous outputs. It implements prepare.Prepared.
type prepared struct {
	draft
	parts  []prepare.Part // previous transactions without witness, each once, in the order of first use
	hashed int            // KiB, for legacy signatures
}

// Parts implements prepare.Prepared.
func (p prepared) Parts() []prepare.Part { return p.parts }

// Item implements prepare.Prepared.
func (p prepared) Item(at func(part string) int) bundle.Item {
	where := make(map[chainhash.Hash]int, len(p.parts))
	for i, id := range parentsOf(p.msg) {
		where[id] = at(p.parts[i].ID)
	}
	return p.item(func(id chainhash.Hash) int { return where[id] })
}

func (d draft) item(at func(chainhash.Hash) int) bundle.Item {
	tx, context := utxo.Encode(d.msg, at, d.claims)
	return bundle.Item{ID: d.id, Family: utxo.Name, Coin: d.coin, Tx: tx, Context: context, Keys: d.keys}
}

// Family implements prepare.Prepared.
func (prepared) Family() string { return utxo.Name }

// Facts implements prepare.Prepared: it reads the very bytes that travel.
func (p prepared) Facts() (chain.Facts, error) {
	items, attached := prepare.Bundle([]prepare.Prepared{p})
	table, err := utxo.NewTable(bundle.Request{Attachments: attached}.Attached(utxo.Name))
	if err != nil {
		return chain.Facts{}, err
	}
	tx, err := utxo.Decode(p.coin, items[0].Tx, items[0].Context, table)
	if err != nil {
		return chain.Facts{}, err
	}
	return tx.Explain(utxo.NoKeys{}), nil
}

// load is what the transaction takes of a Request without its previous
// transactions.
func (d draft) load() bundle.Load {
	l := d.item(func(chainhash.Hash) int { return bundle.MaxParts }).Load()
	l.Inputs, l.Outputs = len(d.msg.TxIn), len(d.msg.TxOut)
	return l
}

// Load implements prepare.Prepared. Legacy signatures are counted.
func (p prepared) Load() bundle.Load {
	l := p.draft.load()
	l.Hashed = p.hashed
	return l
}

// whole is what the transaction takes of a Request on its own.
func (p prepared) whole() bundle.Load {
	l := p.Load()
	for _, part := range p.parts {
		l = l.Add(bundle.LoadOf(part.Raw))
	}
	return l
}

// fits refuses a transaction that no Request can hold.
func fits(l bundle.Load) error {
	if err := l.CheckItem(); err != nil {
		return chain.Refuse(chain.TooLarge, "%v: have it made anew in smaller parts", err)
	}
	return nil
}
