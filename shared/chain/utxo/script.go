package utxo

import (
	"github.com/btcsuite/btcd/btcutil/base58"
	"github.com/btcsuite/btcd/btcutil/bech32"
	"github.com/btcsuite/btcd/txscript"
)

// Kind is the type of a scriptPubKey.
type Kind uint8

// The standard output types (Bitcoin Core's policy/policy.h, BIP 141, BIP 341).
const (
	Nonstandard Kind = iota
	P2PK
	P2PKH
	P2SH
	P2WPKH
	P2WSH
	P2TR
	Multisig
	NullData
	WitnessUnknown
)

var kindNames = [...]string{"nonstandard", "P2PK", "P2PKH", "P2SH", "P2WPKH", "P2WSH", "P2TR", "multisig", "OP_RETURN", "witness"}

// String gives the usual name.
func (k Kind) String() string { return kindNames[k] }

// KindOf classifies a scriptPubKey of this coin. Where the coin has no
// segwit, a witness program is nonstandard: on such a chain anyone may spend it.
func (p Params) KindOf(script []byte) Kind {
	switch txscript.GetScriptClass(script) {
	case txscript.PubKeyTy:
		return P2PK
	case txscript.PubKeyHashTy:
		return P2PKH
	case txscript.ScriptHashTy:
		return P2SH
	case txscript.MultiSigTy:
		return Multisig
	case txscript.NullDataTy:
		return NullData
	case txscript.WitnessV0PubKeyHashTy:
		return p.ifSegwit(P2WPKH)
	case txscript.WitnessV0ScriptHashTy:
		return p.ifSegwit(P2WSH)
	case txscript.WitnessV1TaprootTy:
		if !p.Taproot {
			return Nonstandard
		}
		return P2TR
	}
	if len(script) > 0 && script[0] == txscript.OP_RETURN {
		return NullData // longer than the old relay limit, but data all the same
	}
	if version, _, err := txscript.ExtractWitnessProgramInfo(script); err == nil && version > 0 {
		return p.ifSegwit(WitnessUnknown)
	}
	return Nonstandard
}

func (p Params) ifSegwit(k Kind) Kind {
	if p.Segwit {
		return k
	}
	return Nonstandard
}

// Address gives the address of a scriptPubKey, or "" where it has none
// (bare public keys, bare multisig, data, nonstandard scripts).
func (p Params) Address(script []byte) string {
	switch p.KindOf(script) {
	case P2PKH:
		return base58.CheckEncode(script[3:23], p.PubKeyHashID)
	case P2SH:
		return base58.CheckEncode(script[2:22], p.ScriptHashIDs[0])
	case P2WPKH, P2WSH, P2TR, WitnessUnknown:
		return segwitAddress(p.HRP, script)
	}
	return ""
}

// segwitAddress encodes a witness program (BIP 173 for version 0, BIP 350 above).
func segwitAddress(hrp string, script []byte) string {
	version, program, err := txscript.ExtractWitnessProgramInfo(script)
	if err != nil {
		return ""
	}
	groups, err := bech32.ConvertBits(program, 8, 5, true)
	if err != nil {
		return ""
	}
	encode := bech32.Encode
	if version > 0 {
		encode = bech32.EncodeM
	}
	address, err := encode(hrp, append([]byte{byte(version)}, groups...))
	if err != nil {
		return ""
	}
	return address
}

// inputSize gives what a signed input of this kind adds to the unsigned
// transaction: bytes of scriptSig and of witness, with a signature of 72
// bytes (low S, one byte of hash type), and whether the kind is signed for.
func (k Kind) inputSize(pubKeyLen int) (scriptSig, witness int, ok bool) {
	const sig = 72
	switch k {
	case P2PK:
		return 1 + sig, 0, true
	case P2PKH:
		return 1 + sig + 1 + pubKeyLen, 0, true
	case P2WPKH:
		return 0, 1 + 1 + sig + 1 + pubKeyLen, true
	case P2SH:
		return 1 + 22, 1 + 1 + sig + 1 + pubKeyLen, true
	case P2TR:
		return 0, 1 + 1 + 64, true
	}
	return 0, 0, false
}

// dustLimit is the least value of an output with this script that nodes
// relay, in smallest units: Bitcoin Core's GetDustThreshold at 3 sat/vB
// (policy/policy.cpp), or the coin's flat limit. Data has none.
func (p Params) dustLimit(script []byte) int64 {
	kind := p.KindOf(script)
	if kind == NullData {
		return 0
	}
	if p.DustFlat > 0 {
		return p.DustFlat
	}
	size := int64(8 + 1 + len(script)) // value, length, script
	switch kind {
	case P2WPKH, P2WSH, P2TR, WitnessUnknown:
		size += 32 + 4 + 1 + 107/4 + 4
	default:
		size += 32 + 4 + 1 + 107 + 4
	}
	return 3 * size
}

// Signable says whether inputs of this kind are signed for.
func (k Kind) Signable() bool {
	_, _, ok := k.inputSize(pubKeyLen)
	return ok
}
