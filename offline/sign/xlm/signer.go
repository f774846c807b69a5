// Package xlm signs Stellar's transactions, as stellar-sdk does byte for byte.
//
// It signs what it is handed: judging, asking and recording come before.
package xlm

import (
	"bytes"
	"crypto/ed25519"

	"coldkms/shared/chain"
	"coldkms/shared/chain/xlm"
)

// Signed is a transaction with its signature.
type Signed struct {
	Signature xlm.Signature
	Envelope  []byte // as a node takes it, with this signature alone
	TxID      [32]byte
}

// Account returns the account of a secret seed, S….
func Account(seed []byte) (a xlm.Account, err error) {
	private, err := readSeed(seed)
	if err != nil {
		return a, err
	}
	defer clear(private)
	copy(a[:], private.Public().(ed25519.PublicKey))
	return a, nil
}

// readSeed reads a secret seed. Nothing of it is in the error.
func readSeed(seed []byte) (ed25519.PrivateKey, error) {
	b, err := xlm.DecodeKey(xlm.VersionSeed, seed, ed25519.SeedSize)
	if err != nil {
		return nil, chain.Refuse(chain.NoKeyForInput, "the secret is no seed of Stellar (S…)")
	}
	defer clear(b)
	return ed25519.NewKeyFromSeed(b), nil
}

// Sign signs a transaction for a network with the secret seed of its source,
// which it does not keep. A transaction that does not pass xlm.Tx.Check, and a
// seed whose key is not the source's, are refused: other signers of an account
// cannot be known offline. Time is not looked at: see xlm.Tx.CheckTime.
//
// Everything is made twice, from the seed on, and compared: a fault while a
// signature is made can give the key away.
func Sign(t xlm.Tx, n chain.Network, seed []byte) (Signed, error) {
	return sign(t, n, seed, ed25519.Sign)
}

// hand is Ed25519, so that a test can put a faulty one in its place.
type hand func(private ed25519.PrivateKey, message []byte) []byte

func sign(t xlm.Tx, n chain.Network, seed []byte, hand hand) (Signed, error) {
	if n != chain.Mainnet && n != chain.Testnet {
		return Signed{}, chain.Refuse(chain.WrongNetwork, "%s has no passphrase", n)
	}
	if err := t.Check(); err != nil {
		return Signed{}, err
	}
	signature, err := signOnce(t, n, seed, hand)
	if err != nil {
		return Signed{}, err
	}
	again, err := signOnce(t, n, seed, hand)
	switch {
	case err != nil:
		return Signed{}, err
	case !bytes.Equal(again.Bytes, signature.Bytes):
		return Signed{}, chain.Refuse(chain.InternalFailure, "signed twice, and the signatures differ: this machine makes mistakes")
	case !signature.Verify(t, n):
		return Signed{}, chain.Refuse(chain.Incomplete, "the signature does not verify")
	}
	envelope := t.Envelope([]xlm.Signature{signature})
	read, list, err := xlm.DecodeEnvelope(envelope)
	if err != nil || read != t || len(list) != 1 || !list[0].Verify(read, n) {
		return Signed{}, chain.Refuse(chain.InternalFailure, "the signed bytes are not the transaction (%v)", err)
	}
	return Signed{Signature: signature, Envelope: envelope, TxID: t.Hash(n)}, nil
}

func signOnce(t xlm.Tx, n chain.Network, seed []byte, hand hand) (xlm.Signature, error) {
	private, err := readSeed(seed)
	if err != nil {
		return xlm.Signature{}, err
	}
	defer clear(private)
	if public := xlm.Account(private.Public().(ed25519.PublicKey)); public != t.Source {
		return xlm.Signature{}, chain.Refuse(chain.NoKeyForInput, "the source is %s, and the secret is of %s", t.Source, public)
	}
	hash := t.Hash(n)
	return xlm.Signature{Hint: t.Source.Hint(), Bytes: hand(private, hash[:])}, nil
}
