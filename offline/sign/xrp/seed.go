package xrp

import (
	"crypto/ed25519"
	"encoding/binary"

	"github.com/decred/dcrd/dcrec/secp256k1/v4"

	"coldkms/shared/chain"
	"coldkms/shared/chain/xrp"
)

// entropySize is the size of a family seed in bytes.
const entropySize = 16

// Versions before a family seed: s… for secp256k1, sEd… for Ed25519.
func versionSecp256k1() []byte { return []byte{0x21} }
func versionEd25519() []byte   { return []byte{0x01, 0xe1, 0x4b} }

// secret is a master key that came out of a family seed.
type secret struct {
	secp256k1 []byte // 32 bytes, or nil
	ed25519   ed25519.PrivateKey
	public    xrp.PublicKey
}

func (s secret) clear() {
	clear(s.secp256k1)
	clear(s.ed25519)
}

// readSeed derives the master key of a family seed (s…, sEd…), as ripple-keypairs
// does. Nothing of the seed is in the error.
func readSeed(seed []byte) (secret, error) {
	if entropy, err := xrp.DecodeBase58(seed, versionEd25519(), entropySize); err == nil {
		defer clear(entropy)
		private := half(entropy)
		defer clear(private)
		s := secret{ed25519: ed25519.NewKeyFromSeed(private)}
		s.public[0] = 0xed
		copy(s.public[1:], s.ed25519.Public().(ed25519.PublicKey))
		return s, nil
	}
	entropy, err := xrp.DecodeBase58(seed, versionSecp256k1(), entropySize)
	if err != nil {
		return secret{}, chain.Refuse(chain.NoKeyForInput, "the secret is no seed of the XRP Ledger (s… or sEd…)")
	}
	defer clear(entropy)
	return deriveSecp256k1(entropy)
}

// deriveSecp256k1 adds the key of account 0 of the seed's root to the root.
func deriveSecp256k1(entropy []byte) (secret, error) {
	root, ok := scalar(entropy)
	public := secp256k1.NewPrivateKey(&root).PubKey().SerializeCompressed()
	account := make([]byte, 4) // 0
	intermediate, ok2 := scalar(append(public, account...))
	private := secp256k1.NewPrivateKey(root.Add(&intermediate))
	defer private.Zero()
	defer root.Zero()
	defer intermediate.Zero()
	if !ok || !ok2 || private.Key.IsZero() {
		return secret{}, chain.Refuse(chain.NoKeyForInput, "the seed has no key")
	}
	return secret{secp256k1: private.Serialize(), public: xrp.PublicKey(private.PubKey().SerializeCompressed())}, nil
}

// attempts is how often a scalar is tried: that the first is none happens once
// in 2^128.
const attempts = 8

// scalar is the first half of SHA-512 of b and a counter that is a key.
func scalar(b []byte) (k secp256k1.ModNScalar, ok bool) {
	for i := range uint32(attempts) {
		buffer := binary.BigEndian.AppendUint32(append(make([]byte, 0, len(b)+4), b...), i)
		h := half(buffer)
		overflow := k.SetByteSlice(h)
		clear(buffer)
		clear(h)
		if !overflow && !k.IsZero() {
			return k, true
		}
	}
	return k, false
}

func half(b []byte) []byte {
	h := xrp.Half(b)
	return h[:]
}

// Address returns the public key, and with it the account, of a family seed.
func Address(seed []byte) (xrp.PublicKey, error) {
	s, err := readSeed(seed)
	if err != nil {
		return xrp.PublicKey{}, err
	}
	defer s.clear()
	return s.public, nil
}
