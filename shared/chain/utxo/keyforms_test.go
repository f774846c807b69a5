package utxo

import (
	"slices"
	"testing"

	btcaddr "github.com/btcsuite/btcd/address/v2"
	"github.com/btcsuite/btcd/btcec/v2"
	"github.com/btcsuite/btcd/txscript/v2"

	"coldkms/shared/chain"
)

// Scripts of one key have a form in common, as far as they tell.
func TestKeyForms(t *testing.T) {
	p, err := ParamsOf(chain.Coin{Chain: chain.BTC, Network: chain.Mainnet})
	if err != nil {
		t.Fatal(err)
	}
	key, _ := btcec.PrivKeyFromBytes([]byte{1})
	short, long := key.PubKey().SerializeCompressed(), key.PubKey().SerializeUncompressed()
	push := func(b []byte) []byte { return append([]byte{byte(len(b))}, b...) }
	p2pkh := func(public []byte) []byte {
		return slices.Concat([]byte{txscript.OP_DUP, txscript.OP_HASH160}, push(btcaddr.Hash160(public)), []byte{txscript.OP_EQUALVERIFY, txscript.OP_CHECKSIG})
	}
	program := append([]byte{0}, push(btcaddr.Hash160(short))...)
	scripts := map[string][]byte{
		"P2PKH": p2pkh(short), "P2WPKH": program, "P2PK": append(push(short), txscript.OP_CHECKSIG), "long P2PK": append(push(long), txscript.OP_CHECKSIG),
		"P2SH": slices.Concat([]byte{txscript.OP_HASH160}, push(btcaddr.Hash160(program)),
			[]byte{txscript.OP_EQUAL}),
		"P2PKH after a NOP":  append([]byte{txscript.OP_NOP}, p2pkh(short)...),
		"P2PKH before a NOP": append(p2pkh(short), txscript.OP_NOP),
		"P2PKH, long push": slices.Concat([]byte{txscript.OP_DUP, txscript.OP_HASH160, txscript.OP_PUSHDATA1},
			push(btcaddr.Hash160(short)), []byte{txscript.OP_EQUALVERIFY, txscript.OP_CHECKSIG}),
		"P2PK, long push": slices.Concat([]byte{txscript.OP_PUSHDATA1}, push(short), []byte{txscript.OP_CHECKSIG}),
		"multisig":        slices.Concat([]byte{txscript.OP_1}, push(short), []byte{txscript.OP_1, txscript.OP_CHECKMULTISIG}),
	}
	for a, one := range scripts {
		for b, other := range scripts {
			if !slices.ContainsFunc(p.KeyForms(one), func(form string) bool { return slices.Contains(p.KeyForms(other), form) }) {
				t.Errorf("%s and %s have nothing in common", a, b)
			}
		}
	}
	taproot, err := txscript.PayToTaprootScript(txscript.ComputeTaprootKeyNoScript(key.PubKey()))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"P2PK", "long P2PK"} {
		if !slices.Contains(p.KeyForms(taproot), p.TaprootForm(scripts[name])) {
			t.Errorf("%s: not the taproot output", name)
		}
	}
	if slices.Contains(p.KeyForms(scripts["P2WPKH"]), p.KeyForms(p2pkh(long))[0]) || p.TaprootForm(program) != "" {
		t.Error("a hash tells more than itself")
	}
	hidden := append([]byte{0, 32}, make([]byte, 32)...) // P2WSH
	for _, script := range [][]byte{nil, {txscript.OP_RETURN}, {0x51}, hidden} {
		if forms := p.KeyForms(script); forms != nil {
			t.Errorf("%x: %q", script, forms)
		}
	}
}
