package bbqr

import "errors"

// farthest inflates (RFC 1951) and says how far back a match reached: what a
// decoder with a small window would trip over, and compress/flate never tells.
func farthest(b []byte) (out []byte, far int, err error) {
	defer func() {
		if recover() != nil {
			err = errors.New("not deflate")
		}
	}()
	r := &bitReader{b: b}
	for last := 0; last == 0; {
		last = r.bits(1)
		switch r.bits(2) {
		case 0:
			r.at = (r.at + 7) / 8 * 8
			n := r.bits(16)
			r.bits(16)
			for range n {
				out = append(out, byte(r.bits(8)))
			}
			continue
		case 1:
			out, far = r.block(out, far, fixed(), huffman(repeat(5, 30)))
		case 2:
			literals, distances := r.tables()
			out, far = r.block(out, far, literals, distances)
		default:
			return nil, 0, errors.New("not deflate")
		}
	}
	return out, far, nil
}

type bitReader struct {
	b  []byte
	at int
}

func (r *bitReader) bits(n int) (v int) {
	for i := range n {
		v |= int(r.b[r.at/8]>>(r.at%8)&1) << i
		r.at++
	}
	return v
}

// code is a Huffman code: the symbol by length and value.
type code map[[2]int]int

func huffman(lengths []int) code {
	c, next := code{}, 0
	for n := 1; n <= 15; n++ {
		for symbol, length := range lengths {
			if length == n {
				c[[2]int{n, next}] = symbol
				next++
			}
		}
		next <<= 1
	}
	return c
}

func (r *bitReader) symbol(c code) int {
	v := 0
	for n := 1; n <= 15; n++ {
		v = v<<1 | r.bits(1)
		if s, ok := c[[2]int{n, v}]; ok {
			return s
		}
	}
	panic("no such code")
}

func repeat(length, n int) []int {
	out := make([]int, n)
	for i := range out {
		out[i] = length
	}
	return out
}

func fixed() code {
	lengths := append(repeat(8, 144), repeat(9, 112)...)
	return huffman(append(append(lengths, repeat(7, 24)...), repeat(8, 8)...))
}

func (r *bitReader) tables() (literals, distances code) {
	nl, nd, nc := r.bits(5)+257, r.bits(5)+1, r.bits(4)+4
	order := []int{16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15}
	of := make([]int, 19)
	for i := range nc {
		of[order[i]] = r.bits(3)
	}
	c := huffman(of)
	var all []int
	for len(all) < nl+nd {
		switch s := r.symbol(c); s {
		case 16:
			all = append(all, repeat(all[len(all)-1], 3+r.bits(2))...)
		case 17:
			all = append(all, repeat(0, 3+r.bits(3))...)
		case 18:
			all = append(all, repeat(0, 11+r.bits(7))...)
		default:
			all = append(all, s)
		}
	}
	return huffman(all[:nl]), huffman(all[nl:])
}

func (r *bitReader) block(out []byte, far int, literals, distances code) ([]byte, int) {
	for {
		s := r.symbol(literals)
		if s == 256 {
			return out, far
		}
		if s < 256 {
			out = append(out, byte(s))
			continue
		}
		length := r.length(s - 257)
		back := r.distance(r.symbol(distances))
		far = max(far, back)
		for range length {
			out = append(out, out[len(out)-back])
		}
	}
}

func (r *bitReader) length(s int) int {
	switch {
	case s < 8:
		return s + 3
	case s == 28:
		return 258
	}
	extra := s/4 - 1
	return (4+s%4)<<extra + 3 + r.bits(extra)
}

func (r *bitReader) distance(s int) int {
	if s < 4 {
		return s + 1
	}
	extra := s/2 - 1
	return (2+s%2)<<extra + 1 + r.bits(extra)
}
