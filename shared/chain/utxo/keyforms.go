package utxo

import (
	btcaddr "github.com/btcsuite/btcd/address/v2"
	"github.com/btcsuite/btcd/btcec/v2"
	"github.com/btcsuite/btcd/btcec/v2/schnorr"
	"github.com/btcsuite/btcd/txscript/v2"
)

// The lengths in bytes of what scripts name.
const (
	hashLen      = 20 // HASH160
	uncompressed = 65 // public key (SEC 1)
)

// KeyForms lists what the scripts that pay one key have in common, as far as
// the script tells: two scripts with a common form pay the same key. Of a hash
// of a public key (P2PKH, P2WPKH) the P2SH-P2WPKH program can be computed, but not
// the other encoding's hash, nor the taproot output, for which the key has to be
// known. Scripts that hide the key have none, except the hashes of scripts. A script
// of no standard form has those of all that may be a key in it. A token before a script
// changes nothing.
func (p Params) KeyForms(script []byte) []string {
	script = p.withoutToken(script)
	switch p.KindOf(script) {
	case P2PKH:
		return hashForms(script[3:23])
	case P2WPKH:
		return hashForms(script[2:22])
	case P2SH:
		return []string{scriptHashForm(script[2:22])}
	case P2SH32:
		return []string{scriptHashForm(script[2:34])}
	case P2TR:
		return []string{taprootForm(script[2:34])}
	case P2PK:
		return publicForms(script[1 : len(script)-1])
	case Multisig, Nonstandard:
		return pushedForms(script)
	}
	return nil
}

func scriptHashForm(hash []byte) string { return "script hash " + string(hash) }
func taprootForm(key []byte) string     { return "taproot " + string(key) }

// hashForms are those of the hash of a public key.
func hashForms(hash []byte) []string {
	program := append([]byte{txscript.OP_0, byte(len(hash))}, hash...)
	return []string{"key hash " + string(hash), scriptHashForm(btcaddr.Hash160(program))}
}

// publicForms are those of a public key in both of its encodings.
func publicForms(public []byte) []string {
	key, err := btcec.ParsePubKey(public)
	if err != nil {
		return nil
	}
	return append(hashForms(btcaddr.Hash160(key.SerializeCompressed())), hashForms(btcaddr.Hash160(key.SerializeUncompressed()))...)
}

// pushedForms are those of everything that a script names which may be a key or a
// hash of one: of each key of bare multisig, and of what a script of no standard form
// may pay, such as P2PKH after a NOP. Keys are taken as they are encoded there: to
// decode up to 20 of each output would take long.
func pushedForms(script []byte) (forms []string) {
	if len(script) > txscript.MaxScriptSize {
		return nil // never runs
	}
	run := txscript.MakeScriptTokenizer(0, script)
	for run.Next() {
		switch pushed := run.Data(); len(pushed) {
		case hashLen:
			forms = append(append(forms, hashForms(pushed)...), scriptHashForm(pushed))
		case btcec.PubKeyBytesLenCompressed, uncompressed:
			forms = append(forms, hashForms(btcaddr.Hash160(pushed))...)
		}
	}
	return forms
}

// TaprootForm is the form, among KeyForms, of the taproot output without scripts
// (BIP 86) of the key that a P2PK script names; "" of any other script.
func (p Params) TaprootForm(script []byte) string {
	if p.KindOf(script) != P2PK {
		return ""
	}
	key, err := btcec.ParsePubKey(script[1 : len(script)-1])
	if err != nil {
		return ""
	}
	return taprootForm(schnorr.SerializePubKey(txscript.ComputeTaprootKeyNoScript(key)))
}
