package utxo

import (
	"math"

	"github.com/btcsuite/btcd/txscript/v2"
	"github.com/btcsuite/btcd/wire/v2"

	"coldkms/shared/chain"
)

// Spent is the output that an input spends.
type Spent struct {
	Outpoint wire.OutPoint
	Value    int64
	Script   []byte
	Proven   bool // from a previous transaction in the table, not from a claim
}

// Tx is one unsigned transaction together with what it spends. It is
// decoded once and never changed: what is judged, shown, logged and signed is
// this value.
type Tx struct {
	params   Params
	msg      *wire.MsgTx
	spent    []Spent
	unsigned []byte
	sums     struct{ in, out int64 }
}

// Decode reads a transaction in canonical form and makes every check that
// needs neither keys nor policy. Errors are refusals: Malformed,
// UnsupportedChain, UnprovenAmount, NoInputs, NoOutputs, DuplicateInput,
// ValueOutOfRange, OutputsAbove.
//
// An input that rests on a claim decodes; Unproven says so.
func Decode(coin chain.Coin, tx, context []byte, table *Table) (*Tx, error) {
	p, err := ParamsOf(coin)
	if err != nil {
		return nil, err
	}
	msg, spent, err := decode(tx, context, table)
	if err != nil {
		return nil, err
	}
	t := &Tx{params: p, msg: msg, spent: spent, unsigned: serialize(msg)}
	if err := t.checkShape(); err != nil {
		return nil, err
	}
	return t, t.checkSums()
}

func (t *Tx) checkShape() error {
	if len(t.msg.TxIn) == 0 {
		return chain.Refuse(chain.NoInputs, "transaction spends nothing")
	}
	if len(t.msg.TxOut) == 0 {
		return chain.Refuse(chain.NoOutputs, "transaction pays nobody: everything would be fee")
	}
	seen := make(map[wire.OutPoint]bool, len(t.spent))
	for _, s := range t.spent {
		if seen[s.Outpoint] {
			return chain.Refuse(chain.DuplicateInput, "outpoint %s is spent twice in one transaction", s.Outpoint)
		}
		seen[s.Outpoint] = true
	}
	return nil
}

func (t *Tx) checkSums() error {
	for i, s := range t.spent {
		if !t.add(&t.sums.in, s.Value) {
			return chain.Refuse(chain.ValueOutOfRange, "input %d spends %d, beyond what %s can have", i, s.Value, t.params.Chain)
		}
	}
	for i, out := range t.msg.TxOut {
		if !t.add(&t.sums.out, out.Value) {
			return chain.Refuse(chain.ValueOutOfRange, "output %d pays %d, beyond what %s can have", i, out.Value, t.params.Chain)
		}
	}
	if t.sums.out > t.sums.in {
		return chain.Refuse(chain.OutputsAbove, "outputs of %d are more than inputs of %d", t.sums.out, t.sums.in)
	}
	return nil
}

// add adds a value to a sum and reports whether both are in the coin's range.
func (t *Tx) add(sum *int64, value int64) bool {
	limit := t.params.MaxValue
	if value < 0 || value > limit {
		return false
	}
	if !t.params.HasSupply {
		limit = math.MaxInt64
	}
	if *sum > limit-value {
		return false
	}
	*sum += value
	return true
}

// Params are the constants of the transaction's coin.
func (t *Tx) Params() Params { return t.params }

// Content identifies what is signed, whatever bundle it came in: a digest over
// chain, network and the unsigned bytes, whose outpoints fix every amount that
// is proven. Signatures commit to amounts and scripts of inputs as well, so
// what is only claimed of them is part of the digest.
func (t *Tx) Content() [32]byte {
	var claims []byte
	for i, s := range t.spent {
		if !s.Proven {
			claims = appendClaim(claims, i, s)
		}
	}
	return contentDigest(t.params.Coin, t.unsigned, claims)
}

// Transaction is the Content of the same transaction with every input proven:
// it says nothing of claims.
func (t *Tx) Transaction() [32]byte {
	return contentDigest(t.params.Coin, t.unsigned, nil)
}

// UnsignedID is the txid with empty scripts, which a legacy signature changes.
func (t *Tx) UnsignedID() string { return t.msg.TxHash().String() }

// Spent returns what each input spends, in input order. It is not to be written to.
func (t *Tx) Spent() []Spent { return t.spent }

// Outpoints lists what is spent, as "txid:index".
func (t *Tx) Outpoints() []string {
	list := make([]string, len(t.spent))
	for i, s := range t.spent {
		list[i] = s.Outpoint.String()
	}
	return list
}

// vsize estimates the virtual size of the signed transaction (BIP 141).
func (t *Tx) vsize(keys Keyring) int64 {
	weight := 4 * len(t.unsigned)
	witness := 0
	for _, s := range t.spent {
		pubKeyLen, ok := keys.Signs(s.Script)
		if !ok {
			pubKeyLen = 33
		}
		scriptSig, wit := t.params.inputSize(t.params.KindOf(s.Script), pubKeyLen)
		weight += 4 * scriptSig
		witness += max(wit, 1)
	}
	if witness > len(t.spent) { // at least one real witness: marker, flag and a count for each input
		weight += 2 + witness
	}
	return int64((weight + 3) / 4)
}

// sizeWithoutWitness estimates the bytes of the signed transaction without its
// witness.
func (t *Tx) sizeWithoutWitness() int {
	size := len(t.unsigned)
	for _, s := range t.spent {
		scriptSig, _ := t.params.inputSize(t.params.KindOf(s.Script), pubKeyLen)
		size += scriptSig
	}
	return size
}

func (t *Tx) prevOuts() txscript.PrevOutputFetcher {
	outs := make(map[wire.OutPoint]*wire.TxOut, len(t.spent))
	for _, s := range t.spent {
		outs[s.Outpoint] = &wire.TxOut{Value: s.Value, PkScript: s.Script}
	}
	return txscript.NewMultiPrevOutFetcher(outs)
}
