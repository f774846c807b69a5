//go:build unix

package main

import (
	"fmt"
	"slices"

	"github.com/btcsuite/btcd/txscript/v2"
	"github.com/btcsuite/btcd/wire/v2"

	"coldkms/shared/chain"
)

// piece is an input or output: thousandths of amount, and some units more.
type piece struct {
	parts int64
	more  int64
	to    []byte
}

// move makes a payment of these inputs and outputs. The fee is taken from the
// last output that has a value.
func (c *corpus) move(id chain.ID, in, out []piece, keys ...chain.Key) *payment {
	value := func(p piece) int64 { return p.parts*amount(id)/1000 + p.more }
	scripts := make([][]byte, len(in))
	for i, p := range in {
		scripts[i] = p.to
	}
	p := c.spend(id, scripts...)
	for i, from := range in {
		p.prev[0].TxOut[i].Value = value(from)
	}
	p.rehash()
	p.keys, p.msg.TxOut = keys, nil
	for _, to := range out {
		p.msg.AddTxOut(wire.NewTxOut(value(to), to.to))
	}
	for _, to := range slices.Backward(p.msg.TxOut) {
		if to.Value > 0 {
			to.Value -= fee(id)
			break
		}
	}
	return p
}

// purse are the own keys of a coin that value is moved between.
type purse struct {
	id    chain.ID
	a     []byte               // the single key
	payee []byte               // a stranger
	m     func(n int64) []byte // the mnemonic's key
	key   chain.Key            // that of a
	at    func(n int64) chain.Key
}

func purseOf(id chain.ID) purse {
	return purse{
		id: id, a: ownScripts(id)[0], payee: stranger(byte(0x60 + at(id))), key: chain.Key{SignatureID: single(id),
			Index: chain.NoIndex},
		m:  func(n int64) []byte { return child(id, words, n) },
		at: func(n int64) chain.Key { return chain.Key{SignatureID: mnemonic(id), Index: n} },
	}
}

// moves adds a payment of every coin.
func (c *corpus) moves(name string, e Case, make func(p purse) (in, out []piece, keys []chain.Key)) {
	for _, id := range coins() {
		in, out, keys := make(purseOf(id))
		c.one(string(id)+" "+name, c.move(id, in, out, keys...), e)
	}
}

// drains send as change to one own key what another supplied.
func (c *corpus) drains() {
	e := flagged(chain.OwnTransfer)
	c.moves("change of a key to a mnemonic that adds dust", e, func(p purse) ([]piece, []piece, []chain.Key) {
		return []piece{{1000, 0, p.a}, {10, 0, p.m(0)}}, []piece{{50, 0, p.payee}, {960, 0, p.m(0)}}, []chain.Key{p.key,
			p.at(0)}
	})
	c.moves("change of a key to a mnemonic whose dust comes first", e, func(p purse) ([]piece, []piece, []chain.Key) {
		return []piece{{10, 0, p.m(0)}, {1000, 0, p.a}}, []piece{{960, 0, p.m(0)}, {50, 0, p.payee}}, []chain.Key{p.at(0),
			p.key}
	})
	c.moves("change of a mnemonic to a key that adds dust", e, func(p purse) ([]piece, []piece, []chain.Key) {
		return []piece{{1000, 0, p.m(3)}, {10, 0, p.a}}, []piece{{50, 0, p.payee}, {960, 0, p.a}}, []chain.Key{p.at(3), p.key}
	})
	c.moves("change of a key to a mnemonic that is named and adds nothing", e,
		func(p purse) ([]piece, []piece, []chain.Key) {
			return []piece{{1000, 0, p.a}}, []piece{{50, 0, p.payee}, {950, 0, p.m(5)}}, []chain.Key{p.key, p.at(5)}
		})
	c.moves("all of a key to a mnemonic", e, func(p purse) ([]piece, []piece, []chain.Key) {
		return []piece{{1000, 0, p.a}}, []piece{{1000, 0, p.m(0)}}, []chain.Key{p.key}
	})
	c.moves("all of a mnemonic to a key", e, func(p purse) ([]piece, []piece, []chain.Key) {
		return []piece{{1000, 0, p.m(4)}}, []piece{{1000, 0, p.a}}, []chain.Key{p.at(4)}
	})
	c.moves("change one unit above what its key supplied", e, func(p purse) ([]piece, []piece, []chain.Key) {
		return []piece{{500, 0, p.a}, {500, 0, p.m(1)}}, []piece{{500, 1, p.a}, {499, -1, p.m(1)}}, []chain.Key{p.key,
			p.at(1)}
	})
	c.moves("change split over own keys, one too much", e, func(p purse) ([]piece, []piece, []chain.Key) {
		return []piece{{500, 0, p.a}, {500, 0, p.m(1)}}, []piece{{250, 0, p.a}, {250, 1, p.a}, {100, 0, p.payee},
			{400, -1, p.m(1)}}, []chain.Key{p.key, p.at(1)}
	})
	c.moves("the change of two keys swapped", e, func(p purse) ([]piece, []piece, []chain.Key) {
		return []piece{{900, 0, p.a}, {100, 0, p.m(1)}}, []piece{{100, 0, p.a}, {900, 0, p.m(1)}}, []chain.Key{p.key, p.at(1)}
	})
	c.moves("change of a key over three indices", e, func(p purse) ([]piece, []piece, []chain.Key) {
		return []piece{{1000, 0, p.a}}, []piece{{300, 0, p.m(0)}, {300, 0, p.m(7)}, {400, 0, p.m(20)}}, []chain.Key{p.key}
	})
	c.moves("change of a key over ten outputs to one index", e, func(p purse) ([]piece, []piece, []chain.Key) {
		return []piece{{1000, 0, p.a}}, append([]piece{{100, 0, p.payee}},
			slices.Repeat([]piece{{90, 0, p.m(2)}}, 10)...), []chain.Key{p.key}
	})
	c.moves("a consolidation into the key", e, func(p purse) ([]piece, []piece, []chain.Key) {
		return []piece{{500, 0, p.a}, {500, 0, p.m(0)}}, []piece{{1000, 0, p.a}}, []chain.Key{p.key, p.at(0)}
	})
	c.moves("a consolidation into the mnemonic", e, func(p purse) ([]piece, []piece, []chain.Key) {
		return []piece{{500, 0, p.a}, {500, 0, p.m(0)}}, []piece{{1000, 0, p.m(0)}}, []chain.Key{p.key, p.at(0)}
	})
	c.moves("many inputs of a key drained to an index", e, func(p purse) ([]piece, []piece, []chain.Key) {
		return append(slices.Repeat([]piece{{100, 0, p.a}}, 20), piece{5, 0, p.m(9)}), []piece{{50, 0, p.payee},
			{1955, 0, p.m(9)}}, []chain.Key{p.key, p.at(9)}
	})
	c.moves("a drain beside data", e, func(p purse) ([]piece, []piece, []chain.Key) {
		return []piece{{1000, 0, p.a}}, []piece{{0, 0, []byte{txscript.OP_RETURN, 1, 'x'}},
			{1000, 0, p.m(0)}}, []chain.Key{p.key}
	})
	c.moves("a drain to a P2PK script of the key", e, func(p purse) ([]piece, []piece, []chain.Key) {
		return []piece{{1000, 0, p.m(0)}}, []piece{{50, 0, p.payee}, {950, 0, ownScripts(p.id)[3]}}, []chain.Key{p.at(0)}
	})
	c.moves("a payment that is smaller than the drain by a thousand", e, func(p purse) ([]piece, []piece, []chain.Key) {
		return []piece{{1000, 0, p.a}}, []piece{{3, 0, p.payee}, {997, 0, p.m(0)}}, []chain.Key{p.key}
	})
	c.claimedDrain()
	c.kindsOfDrain()
	c.drainsInBatches()
}

// claimedDrain states an amount of the receiving key that nothing proves.
func (c *corpus) claimedDrain() {
	for _, id := range coins() {
		own := purseOf(id)
		p := c.move(id, []piece{{1000, 0, own.a}, {1000, 0, own.m(0)}}, []piece{{50, 0, own.payee}, {1950, 0, own.m(0)}},
			own.key, own.at(0))
		p.apart(1)
		p.claimAlone(1, 3*amount(id))
		c.one(string(id)+" a drain to a key that claims to have supplied it", p, refused(chain.UnprovenAmount))
	}
}

// kindsOfDrain go from and to every kind of script that is the wallet's.
func (c *corpus) kindsOfDrain() {
	for _, id := range coins() {
		own := purseOf(id)
		for _, script := range ownScripts(id) {
			kind := params(id).KindOf(script)
			if !params(id).Signable(kind) {
				continue
			}
			c.one(fmt.Sprintf("%s from a %s output to the mnemonic", id, kind),
				c.move(id, []piece{{1000, 0, script}}, []piece{{50, 0, own.payee}, {950, 0, own.m(0)}}, own.key),
				flagged(chain.OwnTransfer))
			c.one(fmt.Sprintf("%s from the mnemonic to a %s output", id, kind),
				c.move(id, []piece{{1000, 0, own.m(2)}}, []piece{{50, 0, own.payee}, {950, 0, script}}, own.at(2)),
				flagged(chain.OwnTransfer))
		}
	}
}

// drainsInBatches hide one among honest payments, or in two steps.
func (c *corpus) drainsInBatches() {
	for _, id := range coins() {
		own := purseOf(id)
		drain := func() *payment {
			return c.move(id, []piece{{1000, 0, own.a}}, []piece{{50, 0, own.payee}, {950, 0, own.m(0)}}, own.key)
		}
		c.add(string(id)+" a drain among honest payments", c.file(c.pay(id), drain(), c.pay(id)), flagged(chain.OwnTransfer))
		c.add(string(id)+" a drain in ten small steps", c.file(slices.Collect(func(yield func(*payment) bool) {
			for range 10 {
				if !yield(drain()) {
					return
				}
			}
		})...), flagged(chain.OwnTransfer))
		first := c.move(id, []piece{{500, 0, own.m(0)}}, []piece{{50, 0, own.payee}, {450, 0, own.m(20)}}, own.at(0))
		second := c.move(id, []piece{{500, 0, own.m(0)}}, []piece{{50, 0, own.payee}, {450, 0, own.m(40)}}, own.at(0),
			own.at(40))
		c.add(string(id)+" an index that another item of the batch brings near", c.file(first, second),
			Case{Exit: 3, Code: chain.FarIndex})
	}
}

// farIndices send change where nobody would look for it.
func (c *corpus) farIndices() {
	e := refused(chain.FarIndex)
	for _, index := range []int64{21, 100, 1_000_000, chain.MaxIndex} {
		c.moves(fmt.Sprintf("change to index %d", index), e, func(p purse) ([]piece, []piece, []chain.Key) {
			return []piece{{1000, 0, p.m(0)}}, []piece{{50, 0, p.payee}, {950, 0, p.m(index)}}, []chain.Key{p.at(0), p.at(index)}
		})
		c.moves(fmt.Sprintf("change to index %d, which adds dust", index), e, func(p purse) ([]piece, []piece, []chain.Key) {
			return []piece{{1000, 0, p.m(0)}, {5, 0, p.m(index)}}, []piece{{50, 0, p.payee},
				{955, 0, p.m(index)}}, []chain.Key{p.at(0), p.at(index)}
		})
	}
	c.moves("change to a far index, one unit above what it supplied", e, func(p purse) ([]piece, []piece, []chain.Key) {
		return []piece{{500, 0, p.m(77)}, {500, 0, p.m(0)}}, []piece{{500, 1, p.m(77)},
			{499, -1, p.m(0)}}, []chain.Key{p.at(77), p.at(0)}
	})
	c.moves("change to two far indices", e, func(p purse) ([]piece, []piece, []chain.Key) {
		return []piece{{1000, 0, p.m(0)}}, []piece{{500, 0, p.m(301)}, {500, 0, p.m(302)}}, []chain.Key{p.at(0), p.at(301),
			p.at(302)}
	})
	c.moves("the change of two far indices swapped", e, func(p purse) ([]piece, []piece, []chain.Key) {
		return []piece{{900, 0, p.m(301)}, {100, 0, p.m(302)}}, []piece{{100, 0, p.m(301)},
			{900, 0, p.m(302)}}, []chain.Key{p.at(301), p.at(302)}
	})
	c.moves("change of another key to a far index", e, func(p purse) ([]piece, []piece, []chain.Key) {
		return []piece{{1000, 0, p.a}}, []piece{{50, 0, p.payee}, {950, 0, p.m(9_999)}}, []chain.Key{p.key, p.at(9_999)}
	})
	c.moves("change to a far index in ten outputs", e, func(p purse) ([]piece, []piece, []chain.Key) {
		return []piece{{1000, 0, p.m(0)}}, slices.Repeat([]piece{{100, 0, p.m(64)}}, 10), []chain.Key{p.at(0), p.at(64)}
	})
	c.moves("change from index 20 to the next", e, func(p purse) ([]piece, []piece, []chain.Key) {
		return []piece{{1000, 0, p.m(20)}}, []piece{{50, 0, p.payee}, {950, 0, p.m(21)}}, []chain.Key{p.at(20), p.at(21)}
	})
	c.moves("all to a far index, and nobody is paid", e, func(p purse) ([]piece, []piece, []chain.Key) {
		return []piece{{1000, 0, p.m(0)}}, []piece{{1000, 0, p.m(chain.MaxIndex)}}, []chain.Key{p.at(0), p.at(chain.MaxIndex)}
	})
}

// burns give to miners what nobody is paid.
func (c *corpus) burns() {
	c.overTheCap()
	e := flagged(chain.FlagRoundTrip)
	c.moves("nobody is paid: data and change", e, func(p purse) ([]piece, []piece, []chain.Key) {
		return []piece{{1000, 0, p.a}}, []piece{{0, 0, []byte{txscript.OP_RETURN, 4, 'd', 'a', 't', 'a'}},
			{1000, 0, p.a}}, []chain.Key{p.key}
	})
	c.moves("nobody is paid: ten times change", e, func(p purse) ([]piece, []piece, []chain.Key) {
		return []piece{{1000, 0, p.a}}, slices.Repeat([]piece{{100, 0, p.a}}, 10), []chain.Key{p.key}
	})
	c.moves("nobody is paid: from an index to the next", e, func(p purse) ([]piece, []piece, []chain.Key) {
		return []piece{{1000, 0, p.m(3)}}, []piece{{1000, 0, p.m(4)}}, []chain.Key{p.at(3)}
	})
	c.moves("a fee above what is paid", flagged(chain.FlagHighFee), func(p purse) ([]piece, []piece, []chain.Key) {
		return []piece{{1000, 0, p.a}}, []piece{{0, fee(p.id) - 1, p.payee}, {1000, 1 - fee(p.id), p.a}}, []chain.Key{p.key}
	})
	c.moves("a fee above what is moved to an own key", flagged(chain.FlagHighFee),
		func(p purse) ([]piece, []piece, []chain.Key) {
			return []piece{{1000, 0, p.a}}, []piece{{0, fee(p.id) - 1, p.m(0)}, {1000, 1 - fee(p.id), p.a}}, []chain.Key{p.key}
		})
	for _, id := range coins() {
		burn := func() *payment {
			own := purseOf(id)
			return c.move(id, []piece{{1000, 0, own.a}}, []piece{{1000, 0, own.a}}, own.key)
		}
		c.add(string(id)+" a burn in five small steps", c.file(burn(), burn(), burn(), burn(), burn()), e)
	}
}

// overTheCap spend so much that the fee rate is in order, and the fee is not.
func (c *corpus) overTheCap() {
	const input = 148 // vB of a P2PKH input
	for _, id := range coins() {
		own, most := purseOf(id), params(id).MaxFee
		inputs := int(most/params(id).MaxFeeRate/input) + 5
		for _, beside := range []struct {
			name string
			to   []byte
		}{{"paid", own.payee}, {"moved to an own key", own.m(0)}, {"change", own.a}} {
			p := c.move(id, slices.Repeat([]piece{{1000, 0, own.a}}, inputs),
				[]piece{{0, 2 * most, beside.to}, {int64(inputs) * 1000, -2*most - (most + 1) + fee(id), own.a}}, own.key)
			c.one(fmt.Sprintf("%s a fee one above the cap beside what is %s", id, beside.name), p, refused(chain.FeeAbovePolicy))
		}
		data := append([]byte{txscript.OP_RETURN, txscript.OP_PUSHDATA4, 0, 0, 0, 0},
			make([]byte, most/params(id).MaxFeeRate+500)...)
		size := len(data) - 6
		data[2], data[3], data[4] = byte(size), byte(size>>8), byte(size>>16)
		p := c.move(id, []piece{{1000, 3 * most, own.a}}, []piece{{0, 0, data}, {1000, 2*most - 1 + fee(id), own.a}}, own.key)
		c.one(string(id)+" a fee one above the cap, burnt beside data", p, refused(chain.FeeAbovePolicy))
	}
}
