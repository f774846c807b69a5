package utxo

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"

	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/wire/v2"

	"coldkms/shared/chain"
)

// A Table holds the previous transactions of a bundle, each with the id that
// was computed once from its bytes: the proof of what an input is worth. It
// refers to the bundle's bytes and keeps little beside them.
type Table struct {
	entries []previous
	index   map[chainhash.Hash]int
}

// previous is one previous transaction. Only every stride-th of its outputs
// has its place noted: all of them would take more room than the bytes.
type previous struct {
	id      chainhash.Hash
	raw     []byte // part of the bundle's bytes, never written to
	inputs  int
	outputs int
	places  []uint32 // in raw, of outputs 0, stride, 2*stride …
}

const stride = 16

// MaxPrevious bounds a previous transaction without witness, in bytes: what
// fits into the largest block of the coins here (Bitcoin Cash).
const MaxPrevious = 32_000_000

// NewTable hashes and walks every previous transaction (serialised without
// witness, so that the double SHA-256 of the bytes is the txid). Bytes that
// are not exactly one transaction, or one transaction twice, are refused
// with code Malformed.
func NewTable(raw [][]byte) (*Table, error) {
	t := &Table{entries: make([]previous, len(raw)), index: make(map[chainhash.Hash]int, len(raw))}
	for i, b := range raw {
		prev, err := walk(b)
		if err != nil {
			return nil, chain.Refuse(chain.Malformed, "previous transaction %d of %d: %v", i+1, len(raw), err)
		}
		prev.id = chainhash.DoubleHashH(b)
		if _, twice := t.index[prev.id]; twice {
			return nil, chain.Refuse(chain.Malformed, "previous transaction %s is in the table twice", prev.id)
		}
		t.entries[i] = prev
		t.index[prev.id] = i
	}
	return t, nil
}

// output reads one output. The script is part of the bundle's bytes.
func (p *previous) output(index uint32) (value int64, script []byte, ok bool) {
	if uint64(index) >= uint64(p.outputs) {
		return 0, nil, false
	}
	r := reader{b: p.raw[p.places[index/stride]:]}
	for range index % stride {
		r.skip(8)
		r.skip(r.count(1))
	}
	value, script = int64(r.uint64()), r.take(r.count(1))
	return value, script, !r.failed
}

// Len is the number of previous transactions.
func (t *Table) Len() int { return len(t.entries) }

// Find returns the position of a previous transaction.
func (t *Table) Find(id chainhash.Hash) (int, bool) {
	i, ok := t.index[id]
	return i, ok
}

// Raw returns the bytes of a previous transaction. They are not to be written to.
func (t *Table) Raw(position int) []byte { return t.entries[position].raw }

var errWalk = errors.New("not the bytes of one transaction without witness")

// walk checks the bytes of a serialised transaction and finds its outputs. It
// allocates nothing that the bytes themselves do not pay for, which the
// general decoder does not promise: there a count alone makes room.
func walk(b []byte) (previous, error) {
	r := reader{b: b}
	r.skip(4) // version
	inputs := r.count(41)
	if inputs == 0 || len(b) > MaxPrevious {
		return previous{}, errWalk // none is also what the marker of a segwit serialisation reads as
	}
	for range inputs {
		r.skip(36)
		r.skip(r.count(1))
		r.skip(4)
	}
	p := previous{raw: b, inputs: inputs, outputs: r.count(9)}
	for i := range p.outputs {
		if i%stride == 0 {
			p.places = append(p.places, uint32(len(b)-len(r.b)))
		}
		r.skip(8)
		r.skip(r.count(1))
	}
	r.skip(4) // lock time
	if r.failed || len(r.b) != 0 {
		return previous{}, errWalk
	}
	return p, nil
}

// reader walks the Bitcoin wire format. After a failure it gives zeros.
type reader struct {
	b      []byte
	failed bool
}

func (r *reader) take(n int) []byte {
	if r.failed || n < 0 || n > len(r.b) {
		r.failed = true
		return nil
	}
	out := r.b[:n:n]
	r.b = r.b[n:]
	return out
}

func (r *reader) skip(n int) { r.take(n) }

func (r *reader) uint64() uint64 {
	if b := r.take(8); b != nil {
		return binary.LittleEndian.Uint64(b)
	}
	return 0
}

// count reads a CompactSize that announces elements of at least size bytes
// each, and fails where so many cannot follow.
func (r *reader) count(size int) int {
	first := r.take(1)
	if first == nil {
		return 0
	}
	var n, least uint64
	switch first[0] {
	case 0xfd:
		if b := r.take(2); b != nil {
			n, least = uint64(binary.LittleEndian.Uint16(b)), 0xfd
		}
	case 0xfe:
		if b := r.take(4); b != nil {
			n, least = uint64(binary.LittleEndian.Uint32(b)), 1<<16
		}
	case 0xff:
		n, least = r.uint64(), 1<<32
	default:
		n = uint64(first[0])
	}
	if r.failed || n < least || n > uint64(len(r.b)/size) {
		r.failed = true
		return 0
	}
	return int(n)
}

// contentTag keeps this digest apart from every other use of SHA-256.
const contentTag = "coldkms utxo content v1\n"

// claimedTag is for content that rests on claims, which follow the
// transaction.
const claimedTag = "coldkms utxo claimed content v1\n"

func contentDigest(coin chain.Coin, unsigned, claims []byte) [32]byte {
	h := sha256.New()
	tag := contentTag
	if len(claims) > 0 {
		tag = claimedTag
	}
	h.Write([]byte(tag))
	h.Write([]byte{byte(coin.Network), byte(len(coin.Chain))})
	h.Write([]byte(coin.Chain))
	h.Write(unsigned)
	h.Write(claims)
	return [32]byte(h.Sum(nil))
}

// appendClaim writes what is claimed of input i: number, value and length of
// the script as 8 bytes each, and the script.
func appendClaim(b []byte, i int, s Spent) []byte {
	for _, n := range []uint64{uint64(i), uint64(s.Value), uint64(len(s.Script))} {
		b = binary.BigEndian.AppendUint64(b, n)
	}
	return append(b, s.Script...)
}

// ParseUnsigned reads a serialised transaction without witness. It is walked
// first, so that the general decoder makes no room for what is not there.
// Other bytes are refused with code Malformed.
func ParseUnsigned(raw []byte) (*wire.MsgTx, error) {
	if len(raw) > MaxTxSize {
		return nil, chain.Refuse(chain.Malformed, "transaction of %d bytes, at most %d", len(raw), MaxTxSize)
	}
	if _, err := walk(raw); err != nil {
		return nil, chain.Refuse(chain.Malformed, "%v", err)
	}
	var msg wire.MsgTx
	if err := msg.DeserializeNoWitness(bytes.NewReader(raw)); err != nil {
		return nil, chain.Refuse(chain.Malformed, "transaction does not decode: %v", err)
	}
	return &msg, nil
}
