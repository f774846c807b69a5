// Package xrp signs transactions of the XRP Ledger, as xrpl.js does byte for
// byte: with Ed25519 (seeds sEd…), or with ECDSA over secp256k1 (seeds s…) with
// the nonce of RFC 6979, a low S and DER.
//
// It signs what it is handed: judging, asking and recording come before.
package xrp

import (
	"bytes"
	"crypto/ed25519"

	"github.com/decred/dcrd/dcrec/secp256k1/v4"
	"github.com/decred/dcrd/dcrec/secp256k1/v4/ecdsa"

	"coldkms/offline/sign/recoverable"
	"coldkms/shared/chain"
	"coldkms/shared/chain/xrp"
)

// Signed is a transaction with its signature.
type Signed struct {
	Signature []byte
	Raw       []byte // as a node takes it
	TxID      [32]byte
}

// Sign signs a transaction with the family seed of its account, which it does
// not keep. A transaction that does not pass xrp.Tx.Check, and a seed whose
// master key is not the account's, are refused: whether an account has a regular
// key cannot be known offline. Ledger numbers are not looked at: see
// xrp.Tx.CheckLedger.
//
// Everything is made twice, from the seed on, and compared: a fault in a nonce
// gives a signature that is valid, and that gives the key away beside the right
// one.
func Sign(t xrp.Tx, seed []byte) (Signed, error) { return sign(t, seed, ed25519.Sign) }

// hand is Ed25519, so that a test can put a faulty one in its place.
type hand func(private ed25519.PrivateKey, message []byte) []byte

func sign(t xrp.Tx, seed []byte, hand hand) (Signed, error) {
	if err := t.Check(); err != nil {
		return Signed{}, err
	}
	signature, key, err := signOnce(t, seed, hand)
	if err != nil {
		return Signed{}, err
	}
	again, sameKey, err := signOnce(t, seed, hand)
	switch {
	case err != nil:
		return Signed{}, err
	case sameKey != key || !bytes.Equal(again, signature):
		return Signed{}, chain.Refuse(chain.InternalFailure, "signed twice, and the signatures differ: this machine makes mistakes")
	case !Verify(t, key, signature):
		return Signed{}, chain.Refuse(chain.Incomplete, "the signature does not verify")
	}
	raw := t.Raw(key, signature)
	read, readKey, readSignature, err := xrp.DecodeSigned(raw)
	if err != nil || readKey != key || !bytes.Equal(readSignature, signature) || !bytes.Equal(read.Encode(), t.Encode()) {
		return Signed{}, chain.Refuse(chain.InternalFailure, "the signed bytes are not the transaction (%v)", err)
	}
	return Signed{Signature: signature, Raw: raw, TxID: xrp.TxID(raw)}, nil
}

func signOnce(t xrp.Tx, seed []byte, hand hand) ([]byte, xrp.PublicKey, error) {
	s, err := readSeed(seed)
	if err != nil {
		return nil, xrp.PublicKey{}, err
	}
	defer s.clear()
	if s.public.Account() != t.Account {
		return nil, xrp.PublicKey{}, chain.Refuse(chain.NoKeyForInput, "the account is %s, and the secret is of %s", t.Account, s.public.Account())
	}
	if s.ed25519 != nil {
		return hand(s.ed25519, t.Message(s.public)), s.public, nil
	}
	signature, err := signSecp256k1(t, s)
	return signature, s.public, err
}

func signSecp256k1(t xrp.Tx, s secret) ([]byte, error) {
	account, err := recoverable.Account(s.secp256k1)
	if err != nil {
		return nil, err
	}
	signature, err := recoverable.Sign(func() [32]byte { return xrp.Half(t.Message(s.public)) }, account, s.secp256k1)
	if err != nil {
		return nil, err
	}
	var r, low secp256k1.ModNScalar
	r.SetBytes(&signature.R)
	low.SetBytes(&signature.S)
	return ecdsa.NewSignature(&r, &low).Serialize(), nil
}

// Verify reports whether a signature over a transaction is a key's, in the one
// form that is made here.
func Verify(t xrp.Tx, key xrp.PublicKey, signature []byte) bool {
	message := t.Message(key)
	if key[0] == 0xed {
		return ed25519.Verify(key[1:], message, signature)
	}
	public, err := secp256k1.ParsePubKey(key[:])
	if err != nil {
		return false
	}
	parsed, err := ecdsa.ParseDERSignature(signature)
	if err != nil || !bytes.Equal(parsed.Serialize(), signature) { // Serialize has a low S
		return false
	}
	digest := xrp.Half(message)
	return parsed.Verify(digest[:], public)
}
