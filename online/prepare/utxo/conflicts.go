package utxo

import (
	"bytes"
	"errors"
	"fmt"
	"slices"

	"github.com/btcsuite/btcd/txscript/v2"
	"github.com/btcsuite/btcd/wire/v2"

	"coldkms/online/prepare"
	"coldkms/shared/chain"
	"coldkms/shared/chain/utxo"
)

// transaction implements prepare.Tx.
type transaction struct{ *wire.MsgTx }

// maxSigned bounds a signed transaction in bytes: what fits into a block.
const maxSigned = 4_000_000

var errNotOne = errors.New("not the bytes of one transaction")

// Read implements prepare.Family.
func (family) Read(signed []byte) (prepare.Tx, error) {
	if len(signed) > maxSigned {
		return nil, errNotOne
	}
	if _, err := utxo.StripWitness(signed); err != nil { // bounds every count before the decoder makes room
		return nil, err
	}
	var msg wire.MsgTx
	if err := msg.Deserialize(bytes.NewReader(signed)); err != nil {
		return nil, err
	}
	return transaction{&msg}, nil
}

// TxID implements prepare.Tx.
func (t transaction) TxID() string { return t.TxHash().String() }

// UnsignedID implements prepare.Tx.
func (t transaction) UnsignedID() string {
	bare := t.Copy()
	for _, in := range bare.TxIn {
		in.SignatureScript, in.Witness = nil, nil
	}
	return bare.TxHash().String()
}

// Parents implements prepare.Tx.
func (t transaction) Parents() []string {
	parents := parentsOf(t.MsgTx)
	list := make([]string, len(parents))
	for i, id := range parents {
		list[i] = id.String()
	}
	return list
}

// Uses implements prepare.Tx. An id is "txid:index".
func (t transaction) Uses() []string {
	list := make([]string, len(t.TxIn))
	for i, in := range t.TxIn {
		list[i] = in.PreviousOutPoint.String()
	}
	return list
}

// conflicts implements prepare.Conflicts: a conflict spends an output that ours
// spends.
type conflicts struct {
	params  utxo.Params
	ours    transaction
	outputs map[wire.OutPoint]utxo.Spent // what ours spends, as far as it is proven
}

// Conflicts implements prepare.Family.
func (family) Conflicts(ours prepare.Tx, coin chain.Coin, parts [][]byte) (prepare.Conflicts, error) {
	params, err := utxo.ParamsOf(coin)
	if err != nil {
		return nil, err
	}
	table, err := utxo.NewTable(parts)
	if err != nil {
		return nil, fmt.Errorf("previous transactions in the journal are damaged: %w", err)
	}
	c := conflicts{params, ours.(transaction), make(map[wire.OutPoint]utxo.Spent)}
	for _, in := range c.ours.TxIn {
		op := in.PreviousOutPoint
		at, ok := table.Find(op.Hash)
		if !ok {
			continue
		}
		if value, script, ok := table.Output(at, op.Index); ok {
			c.outputs[op] = utxo.Spent{Outpoint: op, Value: value, Script: script, Proven: true}
		}
	}
	return c, nil
}

// Addresses implements prepare.Conflicts: those that had what ours spends.
func (c conflicts) Addresses() []string {
	var list []string
	listed := make(map[string]bool)
	for _, in := range c.ours.TxIn {
		if address := c.params.Address(c.outputs[in.PreviousOutPoint].Script); address != "" && !listed[address] {
			listed[address] = true
			list = append(list, address)
		}
	}
	return list
}

// Made implements prepare.Conflicts.
func (c conflicts) Made(address string) []string {
	var list []string
	for op, out := range c.outputs {
		if c.params.Address(out.Script) == address {
			list = append(list, op.Hash.String())
		}
	}
	return list
}

// Uses implements prepare.Conflicts.
func (c conflicts) Uses(id string) bool {
	op, err := wire.NewOutPointFromString(id)
	if err != nil {
		return false
	}
	_, uses := c.outputs[*op]
	return uses
}

// Rival implements prepare.Conflicts: the script of one output that both spend
// must verify.
func (c conflicts) Rival(txid string, raw []byte) *prepare.Rival {
	tx, err := family{}.Read(raw)
	if err != nil || tx.TxID() != txid {
		return nil
	}
	other := tx.(transaction)
	for i, in := range other.TxIn {
		op := in.PreviousOutPoint
		if out, shared := c.outputs[op]; shared && utxo.VerifyInput(c.params, other.MsgTx, i, out) == nil {
			return &prepare.Rival{Tx: other, Used: op.String(), After: []string{op.Hash.String()}}
		}
	}
	return nil
}

// Whole implements prepare.Conflicts: every input must verify.
func (c conflicts) Whole(raw []byte) bool {
	tx, err := family{}.Read(raw)
	if err != nil {
		return false
	}
	msg := tx.(transaction).MsgTx
	for i, in := range msg.TxIn {
		if out, proven := c.outputs[in.PreviousOutPoint]; !proven || utxo.VerifyInput(c.params, msg, i, out) != nil {
			return false
		}
	}
	return len(msg.TxIn) > 0 && tx.UnsignedID() == c.ours.UnsignedID()
}

// Fixed implements prepare.Conflicts: every input is known to spend a witness
// program.
func (c conflicts) Fixed() bool {
	return len(c.ours.TxIn) > 0 && !slices.ContainsFunc(c.ours.TxIn, func(in *wire.TxIn) bool {
		return !txscript.IsWitnessProgram(c.outputs[in.PreviousOutPoint].Script)
	})
}
