package algo

import (
	"crypto/sha512"
	"encoding/base32"
	"errors"
)

// Address is an account: a public key of Ed25519.
type Address [32]byte

// checksumSize is how many bytes of the hash stand behind an address.
const checksumSize = 4

// ErrAddress is returned for text that is no address of Algorand.
var ErrAddress = errors.New("not an address of Algorand (58 capitals and digits)")

func encoding() *base32.Encoding { return base32.StdEncoding.WithPadding(base32.NoPadding) }

// IsZero reports whether a is the address that nobody has a key of.
func (a Address) IsZero() bool { return a == Address{} }

// Checksum returns the last 4 bytes of the SHA-512/256 of the key.
func (a Address) Checksum() (sum [checksumSize]byte) {
	h := sha512.Sum512_256(a[:])
	copy(sum[:], h[len(h)-checksumSize:])
	return sum
}

// String returns 58 letters: the key and its checksum in base32.
func (a Address) String() string {
	sum := a.Checksum()
	return encoding().EncodeToString(append(a[:], sum[:]...))
}

// ParseAddress reads what String returns, and nothing else.
func ParseAddress(text string) (Address, error) {
	b, err := encoding().DecodeString(text)
	if err != nil || len(b) != len(Address{})+checksumSize {
		return Address{}, ErrAddress
	}
	a := Address(b[:len(Address{})])
	if a.String() != text {
		return Address{}, ErrAddress
	}
	return a, nil
}
