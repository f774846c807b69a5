//go:build unix

package main

import (
	"bytes"
	"encoding/hex"

	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/txscript/v2"
	"github.com/btcsuite/btcd/wire/v2"

	"coldkms/cmd/internal/cli"
	"coldkms/offline/ledger"
	"coldkms/shared/bundle"
	"coldkms/shared/chain"
	"coldkms/shared/chain/utxo"
)

// batches are wrong in what one item means for another.
func (c *corpus) batches() {
	for _, id := range coins() {
		a := c.pay(id)
		b := *a // the same outpoint, otherwise another payment
		b.id, b.msg = pendingID(c.next()), a.msg.Copy()
		b.msg.TxOut[0].Value--
		b.raw = func(tx, _ []byte) ([]byte, []byte) { return tx, []byte{1} }
		c.add(string(id)+" one outpoint in two items", c.shared(a, &b), refused(chain.BatchConflict))
		same := *a
		same.id, same.raw = pendingID(c.next()), b.raw
		c.add(string(id)+" one transaction in two items", c.shared(a, &same), refused(chain.BatchConflict))
		claimed := *a
		claimed.id, claimed.claims = pendingID(c.next()), map[int]utxo.Claim{}
		claimed.claim(0, amount(id))
		c.add(string(id)+" one outpoint, proven here and claimed there", c.shared(a, &claimed), refused(chain.BatchConflict))
		c.add(string(id)+" one pending id twice",
			c.file(c.pay(id), c.pay(id).with(func(p *payment) { p.id = pendingID(c.salt - 1) })), invalid("twice"))
		c.add(string(id)+" one payment twice, from two outpoints", c.file(c.pay(id), c.pay(id)), flagged(chain.FlagSameAgain))
		part := refused(chain.NoOutputs)
		part.Exit = cli.Part
		c.add(string(id)+" a sound item beside a hostile one",
			c.file(c.pay(id), c.pay(id).with(func(p *payment) { p.msg.TxOut = nil })), part)
	}
}

// shared is a request whose items refer to the proofs of the first.
func (c *corpus) shared(first *payment, rest ...*payment) []byte {
	r := c.ask(append([]*payment{first}, rest...)...)
	r.prev = r.prev[:1]
	return c.pack(body(r.value())).seal()
}

// signed writes into the ledger that a payment was signed, as the signer does.
func (c *corpus) signed(p *payment) {
	tx, context := p.encode(0)
	decoded := must(utxo.Decode(chain.Coin{Chain: p.chain, Network: p.network}, tx, context,
		must(utxo.NewTable(p.previous()))))
	content := decoded.Content()
	left := chain.NewAmount(uint64(fee(p.chain)))
	line := ledger.Line{
		Kind: ledger.KindSigned, Request: bundle.Digest{1}.String(), ID: p.id, Chain: p.chain, Network: p.network.String(),
		Content: hex.EncodeToString(content[:]), TxID: decoded.UnsignedID(), Spent: decoded.Outpoints(), Fee: &left, Approval: "typed",
	}
	for i, claim := range p.claims {
		bare := decoded.Transaction()
		line.Bare = hex.EncodeToString(bare[:])
		line.Claimed = append(line.Claimed, chain.Claim{ID: decoded.Outpoints()[i],
			Amount: chain.NewAmount(uint64(claim.Value)), Lock: hex.EncodeToString(claim.Script)})
	}
	out := p.msg.TxOut[0]
	line.Paid = []ledger.Payment{{To: params(p.chain).Address(out.PkScript), Value: chain.NewAmount(uint64(out.Value))}}
	check(c.target.book.Append(line))
}

// history is what was signed before: the same again, and not quite the same.
func (c *corpus) history() {
	for _, id := range coins() {
		done := c.pay(id).with(func(p *payment) { p.msg.TxOut[0].Value += 12_345 })
		done.msg.TxOut[1].Value -= 12_345
		done.msg.TxOut[0].PkScript = known(id)
		c.signed(done)
		again := func(change func(p *payment)) *payment {
			p := *done
			p.msg = done.msg.Copy()
			change(&p)
			return &p
		}
		name := func(s string) string { return string(id) + " signed before: " + s }
		c.one(name("the same again"), again(func(*payment) {}), flagged(chain.FlagSignedBefore))
		c.one(name("under another id"), again(func(p *payment) { p.id = pendingID(c.next()) }), flagged(chain.FlagSameAgain))
		c.one(name("its id with another amount"), again(func(p *payment) { p.msg.TxOut[0].Value-- }),
			refused(chain.ContentChanged))
		c.one(name("its id with another destination"), again(func(p *payment) { p.msg.TxOut[0].PkScript = stranger(5) }),
			refused(chain.ContentChanged))
		c.one(name("its id with another lock time"), again(func(p *payment) { p.msg.LockTime = 7 }),
			refused(chain.ContentChanged))
		c.one(name("its id with another payment"), c.pay(id).with(func(p *payment) { p.id = done.id }),
			refused(chain.ContentChanged))
		c.one(name("its outpoint for a higher fee"), again(func(p *payment) {
			p.id = pendingID(c.next())
			p.msg.TxOut[1].Value -= fee(id)
		}), refused(chain.AlreadySpent))
		c.one(name("its outpoint for a thief"), again(func(p *payment) {
			p.id = pendingID(c.next())
			p.msg.TxOut = []*wire.TxOut{wire.NewTxOut(amount(id)-fee(id), stranger(6))}
		}), refused(chain.AlreadySpent))
		c.one(name("its destination and amount"), c.pay(id).with(func(p *payment) {
			p.msg.TxOut[1].Value -= done.msg.TxOut[0].Value - p.msg.TxOut[0].Value
			p.msg.TxOut[0] = done.msg.TxOut[0]
		}), flagged(chain.FlagSameAgain))
		c.one(name("an address that looks like it"),
			c.pay(id).with(func(p *payment) { p.msg.TxOut[0].PkScript = poisoned(id) }), flagged(chain.FlagLookAlike))
	}
}

// sizes are as large as they get.
func (c *corpus) sizes() {
	c.one("a million outputs", c.pay(chain.BTC).with(func(p *payment) {
		p.raw = func(tx, context []byte) ([]byte, []byte) {
			return replaceOutputs(tx, bytes.Repeat([]byte{1, 0}, 1_000_000)), context
		}
	}), invalid("more than a request can hold"))
	c.one("100,000 outputs of dust", c.pay(chain.BTC).with(func(p *payment) {
		p.msg.TxOut = repeat(wire.NewTxOut(1, nil), 100_000)
	}), refused(chain.TooLarge))
	c.one("9,000 outputs of dust", c.pay(chain.BTC).with(func(p *payment) {
		p.msg.TxOut = repeat(wire.NewTxOut(1, nil), 9_000)
	}), refused(chain.Dust))
	c.one("a script of 900,000 bytes", c.pay(chain.BTC).with(func(p *payment) {
		p.msg.TxOut[0].PkScript = bytes.Repeat([]byte{txscript.OP_NOP}, 900_000)
	}), refused(chain.FeeAbovePolicy))
	c.one("20,000 inputs", c.spend(chain.BTC, repeat(ownScripts(chain.BTC)[0], 20_000)...), refused(chain.TooLarge))
	c.one("2,000 indices of a mnemonic", c.pay(chain.BTC).with(func(p *payment) {
		for i := range int64(2_000) {
			p.keys = append(p.keys, chain.Key{SignatureID: mnemonic(chain.BTC), Index: i})
		}
	}), flagged(chain.FlagUnusedKey))
	c.one("an outpoint of zeros", c.pay(chain.BTC).with(func(p *payment) {
		p.msg.TxIn[0].PreviousOutPoint = wire.OutPoint{Hash: chainhash.Hash{}, Index: 1<<32 - 1}
		p.claims = map[int]utxo.Claim{0: {Value: amount(chain.BTC), Script: ownScripts(chain.BTC)[0]}}
	}), refused(chain.UnprovenAmount))
	list := make([]*payment, 3_000)
	for i := range list {
		list[i] = c.pay(chain.BTC).with(func(p *payment) { p.msg.TxOut = nil })
	}
	c.add("3,000 hostile items", c.file(list...), refused(chain.NoOutputs))
}

// replaceOutputs puts a million in the place of the number of outputs, and
// these bytes in that of the outputs.
func replaceOutputs(tx, outputs []byte) []byte {
	tx = replace(tx, 5, 1_000_000)
	return append(tx[:len(tx)-len(after(tx, 6))], outputs...)
}

// known is a destination of each coin that was paid before, and poisoned one
// that a thief searched for: it begins and ends in the same characters.
func known(id chain.ID) []byte {
	return destination(id, [...]string{"f7701f42d931f495e7ced6db46197eaa9956d759",
		"c0fa7aaf7b7e74904ea0026414a593d2f724dbb3",
		"4d81d0229367430ac8c6417f58d0e49ed28f17d3", "bdd57120871a86d749b87fad78d62786c80ed85f"}[at(id)])
}

func poisoned(id chain.ID) []byte {
	return destination(id, [...]string{"f7701f42d931f495e7ced6db00000000000d893d",
		"c0fa7aaf7b7e74904ea0026400000000000697f6",
		"4d81d0229367430ac8c6417f000000000035a2cd", "bdd57120871a86d749b87fad000000000000840f"}[at(id)])
}

// destination is P2WPKH where the coin has it, else P2PKH.
func destination(id chain.ID, hash string) []byte {
	h := must(hex.DecodeString(hash))
	if params(id).Segwit {
		return program(0, h)
	}
	return must(txscript.NewScriptBuilder().AddOp(txscript.OP_DUP).AddOp(txscript.OP_HASH160).AddData(h).AddOp(txscript.OP_EQUALVERIFY).AddOp(txscript.OP_CHECKSIG).Script())
}
