//go:build unix

package main

import (
	"bytes"
	"fmt"
	"math"

	"github.com/btcsuite/btcd/btcec/v2"
	"github.com/btcsuite/btcd/txscript/v2"
	"github.com/btcsuite/btcd/wire/v2"

	"coldkms/offline/hd"
	"coldkms/offline/hd/hdtest"
	"coldkms/shared/chain"
	"coldkms/shared/chain/utxo"
	"coldkms/shared/psbt/psbttest"
)

// Entries that hold one secret for several coins or networks.
const (
	mainnetInDOGE = 31 // testnet, with the secret of onMainnet
	mainnetInLTC  = 32 // the same
	mainnetInBCH  = 33 // the same, where nothing is shared
	twinInLTC     = 34 // mainnet, with the secret of the next
	twinInDOGE    = 35
	wordsOnMain   = 36 // a mnemonic of BCH, for mainnet
	wordsOnTest   = 37 // and for testnet: the path is the same
)

const sharedWords = "zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo wrong"

func twinSecret() []byte { return append(mainnetSecret()[:31:31], 0x52) }

// by has a payment spend one output with a script, by a key of a coin.
func (c *corpus) by(id chain.ID, network chain.Network, script []byte, key chain.Key) *payment {
	p := c.spend(id, script)
	p.network, p.keys = network, []chain.Key{key}
	p.msg.TxOut[1].PkScript = script
	return p
}

// sharedSecrets spend coins of one network or coin as those of another.
func (c *corpus) sharedSecrets() {
	for _, of := range []struct {
		id    chain.ID
		entry int
	}{{chain.DOGE, mainnetInDOGE}, {chain.LTC, mainnetInLTC}} {
		key := chain.Key{SignatureID: signatureID(of.entry), Index: chain.NoIndex}
		for _, script := range psbttest.Scripts(publicOf(mainnetSecret())) {
			kind := params(of.id).KindOf(script)
			if !params(of.id).Signable(kind) {
				continue
			}
			c.one(fmt.Sprintf("a %s coin of BTC mainnet as one of %s testnet", kind, of.id),
				c.by(of.id, chain.Testnet, script, key), refused(chain.SharedKey))
			beside := c.spend(of.id, ownScripts(of.id)[0], script)
			beside.keys = append(beside.keys, key)
			c.one(fmt.Sprintf("a %s coin of BTC mainnet beside one of %s testnet", kind, of.id), beside,
				refused(chain.SharedKey))
		}
	}
	for _, of := range []struct {
		id    chain.ID
		entry int
	}{{chain.LTC, twinInLTC}, {chain.DOGE, twinInDOGE}} {
		for _, script := range psbttest.Scripts(publicOf(twinSecret())) {
			if kind := params(of.id).KindOf(script); params(of.id).Signable(kind) && kind.String() != "P2PK" {
				c.one(fmt.Sprintf("a %s coin of another coin as one of %s mainnet", kind, of.id),
					c.by(of.id, chain.Mainnet, script, chain.Key{SignatureID: signatureID(of.entry),
						Index: chain.NoIndex}), flagged(chain.SharedKey))
			}
		}
	}
	for _, index := range []int64{0, 1, 20, 1000, 1_000_000, chain.MaxIndex} {
		c.one(fmt.Sprintf("a coin of BCH mainnet as one of testnet, by a mnemonic at %d", index),
			c.by(chain.BCH, chain.Testnet, child(chain.BCH, sharedWords, index),
				chain.Key{SignatureID: signatureID(wordsOnTest), Index: index}), refused(chain.SharedKey))
	}
	apart := c.by(chain.BCH, chain.Testnet, psbttest.Scripts(publicOf(mainnetSecret()))[0],
		chain.Key{SignatureID: signatureID(mainnetInBCH), Index: chain.NoIndex})
	c.add("a key of BCH testnet that BTC mainnet has, which no other coin takes", c.file(apart), Case{Sound: true})
}

// bareKeys send change where no address leads.
func (c *corpus) bareKeys() {
	c.each("change to a bare public key", flagged(chain.OwnTransfer),
		func(id chain.ID, p *payment) { p.msg.TxOut[1].PkScript = ownScripts(id)[3] })
	c.each("a little of the change to a bare public key", flagged(chain.OwnTransfer), func(id chain.ID, p *payment) {
		p.msg.TxOut[1].Value /= 2
		p.msg.AddTxOut(wire.NewTxOut(p.msg.TxOut[1].Value, ownScripts(id)[3]))
	})
	for _, id := range coins()[:3] {
		far := must(hd.AccountOf([]byte(words), nil, hdtest.Coin(chain.Coin{Chain: id, Network: chain.Testnet})))
		_, public, err := far.Key(900)
		check(err)
		far.Wipe()
		own := purseOf(id)
		bare := psbttest.Scripts(must(btcec.ParsePubKey(public)))[3]
		c.one(string(id)+" change to a bare public key at a far index",
			c.move(id, []piece{{1000, 0, own.m(900)}}, []piece{{50, 0, own.payee}, {950, 0, bare}}, own.at(900)),
			refused(chain.FarIndex))
	}
}

// burntForms put value where nobody can ever spend it.
func (c *corpus) burntForms() {
	bareKey := append(append([]byte{33, 2}, bytes.Repeat([]byte{0xff}, 32)...), txscript.OP_CHECKSIG)
	for _, burnt := range []struct {
		name   string
		script []byte
	}{
		{"data", []byte{txscript.OP_RETURN, 1, 'x'}}, {"a script that returns",
			[]byte{txscript.OP_1, txscript.OP_RETURN}}, {"a bare key that is none", bareKey},
		{"a script that ends in the middle of a push", []byte{txscript.OP_PUSHDATA1, 200, 1}},
	} {
		name, script := burnt.name, burnt.script
		c.each("value burnt in "+name, flagged(chain.FlagBurn), func(id chain.ID, p *payment) {
			p.msg.TxOut[1].Value -= fee(id)
			p.msg.AddTxOut(wire.NewTxOut(fee(id), script))
		})
		c.each("more than the largest fee burnt in "+name, refused(chain.FeeAbovePolicy), func(id chain.ID, p *payment) {
			p.msg.TxOut[0].Value -= amount(id) / 4
			p.msg.AddTxOut(wire.NewTxOut(amount(id)/4, script))
		})
	}
	for _, id := range []chain.ID{chain.BTC, chain.LTC} {
		script := append([]byte{txscript.OP_1, 32}, bytes.Repeat([]byte{0xff}, 32)...)
		c.one(string(id)+" value burnt in a taproot output without a key", c.pay(id).with(func(p *payment) {
			p.msg.TxOut[1].Value -= fee(id)
			p.msg.AddTxOut(wire.NewTxOut(fee(id), script))
		}), flagged(chain.FlagBurn))
	}
}

// otherClaims say of what was signed under a claim that it is worth something else.
func (c *corpus) otherClaims() {
	for _, id := range []chain.ID{chain.BTC, chain.LTC} {
		claims := func(value int64) *payment {
			return c.spend(id, ownScripts(id)[4]).with(func(p *payment) { p.claim(0, value) })
		}
		done := claims(amount(id))
		c.signed(done)
		again := func(of *payment, pending string, value int64) *payment {
			p := *of
			p.id, p.claims = pending, map[int]utxo.Claim{0: {Value: value, Script: ownScripts(id)[4]}}
			return &p
		}
		for _, by := range []int64{-1, 1, fee(id), amount(id)} {
			c.one(fmt.Sprintf("%s signed before as a claim, now claimed as %+d", id, by), again(done, done.id, amount(id)+by),
				refused(chain.ClaimsChanged))
			c.one(fmt.Sprintf("%s signed before as a claim, under another id as %+d", id, by),
				again(done, pendingID(c.next()), amount(id)+by), refused(chain.AlreadySpent))
		}
		one := claims(amount(id))
		c.add(string(id)+" one coin twice in a batch, under two claims",
			c.file(one, again(one, pendingID(c.next()), amount(id)+1)), refused(chain.BatchConflict))
	}
}

// times are those at which no request can have been made.
func (c *corpus) times() {
	for _, at := range []int64{math.MinInt64, -1, 1, 1_577_836_799, 4_733_510_400, 253_402_300_800, math.MaxInt64} {
		r := c.ask(c.pay(chain.BTC))
		r.created = at
		c.add(fmt.Sprintf("made at %d", at), c.pack(body(r.value())).seal(), refused(chain.RequestTime))
	}
}
