//go:build unix

package main

import (
	"bytes"
	"encoding/binary"
	"fmt"

	"coldkms/shared/chain"
)

// encodings of a sound payment that are not the one encoding.
func (c *corpus) encodings() {
	bad := func(name string, raw func(tx, context []byte) ([]byte, []byte)) {
		c.one("transaction "+name, c.pay(chain.BTC).with(func(p *payment) { p.raw = raw }), refused(chain.Malformed))
	}
	bad("with a byte behind it", func(tx, context []byte) ([]byte, []byte) { return append(tx, 0), context })
	bad("with a byte behind its context", func(tx, context []byte) ([]byte, []byte) { return tx, append(context, 0) })
	bad("without context", func(tx, _ []byte) ([]byte, []byte) { return tx, []byte{} })
	bad("of nothing", func(_, context []byte) ([]byte, []byte) { return []byte{}, context })
	bad("with a version in two bytes", func(tx, context []byte) ([]byte,
		[]byte) {
		return append([]byte{0x82, 0}, tx[1:]...), context
	})
	bad("with a reference in two bytes", func(tx, _ []byte) ([]byte, []byte) { return tx, []byte{0x81, 0} })
	bad("with a reference of ten bytes", func(tx, _ []byte) ([]byte, []byte) {
		return tx,
			binary.AppendUvarint(nil, 1<<64-1)
	})
	bad("with a reference that does not end",
		func(tx, _ []byte) ([]byte, []byte) { return tx, bytes.Repeat([]byte{0xff}, 20) })
	for i, field := range []string{"version", "lock time", "number of inputs", "index", "sequence", "number of outputs",
		"value", "length of a script"} {
		bad("with a huge "+field, func(tx, context []byte) ([]byte, []byte) { return replace(tx, i, 1<<63), context })
		if field != "index" { // which names an output that is not there
			bad("with the largest "+field, func(tx, context []byte) ([]byte, []byte) { return replace(tx, i, 1<<64-1), context })
		}
	}
	for _, cut := range []int{1, 2, 3, 5, 8, 20, 40} {
		bad(fmt.Sprintf("cut by %d bytes", cut),
			func(tx, context []byte) ([]byte, []byte) { return tx[:len(tx)-cut], context })
	}
	bad("in the form of the wire", func(_, context []byte) ([]byte, []byte) {
		return serialized(c.pay(chain.BTC).msg), context
	})
}

// after returns what follows the first n varints.
func after(tx []byte, n int) []byte {
	for range n {
		_, size := binary.Uvarint(tx)
		tx = tx[size:]
	}
	return tx
}

// replace puts another number at the place of varint number n.
func replace(tx []byte, n int, value uint64) []byte {
	from, rest := after(tx, n), after(tx, n+1)
	return append(binary.AppendUvarint(bytes.Clone(tx[:len(tx)-len(from)]), value), rest...)
}
