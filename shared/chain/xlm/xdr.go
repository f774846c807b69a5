package xlm

import (
	"encoding/binary"

	"coldkms/shared/chain"
)

// XDR, as far as the transactions that are read need it (RFC 4506): all in
// units of four bytes, big endian.

type writer struct{ b []byte }

func (w *writer) u32(v uint32)   { w.b = binary.BigEndian.AppendUint32(w.b, v) }
func (w *writer) u64(v uint64)   { w.b = binary.BigEndian.AppendUint64(w.b, v) }
func (w *writer) bytes(b []byte) { w.b = append(w.b, b...) }
func (w *writer) key(a Account)  { w.u32(keyEd25519); w.bytes(a[:]) }
func (w *writer) opaque(b []byte) {
	w.u32(uint32(len(b)))
	w.bytes(b)
	w.bytes(make([]byte, -len(b)&3))
}

func (w *writer) muxed(m Muxed) {
	if m.HasID {
		w.u32(keyMuxed)
		w.u64(m.ID)
		w.bytes(m.Account[:])
		return
	}
	w.key(m.Account)
}

// reader takes values off an envelope and remembers the first error.
type reader struct {
	b   []byte
	err error
}

func (r *reader) fail(err error) {
	if r.err == nil {
		r.err = err
	}
}

// take returns n bytes, which are zeros after an error.
func (r *reader) take(n int) []byte {
	if r.err != nil || n > len(r.b) {
		r.fail(malformed("the envelope ends too early"))
		return make([]byte, min(n, MaxEnvelope))
	}
	b := r.b[:n:n]
	r.b = r.b[n:]
	return b
}

func (r *reader) u32() uint32 { return binary.BigEndian.Uint32(r.take(4)) }
func (r *reader) u64() uint64 { return binary.BigEndian.Uint64(r.take(8)) }

// opaque reads at most limit bytes with their length, and zeros to the next
// unit.
func (r *reader) opaque(limit uint32) []byte {
	n := r.u32()
	if n > limit {
		r.fail(malformed("%d bytes, at most %d are there", n, limit))
		return nil
	}
	b := r.take(int(n))
	for _, c := range r.take(int(-n & 3)) {
		if c != 0 {
			r.fail(malformed("padding that is not zero"))
		}
	}
	return b
}

// flag reads a bool, or whether an optional value is there.
func (r *reader) flag() bool {
	v := r.u32()
	if v > 1 {
		r.fail(malformed("a bool of %d", v))
	}
	return v == 1
}

// zero reads an extension point of version 0.
func (r *reader) zero(name string) {
	if v := r.u32(); v != 0 {
		r.fail(chain.Refuse(OtherField, "%s %d is not signed for", name, v))
	}
}

// Values of CryptoKeyType.
const (
	keyEd25519 = 0
	keyMuxed   = 0x100
)

func (r *reader) muxed() (m Muxed) {
	switch kind := r.u32(); kind {
	case keyEd25519:
	case keyMuxed:
		m.ID, m.HasID = r.u64(), true
	default:
		r.fail(malformed("a key of type %d", kind))
	}
	m.Account = Account(r.take(len(m.Account)))
	return m
}

// account reads an account where no id can be.
func (r *reader) account() Account {
	if kind := r.u32(); kind != keyEd25519 {
		r.fail(malformed("an account of type %d", kind))
	}
	return Account(r.take(len(Account{})))
}

// amount reads an int64 that is not negative.
func (r *reader) amount() uint64 {
	v := r.u64()
	if int64(v) < 0 {
		r.fail(chain.Refuse(chain.ValueOutOfRange, "an amount of %d", int64(v)))
	}
	return v
}
