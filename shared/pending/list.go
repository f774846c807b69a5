package pending

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"coldkms/shared/chain"
)

// Limits on a list of pending transactions.
const (
	MaxHeld   = 32 << 20  // bytes of its elements that are held at a time
	MaxListed = 1_000_000 // elements that are read
	keepDepth = 2 * maxDepth
)

// An Element is one element of a list, as it came. Err is why it is not kept:
// it is too large or nests too deep, and Raw is nil then.
type Element struct {
	At  int // its place in the list
	Raw json.RawMessage
	Err error
}

// ErrRest is returned by ReadList where a list goes on after what can be held
// at a time. What came before is good.
var ErrRest = errors.New("pending: the list goes on after what can be held at a time")

// ErrLong is returned by ReadList where a list has more than MaxListed elements.
// What came before is good.
var ErrLong = fmt.Errorf("pending: the list has more than %d elements; what is behind them is taken once those are gone", MaxListed)

// ErrNoList is returned by ReadList for what does not begin like a list.
var ErrNoList = errors.New("pending: list is not a JSON array")

// ReadList reads the array that the pending endpoints answer with, an element
// at a time, so that one that is too large or too deep costs no memory and
// hides no other. Elements that skip reports are not held; skip may be nil. With
// an error, too, it returns what came whole before.
func ReadList(from io.Reader, skip func(Element) bool) ([]Element, error) {
	r := &listReader{in: bufio.NewReaderSize(from, 64<<10)}
	switch c, err := r.next(); {
	case err != nil:
		return nil, fmt.Errorf("pending: list is cut: %w", err)
	case c != '[':
		return nil, ErrNoList
	}
	var list []Element
	for at, held := 0, 0; ; at++ {
		c, err := r.next()
		switch {
		case err != nil:
			return list, fmt.Errorf("pending: list is cut: %w", err)
		case c == ']' && at == 0:
			return list, r.end()
		case at == MaxListed:
			return list, ErrLong
		}
		e, last, err := r.element(c)
		if err != nil {
			return list, fmt.Errorf("pending: element %d of the list: %w", at, err)
		}
		e.At = at
		if skip == nil || !skip(e) {
			if held += len(e.Raw) + perElement; held > MaxHeld && len(list) > 0 {
				return list, ErrRest
			}
			list = append(list, e)
		}
		if last {
			return list, r.end()
		}
	}
}

// perElement is what an element costs besides its bytes.
const perElement = 64

type listReader struct{ in *bufio.Reader }

// next returns the next byte that is no white space.
func (r *listReader) next() (byte, error) {
	for {
		c, err := r.byte()
		if err != nil || (c != ' ' && c != '\n' && c != '\r' && c != '\t') {
			return c, err
		}
	}
}

// byte returns the next byte. A list has an end of its own, so that of the reply
// is none.
func (r *listReader) byte() (byte, error) {
	c, err := r.in.ReadByte()
	if errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	return c, err
}

// end wants nothing to follow the list.
func (r *listReader) end() error {
	if c, err := r.next(); !errors.Is(err, io.ErrUnexpectedEOF) {
		return errors.Join(fmt.Errorf("pending: list: %q follows it", c), err)
	}
	return nil
}

// element reads one element that begins with c, and what follows it: last
// reports whether that ends the list.
func (r *listReader) element(c byte) (e Element, last bool, err error) {
	var raw []byte
	var depth, deepest, size int
	var quoted, escaped bool
	for {
		switch {
		case escaped:
			escaped = false
		case quoted:
			escaped, quoted = c == '\\', c != '"'
		case c == '"':
			quoted = true
		case depth == 0 && (c == ',' || c == ']'):
			e, err = keep(raw, size, deepest)
			return e, c == ']', err
		case c == '{' || c == '[':
			depth++
			deepest = max(deepest, depth)
		case c == '}' || c == ']':
			depth--
		}
		if size++; size <= MaxRaw && deepest <= keepDepth {
			raw = append(raw, c)
		} else {
			raw = nil
		}
		if c, err = r.byte(); err != nil {
			return Element{}, false, fmt.Errorf("list is cut: %w", err)
		}
	}
}

func keep(raw []byte, size, deepest int) (Element, error) {
	switch {
	case size > MaxRaw:
		return Element{Err: chain.Refuse(chain.TooLarge, "pending transaction of %d bytes, at most %d are read", size, MaxRaw)}, nil
	case deepest > keepDepth:
		return Element{Err: chain.Refuse(chain.Malformed, "pending transaction that nests %d deep, at most %d", deepest, maxDepth)}, nil
	case !json.Valid(raw):
		return Element{}, errors.New("it is not JSON")
	}
	return Element{Raw: bytes.Clone(bytes.TrimSpace(raw))}, nil
}
