package evm

import (
	"encoding/hex"
	"errors"
	"strings"

	"github.com/btcsuite/btcd/address/v2/bech32"

	"coldkms/shared/chain"
)

// Address is an account or a contract: the last 20 bytes of the Keccak-256 of
// the public key, or of what made the contract.
type Address [20]byte

// ErrAddress is returned for text that is no address of the chain.
var ErrAddress = errors.New("not an address of this chain")

// ErrChecksum is returned for an address whose mixed case is not that of
// EIP-55: a letter of it was mistyped or altered.
var ErrChecksum = errors.New("an address with a wrong checksum (EIP-55)")

// Prefixes of other forms of an address.
const (
	hexPrefix  = "0x"
	xdcPrefix  = "xdc"
	oneHRP     = "one"
	oneDivider = "1"
)

// IsZero reports whether a is the zero address.
func (a Address) IsZero() bool { return a == Address{} }

// Hex returns 0x and 40 digits in lower case, the form that Tatum shows.
func (a Address) Hex() string { return hexPrefix + hex.EncodeToString(a[:]) }

// String returns the address with the checksum of EIP-55 in the case of its
// letters.
func (a Address) String() string { return hexPrefix + a.checksummed() }

// checksummed returns 40 digits; a letter is a capital where the digit at its
// place in the Keccak-256 of the lower-case text is 8 or more.
func (a Address) checksummed() string {
	text := []byte(hex.EncodeToString(a[:]))
	sum := Keccak256(text)
	for i, c := range text {
		if nibble := sum[i/2] >> (4 * (1 - i%2)) & 0xf; c >= 'a' && nibble >= 8 {
			text[i] = c - 'a' + 'A'
		}
	}
	return string(text)
}

// Text returns the form in which people know addresses of the chain: xdc… in
// lower case for XDC, else that of String.
func (a Address) Text(id chain.ID) string {
	if id == "XDC" {
		return xdcPrefix + hex.EncodeToString(a[:])
	}
	return a.String()
}

// One returns Harmony's form: bech32 (BIP 173) with prefix "one", on both
// networks.
func (a Address) One() string {
	groups, err := bech32.ConvertBits(a[:], 8, 5, true)
	if err != nil {
		return "" // does not happen: 20 bytes are 32 groups
	}
	text, err := bech32.Encode(oneHRP, groups)
	if err != nil {
		return ""
	}
	return text
}

// ParseAddress reads an address of a chain: 0x… on all, xdc… on XDC, one1… on
// ONE. Hex digits are all in lower case, all in upper case, or in the case of
// EIP-55. The prefix is only one where it begins the text: 0xdc… is no xdc….
// ICAP (XE…) and digits without prefix are refused.
func ParseAddress(id chain.ID, text string) (Address, error) {
	if digits, ok := strings.CutPrefix(text, hexPrefix); ok {
		return parseDigits(digits)
	}
	if digits, ok := strings.CutPrefix(text, xdcPrefix); ok && id == "XDC" {
		return parseDigits(digits)
	}
	if strings.HasPrefix(text, oneHRP+oneDivider) && id == "ONE" {
		return parseOne(text)
	}
	return Address{}, ErrAddress
}

func parseDigits(digits string) (a Address, err error) {
	if len(digits) != hex.EncodedLen(len(a)) {
		return Address{}, ErrAddress
	}
	if _, err := hex.Decode(a[:], []byte(digits)); err != nil {
		return Address{}, ErrAddress
	}
	switch digits {
	case strings.ToLower(digits), strings.ToUpper(digits), a.checksummed():
		return a, nil
	}
	return Address{}, ErrChecksum
}

func parseOne(text string) (Address, error) {
	hrp, groups, form, err := bech32.DecodeGeneric(text)
	if err != nil || hrp != oneHRP || form != bech32.Version0 {
		return Address{}, ErrAddress
	}
	b, err := bech32.ConvertBits(groups, 5, 8, false)
	if err != nil || len(b) != len(Address{}) || Address(b).One() != text {
		return Address{}, ErrAddress
	}
	return Address(b), nil
}

// AddressOf returns the address of a public key in its uncompressed form of 65
// bytes (SEC 1).
func AddressOf(public [65]byte) Address {
	sum := Keccak256(public[1:])
	return Address(sum[12:])
}
