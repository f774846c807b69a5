//go:build unix

package main

import (
	"fmt"
	"strings"

	"github.com/btcsuite/btcd/btcec/v2"

	"coldkms/cmd/internal/cli"
	"coldkms/offline/hd"
	"coldkms/offline/hd/hdtest"
	"coldkms/shared/chain"
	"coldkms/shared/psbt/psbttest"
)

func named(id string, index int64) []chain.Key { return []chain.Key{{SignatureID: id, Index: index}} }

// keys name what does not sign, or not for this.
func (c *corpus) keys() {
	c.each("a key that the wallet does not have", refused(chain.UnknownKey),
		func(_ chain.ID, p *payment) { p.keys = named(signatureID(99), chain.NoIndex) })
	c.each("no key named", refused(chain.NoKeyForInput), func(_ chain.ID, p *payment) { p.keys = nil })
	c.each("a mnemonic without an index", refused(chain.NoKeyForInput),
		func(id chain.ID, p *payment) { p.keys = named(mnemonic(id), chain.NoIndex) })
	c.each("another index", refused(chain.NoKeyForInput),
		func(id chain.ID, p *payment) { p.keys = named(mnemonic(id), 5) })
	c.each("the last index of all", refused(chain.NoKeyForInput),
		func(id chain.ID, p *payment) { p.keys = named(mnemonic(id), chain.MaxIndex) })
	c.each("a key that signs nothing", flagged(chain.FlagUnusedKey), func(id chain.ID, p *payment) {
		p.keys = append(p.keys, chain.Key{SignatureID: mnemonic(id), Index: 5})
	})
	c.each("a stranger's output", refused(chain.NoKeyForInput), func(_ chain.ID, p *payment) {
		p.prev[0].TxOut[0].PkScript = stranger(3)
		p.rehash()
	})
	c.each("index 0 where another is named", refused(chain.NoKeyForInput), func(id chain.ID, p *payment) {
		p.prev[0].TxOut[0].PkScript = child(id, words, 0)
		p.rehash()
		p.keys = named(mnemonic(id), 1)
	})
	c.each("a key of a chain that is not signed for", refused(chain.WrongChain),
		func(_ chain.ID, p *payment) { p.keys = named(signatureID(ofEthereum), chain.NoIndex) })
	for _, id := range coins() {
		for _, other := range coins() {
			if other != id {
				c.one(string(id)+" by a key of "+string(other),
					c.pay(id).with(func(p *payment) { p.keys = named(single(other), chain.NoIndex) }), refused(chain.WrongChain))
			}
		}
	}
	c.networks()
	c.change()
	for _, k := range []struct {
		name string
		key  chain.Key
	}{
		{"a negative index", chain.Key{SignatureID: single(chain.BTC), Index: -2}},
		{"a hardened index", chain.Key{SignatureID: mnemonic(chain.BTC), Index: 1 << 31}},
		{"the longest index", chain.Key{SignatureID: mnemonic(chain.BTC), Index: 1<<63 - 1}},
		{"a key's name of 65 bytes", chain.Key{SignatureID: strings.Repeat("a", 65), Index: 0}},
		{"a key without a name", chain.Key{Index: 0}},
		{"a path for a key's name", chain.Key{SignatureID: "../../etc/passwd", Index: 0}},
	} {
		c.one(k.name, c.pay(chain.BTC).with(func(p *payment) { p.keys = []chain.Key{k.key} }), invalid("bundle is not valid"))
	}
	c.one("one key named twice", c.pay(chain.BTC).with(func(p *payment) { p.keys = append(p.keys, p.keys[0]) }),
		invalid("bundle is not valid"))
}

func (c *corpus) networks() {
	c.each("an item of mainnet by a key of testnet", refused(chain.WrongNetwork),
		func(_ chain.ID, p *payment) { p.network = chain.Mainnet })
	c.one("an item of testnet by a key of mainnet",
		c.pay(chain.BTC).with(func(p *payment) { p.keys = named(signatureID(onMainnet), chain.NoIndex) }),
		refused(chain.WrongNetwork))
	c.one("an item of mainnet in a session of testnet", c.pay(chain.BTC).with(func(p *payment) {
		p.network = chain.Mainnet
		p.prev[0].TxOut[0].PkScript = psbttest.Scripts(publicOf(mainnetSecret()))[0]
		p.rehash()
		p.keys = named(signatureID(onMainnet), chain.NoIndex)
	}), Case{Flags: []string{"--testnet"}, Exit: cli.Refused, Code: chain.WrongNetwork})
	for _, n := range []chain.Network{0, 3, 77, 255} {
		c.one(fmt.Sprintf("network %d", n), c.pay(chain.BTC).with(func(p *payment) { p.network = n }),
			refused(chain.WrongNetwork))
	}
	for _, name := range []string{"XYZ", "ETH", "SOL", "btc", "BTC1", "BitcoinTestnet01", "0"} {
		c.one("chain "+name, c.pay(chain.BTC).with(func(p *payment) { p.chain = chain.ID(name) }),
			refused(chain.UnsupportedChain))
	}
	for _, name := range []string{"evm", "UTXO", "utxo2"} {
		c.one("family "+name, c.pay(chain.BTC).with(func(p *payment) { p.family = name }), refused(chain.UnsupportedChain))
	}
	for _, id := range coins()[1:] { // the same bytes would be valid elsewhere
		c.one("a payment of BTC as one of "+string(id), c.pay(chain.BTC).with(func(p *payment) { p.chain = id }),
			refused(chain.WrongChain))
	}
}

// change pays keys that only look like the wallet's own: they are shown as
// what they are, a destination that was never paid.
func (c *corpus) change() {
	const thief = "zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo wrong"
	c.each("change to another's key by our path", flagged(chain.FlagNew),
		func(id chain.ID, p *payment) { p.msg.TxOut[1].PkScript = child(id, thief, 0) })
	c.each("change to our key of another coin", flagged(chain.FlagNew), func(id chain.ID, p *payment) {
		p.msg.TxOut[1].PkScript = ownScripts(coins()[(at(id)+1)%4])[0]
	})
	c.each("change to our mnemonic, which nobody named", flagged(chain.OwnTransfer),
		func(id chain.ID, p *payment) { p.msg.TxOut[1].PkScript = child(id, words, 0) })
	c.each("change to a far index that nobody named", flagged(chain.FlagNew), func(id chain.ID, p *payment) {
		p.prev[0].TxOut[0].PkScript = child(id, words, 4)
		p.rehash()
		p.keys = named(mnemonic(id), 4)
		p.msg.TxOut[1].PkScript = child(id, words, 600)
	})
}

// child is the P2PKH script of a mnemonic's key.
func child(id chain.ID, words string, index int64) []byte {
	account := must(hd.AccountOf([]byte(words), nil, hdtest.Coin(chain.Coin{Chain: id, Network: chain.Testnet})))
	defer account.Wipe()
	_, public, err := account.Key(index)
	check(err)
	return psbttest.Scripts(must(btcec.ParsePubKey(public)))[0]
}
