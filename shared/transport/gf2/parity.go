package gf2

import "crypto/subtle"

// Field is GF(2^8) modulo x^8+x^4+x^3+x^2+1, as a table of products.
type Field [256][256]byte

// NewField makes the table, in a fraction of a millisecond.
func NewField() *Field {
	var f Field
	for a := range 256 {
		for b := 1; b < 256; b++ { // from the product with b's lowest bit, and that with the rest
			if rest := b & (b - 1); rest != 0 {
				f[a][b] = f[a][rest] ^ f[a][b&-b]
			} else {
				f[a][b] = product(byte(a), byte(b))
			}
		}
	}
	return &f
}

func product(a, b byte) byte {
	var p byte
	for ; b != 0; b >>= 1 {
		if b&1 != 0 {
			p ^= a
		}
		carry := a & 0x80
		a <<= 1
		if carry != 0 {
			a ^= 0x1d
		}
	}
	return p
}

// AddTimes adds c times from to to, byte by byte.
func (f *Field) AddTimes(to, from []byte, c byte) {
	switch c {
	case 0:
	case 1:
		subtle.XORBytes(to, to, from)
	default:
		times := &f[c]
		for i, b := range from {
			to[i] ^= times[b]
		}
	}
}

func (f *Field) inverse(a byte) byte {
	for b := range 256 {
		if f[a][b] == 1 {
			return byte(b)
		}
	}
	return 0
}

// Close finds the last unknown blocks by means of equations over GF(2^8) that
// hold among all of them: for each j below n, the sum of factor(j, i) times
// block i is zero. There must be no more unknown blocks than equations. It says
// whether that was enough; if not, the next equation over GF(2) may help.
func (s *Solver) Close(f *Field, n int, factor func(j, i int) byte) bool {
	var free []int
	for c, r := range s.rows {
		if r == nil {
			free = append(free, c)
		}
	}
	if len(free) > n {
		return false
	}
	left := make([][]byte, n) // factors of the unknown blocks
	right := make([][]byte, n)
	for j := range n {
		left[j], right[j] = make([]byte, len(free)), make([]byte, s.size)
		for q, c := range free {
			left[j][q] = factor(j, c)
		}
		for c, r := range s.rows {
			g := factor(j, c)
			if r == nil || g == 0 {
				continue
			}
			f.AddTimes(right[j], r.data, g)
			for q, other := range free {
				if r.bits[other>>6]>>(other&63)&1 == 1 {
					left[j][q] ^= g
				}
			}
		}
	}
	if !f.solve(left, right) {
		return false
	}
	for q, c := range free {
		s.learn(c, right[q])
	}
	return true
}

// solve brings left to the unit matrix, as far as its columns go.
func (f *Field) solve(left, right [][]byte) bool {
	if len(left) == 0 {
		return true
	}
	for q := range left[0] {
		pivot := q
		for pivot < len(left) && left[pivot][q] == 0 {
			pivot++
		}
		if pivot == len(left) {
			return false
		}
		left[q], left[pivot], right[q], right[pivot] = left[pivot], left[q], right[pivot], right[q]
		scale := f.inverse(left[q][q])
		for _, row := range [][]byte{left[q], right[q]} {
			for i, b := range row {
				row[i] = f[scale][b]
			}
		}
		for j := range left {
			if c := left[j][q]; j != q && c != 0 {
				f.AddTimes(left[j], left[q], c)
				f.AddTimes(right[j], right[q], c)
			}
		}
	}
	return true
}

// learn takes a block that is known by itself.
func (s *Solver) learn(c int, data []byte) {
	of := make([]uint64, s.words)
	of[c>>6] = 1 << (c & 63)
	s.Add(of, data)
}
