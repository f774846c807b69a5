package redact

import (
	"bytes"
	"strconv"
	"unicode/utf8"
)

// text is a text and, for each byte, which bytes of the original it stands for.
type text struct {
	b        []byte
	from, to []int // nil where nobody asks
}

// located is a text that knows where its bytes are from.
func located(b []byte) text {
	t := text{b: b, from: make([]int, len(b)), to: make([]int, len(b))}
	for i := range b {
		t.from[i], t.to[i] = i, i+1
	}
	return t
}

// span is where a part of the text stands in the original.
func (t text) span(i, j int) (from, to int) {
	if t.from == nil {
		return i, j
	}
	return t.from[i], t.to[j-1]
}

// add appends a byte that stands for bytes i to j of another text.
func (t *text) add(c byte, of text, i, j int) {
	t.b = append(t.b, c)
	if of.from != nil {
		t.from, t.to = append(t.from, of.from[i]), append(t.to, of.to[j-1])
	}
}

// Letters of other scripts that are one of ASCII in another case.
const (
	kelvin = "\u212a" // k
	longS  = "\u017f" // s
)

// fold leaves out white space and upper case.
func fold(t text) text {
	out := text{b: make([]byte, 0, len(t.b))}
	for i := 0; i < len(t.b); i++ {
		c := t.b[i]
		switch {
		case c == ' ' || '\t' <= c && c <= '\r':
			continue
		case 'A' <= c && c <= 'Z':
			c += 'a' - 'A'
		case c == kelvin[0] && bytes.HasPrefix(t.b[i:], []byte(kelvin)):
			out.add('k', t, i, i+len(kelvin))
			i += len(kelvin) - 1
			continue
		case c == longS[0] && bytes.HasPrefix(t.b[i:], []byte(longS)):
			out.add('s', t, i, i+len(longS))
			i += len(longS) - 1
			continue
		}
		out.add(c, t, i, i+1)
	}
	return out
}

// unescape resolves the escapes of JSON strings and of addresses, wherever they
// stand.
func unescape(t text) text {
	out := text{b: make([]byte, 0, len(t.b))}
	for i := 0; i < len(t.b); {
		r, n := escaped(t.b[i:])
		if n == 0 {
			out.add(t.b[i], t, i, i+1)
			i++
			continue
		}
		for _, c := range utf8.AppendRune(nil, r) {
			out.add(c, t, i, i+n)
		}
		i += n
	}
	return out
}

// escaped returns the character that is escaped at the beginning of a text, and
// how long the escape is; 0: there is none.
func escaped(b []byte) (r rune, n int) {
	switch {
	case b[0] == '%' && len(b) > 2:
		if n, err := strconv.ParseUint(string(b[1:3]), 16, 8); err == nil && n < utf8.RuneSelf {
			return rune(n), 3
		}
	case b[0] != '\\' || len(b) < 2:
	case b[1] == 'u' && len(b) > 5:
		if n, err := strconv.ParseUint(string(b[2:6]), 16, 16); err == nil {
			return rune(n), 6
		}
	case b[1] == 'n' || b[1] == 't' || b[1] == 'r':
		return ' ', 2
	default:
		return rune(b[1]), 2
	}
	return 0, 0
}
