//go:build unix

package main

import (
	"bytes"
	"compress/flate"
	"encoding/binary"
	"encoding/hex"
	"strings"

	"github.com/fxamacker/cbor/v2"

	"coldkms/shared/chain"
	"coldkms/shared/chain/utxo"
	"coldkms/shared/identity"
)

// The corpus has an encoder of its own: that of the product refuses to write
// what is wanted here. docs/FORMAT.md is what both follow.

// request is the body of a Request, as far as it shall be sound.
type request struct {
	signer  identity.Public
	created int64
	head    []byte
	items   []any
	prev    [][]byte
}

// ask makes a request of payments.
func (c *corpus) ask(list ...*payment) *request {
	r := &request{signer: c.target.signer, created: stopped().Unix(), head: []byte{}, prev: [][]byte{}}
	for _, p := range list {
		tx, context := p.encode(len(r.prev))
		r.prev = append(r.prev, p.previous()...)
		keys := []any{}
		for _, k := range p.keys {
			keys = append(keys, []any{ident(k.SignatureID), k.Index})
		}
		r.items = append(r.items, []any{ident(p.id), p.family, string(p.chain), int(p.network), tx, context, keys, []any{}})
	}
	return r
}

func (r *request) value() []any {
	attached := []any{}
	if len(r.prev) > 0 {
		attached = []any{attachment(r.prev)}
	}
	return []any{r.signer[:], r.created, r.head, r.items, attached}
}

// attachment is what the UTXO family has beside the items.
func attachment(parts any) []any { return []any{utxo.Name, parts} }

// body is the one encoding of a value.
func body(v any) []byte {
	return must(must(cbor.CoreDetEncOptions().EncMode()).Marshal(v))
}

// ident is an id in its shortest form.
func ident(s string) any {
	plain := s
	if len(s) == 36 && strings.Count(s, "-") == 4 {
		plain = strings.ReplaceAll(s, "-", "")
	}
	if b, err := hex.DecodeString(plain); err == nil && (len(s) == 24 || len(s) == 36) && hex.EncodeToString(b) == plain {
		return b
	}
	return s
}

// container is a bundle file in the making.
type container struct {
	magic         string
	kind, version byte
	author        identity.Private
	size          uint32 // announced
	packed        []byte
}

// pack returns the container of a body.
func (c *corpus) pack(body []byte) container {
	return container{"CKMS", 'Q', 2, c.target.relay, uint32(len(body)), deflate(body)}
}

func deflate(body []byte) []byte {
	var b bytes.Buffer
	w := must(flate.NewWriter(&b, flate.BestCompression))
	must(w.Write(body))
	check(w.Close())
	if len(body) > 150*b.Len() { // as the product does: not like a bomb
		b.Reset()
		w = must(flate.NewWriter(&b, flate.NoCompression))
		must(w.Write(body))
		check(w.Close())
	}
	return b.Bytes()
}

// seal signs whatever is in the container.
func (k container) seal() []byte {
	public := k.author.Public()
	head := append(append([]byte(k.magic), k.kind, k.version), public[:]...)
	rest := append(binary.BigEndian.AppendUint32(nil, k.size), k.packed...)
	sig := k.author.Sign(bytes.Join([][]byte{[]byte("coldkms bundle v1\n"), head, rest}, nil))
	return bytes.Join([][]byte{head, sig[:], rest}, nil)
}

// file is a request of payments as its relay would write it.
func (c *corpus) file(list ...*payment) []byte { return c.pack(body(c.ask(list...).value())).seal() }

// one adds a request of one payment.
func (c *corpus) one(name string, p *payment, e Case) { c.add(name, c.file(p), e) }

// each adds a request for every coin.
func (c *corpus) each(name string, e Case, change func(id chain.ID, p *payment)) {
	for _, id := range coins() {
		c.one(string(id)+" "+name, c.pay(id).with(func(p *payment) { change(id, p) }), e)
	}
}
