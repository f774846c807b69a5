package ur

import (
	"crypto/sha256"
	"encoding/binary"
	"math/bits"
)

// xoshiro is xoshiro256**, seeded with SHA-256 (BCR-2024-001).
type xoshiro [4]uint64

func newXoshiro(seed []byte) *xoshiro {
	sum := sha256.Sum256(seed)
	var x xoshiro
	for i := range x {
		x[i] = binary.BigEndian.Uint64(sum[8*i:])
	}
	return &x
}

func (x *xoshiro) next() uint64 {
	result := bits.RotateLeft64(x[1]*5, 7) * 9
	t := x[1] << 17
	x[2] ^= x[0]
	x[3] ^= x[1]
	x[1] ^= x[2]
	x[0] ^= x[3]
	x[2] ^= t
	x[3] = bits.RotateLeft64(x[3], 45)
	return result
}

// double is in [0, 1].
func (x *xoshiro) double() float64 { return float64(x.next()) / (1 << 64) }

// below is an integer in [0, n).
func (x *xoshiro) below(n int) int { return min(int(x.double()*float64(n)), n-1) }

// degrees draws how many fragments are mixed: 1 with weight 1, 2 with 1/2 and
// so on, by Vose's alias method in the order of the reference implementation.
type degrees struct {
	probs   []float64
	aliases []int
}

func newDegrees(n int) degrees {
	sum := 0.0
	for i := range n {
		sum += 1 / float64(i+1)
	}
	p := make([]float64, n)
	var small, large []int
	for i := n - 1; i >= 0; i-- {
		p[i] = 1 / float64(i+1) * float64(n) / sum
		if p[i] < 1 {
			small = append(small, i)
		} else {
			large = append(large, i)
		}
	}
	d := degrees{make([]float64, n), make([]int, n)}
	for len(small) > 0 && len(large) > 0 {
		a, g := small[len(small)-1], large[len(large)-1]
		small, large = small[:len(small)-1], large[:len(large)-1]
		d.probs[a], d.aliases[a] = p[a], g
		p[g] += p[a] - 1
		if p[g] < 1 {
			small = append(small, g)
		} else {
			large = append(large, g)
		}
	}
	for _, i := range append(large, small...) {
		d.probs[i] = 1
	}
	return d
}

func (d degrees) draw(x *xoshiro) int {
	r1, r2 := x.double(), x.double()
	i := min(int(float64(len(d.probs))*r1), len(d.probs)-1)
	if r2 < d.probs[i] {
		return i + 1
	}
	return d.aliases[i] + 1
}

// mixer says which fragments a part is the sum of.
type mixer struct {
	fragments int
	checksum  uint32
	degrees   degrees
	order     []uint16 // scratch; MaxFragments fits, and a part of many is chosen four times as fast
}

func newMixer(fragments int, checksum uint32) *mixer {
	return &mixer{fragments: fragments, checksum: checksum, degrees: newDegrees(fragments),
		order: make([]uint16, fragments)}
}

// of returns the fragments of part number seq, from 1. The first parts are the
// fragments themselves.
func (m *mixer) of(seq uint32) []int {
	if int64(seq) <= int64(m.fragments) {
		return []int{int(seq) - 1}
	}
	x := newXoshiro(binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(nil, seq), m.checksum))
	degree := m.degrees.draw(x)
	for i := range m.order {
		m.order[i] = uint16(i)
	}
	rest := m.order
	chosen := make([]int, degree)
	for i := range chosen { // the reference shuffles all and takes the first
		at := x.below(len(rest))
		chosen[i] = int(rest[at])
		copy(rest[at:], rest[at+1:])
		rest = rest[:len(rest)-1]
	}
	return chosen
}
