package identity

import (
	"bytes"
	"encoding/hex"
	"errors"
	"slices"
)

// ErrWeakKey is returned for a public key under which anybody can sign, or that
// is not in its one encoding.
var ErrWeakKey = errors.New("not a public key that anybody holds the secret of: anyone could sign for it")

// Check returns ErrWeakKey for a point of small order and for an encoding that is
// not canonical (RFC 8032, 5.1.3). Ed25519 verifies signatures by such keys that
// nobody made with a secret: of an all-zero key every fourth message's.
func (p Public) Check() error {
	y := p // the y coordinate, little-endian; the highest bit is the sign of x
	y[31] &= 0x7f
	slices.Reverse(y[:])
	if bytes.Compare(y[:], fieldPrime()) >= 0 {
		return ErrWeakKey
	}
	if slices.Contains(smallOrder[:], hex.EncodeToString(y[:])) {
		return ErrWeakKey
	}
	return nil
}

// fieldPrime is 2^255 - 19, big-endian.
func fieldPrime() []byte {
	p := bytes.Repeat([]byte{0xff}, len(Public{}))
	p[0], p[31] = 0x7f, 0xed
	return p
}

// smallOrder has the y coordinates, big-endian, of all points whose order divides
// eight: of order 4, 1, 2, and twice 8.
var smallOrder = [...]string{
	"0000000000000000000000000000000000000000000000000000000000000000",
	"0000000000000000000000000000000000000000000000000000000000000001",
	"7fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffec",
	"05fc536d880238b13933c6d305acdfd5f098eff289f4c345b027b2c28f95e826",
	"7a03ac9277fdc74ec6cc392cfa53202a0f67100d760b3cba4fd84d3d706a17c7",
}
