package tron

import (
	"encoding/hex"
	"errors"
	"strings"

	"github.com/btcsuite/btcd/address/v2/base58"

	"coldkms/shared/chain/evm"
)

// Address is an account or a contract: the 20 bytes that the same public key
// has on Ethereum. All forms put the byte 41 before them.
type Address evm.Address

// version is the byte before an address, on the main network and on all others.
const version = 0x41

// versioned is the size of an address with its version.
const versioned = 1 + len(Address{})

// ErrAddress is returned for what is no address of TRON.
var ErrAddress = errors.New("not an address of TRON")

// IsZero reports whether a is the address that nobody has a key of.
func (a Address) IsZero() bool { return a == Address{} }

// String returns the form that people know: base58check, 34 letters, T….
func (a Address) String() string { return base58.CheckEncode(a[:], version) }

// Bytes returns 21 bytes, the form in transactions.
func (a Address) Bytes() []byte { return append([]byte{version}, a[:]...) }

// Hex returns 42 hex digits, 41…, the form in JSON.
func (a Address) Hex() string { return hex.EncodeToString(a.Bytes()) }

// ParseAddress reads T… (base58check) or 41… (42 hex digits in lower case).
func ParseAddress(text string) (Address, error) {
	if len(text) == 2*versioned {
		b, err := hex.DecodeString(text)
		if err != nil || text != strings.ToLower(text) {
			return Address{}, ErrAddress
		}
		return addressOf(b)
	}
	b, v, err := base58.CheckDecode(text)
	if err != nil || v != version || len(b) != len(Address{}) || Address(b).String() != text {
		return Address{}, ErrAddress
	}
	return Address(b), nil
}

// addressOf reads the form in transactions.
func addressOf(b []byte) (Address, error) {
	if len(b) != versioned || b[0] != version {
		return Address{}, ErrAddress
	}
	return Address(b[1:]), nil
}
