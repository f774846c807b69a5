// Package eddsa makes Ed25519 signatures (RFC 8032), as MultiversX and Algorand
// use them. The same message and the same key give the same signature on any
// machine, any day.
//
// It signs what it is handed: judging, asking and recording come before.
package eddsa

import (
	"bytes"
	"crypto/ed25519"

	"coldkms/shared/chain"
)

// Sizes in bytes.
const (
	SeedSize      = ed25519.SeedSize // of a private key
	PublicSize    = ed25519.PublicKeySize
	SignatureSize = ed25519.SignatureSize
)

// hands are the steps of making a signature, so that a test can put faulty
// ones in their place.
type hands struct {
	message func(message []byte) []byte
	sign    func(private ed25519.PrivateKey, message []byte) []byte
}

func steady() hands {
	return hands{message: func(m []byte) []byte { return m }, sign: ed25519.Sign}
}

// Sign signs what message returns with a private key of 32 bytes (the seed of
// RFC 8032), which it does not keep, for the account whose public key is given.
// Everything is done a second time, the message too: a fault in the hash that
// the scalar is multiplied with gives the key away beside the right signature,
// and a fault in the message is valid, so that no verification finds it.
func Sign(message func() []byte, account [PublicSize]byte, seed []byte) ([SignatureSize]byte, error) {
	return steady().signTwice(message, account, seed)
}

func (h hands) signTwice(message func() []byte, account [PublicSize]byte, seed []byte) (none [SignatureSize]byte, err error) {
	signature, err := h.signOnce(message, account, seed)
	if err != nil {
		return none, err
	}
	if !ed25519.Verify(account[:], message(), signature[:]) {
		return none, chain.Refuse(chain.Incomplete, "the signature does not verify")
	}
	again, err := h.signOnce(message, account, seed)
	switch {
	case err != nil:
		return none, err
	case again != signature:
		return none, chain.Refuse(chain.InternalFailure, "signed twice, and the signatures differ: this machine makes mistakes")
	}
	return signature, nil
}

func (h hands) signOnce(message func() []byte, account [PublicSize]byte, seed []byte) (s [SignatureSize]byte, err error) {
	public, err := Public(seed)
	switch {
	case err != nil:
		return s, err
	case public != account:
		return s, chain.Refuse(chain.NoKeyForInput, "the private key is not that of the account that pays")
	}
	private := ed25519.NewKeyFromSeed(seed)
	defer clear(private)
	out := h.sign(private, h.message(bytes.Clone(message())))
	if copy(s[:], out) != len(s) || len(out) != len(s) {
		return s, chain.Refuse(chain.InternalFailure, "a signature of %d bytes", len(out))
	}
	return s, nil
}

// Public returns the public key of a private key of 32 bytes. Nothing of the
// secret is in the error.
func Public(seed []byte) (public [PublicSize]byte, err error) {
	if len(seed) != SeedSize {
		return public, chain.Refuse(chain.NoKeyForInput, "the private key is no key of Ed25519")
	}
	private := ed25519.NewKeyFromSeed(seed)
	defer clear(private)
	copy(public[:], private[SeedSize:])
	return public, nil
}
