package psbt

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"slices"

	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/txscript/v2"
	"github.com/btcsuite/btcd/wire/v2"

	"coldkms/shared/chain/utxo"
)

// Types of keys that only version 2 has (BIP 370).
const (
	globalTxVersion, globalLockTime, globalInputs = 0x02, 0x03, 0x04
	globalOutputs, globalModifiable               = 0x05, 0x06

	inTxID, inIndex, inSequence, inTime, inHeight = 0x0e, 0x0f, 0x10, 0x11, 0x12

	outAmount, outScript = 0x03, 0x04
)

var (
	global2 = [...]byte{globalTxVersion, globalLockTime, globalInputs, globalOutputs, globalModifiable}
	input2  = [...]byte{inTxID, inIndex, inSequence, inTime, inHeight}
	output2 = [...]byte{outAmount, outScript}
)

// fields2 are the pairs of a version 2 that version 0 has no place for.
type fields2 maps

// version2 reports whether the global map is that of version 2.
func version2(global []pair) bool {
	value, ok := find(global, globalVersion)
	return ok && bytes.Equal(value, []byte{2, 0, 0, 0})
}

// find returns the value of a key that is a type and nothing else.
func find(list []pair, kind byte) (value []byte, ok bool) {
	for _, p := range list {
		if bytes.Equal(p.key, []byte{kind}) {
			return p.value, true
		}
	}
	return nil, false
}

// counts2 reads how many inputs and outputs a version 2 says that it has.
func counts2(global []pair) (inputs, outputs int, err error) {
	inputs, outputs = count2(global, globalInputs), count2(global, globalOutputs)
	if inputs == 0 || outputs == 0 {
		return 0, 0, fmt.Errorf("%w: version 2 without a count of its inputs and outputs", ErrInvalid)
	}
	return inputs, outputs, nil
}

// count2 reads a count, and returns 0 for one that is missing or malformed.
func count2(global []pair, kind byte) int {
	value, _ := find(global, kind)
	r := reader{b: value}
	n := r.compactSize()
	if r.failed || len(r.b) != 0 || n > utxo.MaxTxSize {
		return 0
	}
	return int(n)
}

// lower turns the maps of version 2 into those of the version 0 that says the
// same, and what is left over.
func lower(m maps) (maps, *fields2, error) {
	if _, both := find(m.global, globalTx); both {
		return m, nil, fmt.Errorf("%w: version 2 with the transaction of version 0", ErrInvalid)
	}
	if m.longKeys() {
		return m, nil, fmt.Errorf("%w: a field of version 2 has a key of more than its type", ErrInvalid)
	}
	tx, err := transaction2(m)
	if err != nil {
		return m, nil, err
	}
	var raw bytes.Buffer
	if err := tx.SerializeNoWitness(&raw); err != nil {
		return m, nil, fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	low, over := maps{}, &fields2{}
	low.global, over.global = apart(m.global, append(global2[:], globalVersion)...)
	low.global = append([]pair{{key: []byte{globalTx}, value: raw.Bytes()}}, low.global...)
	for _, in := range m.inputs {
		rest, fields := apart(in, input2[:]...)
		low.inputs, over.inputs = append(low.inputs, rest), append(over.inputs, fields)
	}
	for _, out := range m.outputs {
		rest, fields := apart(out, output2[:]...)
		low.outputs, over.outputs = append(low.outputs, rest), append(over.outputs, fields)
	}
	return low, over, nil
}

// longKeys reports whether a type of version 2 begins a longer key: a reader that
// looks at the first byte only would read another transaction.
func (m maps) longKeys() bool {
	long := func(list []pair, kinds []byte) bool {
		return slices.ContainsFunc(list, func(p pair) bool { return len(p.key) > 1 && slices.Contains(kinds, p.key[0]) })
	}
	return long(m.global, global2[:]) || long(slices.Concat(m.inputs...), input2[:]) ||
		long(slices.Concat(m.outputs...), output2[:])
}

// apart divides a map into what both versions have and the fields of version 2.
func apart(list []pair, kinds ...byte) (both, fields []pair) {
	for _, p := range list {
		if p.among(kinds...) {
			fields = append(fields, p)
		} else {
			both = append(both, p)
		}
	}
	return both, fields
}

// Flags of PSBT_GLOBAL_TX_MODIFIABLE (BIP 370): inputs and outputs may be added or
// removed, and there is a signature with SIGHASH_SINGLE.
const inputsModifiable, outputsModifiable, hasSingle = 1, 2, 4

// raise puts the fields of version 2 back where lower took them from, without
// the flags that are to be cleared (BIP 370, "Signer").
func (f *fields2) raise(m maps, cleared byte) maps {
	high := maps{global: append(slices.Clone(m.global[1:]), f.global...)}
	for i, p := range high.global {
		if p.is(globalModifiable) && len(p.value) == 1 {
			high.global[i].value = []byte{p.value[0] &^ cleared}
		}
	}
	sorted(high.global)
	for i, in := range m.inputs {
		high.inputs = append(high.inputs, append(slices.Clone(in), f.inputs[i]...))
		sorted(high.inputs[i])
	}
	for i, out := range m.outputs {
		high.outputs = append(high.outputs, append(slices.Clone(out), f.outputs[i]...))
		sorted(high.outputs[i])
	}
	return high
}

// transaction2 makes the unsigned transaction of a version 2.
func transaction2(m maps) (*wire.MsgTx, error) {
	twice := func(list []pair) bool { return !sorted(list) }
	if twice(m.global) || slices.ContainsFunc(slices.Concat(m.inputs, m.outputs), twice) {
		return nil, fmt.Errorf("%w: a key is there twice", ErrInvalid)
	}
	g := numbers{list: m.global}
	tx := &wire.MsgTx{Version: int32(g.must(globalTxVersion)), LockTime: g.number(globalLockTime, 0)}
	if flags, ok := find(m.global, globalModifiable); ok && len(flags) != 1 {
		g.failed = true
	}
	if g.failed {
		return nil, fmt.Errorf("%w: global map of version 2: a field is missing or has the wrong length", ErrInvalid)
	}
	for i, list := range m.inputs {
		in := numbers{list: list}
		id, ok := find(list, inTxID)
		if !ok || len(id) != chainhash.HashSize {
			in.failed = true
		}
		txIn := &wire.TxIn{
			PreviousOutPoint: wire.OutPoint{Index: in.must(inIndex)},
			Sequence:         in.number(inSequence, wire.MaxTxInSequenceNum),
		}
		copy(txIn.PreviousOutPoint.Hash[:], id)
		if tx.TxIn = append(tx.TxIn, txIn); in.failed {
			return nil, fmt.Errorf("%w: input %d of version 2: a field is missing or has the wrong length", ErrInvalid, i)
		}
	}
	for i, list := range m.outputs {
		amount, script, ok := readOutput2(list)
		if !ok {
			return nil, fmt.Errorf("%w: output %d of version 2 has no amount or no script", ErrInvalid, i)
		}
		tx.TxOut = append(tx.TxOut, &wire.TxOut{Value: amount, PkScript: script})
	}
	return tx, lockTime2(tx, m.inputs)
}

func readOutput2(list []pair) (amount int64, script []byte, ok bool) {
	value, hasValue := find(list, outAmount)
	script, hasScript := find(list, outScript)
	if !hasValue || !hasScript || len(value) != 8 {
		return 0, nil, false
	}
	return int64(binary.LittleEndian.Uint64(value)), script, true
}

// lockTime2 determines the lock time (BIP 370, "Determining Lock Time"): the
// highest that an input requires, heights before times where all that require
// one allow it, otherwise the fallback, which tx has already.
func lockTime2(tx *wire.MsgTx, inputs [][]pair) error {
	heights, times := true, true
	var height, time uint32
	for i, list := range inputs {
		in := numbers{list: list}
		h, t := in.number(inHeight, 0), in.number(inTime, 0)
		_, hasHeight := find(list, inHeight)
		_, hasTime := find(list, inTime)
		if in.failed || hasHeight && (h == 0 || h >= txscript.LockTimeThreshold) ||
			hasTime && t < txscript.LockTimeThreshold {
			return fmt.Errorf("%w: input %d requires a lock time that cannot be", ErrInvalid, i)
		}
		if hasHeight || hasTime {
			heights, times = heights && hasHeight, times && hasTime
			height, time = max(height, h), max(time, t)
		}
	}
	switch {
	case height == 0 && time == 0: // no input requires one
	case heights:
		tx.LockTime = height
	case times:
		tx.LockTime = time
	default:
		return fmt.Errorf("%w: its inputs require lock times that exclude each other", ErrInvalid)
	}
	return nil
}

// numbers reads fields of four bytes. A field of another length fails.
type numbers struct {
	list   []pair
	failed bool
}

func (n *numbers) number(kind byte, otherwise uint32) uint32 {
	value, ok := find(n.list, kind)
	if !ok {
		return otherwise
	}
	if len(value) != 4 {
		n.failed = true
		return 0
	}
	return binary.LittleEndian.Uint32(value)
}

func (n *numbers) must(kind byte) uint32 {
	if _, ok := find(n.list, kind); !ok {
		n.failed = true
	}
	return n.number(kind, 0)
}

// withoutMWEB cuts Litecoin's MWEB part (LIP 3) out of a previous transaction,
// which the library does not read; no id commits to it. It reports whether there
// was one.
func withoutMWEB(in []pair) (had bool, err error) {
	for i, p := range in {
		if !p.is(inPrevious) || !utxo.HasMWEB(p.value) {
			continue
		}
		stripped, err := utxo.StripWitness(p.value)
		if err != nil {
			return false, fmt.Errorf("%w: a previous transaction: %w", ErrInvalid, err)
		}
		in[i].value, had = stripped, true
	}
	return had, nil
}
