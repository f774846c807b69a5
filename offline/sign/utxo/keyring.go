package utxo

import (
	"bytes"
	"sync"

	btcaddr "github.com/btcsuite/btcd/address/v2"
	"github.com/btcsuite/btcd/btcec/v2"
	"github.com/btcsuite/btcd/btcec/v2/schnorr"
	"github.com/btcsuite/btcd/txscript/v2"

	"coldkms/offline/sign"
	"coldkms/shared/chain"
	"coldkms/shared/chain/utxo"
)

// keyring finds the key that belongs to a script among the keys that an item
// names. A key in the wallet that nobody named is not in it.
type keyring struct {
	params  utxo.Params
	keys    []ringKey
	byHash  map[string]int        // hash160 of the public key → position in keys
	nested  map[string]int        // hash160 of the P2WPKH program
	taproot func() map[string]int // x-only output key (BIP 86 tweak)
}

type ringKey struct {
	key    chain.Key
	public []byte
	named  bool // false: only recognised in outputs
}

func emptyKeyring(p utxo.Params) *keyring {
	r := &keyring{params: p, byHash: make(map[string]int), nested: make(map[string]int)}
	r.taproot = sync.OnceValue(r.taprootKeys)
	return r
}

// newKeyring looks every named key up, and for each named mnemonic also its
// index 0, where Tatum sends the change of withdrawals. Errors are refusals.
func newKeyring(p utxo.Params, named []chain.Key, keys sign.Keys) (*keyring, error) {
	r := emptyKeyring(p)
	for _, k := range named {
		coin, ok := keys.Lookup(k.SignatureID)
		switch {
		case !ok:
			return nil, chain.Refuse(chain.UnknownKey, "signature id %s is not in this wallet", k.SignatureID)
		case coin.Chain != p.Chain:
			return nil, chain.Refuse(chain.WrongChain, "signature id %s is a key of %s, not of %s", k.SignatureID, coin.Chain, p.Chain)
		case coin != p.Coin:
			return nil, chain.Refuse(chain.WrongNetwork, "signature id %s is a key of %s, not of %s", k.SignatureID, coin.Network, p.Network)
		}
		if keys.IsMnemonic(k.SignatureID) && k.Index == chain.NoIndex {
			return nil, chain.Refuse(chain.NoKeyForInput, "signature id %s is a mnemonic and the request names no index", k.SignatureID)
		}
		if err := r.add(k, true, keys); err != nil {
			return nil, err
		}
	}
	for _, k := range named {
		if !keys.IsMnemonic(k.SignatureID) {
			continue
		}
		if err := r.add(chain.Key{SignatureID: k.SignatureID}, false, keys); err != nil {
			return nil, err
		}
	}
	return r, nil
}

func (r *keyring) add(k chain.Key, named bool, keys sign.Keys) error {
	public, err := keys.Public(k.SignatureID, k.Index)
	if err != nil {
		return chain.Refuse(chain.NoKeyForInput, "signature id %s: %v", k.SignatureID, err)
	}
	r.put(k, public, named)
	return nil
}

// put takes a key in, unless one with this public key is there.
func (r *keyring) put(k chain.Key, public []byte, named bool) {
	hash := btcaddr.Hash160(public)
	if _, have := r.byHash[string(hash)]; have {
		return
	}
	at := len(r.keys)
	r.keys = append(r.keys, ringKey{key: k, public: public, named: named})
	r.byHash[string(hash)] = at
	if len(public) == btcec.PubKeyBytesLenCompressed && r.params.Segwit {
		program := append([]byte{txscript.OP_0, byte(len(hash))}, hash...)
		r.nested[string(btcaddr.Hash160(program))] = at
	}
}

// find returns the position of the key that owns a script.
func (r *keyring) find(script []byte) (int, bool) {
	var at int
	var ok bool
	switch r.params.KindOf(script) {
	case utxo.P2PKH:
		at, ok = r.byHash[string(script[3:23])]
	case utxo.P2WPKH:
		at, ok = r.byHash[string(script[2:22])]
		ok = ok && len(r.keys[at].public) == btcec.PubKeyBytesLenCompressed // BIP 143: no other key is valid there
	case utxo.P2SH:
		at, ok = r.nested[string(script[2:22])]
	case utxo.P2PK:
		public := script[1 : len(script)-1]
		at, ok = r.byHash[string(btcaddr.Hash160(public))]
		ok = ok && bytes.Equal(r.keys[at].public, public)
	case utxo.P2TR:
		at, ok = r.taproot()[string(script[2:34])]
	}
	return at, ok
}

// taprootKeys are the BIP 86 output keys: the internal key tweaked without a
// script tree. They cost a point multiplication each and are rarely needed.
func (r *keyring) taprootKeys() map[string]int {
	outputs := make(map[string]int, len(r.keys))
	for at, k := range r.keys {
		public, err := btcec.ParsePubKey(k.public)
		if err != nil || len(k.public) != btcec.PubKeyBytesLenCompressed {
			continue
		}
		output := schnorr.SerializePubKey(txscript.ComputeTaprootKeyNoScript(public))
		outputs[string(output)] = at
	}
	return outputs
}

// Signs implements utxo.Keyring.
func (r *keyring) Signs(script []byte) (int, bool) {
	at, ok := r.find(script)
	if !ok || !r.keys[at].named {
		return 0, false
	}
	return len(r.keys[at].public), true
}

// Spendable implements sign.Book.
func (r *keyring) Spendable(script []byte) bool { return r.params.Signable(r.params.KindOf(script)) }

// Owner implements utxo.Keyring.
func (r *keyring) Owner(script []byte) (chain.Key, bool) {
	at, ok := r.find(script)
	if !ok {
		return chain.Key{}, false
	}
	return r.keys[at].key, true
}

// Unused implements utxo.Keyring.
func (r *keyring) Unused(spent []utxo.Spent) []chain.Key {
	used := make(map[int]bool)
	for _, s := range spent {
		if at, ok := r.find(s.Script); ok {
			used[at] = true
		}
	}
	var unused []chain.Key
	for at, k := range r.keys {
		if k.named && !used[at] {
			unused = append(unused, k.key)
		}
	}
	return unused
}
