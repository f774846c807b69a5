package utxo

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"

	"github.com/btcsuite/btcd/chaincfg/chainhash"
	"github.com/btcsuite/btcd/wire"

	"coldkms/shared/chain"
)

// A Table holds the previous transactions of a bundle, each with the id that
// was computed from its bytes: the proof of what an input is worth.
type Table struct {
	entries []previous
	index   map[chainhash.Hash]int
}

type previous struct {
	id      chainhash.Hash
	outputs []prevOutput
}

type prevOutput struct {
	value  int64
	script []byte // part of the bundle's bytes, never written to
}

// NewTable hashes and walks every previous transaction (serialised without
// witness, so that the double SHA-256 of the bytes is the txid). Bytes that
// are not exactly one transaction, or one transaction twice, are refused
// with code Malformed.
func NewTable(raw [][]byte) (*Table, error) {
	t := &Table{entries: make([]previous, len(raw)), index: make(map[chainhash.Hash]int, len(raw))}
	for i, b := range raw {
		outputs, err := walkOutputs(b)
		if err != nil {
			return nil, chain.Refuse(chain.Malformed, "previous transaction %d of %d: %v", i+1, len(raw), err)
		}
		id := chainhash.DoubleHashH(b)
		if _, twice := t.index[id]; twice {
			return nil, chain.Refuse(chain.Malformed, "previous transaction %s is in the table twice", id)
		}
		t.entries[i] = previous{id: id, outputs: outputs}
		t.index[id] = i
	}
	return t, nil
}

// Len is the number of previous transactions.
func (t *Table) Len() int { return len(t.entries) }

// Find gives the position of a previous transaction.
func (t *Table) Find(id chainhash.Hash) (int, bool) {
	i, ok := t.index[id]
	return i, ok
}

var errWalk = errors.New("not the bytes of one transaction without witness")

// walkOutputs finds the outputs of a serialised transaction. It allocates
// nothing that the bytes themselves do not pay for, which the general
// decoder does not promise: there a count alone makes room.
func walkOutputs(b []byte) ([]prevOutput, error) {
	r := reader{b: b}
	r.skip(4) // version
	inputs := r.count(41)
	if inputs == 0 {
		return nil, errWalk // also what the marker of a segwit serialisation reads as
	}
	for range inputs {
		r.skip(36)
		r.skip(r.count(1))
		r.skip(4)
	}
	n := r.count(9)
	outputs := make([]prevOutput, 0, n)
	for range n {
		value := r.uint64()
		script := r.take(r.count(1))
		if r.failed {
			return nil, errWalk
		}
		outputs = append(outputs, prevOutput{value: int64(value), script: script})
	}
	r.skip(4) // lock time
	if r.failed || len(r.b) != 0 {
		return nil, errWalk
	}
	return outputs, nil
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

func contentDigest(id chain.ID, network chain.Network, unsigned []byte) [32]byte {
	h := sha256.New()
	h.Write([]byte(contentTag))
	h.Write([]byte{byte(network), byte(len(id))})
	h.Write([]byte(id))
	h.Write(unsigned)
	return [32]byte(h.Sum(nil))
}

// ParseUnsigned reads a serialised transaction without witness. It is walked
// first, so that the general decoder makes no room for what is not there.
// Other bytes are refused with code Malformed.
func ParseUnsigned(raw []byte) (*wire.MsgTx, error) {
	if len(raw) > MaxTxSize {
		return nil, chain.Refuse(chain.Malformed, "transaction of %d bytes, at most %d", len(raw), MaxTxSize)
	}
	if _, err := walkOutputs(raw); err != nil {
		return nil, chain.Refuse(chain.Malformed, "%v", err)
	}
	var msg wire.MsgTx
	if err := msg.DeserializeNoWitness(bytes.NewReader(raw)); err != nil {
		return nil, chain.Refuse(chain.Malformed, "transaction does not decode: %v", err)
	}
	return &msg, nil
}
