// Package recoverable makes ECDSA signatures over secp256k1 from which the
// account can be recovered, as Ethereum's family and TRON use them: with the
// nonce of RFC 6979 and a low S. The same digest and the same key give the same
// signature on any machine, any day.
//
// It signs what it is handed: judging, asking and recording come before.
package recoverable

import (
	"github.com/decred/dcrd/dcrec/secp256k1/v4"
	"github.com/decred/dcrd/dcrec/secp256k1/v4/ecdsa"

	"coldkms/shared/chain"
	"coldkms/shared/chain/evm"
)

// SecretSize is the size of a private key in bytes.
const SecretSize = 32

// hands are the steps of making a signature, so that a test can put faulty
// ones in their place. What is done with a signature afterwards is in no hands.
type hands struct {
	digest func(digest [32]byte) [32]byte
	ecdsa  func(private *secp256k1.PrivateKey, digest []byte) []byte
}

func steady() hands {
	return hands{
		digest: func(digest [32]byte) [32]byte { return digest },
		ecdsa: func(private *secp256k1.PrivateKey, digest []byte) []byte {
			return ecdsa.SignCompact(private, digest, false)
		},
	}
}

// Sign signs what digest returns with a private key of 32 bytes, which it does
// not keep, for the account that the key must have. The account is recovered
// from the signature. Everything is then made a second time, the digest too: a
// fault in a nonce gives a signature that is valid, so that no verification
// finds it; but beside the right one over the same digest it gives the key away.
func Sign(digest func() [32]byte, account evm.Address, secret []byte) (evm.Signature, error) {
	return steady().sign(digest, account, secret)
}

func (h hands) sign(digest func() [32]byte, account evm.Address, secret []byte) (evm.Signature, error) {
	signature, err := h.signOnce(digest, secret)
	if err != nil {
		return evm.Signature{}, err
	}
	sender, err := signature.Recover(digest())
	switch {
	case err != nil:
		return evm.Signature{}, chain.Refuse(chain.Incomplete, "the signature does not verify: %v", err)
	case sender != account:
		return evm.Signature{}, chain.Refuse(chain.NoKeyForInput, "the signature is not by the key of the account that pays")
	}
	again, err := h.signOnce(digest, secret)
	switch {
	case err != nil:
		return evm.Signature{}, err
	case again != signature:
		return evm.Signature{}, chain.Refuse(chain.InternalFailure, "signed twice, and the signatures differ: this machine makes mistakes")
	}
	return signature, nil
}

func (h hands) signOnce(digest func() [32]byte, secret []byte) (evm.Signature, error) {
	private, err := privateKey(secret)
	if err != nil {
		return evm.Signature{}, err
	}
	defer private.Zero()
	d := h.digest(digest())
	signature, err := evm.SignatureOf(h.ecdsa(private, d[:]))
	if err != nil {
		return evm.Signature{}, chain.Refuse(chain.InternalFailure, "the signature: %v", err)
	}
	return signature, nil
}

// privateKey reads a key of the group: 1 to its order minus 1. Nothing of the
// secret is in the error.
func privateKey(secret []byte) (*secp256k1.PrivateKey, error) {
	var private secp256k1.PrivateKey
	if len(secret) != SecretSize || private.Key.SetByteSlice(secret) || private.Key.IsZero() {
		private.Zero()
		return nil, chain.Refuse(chain.NoKeyForInput, "the private key is no key of secp256k1")
	}
	return &private, nil
}

// Account returns the account of a private key of 32 bytes.
func Account(secret []byte) (evm.Address, error) {
	private, err := privateKey(secret)
	if err != nil {
		return evm.Address{}, err
	}
	defer private.Zero()
	return evm.AddressOf([65]byte(private.PubKey().SerializeUncompressed())), nil
}
