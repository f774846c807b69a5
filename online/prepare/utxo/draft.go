// Package utxo prepares the transactions of BTC, LTC, DOGE and BCH: it reads what
// Tatum sends for them, and proves what each input is worth with the previous
// transactions.
//
// It refuses what a Request cannot carry: JSON that is not of Tatum's form, a
// claimed hash that is not the transaction's, a claimed amount or script that
// is not the previous output's, an input that carries a script already.
// Everything else is carried as it is, for the signer to judge and record.
//
// A chain is one entry of coins: those that share bitcore's JSON need no more
// than that.
package utxo

import (
	"bytes"
	"time"

	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/wire/v2"

	"coldkms/online/prepare"
	"coldkms/shared/bundle"
	"coldkms/shared/chain"
	"coldkms/shared/chain/utxo"
	"coldkms/shared/pending"
)

// draft is a pending transaction that was read. It implements prepare.Draft.
type draft struct {
	id     string
	coin   chain.Coin
	keys   []chain.Key
	msg    *wire.MsgTx
	claims []utxo.Claim // one an input
}

// parsed is what a chain's parser reads out of serializedTransaction.
type parsed struct {
	msg    *wire.MsgTx
	hash   string // claimed id of the unsigned transaction; "" when there is none
	claims []utxo.Claim
}

// coin is what the family knows of a chain.
type coin struct {
	parse func(serialized string) (parsed, error)
	pace  prepare.Pace
}

// coins returns what the family knows: an hour of blocks is deep enough for BTC,
// half an hour for LTC, 40 minutes for DOGE, and for BCH what exchanges ask for.
func coins() map[chain.ID]coin {
	return map[chain.ID]coin{
		chain.BTC:  {parseBitcore, prepare.Pace{Depth: 6, Block: 10 * time.Minute}},
		chain.LTC:  {parseBitcore, prepare.Pace{Depth: 12, Block: 150 * time.Second}},
		chain.DOGE: {parseBitcore, prepare.Pace{Depth: 40, Block: time.Minute}},
		chain.BCH:  {parseBCH, prepare.Pace{Depth: 10, Block: 10 * time.Minute}},
	}
}

// Parse implements prepare.Family.
func (f family) Parse(tx pending.Tx, network chain.Network) (prepare.Draft, error) {
	id := chain.ID(tx.Chain)
	known, ok := f.coins[id]
	if !ok {
		return nil, chain.Refuse(chain.UnsupportedChain, "chain %.20q is not supported yet", tx.Chain)
	}
	keys, err := tx.Keys()
	if err != nil {
		return nil, err
	}
	p, err := known.parse(tx.SerializedTransaction)
	if err != nil {
		return nil, err
	}
	if size := p.msg.SerializeSizeStripped(); size > utxo.MaxTxSize {
		return nil, chain.Refuse(chain.Malformed, "transaction of %d bytes, at most %d", size, utxo.MaxTxSize)
	}
	if txid := p.msg.TxHash().String(); p.hash != "" && p.hash != txid {
		return nil, chain.Refuse(chain.HashMismatch, "the JSON says hash %.80q, the transaction's is %s", p.hash, txid)
	}
	d := draft{id: tx.ID, coin: chain.Coin{Chain: id, Network: network}, keys: keys, msg: p.msg, claims: p.claims}
	if err := fits(d.load()); err != nil {
		return nil, err
	}
	return d, nil
}

// Restore implements prepare.Family.
func (family) Restore(it bundle.Item) (prepare.Draft, error) {
	msg, claims, err := utxo.Unpack(it.Tx, it.Context)
	if err != nil {
		return nil, err
	}
	return draft{id: it.ID, coin: it.Coin, keys: it.Keys, msg: msg, claims: claims}, nil
}

// ID implements prepare.Draft.
func (d draft) ID() string { return d.id }

// Chain implements prepare.Draft.
func (d draft) Chain() chain.ID { return d.coin.Chain }

// Tx implements prepare.Draft.
func (d draft) Tx() prepare.Tx { return transaction{d.msg} }

// Needs implements prepare.Draft.
func (d draft) Needs() []string { return transaction{d.msg}.Parents() }

// parentsOf lists the transactions whose outputs a transaction spends, each once.
func parentsOf(msg *wire.MsgTx) []chainhash.Hash {
	seen := make(map[chainhash.Hash]bool, len(msg.TxIn))
	var list []chainhash.Hash
	for _, in := range msg.TxIn {
		if id := in.PreviousOutPoint.Hash; !seen[id] {
			seen[id] = true
			list = append(list, id)
		}
	}
	return list
}

// Prove implements prepare.Draft. Refusals: UnprovenAmount for a previous
// transaction or output that is missing, AmountMismatch, TooLarge for a
// transaction that no Request can hold.
func (d draft) Prove(known prepare.Proofs) (prepare.Prepared, error) {
	params, err := utxo.ParamsOf(d.coin)
	if err != nil {
		return nil, err
	}
	table := known.(proofs).Table
	p, legacy := prepared{draft: d}, 0
	p.claims = make([]utxo.Claim, len(d.claims))
	for _, id := range parentsOf(d.msg) {
		at, ok := table.Find(id)
		if !ok {
			return nil, chain.Refuse(chain.UnprovenAmount, "previous transaction %s could not be had", id)
		}
		p.parts = append(p.parts, prepare.Part{ID: id.String(), Raw: table.Raw(at)})
	}
	for i, in := range d.msg.TxIn {
		op := in.PreviousOutPoint
		at, _ := table.Find(op.Hash)
		value, script, ok := table.Output(at, op.Index)
		if !ok {
			return nil, chain.Refuse(chain.UnprovenAmount, "input %d: previous transaction %s has no output %d", i, op.Hash, op.Index)
		}
		if err := checkClaim(d.claims[i], i, value, script); err != nil {
			return nil, err
		}
		p.claims[i] = utxo.Claim{Value: value, Script: script}
		if params.HashesAll(script) {
			legacy++
		}
	}
	p.hashed = utxo.Hashed(d.msg.SerializeSizeStripped(), legacy)
	if err := fits(p.whole()); err != nil {
		return nil, err
	}
	return p, nil
}

func checkClaim(c utxo.Claim, i int, value int64, script []byte) error {
	if c.Value != value {
		return chain.Refuse(chain.AmountMismatch, "input %d: the JSON says it is worth %d, its previous output is worth %d", i, c.Value, value)
	}
	if c.Script != nil && !bytes.Equal(c.Script, script) {
		return chain.Refuse(chain.AmountMismatch, "input %d: the JSON says script %.40x, its previous output has %.40x", i, c.Script, script)
	}
	return nil
}
