package plainread

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
)

// Tx is a transaction as it travels.
type Tx struct {
	Version, LockTime uint64
	Index, Sequence   []uint64 // of each input
	Previous          []uint64 // of each input: number of its previous transaction, 0: not carried
	Claimed           []Claim  // of each input: what the request says that it spends, where that is not carried
	Values            []uint64 // of each output
	Scripts           [][]byte
}

// Claim is what a request says that an input spends.
type Claim struct {
	ID     []byte // of the transaction that is not carried
	Value  uint64
	Script []byte
}

type reader struct {
	b   []byte
	err error
}

// uvarint reads a variable-length integer in its shortest form.
func (r *reader) uvarint() uint64 {
	n, size := binary.Uvarint(r.b)
	if size <= 0 || size > 1 && r.b[size-1] == 0 {
		r.err, r.b = errors.New("not a uvarint in its shortest form"), nil
		return 0
	}
	r.b = r.b[size:]
	return n
}

func (r *reader) bytes(n uint64) []byte {
	if n > uint64(len(r.b)) {
		r.err, r.b = errors.New("cut short"), nil
		return nil
	}
	b := r.b[:n]
	r.b = r.b[n:]
	return b
}

func readTx(tx, context []byte, previous int) (t Tx, err error) {
	r := &reader{b: tx}
	t.Version, t.LockTime = r.uvarint(), r.uvarint()
	for n := r.uvarint(); n > 0 && r.err == nil; n-- {
		t.Index = append(t.Index, r.uvarint())
		t.Sequence = append(t.Sequence, 0xffffffff-r.uvarint())
	}
	for n := r.uvarint(); n > 0 && r.err == nil; n-- {
		t.Values = append(t.Values, r.uvarint())
		t.Scripts = append(t.Scripts, r.bytes(r.uvarint()))
	}
	if r.err != nil || len(r.b) > 0 {
		return t, fmt.Errorf("tx: %d bytes left, %v", len(r.b), r.err)
	}
	r = &reader{b: context}
	for range t.Index {
		n := r.uvarint()
		if n > uint64(previous) {
			return t, fmt.Errorf("previous transaction %d of %d", n, previous)
		}
		var claim Claim
		if n == 0 {
			claim = Claim{ID: r.bytes(32), Value: r.uvarint()}
			claim.Script = r.bytes(r.uvarint())
		}
		t.Claimed = append(t.Claimed, claim)
		t.Previous = append(t.Previous, n)
	}
	if r.err != nil || len(r.b) > 0 {
		return t, fmt.Errorf("context: %d bytes left, %v", len(r.b), r.err)
	}
	return t, nil
}

func compact(n uint64) []byte {
	switch {
	case n < 0xfd:
		return []byte{byte(n)}
	case n <= 0xffff:
		return binary.LittleEndian.AppendUint16([]byte{0xfd}, uint16(n))
	}
	return binary.LittleEndian.AppendUint32([]byte{0xfe}, uint32(n))
}

// unsigned serialises the transaction as a node does, without scripts. The
// previous transactions are those of the request.
func (t Tx) unsigned(previous [][]byte) []byte {
	b := binary.LittleEndian.AppendUint32(nil, uint32(t.Version))
	b = append(b, compact(uint64(len(t.Index)))...)
	for i := range t.Index {
		if n := t.Previous[i]; n == 0 {
			b = append(b, t.Claimed[i].ID...)
		} else {
			first := sha256.Sum256(previous[n-1])
			txid := sha256.Sum256(first[:])
			b = append(b, txid[:]...)
		}
		b = binary.LittleEndian.AppendUint32(b, uint32(t.Index[i]))
		b = append(b, 0)
		b = binary.LittleEndian.AppendUint32(b, uint32(t.Sequence[i]))
	}
	b = append(b, compact(uint64(len(t.Values)))...)
	for i := range t.Values {
		b = binary.LittleEndian.AppendUint64(b, t.Values[i])
		b = append(b, compact(uint64(len(t.Scripts[i])))...)
		b = append(b, t.Scripts[i]...)
	}
	return binary.LittleEndian.AppendUint32(b, uint32(t.LockTime))
}

// claims writes what is claimed of inputs, in their order.
func (t Tx) claims() (b []byte) {
	for i, n := range t.Previous {
		if c := t.Claimed[i]; n == 0 {
			for _, v := range []uint64{uint64(i), c.Value, uint64(len(c.Script))} {
				b = binary.BigEndian.AppendUint64(b, v)
			}
			b = append(b, c.Script...)
		}
	}
	return b
}

// Content computes the digest by which the ledger and judgements name what a
// transaction does, from a request.
func (r Request) Content(i int) string {
	it := r.Items[i]
	tag, claims := "coldkms utxo content v1\n", it.Tx.claims()
	if len(claims) > 0 {
		tag = "coldkms utxo claimed content v1\n"
	}
	sum := sha256.Sum256(bytes.Join([][]byte{[]byte(tag), {byte(it.Network)}, {byte(len(it.Chain))}, []byte(it.Chain),
		it.Tx.unsigned(r.Previous), claims}, nil))
	return hex.EncodeToString(sum[:])
}

// Verdict is how one item was judged.
type Verdict struct {
	ID, Content string
	Refused     bool
	Change      []int64  // of each output
	Codes       []string // of refusals, then of findings
}

// Judgement computes the digest that approvals and the ledger have.
func Judgement(list []Verdict) string {
	h := sha256.New()
	h.Write([]byte("coldkms judgement v2\n"))
	for _, v := range list {
		word := "sign"
		if v.Refused {
			word = "refuse"
		}
		fmt.Fprintf(h, "item %s %s %s\n", v.ID, v.Content, word)
		for _, value := range v.Change {
			fmt.Fprintf(h, "change %d\n", value)
		}
		for _, code := range v.Codes {
			fmt.Fprintf(h, "code %s\n", code)
		}
	}
	return hex.EncodeToString(h.Sum(nil))
}
