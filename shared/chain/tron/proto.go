package tron

import (
	"encoding/binary"
	"errors"
)

// Protocol buffers, as far as TRON's transactions need them (encoding of
// proto3: https://protobuf.dev/programming-guides/encoding/). A reader of the
// network takes fields in any order, many times, with zeros written out and
// numbers padded; each such form of a payment is another transaction id. Here
// only the one form that a serializer writes is read: fields in the order of
// their numbers, each once, none with its default value, numbers in the
// shortest form.

// Types of a field on the wire.
const (
	wireVarint = 0
	wireBytes  = 2
)

var (
	errProtoShort = errors.New("a field ends too early")
	errProtoForm  = errors.New("a number is not in its shortest form")
	errProtoOrder = errors.New("fields out of order, or one twice")
	errProtoZero  = errors.New("a default value is written out")
	errProtoField = errors.New("a field that is not known, or of another type")
)

// field is one field of a message: number for wireVarint, else bytes.
type field struct {
	id     uint64
	wire   uint64
	number uint64
	bytes  []byte
}

// message is the fields of a message, in order.
type message []field

// readMessage reads a message that fills b.
func readMessage(b []byte) (m message, err error) {
	for len(b) > 0 {
		var f field
		if f, b, err = readField(b); err != nil {
			return nil, err
		}
		if len(m) > 0 && m[len(m)-1].id >= f.id {
			return nil, errProtoOrder
		}
		m = append(m, f)
	}
	return m, nil
}

func readField(b []byte) (f field, rest []byte, err error) {
	tag, b, err := readVarint(b)
	if err != nil {
		return f, nil, err
	}
	f.id, f.wire = tag>>3, tag&7
	value, b, err := readVarint(b)
	switch {
	case err != nil:
		return f, nil, err
	case f.id == 0 || f.wire != wireVarint && f.wire != wireBytes:
		return f, nil, errProtoField
	case value == 0:
		return f, nil, errProtoZero
	case f.wire == wireVarint:
		f.number = value
		return f, b, nil
	case value > uint64(len(b)):
		return f, nil, errProtoShort
	}
	f.bytes = b[:value]
	return f, b[value:], nil
}

func readVarint(b []byte) (v uint64, rest []byte, err error) {
	v, n := binary.Uvarint(b)
	switch {
	case n == 0:
		return 0, nil, errProtoShort
	case n < 0 || n > 1 && b[n-1] == 0:
		return 0, nil, errProtoForm
	}
	return v, b[n:], nil
}

// encode returns the message as bytes.
func (m message) encode() (b []byte) {
	for _, f := range m {
		b = binary.AppendUvarint(b, f.id<<3|f.wire)
		if f.wire == wireVarint {
			b = binary.AppendUvarint(b, f.number)
			continue
		}
		b = binary.AppendUvarint(b, uint64(len(f.bytes)))
		b = append(b, f.bytes...)
	}
	return b
}

// writer puts fields behind each other, which the caller does in order.
type writer struct{ m message }

func (w *writer) number(id uint64, v int64) {
	if v != 0 {
		w.m = append(w.m, field{id: id, wire: wireVarint, number: uint64(v)})
	}
}

func (w *writer) bytes(id uint64, b []byte) {
	if len(b) > 0 {
		w.m = append(w.m, field{id: id, wire: wireBytes, bytes: b})
	}
}

// reader takes fields out of a message and remembers the first error.
type reader struct {
	m   message
	err error
}

func newReader(b []byte) *reader {
	m, err := readMessage(b)
	return &reader{m: m, err: err}
}

func (r *reader) fail(err error) {
	if r.err == nil {
		r.err = err
	}
}

// take removes a field; ok is false if the message has none.
func (r *reader) take(id, wire uint64) (f field, ok bool) {
	if len(r.m) == 0 || r.m[0].id != id {
		return f, false
	}
	f = r.m[0]
	if f.wire != wire {
		r.fail(errProtoField)
		return f, false
	}
	r.m = r.m[1:]
	return f, true
}

// number reads an int64, which is 0 if it is missing.
func (r *reader) number(id uint64) int64 {
	f, _ := r.take(id, wireVarint)
	return int64(f.number)
}

// bytes reads bytes, which are nil if they are missing.
func (r *reader) bytes(id uint64) []byte {
	f, _ := r.take(id, wireBytes)
	return f.bytes
}

// address reads an address that must be there.
func (r *reader) address(id uint64) Address {
	a, err := addressOf(r.bytes(id))
	if err != nil {
		r.fail(err)
	}
	return a
}

// end refuses fields that nobody took.
func (r *reader) end() error {
	if len(r.m) > 0 {
		r.fail(errProtoField)
	}
	return r.err
}
