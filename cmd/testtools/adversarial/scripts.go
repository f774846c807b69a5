//go:build unix

package main

import (
	"fmt"
	"strings"

	btcaddr "github.com/btcsuite/btcd/address/v2"
	"github.com/btcsuite/btcd/txscript/v2"
	"github.com/btcsuite/btcd/wire/v2"

	"coldkms/shared/chain"
)

// a script of some kind, made for one of our keys.
type odd struct {
	name   string
	script func(id chain.ID) []byte
}

func compressed(id chain.ID) []byte { return publicOf(secretOf(id)).SerializeCompressed() }

// program is a witness program.
func program(version byte, data []byte) []byte {
	if version > 0 {
		version += txscript.OP_1 - 1
	}
	return append([]byte{version, byte(len(data))}, data...)
}

func odds() []odd {
	return []odd{
		{"P2WSH", func(id chain.ID) []byte { return program(0, make([]byte, 32)) }},
		{"bare multisig with our key", func(id chain.ID) []byte {
			return append(append([]byte{txscript.OP_1, 33}, compressed(id)...), txscript.OP_1, txscript.OP_CHECKMULTISIG)
		}},
		{"anyone's", func(chain.ID) []byte { return []byte{txscript.OP_TRUE} }},
		{"empty", func(chain.ID) []byte { return nil }},
		{"our key behind a drop", func(id chain.ID) []byte {
			return append(append([]byte{txscript.OP_1, txscript.OP_DROP, 33}, compressed(id)...), txscript.OP_CHECKSIG)
		}},
		{"our hash with a wrong length", func(id chain.ID) []byte { return append(ownScripts(id)[0], txscript.OP_NOP) }},
		{"witness version 2", func(id chain.ID) []byte { return program(2, btcaddr.Hash160(compressed(id))) }},
		{"witness version 16", func(id chain.ID) []byte { return program(16, make([]byte, 40)) }},
		{"data", func(chain.ID) []byte { return append([]byte{txscript.OP_RETURN, 2}, "hi"...) }},
		{"multisig that wants no signature", func(id chain.ID) []byte {
			return append(append([]byte{txscript.OP_0, 33}, compressed(id)...), txscript.OP_1, txscript.OP_CHECKMULTISIG)
		}},
		{"a push cut short", func(chain.ID) []byte { return []byte{txscript.OP_PUSHDATA4, 0xff, 0xff, 0xff, 0xff} }},
	}
}

// scripts are of kinds that are not signed for, and destinations without a name.
func (c *corpus) scripts() {
	for _, o := range odds() {
		c.each("spends "+o.name, refused(chain.UnknownInput), func(id chain.ID, p *payment) {
			p.prev[0].TxOut[0].PkScript = o.script(id)
			p.rehash()
		})
	}
	for _, id := range coins() {
		for _, script := range ownScripts(id) {
			if kind := params(id).KindOf(script); !params(id).Signable(kind) {
				c.one(fmt.Sprintf("%s spends %s %x", id, kind, script[:2]), c.spend(id, script), refused(chain.UnknownInput))
			}
		}
	}
	for _, id := range []chain.ID{chain.BTC, chain.LTC} {
		redeem := append([]byte{txscript.OP_HASH160, 20}, append(btcaddr.Hash160(ownScripts(id)[0]), txscript.OP_EQUAL)...)
		c.one(string(id)+" spends P2SH of our P2PKH", c.spend(id, redeem), refused(chain.NoKeyForInput))
	}
	// What is paid to a script that can never run is burnt: above the fee's cap.
	last := odds()[len(odds())-1]
	c.each("pays "+last.name, refused(chain.FeeAbovePolicy),
		func(id chain.ID, p *payment) { p.msg.TxOut[0].PkScript = last.script(id) })
	for _, o := range []odd{odds()[2], odds()[3], odds()[6], odds()[7], odds()[9]} {
		c.each("pays "+o.name, flagged(chain.FlagUnnamed),
			func(id chain.ID, p *payment) { p.msg.TxOut[0].PkScript = o.script(id) })
	}
	c.each("pays bare multisig", flagged(chain.FlagNew),
		func(id chain.ID, p *payment) { p.msg.TxOut[0].PkScript = odds()[1].script(id) })
	c.data()
	c.timing()
}

// data carries text that would change a terminal, or deceive who reads it.
func (c *corpus) data() {
	carry := func(name string, data []byte) {
		c.one("data "+name, c.pay(chain.BTC).with(func(p *payment) {
			script := must(txscript.NewScriptBuilder().AddOp(txscript.OP_RETURN).AddFullData(data).Script())
			p.msg.AddTxOut(wire.NewTxOut(0, script))
		}), flagged(chain.FlagData))
	}
	for _, text := range texts() {
		carry(text.name, []byte(text.text))
	}
	carry("of 10,000 bytes", []byte(strings.Repeat("A\x1b[2J", 2000)))
	c.each("data that carries money away", refused(chain.FeeAbovePolicy),
		func(_ chain.ID, p *payment) { p.msg.TxOut[0].PkScript = []byte{txscript.OP_RETURN} })
}

func (c *corpus) timing() {
	late := func(lock, sequence uint32) func(chain.ID, *payment) {
		return func(_ chain.ID, p *payment) { p.msg.LockTime, p.msg.TxIn[0].Sequence = lock, sequence }
	}
	c.each("not before the last block of all", flagged(chain.FlagLockTime), late(499_999_999, wire.MaxTxInSequenceNum-1))
	c.each("not before the year 2106", flagged(chain.FlagLockTime), late(1<<32-1, 0))
	c.each("to be replaced later", flagged(chain.FlagReplaceable), late(0, 0))
}
