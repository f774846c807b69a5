package psbt

import (
	"encoding/binary"
	"fmt"

	btcaddr "github.com/btcsuite/btcd/address/v2"
	"github.com/btcsuite/btcd/btcec/v2"
	"github.com/btcsuite/btcd/btcec/v2/schnorr"
	"github.com/btcsuite/btcd/btcutil/v2/hdkeychain"
	"github.com/btcsuite/btcd/txscript/v2"

	"coldkms/shared/chain/utxo"
)

// Fingerprint is the first four bytes of a public key's hash160 (BIP 32).
type Fingerprint [4]byte

// FingerprintOf computes the fingerprint of a public key.
func FingerprintOf(public []byte) Fingerprint { return Fingerprint(btcaddr.Hash160(public)) }

// A Key is a public key with its origin: from which key, by which path.
type Key struct {
	Public []byte // 33 or 65 bytes
	From   Fingerprint
	Path   []uint32
}

// SingleKey is a key that was derived from nothing: its own fingerprint and
// an empty path.
func SingleKey(public []byte) Key { return Key{Public: public, From: FingerprintOf(public)} }

// An Account is an extended public key and what is known of where it is from.
// Tatum has no more than the key itself, at m/44'/coin'/0'/0; then it stands
// for the master key, which BIP 174 leaves to the writer.
type Account struct {
	key  *hdkeychain.ExtendedKey
	from Fingerprint
	path []uint32
}

// OpenAccount reads an extended public key in any coin's form.
func OpenAccount(xpub string) (*Account, error) {
	key, err := hdkeychain.NewKeyFromString(xpub)
	if err != nil {
		return nil, fmt.Errorf("psbt: extended public key: %w", err)
	}
	if key.IsPrivate() {
		return nil, fmt.Errorf("psbt: an extended private key where a public one belongs")
	}
	public, err := key.ECPubKey()
	if err != nil {
		return nil, fmt.Errorf("psbt: extended public key: %w", err)
	}
	return &Account{key: key, from: FingerprintOf(public.SerializeCompressed())}, nil
}

// Under says that the account is found at a path below the master key with
// this fingerprint.
func (a *Account) Under(master Fingerprint, path []uint32) { a.from, a.path = master, path }

// Fingerprint is what key origins of this account begin with.
func (a *Account) Fingerprint() Fingerprint { return a.from }

// Child derives one key.
func (a *Account) Child(index uint32) (Key, error) {
	child, err := a.key.Derive(index)
	if err != nil {
		return Key{}, fmt.Errorf("psbt: derive key %d: %w", index, err)
	}
	public, err := child.ECPubKey()
	if err != nil {
		return Key{}, fmt.Errorf("psbt: derive key %d: %w", index, err)
	}
	path := append(append([]uint32(nil), a.path...), index)
	return Key{Public: public.SerializeCompressed(), From: a.from, Path: path}, nil
}

// number returns the fingerprint as the library keeps it.
func (f Fingerprint) number() uint32 { return binary.LittleEndian.Uint32(f[:]) }

func fingerprint(n uint32) (f Fingerprint) {
	binary.LittleEndian.PutUint32(f[:], n)
	return f
}

// form is how one script is spent with one key.
type form struct {
	key      Key
	redeem   []byte // of P2SH-P2WPKH
	internal []byte // of P2TR, x-only
}

// formsOf returns every script that the keys can sign for.
func formsOf(p utxo.Params, keys []Key) map[string]form {
	forms := make(map[string]form)
	for _, k := range keys {
		for script, f := range formsOfKey(p, k) {
			forms[script] = f
		}
	}
	return forms
}

func formsOfKey(p utxo.Params, k Key) map[string]form {
	hash := btcaddr.Hash160(k.Public)
	forms := map[string]form{
		string(joined([]byte{txscript.OP_DUP, txscript.OP_HASH160, txscript.OP_DATA_20}, hash, []byte{txscript.OP_EQUALVERIFY, txscript.OP_CHECKSIG})): {key: k},
		string(joined([]byte{byte(len(k.Public))}, k.Public, []byte{txscript.OP_CHECKSIG})):                                                            {key: k},
	}
	if len(k.Public) != btcec.PubKeyBytesLenCompressed {
		return forms // segwit allows no other
	}
	if p.Segwit {
		program := joined([]byte{txscript.OP_0, txscript.OP_DATA_20}, hash)
		forms[string(program)] = form{key: k}
		forms[string(joined([]byte{txscript.OP_HASH160, txscript.OP_DATA_20}, btcaddr.Hash160(program), []byte{txscript.OP_EQUAL}))] = form{key: k, redeem: program}
	}
	if public, err := btcec.ParsePubKey(k.Public); err == nil && p.Taproot {
		output := schnorr.SerializePubKey(txscript.ComputeTaprootKeyNoScript(public))
		forms[string(joined([]byte{txscript.OP_1, txscript.OP_DATA_32}, output))] = form{key: k, internal: k.Public[1:]}
	}
	return forms
}

func joined(parts ...[]byte) []byte {
	var out []byte
	for _, p := range parts {
		out = append(out, p...)
	}
	return out
}

// TatumPath is the path from the master key to the extended public key that
// Tatum works with: m/44'/coin'/0'/0.
func TatumPath(p utxo.Params) []uint32 {
	const hardened = hdkeychain.HardenedKeyStart
	return []uint32{hardened + 44, hardened + p.CoinType, hardened, 0}
}
