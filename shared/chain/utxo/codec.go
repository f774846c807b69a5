package utxo

import (
	"bytes"
	"encoding/binary"

	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/wire/v2"

	"coldkms/shared/chain"
)

// MaxTxSize bounds the unsigned transaction in bytes: what consensus lets
// into a block without witness (Bitcoin Core, consensus/consensus.h).
const MaxTxSize = 1_000_000

// Claim is what someone says about the output that an input spends. It is
// carried only where the previous transaction could not be had; nothing
// that rests on a claim is signed unless policy allows it.
type Claim struct {
	Value  int64
	Script []byte
}

// Encode writes an unsigned transaction in the family's canonical form
// (docs/FORMAT.md, "UTXO transaction"): the transaction with its previous
// transactions' ids left out, and the context that says where to find them.
// ref returns the position of a previous transaction in the bundle's table; a
// negative one makes the input travel with claims[i] instead.
func Encode(msg *wire.MsgTx, ref func(chainhash.Hash) int, claims []Claim) (tx, context []byte) {
	tx = binary.AppendUvarint(nil, uint64(uint32(msg.Version)))
	tx = binary.AppendUvarint(tx, uint64(msg.LockTime))
	tx = binary.AppendUvarint(tx, uint64(len(msg.TxIn)))
	for i, in := range msg.TxIn {
		tx = binary.AppendUvarint(tx, uint64(in.PreviousOutPoint.Index))
		tx = binary.AppendUvarint(tx, uint64(^in.Sequence))
		context = appendRef(context, in.PreviousOutPoint.Hash, ref, claims, i)
	}
	tx = binary.AppendUvarint(tx, uint64(len(msg.TxOut)))
	for _, out := range msg.TxOut {
		tx = binary.AppendUvarint(tx, uint64(out.Value))
		tx = binary.AppendUvarint(tx, uint64(len(out.PkScript)))
		tx = append(tx, out.PkScript...)
	}
	return tx, context
}

func appendRef(context []byte, id chainhash.Hash, ref func(chainhash.Hash) int, claims []Claim, i int) []byte {
	if n := ref(id); n >= 0 {
		return binary.AppendUvarint(context, uint64(n)+1)
	}
	context = append(context, 0)
	context = append(context, id[:]...)
	context = binary.AppendUvarint(context, uint64(claims[i].Value))
	context = binary.AppendUvarint(context, uint64(len(claims[i].Script)))
	return append(context, claims[i].Script...)
}

// Unpack reads what Encode wrote with a claim for every input. It judges nothing.
func Unpack(tx, context []byte) (*wire.MsgTx, []Claim, error) {
	msg, spent, err := decode(tx, context, &Table{})
	if err != nil {
		return nil, nil, err
	}
	claims := make([]Claim, len(spent))
	for i, s := range spent {
		claims[i] = Claim{Value: s.Value, Script: s.Script}
	}
	return msg, claims, nil
}

// decode reads what Encode wrote. Bytes that Encode would not have written
// are refused with code Malformed: one transaction, one encoding.
func decode(tx, context []byte, table *Table) (*wire.MsgTx, []Spent, error) {
	if len(tx) > MaxTxSize {
		return nil, nil, chain.Refuse(chain.Malformed, "transaction of %d bytes, at most %d", len(tx), MaxTxSize)
	}
	r, c := varints{reader{b: tx}}, varints{reader{b: context}}
	msg := &wire.MsgTx{Version: int32(r.uint32()), LockTime: r.uint32()}
	var spent []Spent
	for range r.count(2) {
		op := wire.OutPoint{Index: r.uint32()}
		sequence := ^r.uint32()
		s, err := c.spent(&op, table)
		if err != nil {
			return nil, nil, err
		}
		spent = append(spent, s)
		msg.TxIn = append(msg.TxIn, &wire.TxIn{PreviousOutPoint: op, Sequence: sequence})
	}
	for range r.count(2) {
		value := r.int64()
		script := r.take(r.count(1))
		msg.TxOut = append(msg.TxOut, &wire.TxOut{Value: value, PkScript: script})
	}
	if r.failed || c.failed || len(r.b) != 0 || len(c.b) != 0 {
		return nil, nil, chain.Refuse(chain.Malformed, "transaction is not in canonical form")
	}
	if size := msg.SerializeSizeStripped(); size > MaxTxSize {
		return nil, nil, chain.Refuse(chain.Malformed, "transaction of %d bytes, at most %d", size, MaxTxSize)
	}
	return msg, spent, nil
}

// Outline reads which outpoints a transaction in canonical form spends, and its
// Transaction, without the checks that Decode makes of amounts and shape; ok is
// false where it cannot be read at all.
func Outline(coin chain.Coin, tx, context []byte, table *Table) (outpoints []string, bare [32]byte, ok bool) {
	if len(tx) > MaxTxSize {
		return nil, bare, false
	}
	r, c := varints{reader{b: tx}}, varints{reader{b: context}}
	msg := &wire.MsgTx{Version: int32(r.uint32()), LockTime: r.uint32()}
	for range r.count(2) {
		op, sequence := wire.OutPoint{Index: r.uint32()}, ^r.uint32()
		c.outpoint(&op, table)
		outpoints = append(outpoints, op.String())
		msg.TxIn = append(msg.TxIn, &wire.TxIn{PreviousOutPoint: op, Sequence: sequence})
	}
	for range r.count(2) {
		value := r.int64()
		msg.TxOut = append(msg.TxOut, &wire.TxOut{Value: value, PkScript: r.take(r.count(1))})
	}
	if r.failed || c.failed || len(outpoints) == 0 {
		return nil, bare, false
	}
	return outpoints, contentDigest(coin, serialize(msg), nil), true
}

// outpoint completes op by a reference of the context, whatever is claimed or
// shown of it.
func (c *varints) outpoint(op *wire.OutPoint, table *Table) {
	switch ref := c.uvarint(); {
	case ref > uint64(table.Len()):
		c.failed = true
	case ref > 0:
		op.Hash = table.entries[ref-1].id
	default:
		copy(op.Hash[:], c.take(chainhash.HashSize))
		c.int64()
		c.take(c.count(1))
	}
}

// Count returns how many inputs and outputs a transaction in canonical form
// has. It allocates nothing. Bytes that are in another form count for nothing:
// Decode refuses them.
func Count(tx []byte) (inputs, outputs int) {
	r := varints{reader{b: tx}}
	r.uint32()
	r.uint32()
	inputs = r.count(2)
	for range inputs {
		r.uint32()
		r.uint32()
	}
	outputs = r.count(2)
	if r.failed {
		return 0, 0
	}
	return inputs, outputs
}

// spent reads one reference of the context and completes op.
func (c *varints) spent(op *wire.OutPoint, table *Table) (Spent, error) {
	ref := c.uvarint()
	if ref == 0 {
		copy(op.Hash[:], c.take(chainhash.HashSize))
		value := c.int64()
		script := c.take(c.count(1))
		claim := Spent{Outpoint: *op, Value: value, Script: script}
		if at, carried := table.Find(op.Hash); carried && !c.failed {
			return claim.prove(&table.entries[at])
		}
		return claim, nil
	}
	if c.failed || ref > uint64(table.Len()) {
		return Spent{}, chain.Refuse(chain.Malformed, "input refers to previous transaction %d of %d", ref, table.Len())
	}
	prev := &table.entries[ref-1]
	op.Hash = prev.id
	value, script, ok := prev.output(op.Index)
	if !ok {
		return Spent{}, chain.Refuse(chain.UnprovenAmount, "previous transaction %s has no output %d", prev.id, op.Index)
	}
	return Spent{Outpoint: *op, Value: value, Script: script, Proven: true}, nil
}

// prove compares a claim with the previous transaction, which the same bundle
// carries. One that is false is refused: nothing is missing.
func (s Spent) prove(prev *previous) (Spent, error) {
	value, script, ok := prev.output(s.Outpoint.Index)
	switch {
	case !ok:
		return Spent{}, chain.Refuse(chain.UnprovenAmount, "previous transaction %s has no output %d", prev.id, s.Outpoint.Index)
	case value != s.Value || !bytes.Equal(script, s.Script):
		return Spent{}, chain.Refuse(chain.AmountMismatch, "outpoint %s is claimed to be of %d, and its previous transaction, which the request carries, shows %d or another script", s.Outpoint, s.Value, value)
	}
	s.Proven = true
	return s, nil
}

// varints reads the canonical form. After a failure it gives zeros.
type varints struct{ reader }

func (v *varints) uvarint() uint64 {
	n, size := binary.Uvarint(v.b)
	if v.failed || size <= 0 || (size > 1 && v.b[size-1] == 0) { // a longer form than needed
		v.failed = true
		return 0
	}
	v.b = v.b[size:]
	return n
}

func (v *varints) uint32() uint32 {
	n := v.uvarint()
	if n > 1<<32-1 {
		v.failed = true
	}
	return uint32(n)
}

func (v *varints) int64() int64 {
	n := v.uvarint()
	if n > 1<<63-1 {
		v.failed = true
		return 0
	}
	return int64(n)
}

func (v *varints) count(size int) int {
	n := v.uvarint()
	if v.failed || n > uint64(len(v.b)/size) {
		v.failed = true
		return 0
	}
	return int(n)
}

// serialize returns the transaction's bytes without witness (the preimage of
// its id).
func serialize(msg *wire.MsgTx) []byte {
	var b bytes.Buffer
	b.Grow(msg.SerializeSizeStripped())
	_ = msg.SerializeNoWitness(&b) // a bytes.Buffer does not fail
	return b.Bytes()
}
