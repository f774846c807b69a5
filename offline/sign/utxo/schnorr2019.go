package utxo

import (
	"crypto/hmac"
	"crypto/sha256"

	"github.com/decred/dcrd/dcrec/secp256k1/v4"

	"coldkms/shared/chain/utxo"
)

// algorithm2019 keeps these nonces apart from those of ECDSA, which would
// otherwise be the same for the same digest and give the key away.
const algorithm2019 = "Schnorr+SHA256  "

// signSchnorr2019 signs a digest for Bitcoin Cash (specification
// 2019-05-15-schnorr.md) as Tatum's library does, byte for byte: the nonce by
// RFC 6979 with the algorithm's name as additional data.
func signSchnorr2019(private *secp256k1.PrivateKey, digest []byte) []byte {
	secret := private.Key.Bytes()
	defer clear(secret[:])
	k := nonce2019(secret[:], digest)
	defer k.Zero()
	var point secp256k1.JacobianPoint
	secp256k1.ScalarBaseMultNonConst(k, &point)
	point.ToAffine()
	if !utxo.IsQuadraticResidue(&point.Y) {
		k.Negate()
	}
	r := *point.X.Bytes()
	e := utxo.SchnorrChallenge2019(&r, private.PubKey(), digest)
	s := e.Mul(&private.Key).Add(k) // k + e·d
	sb := s.Bytes()
	return append(r[:], sb[:]...)
}

// nonce2019 is the nonce of RFC 6979, section 3.2, over SHA-256, with the
// algorithm's 16 bytes as additional data (section 3.6). The library's own
// generator puts 32 zero bytes before them, which gives another nonce.
func nonce2019(secret, digest []byte) *secp256k1.ModNScalar {
	var h secp256k1.ModNScalar
	h.SetByteSlice(digest) // bits2octets: reduced modulo the group's order
	reduced := h.Bytes()
	v, key := make([]byte, sha256.Size), make([]byte, sha256.Size)
	for i := range v {
		v[i] = 1
	}
	mac := func(parts ...[]byte) []byte {
		m := hmac.New(sha256.New, key)
		for _, p := range parts {
			m.Write(p)
		}
		return m.Sum(nil)
	}
	for _, step := range []byte{0, 1} {
		key = mac(v, []byte{step}, secret, reduced[:], []byte(algorithm2019))
		v = mac(v)
	}
	for {
		v = mac(v)
		var k secp256k1.ModNScalar
		if overflow := k.SetByteSlice(v); !overflow && !k.IsZero() {
			return &k
		}
		key = mac(v, []byte{0})
		v = mac(v)
	}
}
