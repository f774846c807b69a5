//go:build unix

package main

import (
	"bytes"
	"fmt"
	"slices"

	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/wire/v2"

	"coldkms/shared/chain"
	"coldkms/shared/chain/utxo"
)

// payment is one item in the making: sound, until something is changed.
type payment struct {
	id      string
	family  string
	chain   chain.ID
	network chain.Network
	prev    []*wire.MsgTx // carried as proof
	msg     *wire.MsgTx
	claims  map[int]utxo.Claim // inputs that are claimed instead
	keys    []chain.Key
	raw     func(tx, context []byte) ([]byte, []byte) // changes the encoding at the end
}

// amount is what each input spends, and fee what is left: sound for the coin.
func amount(id chain.ID) int64 {
	if id == chain.DOGE {
		return 100_0000_0000
	}
	return 10_000_000
}

func fee(id chain.ID) int64 {
	switch id {
	case chain.DOGE:
		return 2000_0000
	case chain.LTC:
		return 20_000 // above dust
	}
	return 3_000
}

// pendingID returns pending id number n.
func pendingID(n uint32) string { return fmt.Sprintf("%024x", n) }

// pay makes a sound payment: one output of the coin's private key, P2PKH, goes
// to a stranger, the rest comes back.
func (c *corpus) pay(id chain.ID) *payment { return c.spend(id, ownScripts(id)[0]) }

// spend makes a sound payment from outputs with these scripts.
func (c *corpus) spend(id chain.ID, scripts ...[]byte) *payment {
	n := c.next()
	prev := &wire.MsgTx{Version: 2, TxIn: []*wire.TxIn{{Sequence: n}}}
	p := &payment{
		id: pendingID(n), family: utxo.Name, chain: id, network: chain.Testnet, prev: []*wire.MsgTx{prev}, claims: map[int]utxo.Claim{},
		keys: []chain.Key{{SignatureID: single(id), Index: chain.NoIndex}}, msg: &wire.MsgTx{Version: 2},
	}
	for _, s := range scripts {
		prev.TxOut = append(prev.TxOut, wire.NewTxOut(amount(id), s))
	}
	hash := prev.TxHash()
	for i := range scripts {
		p.msg.AddTxIn(&wire.TxIn{PreviousOutPoint: wire.OutPoint{Hash: hash, Index: uint32(i)},
			Sequence: wire.MaxTxInSequenceNum})
	}
	all := amount(id) * int64(len(scripts))
	p.msg.AddTxOut(wire.NewTxOut(all*4/10, stranger(byte(0x60+at(id)))))
	p.msg.AddTxOut(wire.NewTxOut(all-all*4/10-fee(id), ownScripts(id)[0]))
	return p
}

// with changes a payment and returns it.
func (p *payment) with(change func(*payment)) *payment {
	change(p)
	return p
}

// rehash makes the inputs spend the previous transaction as it is by now.
func (p *payment) rehash() {
	hash := p.prev[0].TxHash()
	for _, in := range p.msg.TxIn {
		in.PreviousOutPoint.Hash = hash
	}
}

// claim has an input travel with a claim. Where another input of the payment
// spends from the same previous transaction, the request carries that one.
func (p *payment) claim(input int, value int64) {
	out := p.prev[0].TxOut[p.msg.TxIn[input].PreviousOutPoint.Index]
	p.claims[input] = utxo.Claim{Value: value, Script: out.PkScript}
}

// apart has an input spend from a previous transaction of its own, which is
// carried like the first.
func (p *payment) apart(input int) {
	op := &p.msg.TxIn[input].PreviousOutPoint
	own := &wire.MsgTx{Version: 2, TxIn: []*wire.TxIn{{Sequence: p.prev[0].TxIn[0].Sequence}},
		TxOut: []*wire.TxOut{p.prev[0].TxOut[op.Index]}, LockTime: uint32(input)}
	p.prev = append(p.prev, own)
	*op = wire.OutPoint{Hash: own.TxHash()}
}

// claimAlone has an input that apart was called for travel with a claim, and
// without its previous transaction.
func (p *payment) claimAlone(input int, value int64) {
	at := slices.IndexFunc(p.prev, func(m *wire.MsgTx) bool { return m.TxHash() == p.msg.TxIn[input].PreviousOutPoint.Hash })
	p.claims[input] = utxo.Claim{Value: value, Script: p.prev[at].TxOut[0].PkScript}
	p.prev = slices.Delete(slices.Clone(p.prev), at, at+1)
}

// encode returns the canonical bytes, previous transactions being numbered from
// first on.
func (p *payment) encode(first int) (tx, context []byte) {
	claims := make([]utxo.Claim, len(p.msg.TxIn))
	for i, claim := range p.claims {
		claims[i] = claim
	}
	carried := make([]chainhash.Hash, len(p.prev))
	for i, m := range p.prev {
		carried[i] = m.TxHash()
	}
	asked := -1
	tx, context = utxo.Encode(p.msg, func(id chainhash.Hash) int {
		asked++ // once an input, in order
		if _, claimed := p.claims[asked]; claimed {
			return -1
		}
		at := slices.Index(carried, id)
		if at < 0 {
			panic(fmt.Sprintf("%s: an input has neither proof nor claim", p.id))
		}
		return first + at
	}, claims)
	if p.raw != nil {
		return p.raw(tx, context)
	}
	return tx, context
}

// previous returns the serialised proofs.
func (p *payment) previous() (list [][]byte) {
	if len(p.claims) == len(p.msg.TxIn) && len(p.claims) > 0 {
		return nil
	}
	for _, m := range p.prev {
		list = append(list, serialized(m))
	}
	return list
}

func serialized(m *wire.MsgTx) []byte {
	var b bytes.Buffer
	check(m.SerializeNoWitness(&b))
	return b.Bytes()
}
