package bundle

import (
	"bytes"
	"fmt"
)

// A pieces reads the parts of a body one after the other, so that what is kept
// of one is small before the next is read. Each part must be in its one
// encoding.
type pieces struct {
	codec
	rest []byte
}

// head reads the head of an array or of a string of bytes, in its shortest
// form: the major type of RFC 8949, and how many elements or bytes follow.
func (p *pieces) head(major byte, most int) (int, error) {
	want := fmt.Errorf("%w: not in its one encoding", ErrInvalid)
	if len(p.rest) == 0 || p.rest[0]>>5 != major {
		return 0, want
	}
	size, width := uint64(p.rest[0]&31), 0
	if size >= 24 {
		if size > 26 { // lengths from 2^32 are beyond every limit
			return 0, want
		}
		width = 1 << (size - 24)
		if len(p.rest) < 1+width {
			return 0, want
		}
		size = 0
		for _, b := range p.rest[1 : 1+width] {
			size = size<<8 | uint64(b)
		}
	}
	if least := [...]uint64{0, 24, 1 << 8, 0, 1 << 16}[width]; size < least {
		return 0, want
	}
	p.rest = p.rest[1+width:]
	if size > uint64(most) || size > uint64(len(p.rest)) { // each element takes a byte or more
		return 0, fmt.Errorf("%w: %d elements where at most %d can be", ErrInvalid, size, min(most, len(p.rest)))
	}
	return int(size), nil
}

func (p *pieces) array(most int) (int, error) { return p.head(4, most) }

// bytes reads a string of bytes. It is part of the body, never written to.
func (p *pieces) bytes(most int) ([]byte, error) {
	n, err := p.head(2, most)
	if err != nil {
		return nil, err
	}
	b := p.rest[:n:n]
	p.rest = p.rest[n:]
	return b, nil
}

// value reads anything else.
func (p *pieces) value(v any) error {
	rest, err := p.dec.UnmarshalFirst(p.rest, v)
	if err != nil {
		return fmt.Errorf("%w: %v", ErrInvalid, err)
	}
	again, err := p.enc.Marshal(v)
	if err != nil {
		return fmt.Errorf("%w: %v", ErrInvalid, err)
	}
	if !bytes.Equal(p.rest[:len(p.rest)-len(rest)], again) {
		return fmt.Errorf("%w: not in its one encoding", ErrInvalid)
	}
	p.rest = rest
	return nil
}

// readRequest reads the body of a Request. It stops at the first limit.
// Parts of attachments are parts of body.
func readRequest(body []byte) (Request, error) {
	if err := countValues(body); err != nil {
		return Request{}, err
	}
	p := pieces{codec: newCodec(), rest: body}
	if n, err := p.array(5); err != nil || n != 5 {
		return Request{}, fmt.Errorf("%w: not the body of a request", ErrInvalid)
	}
	r, err := p.envelope()
	if err != nil {
		return Request{}, err
	}
	var load Load
	if r.Items, err = p.items(&load); err != nil {
		return Request{}, err
	}
	if r.Attachments, err = p.attachments(&load); err != nil {
		return Request{}, err
	}
	if len(p.rest) > 0 {
		return Request{}, fmt.Errorf("%w: %d bytes behind the request", ErrInvalid, len(p.rest))
	}
	return r, r.check()
}

// envelope reads what stands before the items.
func (p *pieces) envelope() (Request, error) {
	var r Request
	signer, err := p.bytes(len(r.Signer))
	if err != nil || len(signer) != len(r.Signer) {
		return r, fmt.Errorf("%w: signer's key of %d bytes", ErrInvalid, len(signer))
	}
	copy(r.Signer[:], signer)
	if err := p.value(&r.Created); err != nil {
		return r, err
	}
	head, err := p.bytes(len(Digest{}))
	r.LedgerHead = bytes.Clone(head)
	return r, err
}

func (p *pieces) items(load *Load) ([]Item, error) {
	n, err := p.array(MaxItems)
	if err != nil {
		return nil, err
	}
	items := make([]Item, n)
	for i := range items {
		var w itemWire
		if err := p.value(&w); err != nil {
			return nil, err
		}
		if items[i], err = w.item(); err != nil {
			return nil, err
		}
		if *load = load.Add(items[i].Load()); load.Check() != nil {
			return nil, tooLarge(load.Check())
		}
	}
	return items, nil
}

// maxFamilies bounds the attachments of a Request.
const maxFamilies = 16

func (p *pieces) attachments(load *Load) ([]Attachment, error) {
	n, err := p.array(maxFamilies)
	if err != nil {
		return nil, err
	}
	list := make([]Attachment, n)
	for i := range list {
		if pair, err := p.array(2); err != nil || pair != 2 {
			return nil, fmt.Errorf("%w: an attachment is a family and its parts", ErrInvalid)
		}
		if err := p.value(&list[i].Family); err != nil {
			return nil, err
		}
		if list[i].Parts, err = p.parts(load); err != nil {
			return nil, err
		}
	}
	if n == 0 {
		return nil, nil
	}
	return list, nil
}

func (p *pieces) parts(load *Load) ([][]byte, error) {
	n, err := p.array(MaxParts)
	if err != nil {
		return nil, err
	}
	list := make([][]byte, n)
	for i := range list {
		if list[i], err = p.bytes(MaxBody); err != nil {
			return nil, err
		}
		*load = load.Add(LoadOf(list[i]))
	}
	return list, tooLarge(load.Check())
}

func tooLarge(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%w: %w: export fewer at once (--max)", ErrInvalid, err)
}
