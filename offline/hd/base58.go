package hd

import (
	"bytes"
	"slices"
)

// alphabet of base 58. The usual library works on strings, which cannot be
// wiped; this one is for secrets.
const alphabet = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"

// encode58 writes bytes in base 58, a leading "1" for each leading zero.
func encode58(b []byte) []byte {
	zeros := leading(b, 0)
	digits := rebase(b[zeros:], 256, 58)
	out := slices.Concat(bytes.Repeat([]byte{alphabet[0]}, zeros), digits)
	for i := zeros; i < len(out); i++ {
		out[i] = alphabet[out[i]]
	}
	clear(digits)
	return out
}

// decode58 reads base 58.
func decode58(s []byte) ([]byte, bool) {
	zeros := leading(s, alphabet[0])
	digits := make([]byte, 0, len(s))
	defer func() { clear(digits[:cap(digits)]) }()
	for _, c := range s[zeros:] {
		d := bytes.IndexByte([]byte(alphabet), c)
		if d < 0 {
			return nil, false
		}
		digits = append(digits, byte(d))
	}
	value := rebase(digits, 58, 256)
	defer clear(value)
	return slices.Concat(make([]byte, zeros), value), true
}

// leading counts how often b starts with c.
func leading(b []byte, c byte) int {
	n := 0
	for n < len(b) && b[n] == c {
		n++
	}
	return n
}

// rebase turns digits of one base, highest first, into those of another,
// without leading zeros. It takes the square of the length, and keys are short.
func rebase(digits []byte, from, to int) []byte {
	out := make([]byte, 0, 2*len(digits))
	for _, d := range digits {
		carry := int(d)
		for i := range out {
			carry += int(out[i]) * from
			out[i] = byte(carry % to)
			carry /= to
		}
		for carry > 0 {
			out = append(out, byte(carry%to))
			carry /= to
		}
	}
	slices.Reverse(out)
	return out
}
