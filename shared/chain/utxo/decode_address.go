package utxo

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/btcsuite/btcd/address/v2/base58"
	"github.com/btcsuite/btcd/address/v2/bech32"
	"github.com/btcsuite/btcd/txscript/v2"
)

// ScriptOf returns the scriptPubKey that an address of this coin and network
// stands for. Both P2SH prefixes of LTC, and for BCH both cashaddr and the
// old form, are read.
func (p Params) ScriptOf(address string) ([]byte, error) {
	if len(address) > 128 {
		return nil, fmt.Errorf("utxo: an address of %d characters", len(address))
	}
	if p.HRP != "" && strings.HasPrefix(strings.ToLower(address), p.HRP+"1") {
		return p.segwitScript(address)
	}
	if p.CashAddr != "" {
		if version, hash, err := decodeCashAddr(p.CashAddr, address); err == nil {
			switch version {
			case cashPubKeyHash, cashPubKeyToken:
				return payToPubKeyHash(hash), nil
			case cashScriptHash, cashScriptToken:
				return payToScriptHash(hash), nil
			case cashScriptHash32, cashScriptHash32Tok:
				return payToScriptHash32(hash), nil
			}
			return nil, fmt.Errorf("utxo: %q: cashaddr of version %d", address, version)
		}
	}
	hash, version, err := base58.CheckDecode(address)
	switch {
	case err != nil || len(hash) != 20:
		return nil, fmt.Errorf("utxo: %q is not an address of %s on %s", address, p.Chain, p.Network)
	case version == p.PubKeyHashID:
		return payToPubKeyHash(hash), nil
	case bytes.IndexByte(p.ScriptHashIDs, version) >= 0:
		return payToScriptHash(hash), nil
	}
	return nil, fmt.Errorf("utxo: %q is not an address of %s on %s", address, p.Chain, p.Network)
}

func payToPubKeyHash(hash []byte) []byte {
	script := append([]byte{txscript.OP_DUP, txscript.OP_HASH160, txscript.OP_DATA_20}, hash...)
	return append(script, txscript.OP_EQUALVERIFY, txscript.OP_CHECKSIG)
}

func payToScriptHash(hash []byte) []byte {
	return append(append([]byte{txscript.OP_HASH160, txscript.OP_DATA_20}, hash...), txscript.OP_EQUAL)
}

// payToScriptHash32 is Bitcoin Cash's P2SH32 (CHIP-2022-05).
func payToScriptHash32(hash []byte) []byte {
	return append(append([]byte{txscript.OP_HASH256, txscript.OP_DATA_32}, hash...), txscript.OP_EQUAL)
}

// segwitScript decodes BIP 173 and BIP 350.
func (p Params) segwitScript(address string) ([]byte, error) {
	wrong := fmt.Errorf("utxo: %q is not an address of %s on %s", address, p.Chain, p.Network)
	hrp, data, form, err := bech32.DecodeGeneric(address)
	if err != nil || hrp != p.HRP || len(data) < 1 || data[0] > 16 {
		return nil, wrong
	}
	program, err := bech32.ConvertBits(data[1:], 5, 8, false)
	version := data[0]
	switch {
	case err != nil, len(program) < 2, len(program) > 40,
		version == 0 && (form != bech32.Version0 || (len(program) != 20 && len(program) != 32)),
		version > 0 && form != bech32.VersionM:
		return nil, wrong
	}
	op := byte(txscript.OP_0)
	if version > 0 {
		op = txscript.OP_1 + version - 1
	}
	return append([]byte{op, byte(len(program))}, program...), nil
}
