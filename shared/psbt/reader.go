package psbt

import "encoding/binary"

// reader walks the file. After a failure it gives nothing.
type reader struct {
	b      []byte
	failed bool
	pairs  int // read so far
}

func (r *reader) take(n uint64) []byte {
	if r.failed || n > uint64(len(r.b)) {
		r.failed = true
		return nil
	}
	out := r.b[:n:n]
	r.b = r.b[n:]
	return out
}

// compactSize reads a length in its shortest form.
func (r *reader) compactSize() uint64 {
	first := r.take(1)
	if first == nil {
		return 0
	}
	size, least := 0, uint64(0)
	switch first[0] {
	case 0xfd:
		size, least = 2, 0xfd
	case 0xfe:
		size, least = 4, 1<<16
	case 0xff:
		size, least = 8, 1<<32
	default:
		return uint64(first[0])
	}
	var wide [8]byte
	copy(wide[:], r.take(uint64(size)))
	n := binary.LittleEndian.Uint64(wide[:])
	r.failed = r.failed || n < least
	return n
}

// Bounds of pairs: of one map, and of all. The library compares each unknown
// pair with all before it in its map.
const (
	maxPairs    = 256
	maxAllPairs = 400_000
)

// readMap reads pairs up to the separator.
func (r *reader) readMap() []pair {
	var list []pair
	for ; !r.failed && len(list) <= maxPairs && r.pairs <= maxAllPairs; r.pairs++ {
		n := r.compactSize()
		if n == 0 {
			return list
		}
		p := pair{key: r.take(n)}
		p.value = r.take(r.compactSize())
		list = append(list, p)
	}
	r.failed = true
	return nil
}
