// Package prepare turns a pending transaction into what a signer needs to
// judge it without a network: the item of a Request, and the previous
// transactions that prove what each input is worth.
//
// It refuses what a Request cannot carry: JSON that is not of Tatum's form, a
// claimed hash that is not the transaction's, a claimed amount or script that
// is not the previous output's, an input that carries a script already.
// Everything else is carried as it is, for the signer to judge and record.
//
// A chain is one case of parserOf: those that share bitcore's JSON need no
// more than that.
package prepare

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/wire/v2"

	"coldkms/shared/bundle"
	"coldkms/shared/chain"
	"coldkms/shared/chain/utxo"
	"coldkms/shared/pending"
)

// ErrUnknown is returned by a Source for a transaction that nobody has.
var ErrUnknown = errors.New("transaction is not known")

// A Source gives previous transactions in serialised form, with witness or
// without. What it gives is not believed: Prove hashes it.
type Source interface {
	Previous(ctx context.Context, id chain.ID, txid string) ([]byte, error)
}

// A Draft is a pending transaction that was read, and whose claims are not
// proven yet.
type Draft struct {
	id      string
	chain   chain.ID
	network chain.Network
	keys    []chain.Key
	msg     *wire.MsgTx
	claims  []utxo.Claim // one an input
}

// A Previous is a previous transaction without witness, whose double SHA-256
// is its id.
type Previous struct {
	ID  chainhash.Hash
	Raw []byte
}

// Prepared is a transaction whose every input is proven.
type Prepared struct {
	Draft
	Previous []Previous // each once, in the order of first use
	hashed   int        // KiB, for legacy signatures
}

// parsed is what a chain's parser reads out of serializedTransaction.
type parsed struct {
	msg    *wire.MsgTx
	hash   string // claimed id of the unsigned transaction; "" when there is none
	claims []utxo.Claim
}

// parserOf returns the parser of a chain's serializedTransaction, or nil for a
// chain that is not built.
func parserOf(id chain.ID) func(string) (parsed, error) {
	switch id {
	case chain.BTC, chain.LTC, chain.DOGE:
		return parseBitcore
	case chain.BCH:
		return parseBCH
	}
	return nil
}

// Built reports whether transactions of a chain can be prepared.
func Built(id chain.ID) bool { return parserOf(id) != nil }

// Parse reads a pending transaction without asking anybody. Errors are
// refusals.
func Parse(tx pending.Tx, network chain.Network) (Draft, error) {
	id := chain.ID(tx.Chain)
	parse := parserOf(id)
	if parse == nil {
		return Draft{}, chain.Refuse(chain.UnsupportedChain, "chain %.20q is not supported yet", tx.Chain)
	}
	keys, err := tx.Keys()
	if err != nil {
		return Draft{}, err
	}
	p, err := parse(tx.SerializedTransaction)
	if err != nil {
		return Draft{}, err
	}
	if size := p.msg.SerializeSizeStripped(); size > utxo.MaxTxSize {
		return Draft{}, chain.Refuse(chain.Malformed, "transaction of %d bytes, at most %d", size, utxo.MaxTxSize)
	}
	if txid := p.msg.TxHash().String(); p.hash != "" && p.hash != txid {
		return Draft{}, chain.Refuse(chain.HashMismatch, "the JSON says hash %.80q, the transaction's is %s", p.hash, txid)
	}
	d := Draft{id: tx.ID, chain: id, network: network, keys: keys, msg: p.msg, claims: p.claims}
	return d, fits(d.load())
}

// ID is the pending id.
func (d Draft) ID() string { return d.id }

// Chain is the transaction's chain.
func (d Draft) Chain() chain.ID { return d.chain }

// UnsignedID is the txid of the transaction before it is signed.
func (d Draft) UnsignedID() chainhash.Hash { return d.msg.TxHash() }

// Unsigned returns a copy of the transaction, without any signature.
func (d Draft) Unsigned() *wire.MsgTx {
	if d.msg == nil {
		return nil
	}
	return d.msg.Copy()
}

// Needs lists the previous transactions, each once, in the order of first use.
func (d Draft) Needs() []chainhash.Hash {
	seen := make(map[chainhash.Hash]bool, len(d.msg.TxIn))
	var needs []chainhash.Hash
	for _, in := range d.msg.TxIn {
		if id := in.PreviousOutPoint.Hash; !seen[id] {
			seen[id] = true
			needs = append(needs, id)
		}
	}
	return needs
}

// Check makes a Previous of what a Source gave: without witness, and proven
// to be the transaction that was wanted.
func Check(want chainhash.Hash, raw []byte) (Previous, error) {
	stripped, err := utxo.StripWitness(raw)
	if err != nil {
		return Previous{}, fmt.Errorf("prepare: previous transaction %s: %w", want, err)
	}
	if got := chainhash.DoubleHashH(stripped); got != want {
		return Previous{}, fmt.Errorf("prepare: previous transaction %s: what came has the id %s", want, got)
	}
	return Previous{ID: want, Raw: stripped}, nil
}

// Proofs are previous transactions, each hashed once for all the items that
// spend from them.
type Proofs struct {
	table *utxo.Table
	raws  [][]byte
}

// NewProofs hashes previous transactions without witness, each given once.
func NewProofs(raws [][]byte) (*Proofs, error) {
	table, err := utxo.NewTable(raws)
	if err != nil {
		return nil, err
	}
	return &Proofs{table: table, raws: raws}, nil
}

// Prove compares every claim with the previous outputs. Errors are refusals:
// UnprovenAmount for a previous transaction or output that is not there,
// AmountMismatch, TooLarge for one that no Request can hold.
func (d Draft) Prove(proofs *Proofs) (Prepared, error) {
	params, err := utxo.ParamsOf(chain.Coin{Chain: d.chain, Network: d.network})
	if err != nil {
		return Prepared{}, err
	}
	p, legacy := Prepared{Draft: d}, 0
	for _, id := range d.Needs() {
		at, ok := proofs.table.Find(id)
		if !ok {
			return Prepared{}, chain.Refuse(chain.UnprovenAmount, "previous transaction %s could not be had", id)
		}
		p.Previous = append(p.Previous, Previous{ID: id, Raw: proofs.raws[at]})
	}
	for i, in := range d.msg.TxIn {
		op := in.PreviousOutPoint
		at, _ := proofs.table.Find(op.Hash)
		value, script, ok := proofs.table.Output(at, op.Index)
		if !ok {
			return Prepared{}, chain.Refuse(chain.UnprovenAmount, "input %d: previous transaction %s has no output %d", i, op.Hash, op.Index)
		}
		if err := checkClaim(d.claims[i], i, value, script); err != nil {
			return Prepared{}, err
		}
		if params.HashesAll(script) {
			legacy++
		}
	}
	p.hashed = utxo.Hashed(d.msg.SerializeSizeStripped(), legacy)
	return p, fits(p.loadOf())
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

// One prepares one pending transaction with previous transactions from
// source. An error that is no refusal is the source's, and may pass.
func One(ctx context.Context, tx pending.Tx, network chain.Network, source Source) (Prepared, error) {
	d, err := Parse(tx, network)
	if err != nil {
		return Prepared{}, err
	}
	var raws [][]byte
	for _, id := range d.Needs() {
		raw, err := source.Previous(ctx, d.chain, id.String())
		if errors.Is(err, ErrUnknown) {
			continue // Prove says so
		}
		if err != nil {
			return Prepared{}, err
		}
		prev, err := Check(id, raw)
		if err != nil {
			return Prepared{}, chain.Refuse(chain.UnprovenAmount, "%v", err)
		}
		raws = append(raws, prev.Raw)
	}
	proofs, err := NewProofs(raws)
	if err != nil {
		return Prepared{}, err
	}
	return d.Prove(proofs)
}

// Bundle returns the items of a Request and its table of previous
// transactions, each once, in the order of first use.
func Bundle(list []Prepared) ([]bundle.Item, [][]byte) {
	var table [][]byte
	position := make(map[chainhash.Hash]int)
	items := make([]bundle.Item, len(list))
	for i, p := range list {
		for _, prev := range p.Previous {
			if _, ok := position[prev.ID]; !ok {
				position[prev.ID] = len(table)
				table = append(table, prev.Raw)
			}
		}
		tx, context := utxo.Encode(p.msg, func(id chainhash.Hash) int { return position[id] }, nil)
		items[i] = bundle.Item{ID: p.id, Family: utxo.Name, Coin: chain.Coin{Chain: p.chain, Network: p.network}, Tx: tx, Context: context, Keys: p.keys}
	}
	return items, table
}
