// Package plain reads a PSBT or a transaction that a symbol holds as text: hex,
// base64, or the base 43 of Electrum, whole in one symbol, or base64 in the
// numbered parts of Specter ("p2of3 ..."). Nothing here is written: the text
// has no checksum beside that of its symbols.
package plain

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"math/big"
	"regexp"
	"strconv"
	"strings"
)

// ErrPart is returned for text that is neither.
var ErrPart = errors.New("not a PSBT or a transaction as text")

// Bounds.
const (
	maxText  = 7100 // characters of a symbol: digits of the largest QR symbol
	maxParts = 1000
)

// Types of what is read.
const (
	PSBT        = 'P'
	Transaction = 'T'
)

// A Part is the text of one symbol.
type Part struct {
	Number int // from 1
	Of     int
	Text   string // of a numbered part: some base64
	Bytes  []byte // of a symbol that holds the whole
}

var numbered = regexp.MustCompile(`^p([1-9][0-9]{0,3})of([1-9][0-9]{0,3}) ([A-Za-z0-9+/]+={0,2})$`)

// Parse reads the text of a symbol.
func Parse(text string) (Part, error) {
	if len(text) > maxText {
		return Part{}, ErrPart
	}
	if m := numbered.FindStringSubmatch(text); m != nil {
		p := Part{Text: m[3]}
		p.Number, _ = strconv.Atoi(m[1]) // digits, by the expression
		p.Of, _ = strconv.Atoi(m[2])
		if p.Number > p.Of || p.Of > maxParts {
			return Part{}, fmt.Errorf("%w: part %d of %d", ErrPart, p.Number, p.Of)
		}
		return p, nil
	}
	for _, decode := range []func(string) ([]byte, error){
		hex.DecodeString, base64.StdEncoding.Strict().DecodeString, base43,
	} {
		if b, err := decode(text); err == nil && TypeOf(b) != 0 {
			return Part{Number: 1, Of: 1, Bytes: b}, nil
		}
	}
	return Part{}, ErrPart
}

// TypeOf returns PSBT or Transaction by the first bytes, or 0 for something
// else. The least transaction has one input and one output.
func TypeOf(b []byte) byte {
	const leastTx = 4 + 1 + 41 + 1 + 9 + 4
	switch {
	case bytes.HasPrefix(b, []byte("psbt\xff")):
		return PSBT
	case len(b) >= leastTx && (b[0] == 1 || b[0] == 2) && b[1] == 0 && b[2] == 0 && b[3] == 0:
		return Transaction
	}
	return 0
}

// base43 reads the number that Electrum writes with QR's alphanumeric
// characters but the space and the percent sign.
func base43(text string) ([]byte, error) {
	const digits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ$*+-./:"
	// big.Int knows the digits of base 43 by other characters.
	const theirs = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFG"
	number := make([]byte, len(text))
	for i := range len(text) {
		at := strings.IndexByte(digits, text[i])
		if at < 0 {
			return nil, ErrPart
		}
		number[i] = theirs[at]
	}
	n, ok := new(big.Int).SetString(string(number), 43)
	if !ok {
		return nil, ErrPart
	}
	return n.Bytes(), nil // neither kind begins with a zero byte
}

// Key tells streams apart. Numbered parts say nothing of what they are part of
// but its count.
func (p Part) Key() string {
	if p.Bytes != nil {
		return "whole"
	}
	return "of" + strconv.Itoa(p.Of)
}

// Decoder puts the parts of one text together.
type Decoder struct {
	whole []byte
	texts []string
	have  int
	size  int
}

// NewDecoder is for the text that p is of.
func NewDecoder(p Part) *Decoder { return &Decoder{texts: make([]string, p.Of)} }

// Add takes a part, and reports whether it can be of the same text as those
// before.
func (d *Decoder) Add(p Part) bool {
	if p.Bytes != nil {
		d.whole = p.Bytes
		return true
	}
	switch at := p.Number - 1; {
	case at >= len(d.texts):
		return false
	case d.texts[at] == "":
		d.texts[at], d.have, d.size = p.Text, d.have+1, d.size+len(p.Text)
		return true
	default:
		return d.texts[at] == p.Text
	}
}

// Progress returns how many parts were read, and of how many.
func (d *Decoder) Progress() (have, need int) {
	if d.whole != nil {
		return 1, 1
	}
	return d.have, len(d.texts)
}

// Bytes is about what the decoder takes up.
func (d *Decoder) Bytes() int { return len(d.whole) + d.size + 16*len(d.texts) }

// Result returns the PSBT or transaction once all parts are there. ErrPart says
// that they are parts of something else.
func (d *Decoder) Result() (payload []byte, done bool, err error) {
	if d.whole != nil {
		return d.whole, true, nil
	}
	if d.have < len(d.texts) {
		return nil, false, nil
	}
	b, err := base64.StdEncoding.Strict().DecodeString(strings.Join(d.texts, ""))
	if err != nil || TypeOf(b) == 0 {
		return nil, true, fmt.Errorf("%w: its %d parts are not of one", ErrPart, d.have)
	}
	return b, true, nil
}
