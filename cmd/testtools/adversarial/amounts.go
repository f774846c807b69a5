//go:build unix

package main

import (
	"math"

	"github.com/btcsuite/btcd/wire/v2"

	"coldkms/shared/chain"
)

// sound are payments that must be signed: what refuses everything proves nothing.
func (c *corpus) sound() {
	for _, id := range coins() {
		for i, script := range ownScripts(id) {
			if params(id).Signable(params(id).KindOf(script)) {
				c.one("sound "+string(id)+" "+params(id).KindOf(script).String(), c.spend(id, ownScripts(id)[i]), Case{Sound: true})
			}
		}
	}
}

// amounts lie in the sums, not about them.
func (c *corpus) amounts() {
	const vsize = 226 // one P2PKH input, two outputs
	out := func(p *payment, i int) *wire.TxOut { return p.msg.TxOut[i] }
	c.each("fee of 99 percent", refused(chain.FeeAbovePolicy), func(id chain.ID, p *payment) {
		p.msg.TxOut = []*wire.TxOut{wire.NewTxOut(amount(id)/100, stranger(1))}
	})
	c.each("fee one above the cap", refused(chain.FeeAbovePolicy), func(id chain.ID, p *payment) {
		out(p, 1).Value += fee(id) - params(id).MaxFeeRate*vsize - 1
	})
	c.each("fee is everything but dust", refused(chain.FeeAbovePolicy), func(id chain.ID, p *payment) {
		p.msg.TxOut = []*wire.TxOut{wire.NewTxOut(params(id).DustFlat+1000, ownScripts(id)[0])}
	})
	c.each("fee of eleven percent", flagged(chain.FlagHighFee), func(id chain.ID, p *payment) {
		out(p, 0).Value = amount(id) / 10
		out(p, 1).Value = amount(id) - amount(id)/10 - amount(id)/1000*11
	})
	c.each("no fee", flagged(chain.FlagLowFee), func(id chain.ID, p *payment) { out(p, 1).Value += fee(id) })
	c.each("pays nobody but itself", flagged(chain.FlagRoundTrip), func(id chain.ID, p *payment) {
		p.msg.TxOut = []*wire.TxOut{wire.NewTxOut(amount(id)-fee(id), ownScripts(id)[0])}
	})
	c.each("outputs one above inputs", refused(chain.OutputsAbove),
		func(id chain.ID, p *payment) { out(p, 1).Value += fee(id) + 1 })
	c.each("output above the supply", refused(chain.ValueOutOfRange),
		func(id chain.ID, p *payment) { out(p, 0).Value = params(id).MaxValue + 1 })
	c.each("output of all 63 bits", refused(chain.ValueOutOfRange),
		func(_ chain.ID, p *payment) { out(p, 0).Value = math.MaxInt64 })
	c.each("negative output", refused(chain.Malformed), func(_ chain.ID, p *payment) { out(p, 0).Value = -1 })
	c.each("least of all numbers", refused(chain.Malformed),
		func(_ chain.ID, p *payment) { out(p, 0).Value = math.MinInt64 })
	c.each("outputs that overflow to less", refused(chain.ValueOutOfRange), func(id chain.ID, p *payment) {
		for range 19 { // of Dogecoin's largest output, 19 are more than 2^64
			p.msg.AddTxOut(wire.NewTxOut(params(id).MaxValue, stranger(2)))
		}
	})
	c.each("input above the supply", refused(chain.ValueOutOfRange), func(id chain.ID, p *payment) {
		p.prev[0].TxOut[0].Value = params(id).MaxValue + 1
		p.rehash()
	})
	c.each("negative input", refused(chain.ValueOutOfRange), func(_ chain.ID, p *payment) {
		p.prev[0].TxOut[0].Value = -1
		p.rehash()
	})
	for _, id := range coins() {
		p := c.spend(id, repeat(ownScripts(id)[0], 19)...)
		for _, out := range p.prev[0].TxOut {
			out.Value = params(id).MaxValue
		}
		p.rehash()
		c.one(string(id)+" inputs that overflow", p, refused(chain.ValueOutOfRange))
	}
	c.each("dust", refused(chain.Dust), func(id chain.ID,
		p *payment) {
		out(p, 0).Value = max(params(id).DustFlat, 546) - 1
	})
	c.each("change that is dust", refused(chain.Dust), func(_ chain.ID, p *payment) { out(p, 1).Value = 1 })
	c.each("output of nothing", refused(chain.Dust), func(_ chain.ID, p *payment) { out(p, 0).Value = 0 })
	c.each("no outputs", refused(chain.NoOutputs), func(_ chain.ID, p *payment) { p.msg.TxOut = nil })
	c.each("no inputs", refused(chain.NoInputs), func(_ chain.ID, p *payment) {
		p.msg.TxIn, p.prev = nil, nil
		p.raw = func(tx, _ []byte) ([]byte, []byte) { return tx, []byte{} }
	})
	c.each("one outpoint twice", refused(chain.DuplicateInput),
		func(_ chain.ID, p *payment) { p.msg.AddTxIn(p.msg.TxIn[0]) })
}

func repeat[T any](v T, n int) []T {
	list := make([]T, n)
	for i := range list {
		list[i] = v
	}
	return list
}
