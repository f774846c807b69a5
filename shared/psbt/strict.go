package psbt

import (
	"bytes"
	"fmt"
	"slices"

	"github.com/btcsuite/btcd/wire/v2"

	"coldkms/shared/bundle"
	"coldkms/shared/chain/utxo"
)

// Types of keys that are looked at here (BIP 174, BIP 371).
const (
	globalTx, globalXPub, globalVersion = 0x00, 0x01, 0xfb

	inPrevious, inSighash, inKeyOrigin    = 0x00, 0x03, 0x06
	inFinalScript, inFinalWitness         = 0x07, 0x08
	inTapFirst, inTapKeyOrigin, inTapLast = 0x13, 0x16, 0x18

	outKeyOrigin, outTapKeyOrigin = 0x02, 0x07
)

// A pair is one record of a map. Its slices are part of the file.
type pair struct{ key, value []byte }

func (p pair) is(kind byte) bool { return p.key[0] == kind }

// among reports whether the key is one of these types and nothing else.
func (p pair) among(kinds ...byte) bool { return len(p.key) == 1 && slices.Contains(kinds, p.key[0]) }

// maps are all maps of a PSBT: the global one, one an input, one an output.
// Each is sorted by key: BIP 174 leaves the order to the writer.
type maps struct {
	global  []pair
	inputs  [][]pair
	outputs [][]pair
	mweb    bool // a previous transaction had a part that only Litecoin's have
}

// walk splits a PSBT into its maps, as version 0 has them, and checks what the
// library does not, or not before it makes room. It allocates nothing that the
// bytes themselves do not pay for.
func walk(b []byte) (maps, *fields2, error) {
	r := reader{b: b[len(magic):]}
	m := maps{global: r.readMap()}
	inputs, outputs, err := m.counts(r.failed)
	if err != nil {
		return m, nil, err
	}
	if err := (bundle.Load{Inputs: inputs, Outputs: outputs}).CheckItem(); err != nil {
		return m, nil, fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	for range inputs {
		m.inputs = append(m.inputs, r.readMap())
	}
	for range outputs {
		m.outputs = append(m.outputs, r.readMap())
	}
	if r.failed || len(r.b) != 0 {
		return m, nil, fmt.Errorf("%w: it is cut short, something follows it, or it has too many pairs", ErrInvalid)
	}
	var v2 *fields2
	if version2(m.global) {
		if m, v2, err = lower(m); err != nil {
			return m, nil, err
		}
	}
	if err := m.check(); err != nil {
		return m, nil, err
	}
	return m, v2, m.checkRoom()
}

// counts returns the number of inputs and outputs by what the global map says.
func (m maps) counts(failed bool) (inputs, outputs int, err error) {
	if !failed && version2(m.global) {
		return counts2(m.global)
	}
	if failed || len(m.global) == 0 || !bytes.Equal(m.global[0].key, []byte{globalTx}) {
		return 0, 0, fmt.Errorf("%w: it does not begin with an unsigned transaction", ErrInvalid)
	}
	tx, err := utxo.ParseUnsigned(m.global[0].value)
	if err != nil {
		return 0, 0, fmt.Errorf("%w: its transaction: %w", ErrInvalid, err)
	}
	return len(tx.TxIn), len(tx.TxOut), nil
}

// write returns the bytes of the maps.
func (m maps) write() []byte {
	b := bytes.NewBufferString(magic)
	writeMap(b, m.global)
	for _, list := range slices.Concat(m.inputs, m.outputs) {
		writeMap(b, list)
	}
	return b.Bytes()
}

func writeMap(b *bytes.Buffer, list []pair) {
	for _, p := range list { // a buffer takes everything
		_ = wire.WriteVarBytes(b, 0, p.key)
		_ = wire.WriteVarBytes(b, 0, p.value)
	}
	b.WriteByte(0)
}

// check sorts every map, refuses keys that come twice, and looks at values of
// which the library believes a length.
func (m *maps) check() error {
	bad := func(what string, i int) error { return fmt.Errorf("%w: %s %d: malformed pair", ErrInvalid, what, i) }
	if !sorted(m.global) || !each(m.global, goodGlobal) {
		return bad("global map", 0)
	}
	for i, in := range m.inputs {
		if !sorted(in) || !each(in, goodInput) {
			return bad("input", i)
		}
		had, err := withoutMWEB(in)
		if err != nil {
			return err
		}
		m.mweb = m.mweb || had
	}
	for i, out := range m.outputs {
		if !sorted(out) || !each(out, goodOutput) {
			return bad("output", i)
		}
	}
	return nil
}

// Bounds of what the maps of all inputs hold together. The library makes room
// for each element of a previous transaction, where one of its witness may
// have no byte; and each key origin is a key to search for.
const (
	maxElements = 1_000_000
	maxOrigins  = 20_000
)

// checkRoom counts what the library will make room for.
func (m maps) checkRoom() error {
	elements, origins := 0, 0
	for _, in := range m.inputs {
		for _, p := range in {
			switch p.key[0] {
			case inPrevious:
				n, err := utxo.CountElements(p.value)
				if err != nil {
					return fmt.Errorf("%w: a previous transaction: %w", ErrInvalid, err)
				}
				elements += n
			case inKeyOrigin, inTapKeyOrigin:
				origins++
			}
		}
	}
	if elements > maxElements || origins > maxOrigins {
		return fmt.Errorf("%w: %w: %d inputs, outputs and items of witness in its previous transactions (at most %d), %d key origins (at most %d): split the payment",
			ErrInvalid, bundle.ErrTooLarge, elements, maxElements, origins, maxOrigins)
	}
	return nil
}

func each(list []pair, good func(pair) bool) bool {
	return !slices.ContainsFunc(list, func(p pair) bool { return !good(p) })
}

// sorted sorts a map and reports whether each key is there once.
func sorted(list []pair) bool {
	slices.SortFunc(list, func(a, b pair) int { return bytes.Compare(a.key, b.key) })
	for i := 1; i < len(list); i++ {
		if bytes.Equal(list[i-1].key, list[i].key) {
			return false
		}
	}
	return true
}

func goodGlobal(p pair) bool {
	if p.among(global2[:]...) {
		return false // BIP 370: not in version 0
	}
	switch p.key[0] {
	case globalXPub:
		return goodPath(p.value)
	case globalVersion:
		return bytes.Equal(p.value, make([]byte, 4))
	}
	return true
}

func goodInput(p pair) bool {
	if p.among(input2[:]...) {
		return false // BIP 370: not in version 0
	}
	switch p.key[0] {
	case inKeyOrigin:
		return goodPath(p.value)
	case inTapKeyOrigin:
		return goodTapOrigin(p.value)
	}
	return true
}

func goodOutput(p pair) bool {
	if p.among(output2[:]...) {
		return false // BIP 370: not in version 0
	}
	switch p.key[0] {
	case outKeyOrigin:
		return goodPath(p.value)
	case outTapKeyOrigin:
		return goodTapOrigin(p.value)
	}
	return true
}

// goodPath checks a fingerprint and a path. The library panics on none.
func goodPath(value []byte) bool { return len(value) >= 4 && len(value)%4 == 0 }

// goodTapOrigin checks a count of leaf hashes, the hashes, fingerprint and
// path. The library multiplies the count before it compares, and panics where
// that overflows.
func goodTapOrigin(value []byte) bool {
	r := reader{b: value}
	n := r.compactSize()
	if r.failed || n > uint64(len(r.b)/32) {
		return false
	}
	return goodPath(r.b[n*32:])
}

// equal compares what was in the file with what the library understood.
func (m maps) equal(understood maps) error {
	other := fmt.Errorf("%w: it has pairs that cannot be read without loss", ErrInvalid)
	if !samePairs(m.global, understood.global) || len(m.inputs) != len(understood.inputs) || len(m.outputs) != len(understood.outputs) {
		return other
	}
	for i, in := range m.inputs {
		if !samePairs(lasting(in), understood.inputs[i]) {
			return other
		}
	}
	for i, out := range m.outputs {
		if !samePairs(out, understood.outputs[i]) {
			return other
		}
	}
	return nil
}

func samePairs(a, b []pair) bool {
	return slices.EqualFunc(a, b, func(x, y pair) bool { return bytes.Equal(x.key, y.key) && bytes.Equal(x.value, y.value) })
}

// lasting leaves out what the library rightly forgets: of an input that is
// finished everything that was only needed to finish it (BIP 174, "Input
// Finalizer"), and hash type 0, which is the same as none.
func lasting(in []pair) []pair {
	final := slices.ContainsFunc(in, func(p pair) bool { return p.is(inFinalScript) || p.is(inFinalWitness) })
	return slices.DeleteFunc(slices.Clone(in), func(p pair) bool {
		kind := p.key[0]
		if final && (kind > 1 && kind <= inKeyOrigin || kind >= inTapFirst && kind <= inTapLast) {
			return true
		}
		return kind == inSighash && bytes.Equal(p.value, make([]byte, 4))
	})
}
