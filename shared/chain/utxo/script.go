package utxo

import (
	"bytes"

	"github.com/btcsuite/btcd/address/v2/base58"
	"github.com/btcsuite/btcd/address/v2/bech32"
	"github.com/btcsuite/btcd/txscript/v2"
	"github.com/btcsuite/btcd/wire/v2"
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
	P2SH32 // Bitcoin Cash's, CHIP-2022-05
)

var kindNames = [...]string{"nonstandard", "P2PK", "P2PKH", "P2SH", "P2WPKH", "P2WSH", "P2TR", "multisig", "OP_RETURN", "witness", "P2SH32"}

// String returns the usual name.
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
		if relayedMultisig(script) {
			return Multisig
		}
		return Nonstandard
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
	if p.CashAddr != "" && len(script) == 35 && bytes.Equal(script, payToScriptHash32(script[2:34])) {
		return P2SH32
	}
	if len(script) > 0 && script[0] == txscript.OP_RETURN {
		return NullData // longer than the old relay limit, but data all the same
	}
	if version, _, err := txscript.ExtractWitnessProgramInfo(script); err == nil && version > 0 {
		return p.ifSegwit(WitnessUnknown)
	}
	return Nonstandard
}

// relayedMultisig reports whether nodes relay a multisig script: it wants at least
// one signature, and has at most three keys (Bitcoin Core, policy/policy.cpp).
func relayedMultisig(script []byte) bool {
	keys, needed, err := txscript.CalcMultiSigStats(script)
	return err == nil && needed >= 1 && keys <= 3
}

func (p Params) ifSegwit(k Kind) Kind {
	if p.Segwit {
		return k
	}
	return Nonstandard
}

// Address returns the address of a scriptPubKey, or "" where it has none
// (bare public keys, bare multisig, data, nonstandard scripts).
func (p Params) Address(script []byte) string {
	switch p.KindOf(script) {
	case P2PKH:
		return p.hashAddress(script[3:23], p.PubKeyHashID, cashPubKeyHash)
	case P2SH:
		return p.hashAddress(script[2:22], p.ScriptHashIDs[0], cashScriptHash)
	case P2SH32:
		return encodeCashAddr(p.CashAddr, cashScriptHash32, script[2:34])
	case P2WPKH, P2WSH, P2TR, WitnessUnknown:
		return segwitAddress(p.HRP, script)
	}
	return ""
}

// hashAddress encodes the hash of a key or script in the coin's own form.
func (p Params) hashAddress(hash []byte, version, cash byte) string {
	if p.CashAddr != "" {
		return encodeCashAddr(p.CashAddr, cash, hash)
	}
	return base58.CheckEncode(hash, version)
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

// inputSize returns what a signed input of this kind adds to the unsigned
// transaction: bytes of scriptSig and of witness. ECDSA signatures are counted
// as 72 bytes (low S, one byte of hash type).
func (p Params) inputSize(k Kind, pubKeyLen int) (scriptSig, witness int) {
	const sig, push = 72, 1
	switch {
	case p.ForkID:
		return push + schnorrLen + 1 + push + pubKeyLen, 0
	case k == P2PK:
		return push + sig, 0
	case k == P2PKH:
		return push + sig + push + pubKeyLen, 0
	case k == P2WPKH:
		return 0, 1 + push + sig + push + pubKeyLen
	case k == P2SH:
		return push + 22, 1 + push + sig + push + pubKeyLen
	case k == P2TR:
		return 0, 1 + push + schnorrLen
	}
	return 0, 0
}

// Signable reports whether inputs of this kind are signed for. Bitcoin Cash's
// are P2PKH only: Tatum's library signs others wrongly, and nobody has them.
// P2SH means P2SH-P2WPKH, so it needs segwit.
func (p Params) Signable(k Kind) bool {
	switch k {
	case P2PKH:
		return true
	case P2PK:
		return !p.ForkID
	case P2WPKH, P2SH:
		return p.Segwit
	case P2TR:
		return p.Taproot
	}
	return false
}

// dustLimit is the least value of an output with this script that nodes
// relay, in smallest units: Bitcoin Core's GetDustThreshold at the coin's rate
// (policy/policy.cpp), or the coin's flat limit. Data has none.
func (p Params) dustLimit(script []byte) int64 {
	kind := p.KindOf(script)
	if kind == NullData {
		return 0
	}
	if p.DustFlat > 0 {
		return p.DustFlat
	}
	size := int64(8 + wire.VarIntSerializeSize(uint64(len(script))) + len(script)) // value, length, script
	switch kind {
	case P2WPKH, P2WSH, P2TR, WitnessUnknown:
		size += 32 + 4 + 1 + 107/4 + 4
	default:
		size += 32 + 4 + 1 + 107 + 4
	}
	return p.DustRate * size
}
