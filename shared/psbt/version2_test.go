package psbt

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"slices"
	"testing"

	"github.com/btcsuite/btcd/wire/v2"
)

// base0 is the PSBT of version 0 from which BIP 370 makes its test vectors of
// what must not be in version 0.
const base0 = "cHNidP8BAHECAAAAAQsK2SFBnByHGXNdctxzn56p4GONH+TB7vD5lECEgV/IAAAAAAD+////AgAIry8AAAAAFgAUxDD2TEdW2jEN" +
	"vRoIVXLvKZkmJyyLvesLAAAAABYAFKB9rIq2ypQtN57Xlfg1unHJzGiFAAAAAAABAFICAAAAAcGqJW4hS5ahgi+T3kK/87Xz/40F" +
	"GTBuNRXXUVpegFsSAAAAAAD/////ARjGmjsAAAAAFgAUsKOvFEIIQSaTyn0WaFK1LbCu8G4AAAAAAQEfGMaaOwAAAAAWABSwo68U" +
	"QghBJpPKfRZoUrUtsK7wbgEIawJHMEQCIAUnWkhXNOCuHzuXEjdYbw5y3IWDPSeMDkdM0jESwPpeAiBrBIyDzrw8QdC5PMfadhhc" +
	"7b0DDQBbCAGL4rmLusvfewEhA3YNzKBfOZfcZbKTBg9/KfFRTIxScEjhKAKwQdT8NAonACICAtYB+EhGpnVfd2vgDj2d6PsQrMk1" +
	"+4PEX7AWLUytWreSGPadhz5UAACAAQAAgAAAAIAAAAAAKgAAAAAiAgNu/iwlViGYZVO6nWXD3cZBZcoUNuBao1pMbrAkUc95bRj2" +
	"nYc+VAAAgAEAAIAAAACAAQAAAGIAAAAA"

func base(t *testing.T) maps {
	t.Helper()
	b, err := base64.StdEncoding.DecodeString(base0)
	if err != nil {
		t.Fatal(err)
	}
	m, _, err := walk(b)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func field(kind byte, value ...byte) pair { return pair{key: []byte{kind}, value: value} }
func le32(n uint32) []byte                { return binary.LittleEndian.AppendUint32(nil, n) }

// BIP 370, test vectors: the fields of version 2 are not allowed in version 0.
func TestVersion0HasNoFieldsOfVersion2(t *testing.T) {
	txid := make([]byte, 32)
	for _, p := range []pair{field(2, le32(2)...), field(3, le32(2)...), field(4, 1), field(5, 2), field(6, 0)} {
		m := base(t)
		m.global = append(m.global, p)
		refused(t, "global", p, m)
	}
	for _, p := range []pair{field(0x0e, txid...), field(0x0f, le32(0)...), field(0x10, le32(1)...),
		field(0x11, le32(1657048460)...), field(0x12, le32(10000)...)} {
		m := base(t)
		m.inputs[0] = append(m.inputs[0], p)
		refused(t, "input", p, m)
	}
	for _, p := range []pair{field(3, 0, 8, 0xaf, 0x2f, 0, 0, 0, 0), field(4, 0x51)} {
		m := base(t)
		m.outputs[0] = append(m.outputs[0], p)
		refused(t, "output", p, m)
	}
}

func refused(t *testing.T, where string, p pair, m maps) {
	t.Helper()
	if _, err := Decode(m.write()); err == nil {
		t.Errorf("%s: field %#02x is read", where, p.key[0])
	}
}

// twoOf writes the base as version 2, by hand.
func twoOf(t *testing.T, change func(m *maps)) []byte {
	t.Helper()
	m := base(t)
	var tx wire.MsgTx
	if err := tx.DeserializeNoWitness(bytes.NewReader(m.global[0].value)); err != nil {
		t.Fatal(err)
	}
	m.global = []pair{field(2, le32(2)...), field(4, 1), field(5, 2), field(6, 3), field(0xfb, le32(2)...)}
	in := tx.TxIn[0]
	m.inputs[0] = append(m.inputs[0], field(0x0e, in.PreviousOutPoint.Hash[:]...),
		field(0x0f, le32(in.PreviousOutPoint.Index)...), field(0x10, le32(in.Sequence)...))
	for i, out := range tx.TxOut {
		value := binary.LittleEndian.AppendUint64(nil, uint64(out.Value))
		m.outputs[i] = append(m.outputs[i], field(3, value...), field(4, out.PkScript...))
	}
	if change != nil {
		change(&m)
	}
	return m.write()
}

// Version 2 is read as the same transaction, and written as it was.
func TestVersion2(t *testing.T) {
	file := twoOf(t, nil)
	p, err := Decode(file)
	if err != nil {
		t.Fatal(err)
	}
	old, err := Decode([]byte(base0))
	if err != nil {
		t.Fatal(err)
	}
	if p.UnsignedID() != old.UnsignedID() {
		t.Errorf("transaction %s, want %s", p.UnsignedID(), old.UnsignedID())
	}
	again, err := p.Encode()
	if err != nil {
		t.Fatal(err)
	}
	want := twoOf(t, func(m *maps) { // it is signed: nothing can be changed any more
		at := slices.IndexFunc(m.global, func(p pair) bool { return p.is(globalModifiable) })
		m.global[at].value = []byte{0}
	})
	if !bytes.Equal(sortedFile(t, again), sortedFile(t, want)) {
		t.Errorf("written as\n%x, want\n%x", again, want)
	}
	if _, err := Decode(again); err != nil {
		t.Errorf("what was written is not read: %v", err)
	}
}

// sortedFile returns the fields of version 2 and 0 of a file, each map sorted.
func sortedFile(t *testing.T, file []byte) []byte {
	t.Helper()
	m, v2, err := walk(file)
	if err != nil {
		t.Fatal(err)
	}
	return v2.raise(m, 0).write()
}

// BIP 370, "Determining Lock Time".
func TestLockTime(t *testing.T) {
	time, height := field(0x11, le32(1657048460)...), field(0x12, le32(10000)...)
	for name, c := range map[string]struct {
		fallback []byte
		fields   []pair
		want     uint32
		bad      bool
	}{
		"none":             {nil, nil, 0, false},
		"fallback":         {le32(99), nil, 99, false},
		"height":           {le32(99), []pair{height}, 10000, false},
		"time":             {nil, []pair{time}, 1657048460, false},
		"both":             {nil, []pair{time, height}, 10000, false},
		"height of a time": {nil, []pair{field(0x12, le32(1657048460)...)}, 0, true},
		"time of a height": {nil, []pair{field(0x11, le32(10000)...)}, 0, true},
		"height of 0":      {nil, []pair{field(0x12, le32(0)...)}, 0, true},
		"short":            {nil, []pair{field(0x12, 1)}, 0, true},
	} {
		p, err := Decode(twoOf(t, func(m *maps) {
			if c.fallback != nil {
				m.global = append(m.global, field(3, c.fallback...))
			}
			m.inputs[0] = append(m.inputs[0], c.fields...)
		}))
		if (err != nil) != c.bad || err == nil && p.raw.UnsignedTx.LockTime != c.want {
			t.Errorf("%s: %v, want lock time %d, refused %t", name, err, c.want, c.bad)
		}
	}
}

// Two inputs that exclude each other have no lock time.
func TestLockTimesExclude(t *testing.T) {
	tx := &wire.MsgTx{}
	time, height := []pair{field(0x11, le32(1657048460)...)}, []pair{field(0x12, le32(10000)...)}
	if err := lockTime2(tx, [][]pair{time, height}); err == nil {
		t.Error("one input requires a height, the other a time")
	}
	both := append(slices.Clone(time), field(0x12, le32(20000)...))
	if err := lockTime2(tx, [][]pair{height, both, nil}); err != nil || tx.LockTime != 20000 {
		t.Errorf("lock time %d (%v), want the higher height", tx.LockTime, err)
	}
}

// What version 2 needs must be there, once, of the right length.
func TestVersion2Refuses(t *testing.T) {
	drop := func(list []pair, kind byte) []pair {
		return slices.DeleteFunc(list, func(p pair) bool { return p.among(kind) })
	}
	for name, change := range map[string]func(m *maps){
		"no transaction version": func(m *maps) { m.global = drop(m.global, 2) },
		"no input count":         func(m *maps) { m.global = drop(m.global, 4) },
		"no output count":        func(m *maps) { m.global = drop(m.global, 5) },
		"another count":          func(m *maps) { m.global = append(drop(m.global, 4), field(4, 2)) },
		"a huge count": func(m *maps) {
			m.global = append(drop(m.global, 4),
				field(4, 0xff, 0, 0, 0, 0, 1, 0, 0, 0))
		},
		"transaction of v0": func(m *maps) { m.global = append(m.global, base(t).global[0]) },
		"no txid":           func(m *maps) { m.inputs[0] = drop(m.inputs[0], 0x0e) },
		"no index":          func(m *maps) { m.inputs[0] = drop(m.inputs[0], 0x0f) },
		"short txid":        func(m *maps) { m.inputs[0] = append(drop(m.inputs[0], 0x0e), field(0x0e, 1)) },
		"no amount":         func(m *maps) { m.outputs[0] = drop(m.outputs[0], 3) },
		"no script":         func(m *maps) { m.outputs[1] = drop(m.outputs[1], 4) },
		"long amount": func(m *maps) {
			m.outputs[0] = append(drop(m.outputs[0], 3),
				field(3, make([]byte, 9)...))
		},
		"txid twice":      func(m *maps) { m.inputs[0] = append(m.inputs[0], m.inputs[0][len(m.inputs[0])-3]) },
		"long global key": func(m *maps) { m.global = append(m.global, pair{[]byte{3, 1}, le32(7)}) },
		"long input key":  func(m *maps) { m.inputs[0] = append(m.inputs[0], pair{[]byte{0x0f, 0}, le32(7)}) },
		"long output key": func(m *maps) { m.outputs[0] = append(m.outputs[0], pair{[]byte{4, 0}, []byte{0x51}}) },
		"version 1":       func(m *maps) { m.global = append(drop(m.global, 0xfb), field(0xfb, le32(1)...)) },
		"wide flags":      func(m *maps) { m.global = append(drop(m.global, 6), field(6, 1, 1)) },
	} {
		if _, err := Decode(twoOf(t, change)); err == nil {
			t.Errorf("%s: is read", name)
		}
	}
}
