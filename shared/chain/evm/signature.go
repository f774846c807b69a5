package evm

import (
	"errors"

	"github.com/decred/dcrd/dcrec/secp256k1/v4"
	"github.com/decred/dcrd/dcrec/secp256k1/v4/ecdsa"
)

// Signature is ECDSA over secp256k1 with a low S (EIP-2).
type Signature struct {
	R, S     [32]byte
	Recovery byte // 0 or 1: whether y of the nonce's point is odd
}

// ErrSignature is returned for a signature that no key makes, or with a high S.
var ErrSignature = errors.New("no valid signature")

// compactBase is the first byte of a compact signature with recovery id 0, for
// a public key in uncompressed form.
const compactBase = 27

// SignatureOf reads the 65 bytes that secp256k1's SignCompact makes: 27 plus
// the recovery id, R, S.
func SignatureOf(compact []byte) (Signature, error) {
	if len(compact) != 65 || compact[0] < compactBase || compact[0] > compactBase+1 {
		return Signature{}, ErrSignature // a recovery id of 2 or 3 takes an R above the group's order: nobody has seen one
	}
	return Signature{R: [32]byte(compact[1:33]), S: [32]byte(compact[33:]), Recovery: compact[0] - compactBase}, nil
}

// Bytes returns 65 bytes: R, S, recovery id.
func (s Signature) Bytes() []byte {
	return append(append(s.R[:], s.S[:]...), s.Recovery)
}

// Recover returns the address whose key made the signature over a digest.
func (s Signature) Recover(digest [32]byte) (Address, error) {
	var scalar secp256k1.ModNScalar
	if overflow := scalar.SetBytes(&s.S); overflow != 0 || scalar.IsOverHalfOrder() || s.Recovery > 1 {
		return Address{}, ErrSignature
	}
	compact := append([]byte{compactBase + s.Recovery}, s.R[:]...)
	public, _, err := ecdsa.RecoverCompact(append(compact, s.S[:]...), digest[:])
	if err != nil {
		return Address{}, ErrSignature
	}
	return AddressOf([65]byte(public.SerializeUncompressed())), nil
}

// Sender returns the account that a signed transaction pays from.
func (t Tx) Sender(s Signature) (Address, error) { return s.Recover(t.SigningHash()) }
