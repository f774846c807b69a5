package utxo

import (
	"crypto/sha256"

	"github.com/decred/dcrd/dcrec/secp256k1/v4"
)

// Bitcoin Cash's Schnorr signatures of May 2019 (specification
// 2019-05-15-schnorr.md of the coin). They are older than BIP 340 and unlike
// it: the whole public key is hashed, without tags, and the nonce's y must be
// a quadratic residue.

// SchnorrChallenge2019 is e = SHA-256(r ‖ compressed public key ‖ digest) as
// a scalar.
func SchnorrChallenge2019(r *[32]byte, public *secp256k1.PublicKey, digest []byte) *secp256k1.ModNScalar {
	h := sha256.New()
	h.Write(r[:])
	h.Write(public.SerializeCompressed())
	h.Write(digest)
	var e secp256k1.ModNScalar
	e.SetByteSlice(h.Sum(nil))
	return &e
}

// IsQuadraticResidue reports whether a field element has a square root: whether
// its Jacobi symbol is 1.
func IsQuadraticResidue(y *secp256k1.FieldVal) bool {
	var root secp256k1.FieldVal
	return root.SquareRootVal(y)
}

// verifySchnorr2019 checks a signature of 64 bytes, r and s.
func verifySchnorr2019(sig []byte, public *secp256k1.PublicKey, digest []byte) bool {
	if len(sig) != schnorrLen || len(digest) != sha256.Size {
		return false
	}
	r := [32]byte(sig)
	var x secp256k1.FieldVal
	var s secp256k1.ModNScalar
	if x.SetByteSlice(r[:]) || s.SetByteSlice(sig[32:]) { // not below the field's or the group's order
		return false
	}
	e := SchnorrChallenge2019(&r, public, digest)
	var p, sG, eP, nonce secp256k1.JacobianPoint
	public.AsJacobian(&p)
	secp256k1.ScalarBaseMultNonConst(&s, &sG)
	secp256k1.ScalarMultNonConst(e.Negate(), &p, &eP)
	secp256k1.AddNonConst(&sG, &eP, &nonce)
	if nonce.Z.Normalize().IsZero() {
		return false
	}
	nonce.ToAffine()
	return IsQuadraticResidue(&nonce.Y) && nonce.X.Equals(&x)
}
