// Package algo reads Algorand's private keys as Tatum KMS stores them, and signs
// transactions as Tatum's libraries do byte for byte where they are right.
//
// It signs what it is handed: judging, asking and recording come before.
package algo

import (
	"bytes"
	"encoding/base32"

	"coldkms/offline/sign/eddsa"
	"coldkms/shared/chain"
	"coldkms/shared/chain/algo"
)

// Signed is a transaction with its signature.
type Signed struct {
	Signature algo.Signature
	Raw       []byte // MessagePack, as the network takes it
	TxID      string
}

// Sign signs a transaction for its sender, with the sender's private key of 32
// bytes, which it does not keep. A transaction that does not pass
// algo.Tx.Check, and a key of another account, are refused; nothing is signed
// for an account that was handed to another key. The signed bytes were decoded
// again: they hold this transaction and this signature. Rounds are not looked
// at: see algo.Tx.CheckRound.
func Sign(t algo.Tx, network chain.Network, secret []byte) (Signed, error) {
	if err := t.Check(network); err != nil {
		return Signed{}, err
	}
	signature, err := eddsa.Sign(t.SigningBytes, t.Sender, secret)
	if err != nil {
		return Signed{}, err
	}
	s := algo.Signature(signature)
	raw := t.Signed(s)
	read, again, err := algo.DecodeSigned(raw)
	if err != nil || again != s || !bytes.Equal(read.Encode(), t.Encode()) {
		return Signed{}, chain.Refuse(chain.InternalFailure, "the signed bytes are not the transaction (%v)", err)
	}
	return Signed{Signature: s, Raw: raw, TxID: t.TxID()}, nil
}

// Account returns the account of a private key of 32 bytes.
func Account(secret []byte) (algo.Address, error) {
	public, err := eddsa.Public(secret)
	return algo.Address(public), err
}

// storedSize is the size of a stored key: private and public.
const storedSize = eddsa.SeedSize + eddsa.PublicSize

// ReadSecret reads a key as Tatum KMS stores it: base32 without padding of the
// private and the public key. A public key that is not that of the private one
// is refused: signing with it gives the private key away. The caller wipes the
// key. Nothing of the secret is in the error.
func ReadSecret(text []byte) ([]byte, error) {
	encoding := base32.StdEncoding.WithPadding(base32.NoPadding)
	b := make([]byte, encoding.DecodedLen(len(text)))
	defer clear(b)
	n, err := encoding.Decode(b, text)
	if err != nil || n != storedSize || len(text) != encoding.EncodedLen(storedSize) {
		return nil, chain.Refuse(chain.NoKeyForInput, "the secret is not the base32 of a key of 64 bytes")
	}
	again := make([]byte, len(text))
	defer clear(again)
	if encoding.Encode(again, b[:n]); !bytes.Equal(again, text) {
		return nil, chain.Refuse(chain.NoKeyForInput, "the secret is not in its one form")
	}
	public, err := eddsa.Public(b[:eddsa.SeedSize])
	if err != nil || !bytes.Equal(public[:], b[eddsa.SeedSize:n]) {
		return nil, chain.Refuse(chain.NoKeyForInput, "the secret's two halves are of two keys")
	}
	return bytes.Clone(b[:eddsa.SeedSize]), nil
}
