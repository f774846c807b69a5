//go:build unix

package main

import (
	"bytes"

	"coldkms/shared/chain"
	"coldkms/shared/chain/utxo"
)

// proofs lie about what is spent. A previous transaction with another amount
// is not among them: it has another id, so what is signed spends an output
// that does not exist.
func (c *corpus) proofs() {
	for _, claim := range []struct {
		name string
		by   int64
	}{{"as it is", 0}, {"as more", 1_000_000}, {"as less", -100}} {
		c.each("amount claimed "+claim.name, refused(chain.UnprovenAmount),
			func(id chain.ID, p *payment) { p.claim(0, amount(id)+claim.by) })
	}
	c.segwitPair()
	for _, id := range []chain.ID{chain.BTC, chain.LTC} {
		own := ownScripts(id)
		c.one(string(id)+" taproot, claimed", c.spend(id, own[4]).with(func(p *payment) { p.claim(0, amount(id)) }),
			flagged(chain.FlagCommitted))
		c.one(string(id)+" taproot, claimed as more",
			c.spend(id, own[4]).with(func(p *payment) { p.claim(0, amount(id)+50_000) }), flagged(chain.FlagCommitted))
		c.one(string(id)+" taproot, claimed above the supply",
			c.spend(id, own[4]).with(func(p *payment) { p.claim(0, params(id).MaxValue+1) }), refused(chain.ValueOutOfRange))
		c.one(string(id)+" taproot claimed beside P2WPKH", c.spend(id, own[1], own[4]).with(func(p *payment) {
			p.apart(1)
			p.claimAlone(1, amount(id))
		}), refused(chain.UnprovenAmount))
		c.one(string(id)+" taproot claimed as more beside its proof",
			c.spend(id, own[4], own[1]).with(func(p *payment) { p.claim(0, amount(id)+50_000) }), refused(chain.AmountMismatch))
		c.one(string(id)+" a stranger's taproot output, claimed as ours", c.spend(id, own[4]).with(func(p *payment) {
			p.prev[0].TxOut[0].PkScript = own[1]
			p.claim(0, amount(id))
		}), refused(chain.UnprovenAmount))
	}
	c.each("an output that the previous transaction does not have", refused(chain.UnprovenAmount),
		func(_ chain.ID, p *payment) {
			p.msg.TxIn[0].PreviousOutPoint.Index = 7
		})
	c.each("the last index there is", refused(chain.UnprovenAmount), func(_ chain.ID, p *payment) {
		p.msg.TxIn[0].PreviousOutPoint.Index = 1<<32 - 1
	})
	c.each("a previous transaction that is not there", refused(chain.Malformed), func(_ chain.ID, p *payment) {
		p.raw = func(tx, _ []byte) ([]byte, []byte) { return tx, []byte{2} }
	})
	c.brokenProofs()
}

// segwitPair are the two requests by which a compromised program pays a hidden
// fee: each lies about the other's input, and the two signatures that are good
// together make a transaction that nobody saw.
func (c *corpus) segwitPair() {
	for _, id := range []chain.ID{chain.BTC, chain.LTC} {
		for i, kind := range []string{"P2WPKH", "P2SH-P2WPKH"} {
			script := ownScripts(id)[1+i]
			whole := c.spend(id, script, script)
			whole.msg.TxOut[1].Value -= 1_500_000
			for half, name := range []string{"first", "second"} {
				p := *whole
				p.claims = map[int]utxo.Claim{}
				p.claim(half, amount(id)-1_000_000)
				c.one(string(id)+" "+kind+" fee attack beside its proof, "+name+" half", &p, refused(chain.AmountMismatch))
				p = *whole.twoProofs()
				p.claimAlone(half, amount(id)-1_000_000)
				c.one(string(id)+" "+kind+" fee attack, "+name+" half", &p, refused(chain.UnprovenAmount))
			}
		}
	}
}

// twoProofs is the payment with a previous transaction for each of its two
// inputs.
func (p payment) twoProofs() *payment {
	p.msg, p.claims = p.msg.Copy(), map[int]utxo.Claim{}
	p.apart(0)
	p.apart(1)
	p.prev = p.prev[1:]
	return &p
}

// brokenProofs make the whole request invalid: it says of its proofs what they
// are not.
func (c *corpus) brokenProofs() {
	for _, b := range []struct {
		name   string
		change func([]byte) [][]byte
	}{
		{"cut", func(b []byte) [][]byte { return [][]byte{b[:len(b)-1]} }},
		{"with a byte behind it", func(b []byte) [][]byte { return [][]byte{append(bytes.Clone(b), 0)} }},
		{"empty", func([]byte) [][]byte { return [][]byte{{}} }},
		{"twice", func(b []byte) [][]byte { return [][]byte{b, b} }},
		{"with the marker of a witness", func(b []byte) [][]byte {
			return [][]byte{bytes.Join([][]byte{b[:4], {0, 1}, b[4 : len(b)-4], {0}, b[len(b)-4:]}, nil)}
		}},
		{"with a count in a longer form", func(b []byte) [][]byte {
			return [][]byte{bytes.Join([][]byte{b[:4], {0xfd, 1, 0}, b[5:]}, nil)}
		}},
		{"with more inputs than bytes", func(b []byte) [][]byte {
			return [][]byte{bytes.Join([][]byte{b[:4], {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f}, b[5:]}, nil)}
		}},
		{"of zeros", func([]byte) [][]byte { return [][]byte{make([]byte, 100)} }},
	} {
		r := c.ask(c.pay(chain.BTC))
		r.prev = b.change(r.prev[0])
		c.add("previous transaction "+b.name, c.pack(body(r.value())).seal(), invalid("previous transaction"))
	}
}
