package algo

import (
	"encoding/binary"
	"errors"
)

// MessagePack (https://github.com/msgpack/msgpack/blob/master/spec.md), as far
// as transactions need it: a map of text to whole numbers, bytes and texts, in
// Algorand's canonical form: names in order and once, no zero values, numbers
// and lengths in their shortest form. Other forms of a transaction have other
// ids, so they are not read.

// Bytes that values begin with. Below 0x80 is the number itself.
const (
	mpMap    = 0x80 // of up to 15 fields, in the low bits
	mpStr    = 0xa0 // of up to 31 bytes, in the low bits
	mpBin8   = 0xc4
	mpBin16  = 0xc5
	mpUint8  = 0xcc
	mpUint64 = 0xcf
	mpStr8   = 0xd9

	mpMaxMap = 15
	mpMaxStr = 31
)

var (
	errShort = errors.New("it ends too early")
	errForm  = errors.New("a value is not in its shortest form")
	errZero  = errors.New("a zero value is written out")
	errOrder = errors.New("fields out of order, or one twice")
	errType  = errors.New("a field of a type that it cannot have")
)

// value is a number, bytes or a text.
type value struct {
	kind   valueKind
	number uint64
	bytes  []byte
}

type valueKind uint8

const (
	numberValue valueKind = iota
	binaryValue
	textValue
)

// field is a field of a map.
type field struct {
	name string
	value
}

// readMap cuts a map off b.
func readMap(b []byte) (fields []field, rest []byte, err error) {
	if len(b) == 0 || b[0] < mpMap || b[0] > mpMap|mpMaxMap {
		return nil, nil, errType
	}
	n := int(b[0] &^ mpMap)
	b = b[1:]
	for range n {
		var name, v value
		if name, b, err = readValue(b); err != nil {
			return nil, nil, err
		}
		if name.kind != textValue {
			return nil, nil, errType
		}
		if v, b, err = readValue(b); err != nil {
			return nil, nil, err
		}
		f := field{string(name.bytes), v}
		if len(fields) > 0 && fields[len(fields)-1].name >= f.name {
			return nil, nil, errOrder
		}
		fields = append(fields, f)
	}
	return fields, b, nil
}

// readValue cuts a value off b.
func readValue(b []byte) (v value, rest []byte, err error) {
	if len(b) == 0 {
		return v, nil, errShort
	}
	first := b[0]
	switch b = b[1:]; {
	case first == 0:
		return v, nil, errZero
	case first < mpMap:
		return value{number: uint64(first)}, b, nil
	case first >= mpUint8 && first <= mpUint64:
		v.number, b, err = readNumber(b, 1<<(first-mpUint8))
		return v, b, err
	case first >= mpStr && first <= mpStr|mpMaxStr:
		return readBytes(textValue, b, uint64(first&^mpStr))
	case first == mpStr8:
		size, b, err := readNumber(b, 1)
		if err == nil && size <= mpMaxStr {
			err = errForm
		}
		if err != nil {
			return v, nil, err
		}
		return readBytes(textValue, b, size)
	case first == mpBin8 || first == mpBin16:
		return readBinary(b, 1<<(first-mpBin8))
	}
	return v, nil, errType
}

// readBinary reads bytes behind their length, which has 1 or 2 bytes; one of
// them may be a length below 128.
func readBinary(b []byte, width int) (v value, rest []byte, err error) {
	if len(b) < width {
		return v, nil, errShort
	}
	size := uint64(b[0])
	if width == 2 {
		if size = uint64(binary.BigEndian.Uint16(b)); size <= 0xff {
			return v, nil, errForm
		}
	}
	return readBytes(binaryValue, b[width:], size)
}

func readBytes(kind valueKind, b []byte, size uint64) (v value, rest []byte, err error) {
	switch {
	case size == 0:
		return v, nil, errZero
	case size > uint64(len(b)):
		return v, nil, errShort
	}
	return value{kind: kind, bytes: b[:size]}, b[size:], nil
}

// readNumber reads a number of 1, 2, 4 or 8 bytes that fits in no fewer.
func readNumber(b []byte, width int) (v uint64, rest []byte, err error) {
	if len(b) < width {
		return 0, nil, errShort
	}
	for _, c := range b[:width] {
		v = v<<8 | uint64(c)
	}
	least := uint64(mpMap)
	if width > 1 {
		least = 1 << (4 * width)
	}
	if v < least {
		return 0, nil, errForm
	}
	return v, b[width:], nil
}

// appendMap appends the fields, which are in order, that are not zero.
func appendMap(b []byte, fields []field) []byte {
	at, n := len(b), byte(0)
	b = append(b, mpMap)
	for _, f := range fields {
		if f.number == 0 && len(f.bytes) == 0 {
			continue
		}
		n++
		b = f.value.append(appendText(b, f.name))
	}
	b[at] |= n
	return b
}

func appendText(b []byte, text string) []byte {
	if len(text) <= mpMaxStr {
		b = append(b, mpStr|byte(len(text)))
	} else {
		b = append(b, mpStr8, byte(len(text)))
	}
	return append(b, text...)
}

func (v value) append(b []byte) []byte {
	switch {
	case v.kind == textValue:
		return appendText(b, string(v.bytes))
	case v.kind == binaryValue && len(v.bytes) <= 0xff:
		return append(append(b, mpBin8, byte(len(v.bytes))), v.bytes...)
	case v.kind == binaryValue:
		return append(binary.BigEndian.AppendUint16(append(b, mpBin16), uint16(len(v.bytes))), v.bytes...)
	case v.number < mpMap:
		return append(b, byte(v.number))
	case v.number <= 0xff:
		return append(b, mpUint8, byte(v.number))
	case v.number <= 0xffff:
		return binary.BigEndian.AppendUint16(append(b, mpUint8+1), uint16(v.number))
	case v.number <= 0xffffffff:
		return binary.BigEndian.AppendUint32(append(b, mpUint8+2), uint32(v.number))
	}
	return binary.BigEndian.AppendUint64(append(b, mpUint64), v.number)
}

func number(name string, v uint64) field   { return field{name, value{number: v}} }
func binaryOf(name string, b []byte) field { return field{name, value{kind: binaryValue, bytes: b}} }
func textOf(name, text string) field       { return field{name, value{kind: textValue, bytes: []byte(text)}} }
