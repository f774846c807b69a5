// Package gf2 solves systems of linear equations over GF(2) whose unknowns are
// blocks of bytes, as the equations come in. Its memory is what was learnt so
// far: an equation that says nothing new is not kept. From a quarter of the
// rank on the blocks lie where they will be in the end, so that joining them
// takes no second copy; before that, whoever claims a huge payload gets nothing
// allocated for it.
package gf2

import (
	"crypto/subtle"
	"math/bits"
)

// Solver finds k blocks of size bytes each. Its equations are kept in reduced
// form (Gauss–Jordan), so that the work is spread over them and nothing is left
// to do at the end.
type Solver struct {
	k, size int
	words   int
	rows    []*row // by the column of which a row is the only one with a one; nil once all are known
	rank    int
	joined  []byte // the blocks in their order; nil before a quarter of the rank
}

type row struct {
	bits []uint64
	data []byte
}

// New solves for k blocks. Nothing is allocated for them yet but a pointer each.
func New(k, size int) *Solver {
	return &Solver{k: k, size: size, words: (k + 63) / 64, rows: make([]*row, k)}
}

// Words is the length of the coefficients of an equation: bit i of word i/64
// is set if block i takes part.
func (s *Solver) Words() int { return s.words }

// Rank is how many blocks' worth of equations are known: never an estimate.
func (s *Solver) Rank() int { return s.rank }

// Done reports whether all blocks are known.
func (s *Solver) Done() bool { return s.rank == s.k }

// Bytes is about what the equations take up.
func (s *Solver) Bytes() int {
	if s.joined == nil {
		return 8*s.k + s.rank*(s.size+8*s.words+64)
	}
	return len(s.joined) + 8*s.k + s.rank*(8*s.words+64)
}

// Add takes an equation: the blocks that of names, XORed, are data. It says
// whether that was new. Both slices belong to the solver afterwards.
func (s *Solver) Add(of []uint64, data []byte) bool {
	if s.Done() {
		return false
	}
	for w, word := range of {
		for ; word != 0; word &= word - 1 {
			if r := s.rows[w<<6|bits.TrailingZeros64(word)]; r != nil { // its other ones are in columns without a row
				xor(of, r.bits)
				subtle.XORBytes(data, data, r.data)
			}
		}
	}
	pivot := first(of)
	if pivot < 0 {
		return false
	}
	w, mask := pivot>>6, uint64(1)<<(pivot&63)
	for _, r := range s.rows {
		if r != nil && r.bits[w]&mask != 0 {
			xor(r.bits, of)
			subtle.XORBytes(r.data, r.data, data)
		}
	}
	s.rows[pivot] = &row{of, data}
	s.rank++
	s.place(pivot)
	return true
}

// place puts the block of a new row where it belongs, and from a quarter of the
// rank on those of all.
func (s *Solver) place(pivot int) {
	switch {
	case s.joined != nil:
		s.move(pivot)
	case 4*s.rank >= s.k:
		s.joined = make([]byte, s.k*s.size)
		for i, r := range s.rows {
			if r != nil {
				s.move(i)
			}
		}
	}
	if s.Done() {
		s.rows = nil
	}
}

func (s *Solver) move(i int) {
	r, to := s.rows[i], s.joined[i*s.size:(i+1)*s.size]
	copy(to, r.data)
	r.data = to
}

// Join returns the blocks, one after the other, once all are known; nil before.
// It is not a copy.
func (s *Solver) Join() []byte {
	if !s.Done() {
		return nil
	}
	return s.joined
}

func xor(to, from []uint64) {
	for i, w := range from {
		to[i] ^= w
	}
}

// first is the lowest column with a one, or -1.
func first(of []uint64) int {
	for i, w := range of {
		if w != 0 {
			return i<<6 | bits.TrailingZeros64(w)
		}
	}
	return -1
}
