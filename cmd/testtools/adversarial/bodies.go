//go:build unix

package main

import (
	"bytes"
	"compress/flate"
	"encoding/binary"
	"math"
	"strings"

	"github.com/fxamacker/cbor/v2"

	"coldkms/cmd/internal/cli"
	"coldkms/shared/chain"
)

const exitRefused = cli.Refused

func squeeze(data []byte) []byte {
	var b bytes.Buffer
	w := must(flate.NewWriter(&b, 5))
	must(w.Write(data))
	check(w.Close())
	return b.Bytes()
}

// bodies are CBOR that is not the one encoding of a request, in a container
// that the paired relay has signed.
func (c *corpus) bodies() {
	add := func(name string, body []byte) {
		c.add("body "+name, c.pack(body).seal(), invalid("bundle is not valid"))
	}
	value := func() []any { return c.ask(c.pay(chain.BTC)).value() }
	sound := body(value())
	add("that is empty", nil)
	add("of one byte", []byte{0xff})
	add("with a byte behind it", append(bytes.Clone(sound), 0))
	add("cut", sound[:len(sound)-1])
	add("twice", append(bytes.Clone(sound), sound...))
	add("that is a map", body(map[string]int{"signer": 1}))
	add("that is a number", body(7))
	add("that is null", []byte{0xf6})
	add("in a tag", append([]byte{0xd8, 0x18}, sound...))
	add("with a longer head", append([]byte{0x98, 5}, sound[1:]...))
	add("of no definite length", append(append([]byte{0x9f}, sound[1:]...), 0xff))
	add("with an element too few", append([]byte{0x84}, sound[1:]...))
	add("with an element too many", append(append([]byte{0x86}, sound[1:]...), 0))
	add("of arrays in arrays, 10,000 deep", bytes.Repeat([]byte{0x81}, 10_000))
	add("of tags in tags, 10,000 deep", bytes.Repeat([]byte{0xc1}, 10_000))
	for _, head := range []struct {
		name string
		b    []byte
	}{{"an array", []byte{0x9b}}, {"bytes", []byte{0x5b}}, {"a text", []byte{0x7b}}, {"a map", []byte{0xbb}}} {
		add("that is "+head.name+" of 2^63", binary.BigEndian.AppendUint64(head.b, math.MaxInt64))
		add("that is "+head.name+" of 2^64", binary.BigEndian.AppendUint64(head.b, math.MaxUint64))
		add("with "+head.name+" of 2^32 as items",
			append(append(bytes.Clone(sound[:35]), 0x00, 0x40), binary.BigEndian.AppendUint64(head.b, 1<<32)...))
	}
	c.elements(value, add)
	c.counts(add)
}

// elements are single ones of the wrong type or size.
func (c *corpus) elements(value func() []any, add func(string, []byte)) {
	item := func(v []any) []any { return v[3].([]any)[0].([]any) }
	for _, e := range []struct {
		name   string
		change func(v []any)
	}{
		{"whose signer is 31 bytes", func(v []any) { v[0] = make([]byte, 31) }},
		{"whose signer is a text", func(v []any) { v[0] = strings.Repeat("a", 32) }},
		{"made in a fraction of a second", func(v []any) { v[1] = 1.5 }},
		{"made in not a number", func(v []any) { v[1] = math.NaN() }},
		{"made beyond 63 bits", func(v []any) { v[1] = uint64(math.MaxUint64) }},
		{"made at a text", func(v []any) { v[1] = "now" }},
		{"with a ledger head of 31 bytes", func(v []any) { v[2] = make([]byte, 31) }},
		{"with a ledger head of null", func(v []any) { v[2] = nil }},
		{"without items", func(v []any) { v[3] = []any{} }},
		{"with items of null", func(v []any) { v[3] = nil }},
		{"with null for an item", func(v []any) { v[3] = []any{nil} }},
		{"with a map for an item", func(v []any) { v[3] = []any{map[string]int{}} }},
		{"with null for attachments", func(v []any) { v[4] = nil }},
		{"with text for an attachment", func(v []any) { v[4] = []any{"x"} }},
		{"with null for previous transactions", func(v []any) { v[4] = []any{attachment(nil)} }},
		{"with no previous transactions attached", func(v []any) { v[4] = []any{attachment([]any{})} }},
		{"with text for a previous transaction", func(v []any) { v[4] = []any{attachment([]any{"x"})} }},
		{"with an attachment twice", func(v []any) { v[4] = append(v[4].([]any), v[4].([]any)...) }},
		{"with attachments out of order", func(v []any) { v[4] = append(v[4].([]any), []any{"evm", []any{[]byte{1}}}) }},
		{"with network 256", func(v []any) { item(v)[3] = 256 }},
		{"with network -1", func(v []any) { item(v)[3] = -1 }},
		{"with network true", func(v []any) { item(v)[3] = true }},
		{"with a transaction of text", func(v []any) { item(v)[4] = "02" }},
		{"with keys of null", func(v []any) { item(v)[6] = nil }},
		{"with a key of three", func(v []any) { item(v)[6] = []any{[]any{"a", 1, 2}} }},
		{"with an index of 2^64", func(v []any) { item(v)[6] = []any{[]any{"a", uint64(math.MaxUint64)}} }},
		{"with an id of 11 bytes", func(v []any) { item(v)[0] = make([]byte, 11) }},
		{"with an id of 1,000,000 bytes", func(v []any) { item(v)[0] = strings.Repeat("ab", 500_000) }},
		{"with an id as text that has a shorter form", func(v []any) { item(v)[0] = pendingID(7) }},
		{"with a signature id as text that has a shorter form",
			func(v []any) { item(v)[6] = []any{[]any{single(chain.BTC), -1}} }},
		{"with a simple value for an id", func(v []any) { item(v)[0] = cbor.SimpleValue(99) }},
		{"with an item of seven", func(v []any) { v[3] = []any{item(v)[:7]} }},
		{"with statements of null", func(v []any) { item(v)[7] = nil }},
		{"with a statement of nothing", func(v []any) { item(v)[7] = []any{[]byte{}} }},
		{"with a statement of text", func(v []any) { item(v)[7] = []any{"yes"} }},
		{"with a statement of a million bytes", func(v []any) { item(v)[7] = []any{make([]byte, 1_000_000)} }},
		{"with a thousand statements", func(v []any) { item(v)[7] = repeat[any](make([]byte, 104), 1000) }},
	} {
		v := value()
		e.change(v)
		add(e.name, body(v))
	}
}

// counts are beyond what a request may have.
func (c *corpus) counts(add func(string, []byte)) {
	r := c.ask(c.pay(chain.BTC))
	small := r.items[0].([]any)
	many := func(n int) []any {
		list := make([]any, n)
		for i := range list {
			list[i] = append([]any{ident(pendingID(uint32(i)))}, small[1:]...)
		}
		return list
	}
	v := r.value()
	v[3] = many(100_001)
	add("of 100,001 items", body(v))
	v = r.value()
	v[3] = many(200_001)
	add("of 200,001 items", body(v))
	v = r.value()
	v[4] = []any{attachment(repeat[any]([]byte{}, 200_001))}
	add("of 200,001 previous transactions", body(v))
	v = c.ask(c.pay(chain.BTC)).value()
	v[3].([]any)[0].([]any)[6] = repeat[any]([]any{"a", 0}, 200_001)
	add("of 200,001 keys", body(v))
}
