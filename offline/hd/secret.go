package hd

import "coldkms/shared/chain"

// Curve is what a private key is for.
type Curve uint8

// The curves.
const (
	UnknownCurve Curve = iota
	Secp256k1
	Ed25519
)

// String returns the usual name.
func (c Curve) String() string {
	switch c {
	case Secp256k1:
		return "secp256k1"
	case Ed25519:
		return "Ed25519"
	}
	return "unknown curve"
}

// Secret is a private key. The zero value is none.
type Secret struct {
	Curve Curve
	Bytes []byte
}

// On returns the bytes of a key for a curve. Any other is refused: the same bytes
// signed with on two curves may give the key away.
func (s Secret) On(c Curve) ([]byte, error) {
	if s.Curve != c || c == UnknownCurve {
		return nil, chain.Refuse(chain.NoKeyForInput, "the key is for %s, and %s is needed", s.Curve, c)
	}
	return s.Bytes, nil
}

// Wipe overwrites the key.
func (s Secret) Wipe() { clear(s.Bytes) }
