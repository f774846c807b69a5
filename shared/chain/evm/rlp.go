package evm

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// Limits on RLP. A transaction nests one level, and geth's pool takes none of
// more than 128 KiB.
const (
	MaxRLP      = 256 << 10 // bytes
	maxRLPDepth = 4
	maxRLPItems = 64
)

// Item is a value of RLP (Ethereum's Yellow Paper, appendix B): a string of
// bytes, or a list of items.
type Item struct {
	IsList bool
	Bytes  []byte // of a string
	Items  []Item // of a list
}

// Errors of DecodeRLP.
var (
	errRLPShort  = errors.New("RLP ends too early")
	errRLPBehind = errors.New("RLP has bytes behind its end")
	errRLPForm   = errors.New("RLP is not in its shortest form")
	errRLPDeep   = errors.New("RLP nests too deep")
	errRLPMany   = errors.New("RLP has too many items")
)

// DecodeRLP reads one item that fills b. Only the one shortest encoding of a
// value is read, so DecodeRLP and Item.Encode are inverse to each other. The
// item shares b's memory.
func DecodeRLP(b []byte) (Item, error) {
	if len(b) > MaxRLP {
		return Item{}, fmt.Errorf("RLP of %d bytes, at most %d are read", len(b), MaxRLP)
	}
	left := maxRLPItems
	item, rest, err := decodeItem(b, maxRLPDepth, &left)
	if err == nil && len(rest) > 0 {
		err = errRLPBehind
	}
	if err != nil {
		return Item{}, err
	}
	return item, nil
}

func decodeItem(b []byte, depth int, left *int) (item Item, rest []byte, err error) {
	if *left--; *left < 0 {
		return Item{}, nil, errRLPMany
	}
	isList, content, rest, err := splitItem(b)
	switch {
	case err != nil:
		return Item{}, nil, err
	case !isList:
		return Item{Bytes: content}, rest, nil
	case depth == 0:
		return Item{}, nil, errRLPDeep
	}
	list := Item{IsList: true}
	for len(content) > 0 {
		var element Item
		if element, content, err = decodeItem(content, depth-1, left); err != nil {
			return Item{}, nil, err
		}
		list.Items = append(list.Items, element)
	}
	return list, rest, nil
}

// The first byte of an item: below 0x80 the byte itself; else 0x80 (a string)
// or 0xc0 (a list) plus its length up to 55, or plus 55 and the size of the
// length that follows.
const (
	rlpString = 0x80
	rlpList   = 0xc0
	rlpShort  = 55
)

// splitItem cuts the first item off b.
func splitItem(b []byte) (isList bool, content, rest []byte, err error) {
	if len(b) == 0 {
		return false, nil, nil, errRLPShort
	}
	first := b[0]
	if first < rlpString {
		return false, b[:1], b[1:], nil
	}
	isList = first >= rlpList
	base := byte(rlpString)
	if isList {
		base = rlpList
	}
	size, b, err := splitSize(int(first-base), b[1:])
	if err != nil {
		return false, nil, nil, err
	}
	content, rest = b[:size], b[size:]
	if !isList && size == 1 && content[0] < rlpString {
		return false, nil, nil, errRLPForm // it is its own encoding
	}
	return isList, content, rest, nil
}

// splitSize returns the length of an item, which b is proven to have, from its
// first byte's part and the bytes that follow.
func splitSize(short int, b []byte) (size int, rest []byte, err error) {
	if short <= rlpShort {
		size = short
	} else {
		n := short - rlpShort
		if n > len(b) {
			return 0, nil, errRLPShort
		}
		if n > 4 || b[0] == 0 {
			return 0, nil, errRLPForm // MaxRLP needs three bytes
		}
		var long [8]byte
		copy(long[8-n:], b[:n])
		size, b = int(binary.BigEndian.Uint64(long[:])), b[n:]
		if size <= rlpShort {
			return 0, nil, errRLPForm
		}
	}
	if size > len(b) {
		return 0, nil, errRLPShort
	}
	return size, b, nil
}

// Encode returns the RLP of the item.
func (i Item) Encode() []byte {
	if !i.IsList {
		if len(i.Bytes) == 1 && i.Bytes[0] < rlpString {
			return []byte{i.Bytes[0]}
		}
		return append(encodeSize(rlpString, len(i.Bytes)), i.Bytes...)
	}
	var content []byte
	for _, element := range i.Items {
		content = append(content, element.Encode()...)
	}
	return append(encodeSize(rlpList, len(content)), content...)
}

func encodeSize(base byte, size int) []byte {
	if size <= rlpShort {
		return []byte{base + byte(size)}
	}
	long := trimZeros(binary.BigEndian.AppendUint64(nil, uint64(size)))
	return append([]byte{base + rlpShort + byte(len(long))}, long...)
}

// trimZeros returns b without the zero bytes that it begins with: the form of
// an integer in RLP.
func trimZeros(b []byte) []byte {
	for len(b) > 0 && b[0] == 0 {
		b = b[1:]
	}
	return b
}
