// Package bbqr is the lane of Coldcard and others: BBQr, plain parts of a file
// in a fixed number (coinkite/BBQr, BBQr.md, public domain). A part is
//
//	B$ encoding type total index data
//
// with the encoding in one character (H: hex, 2: base32, Z: raw deflate with a
// window of 1 KB, in base32), the type of the file in one, and total and index
// in two digits of base 36 each. Every part must be read; there is nothing to
// make up for one that was missed but its next turn.
package bbqr

import (
	"bytes"
	"compress/flate"
	"encoding/base32"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// Prefix begins every part.
const Prefix = "B$"

// Types of file. A bundle of ours is Binary; Text is only read.
const (
	Text        = 'U'
	PSBT        = 'P'
	Transaction = 'T'
	Binary      = 'B'
)

// Bounds.
const (
	MaxParts   = 36*36 - 1
	MaxPayload = 4 << 20 // bytes; as many parts as there can be carry 3.4 MB, and more would take long to inflate
	maxRatio   = 400     // of inflated to deflated; deflate's own limit is some 1,030
	maxText    = 4296    // characters of a part: a symbol of version 40
	header     = 8
	window     = 1024 // bytes that an inflater of this lane keeps
)

// Errors.
var (
	ErrPart    = errors.New("not a part of a BBQr")
	ErrPayload = errors.New("payload does not fit a BBQr")
	ErrData    = errors.New("parts do not give a file")
)

func base() *base32.Encoding { return base32.StdEncoding.WithPadding(base32.NoPadding) }

// Encoder makes the parts of one file, round after round.
type Encoder struct {
	parts []string
	next  int
}

// NewEncoder splits a file of this type so that no part has more than chars
// characters: deflated where that is shorter, else in base32. All parts but
// the last are of one length.
func NewEncoder(kind byte, payload []byte, chars int) (*Encoder, error) {
	if len(payload) == 0 || len(payload) > MaxPayload {
		return nil, fmt.Errorf("%w: %d bytes", ErrPayload, len(payload))
	}
	encoding, data := byte('2'), payload
	if deflated := deflate(payload); len(deflated) < len(payload) && len(payload) <= maxRatio*len(deflated) {
		encoding, data = 'Z', deflated
	}
	text := base().EncodeToString(data)
	most := (min(chars, maxText) - header) / 8 * 8 // eight characters are five bytes: each part decodes by itself
	if most < 8 {
		return nil, fmt.Errorf("%w: %d characters are too few for a part", ErrPayload, chars)
	}
	count := (len(text) + most - 1) / most
	if count > MaxParts {
		return nil, fmt.Errorf("%w: more than %d parts", ErrPayload, MaxParts)
	}
	size := ((len(text)+count-1)/count + 7) / 8 * 8
	count = (len(text) + size - 1) / size
	e := &Encoder{}
	for i := range count {
		e.parts = append(e.parts, fmt.Sprintf("%s%c%c%s%s%s", Prefix, encoding, kind, digits(count), digits(i),
			text[i*size:min((i+1)*size, len(text))]))
	}
	return e, nil
}

// Parts is how many parts there are.
func (e *Encoder) Parts() int { return len(e.parts) }

// Next returns the next part, from the first again after the last.
func (e *Encoder) Next() string {
	part := e.parts[e.next]
	e.next = (e.next + 1) % len(e.parts)
	return part
}

func digits(n int) string {
	s := strings.ToUpper(strconv.FormatInt(int64(n), 36))
	return "00"[len(s):] + s
}

// deflate writes raw deflate whose matches never reach back more than window
// bytes, which the inflaters of this lane need and compress/flate cannot be
// told: so the writer begins anew with each piece of that length, as one that
// has seen nothing before.
func deflate(b []byte) []byte {
	var out bytes.Buffer
	w, err := flate.NewWriter(&out, flate.BestCompression)
	if err != nil {
		panic("bbqr: deflate: " + err.Error()) // the level is one that there is
	}
	for {
		piece := b[:min(window, len(b))]
		b = b[len(piece):]
		w.Reset(&out)
		_, _ = w.Write(piece) // into memory
		if len(b) == 0 {
			_ = w.Close()
			return out.Bytes()
		}
		_ = w.Flush()
	}
}

// inflate reads raw deflate within bounds.
func inflate(b []byte) ([]byte, error) {
	limit := min(int64(len(b))*maxRatio, MaxPayload)
	src := bytes.NewReader(b)
	out, err := io.ReadAll(io.LimitReader(flate.NewReader(src), limit+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("%w: %v", ErrData, err)
	case int64(len(out)) > limit:
		return nil, fmt.Errorf("%w: it inflates to more than %d bytes", ErrData, limit)
	case src.Len() > 0:
		return nil, fmt.Errorf("%w: %d bytes follow its end", ErrData, src.Len())
	}
	return out, nil
}

// Part is a part that was read, with numbers that are within bounds.
type Part struct {
	Encoding, Type byte
	Total, Index   int
	Data           []byte
}

// Parse reads a part.
func Parse(text string) (Part, error) {
	if len(text) <= header || len(text) > maxText || text[:len(Prefix)] != Prefix {
		return Part{}, ErrPart
	}
	total, err1 := strconv.ParseUint(text[4:6], 36, 16)
	index, err2 := strconv.ParseUint(text[6:8], 36, 16)
	if err1 != nil || err2 != nil || total == 0 || index >= total || text[3] < 'A' || text[3] > 'Z' ||
		strings.ToUpper(text[:header]) != text[:header] {
		return Part{}, fmt.Errorf("%w: its head is %.10q", ErrPart, text)
	}
	p := Part{Encoding: text[2], Type: text[3], Total: int(total), Index: int(index)}
	body := text[header:]
	var err error
	switch p.Encoding {
	case 'H':
		p.Data, err = hex.DecodeString(body)
	case '2', 'Z':
		p.Data, err = base().DecodeString(body)
		if err == nil && base().EncodeToString(p.Data) != body {
			err = errors.New("bits left over") // one value has one encoding
		}
	default:
		err = fmt.Errorf("encoding %.1q is not one of H, 2 and Z", text[2:3])
	}
	if err == nil && p.Index != p.Total-1 && p.Encoding != 'H' && len(body)%8 != 0 {
		err = errors.New("only the last may end within a group of characters")
	}
	if err != nil {
		return Part{}, fmt.Errorf("%w: %v", ErrPart, err)
	}
	return p, nil
}

// Key tells streams apart, as far as this format can: two files of one type,
// encoding and number of parts look the same.
func (p Part) Key() string { return fmt.Sprintf("%c%c/%d", p.Encoding, p.Type, p.Total) }

// Decoder puts one file together.
type Decoder struct {
	encoding byte
	parts    [][]byte
	have     int
	bytes    int
	size     int // bytes of a part before the last; 0 until one was read
}

// NewDecoder is for the file that p is of.
func NewDecoder(p Part) *Decoder {
	return &Decoder{encoding: p.Encoding, parts: make([][]byte, p.Total)}
}

// Add takes a part. It says no where another part was read under its number, or
// where its length is not what those of one file have: then another file began,
// and this one is worthless.
func (d *Decoder) Add(p Part) bool {
	if had := d.parts[p.Index]; had != nil {
		return bytes.Equal(had, p.Data)
	}
	if !d.fits(p) {
		return false
	}
	d.parts[p.Index] = p.Data
	d.have++
	d.bytes += len(p.Data)
	return true
}

// fits reports whether p can be of this file: all parts but the last are of one
// length, and the last is not longer.
func (d *Decoder) fits(p Part) bool {
	last := len(d.parts) - 1
	if p.Index < last {
		if d.size > 0 && len(p.Data) != d.size || len(d.parts[last]) > len(p.Data) {
			return false
		}
		d.size = len(p.Data)
		return true
	}
	return d.size == 0 || len(p.Data) <= d.size
}

// Progress is how many parts were read, and how many there are.
func (d *Decoder) Progress() (have, need int) { return d.have, len(d.parts) }

// Missing lists the parts that were not read yet, from 0.
func (d *Decoder) Missing() []int {
	var list []int
	for i, p := range d.parts {
		if p == nil {
			list = append(list, i)
		}
	}
	return list
}

// Bytes is about what the decoder takes up.
func (d *Decoder) Bytes() int { return d.bytes + 24*len(d.parts) }

// Result returns the file once all parts are there.
func (d *Decoder) Result() (payload []byte, done bool, err error) {
	if d.have < len(d.parts) {
		return nil, false, nil
	}
	payload = bytes.Join(d.parts, nil)
	if d.encoding == 'Z' {
		payload, err = inflate(payload)
	}
	return payload, true, err
}
