package egld

import (
	"errors"

	"github.com/btcsuite/btcd/address/v2/bech32"
)

// Address is an account: a public key of Ed25519, or a contract's number.
type Address [32]byte

const hrp = "erd"

// ErrAddress is returned for text that is no address of MultiversX.
var ErrAddress = errors.New("not an address of MultiversX (erd1…)")

// Addresses of index 0 of the empty mnemonic. Tatum KMS shows them as the
// address of every wallet (getaddress), whatever its words are. Everybody can
// derive their keys: whatever was paid to them is lost or will be. They are
// here to warn of, and are nobody's address.
const (
	EmptyWordsMainnet = "erd1r45ugr3q9wrtftyv3d6wfz9l42wj553l9x6u39q7mqh0pxl5j9tsnde9hx"
	EmptyWordsTestnet = "erd1yqt755wvr33vpr6586smn7mpq4jx365kpd353qfd2xuy5vwaa9ts3r69sj"
)

// IsEmptyWords reports whether the address is one of those that Tatum KMS shows
// for every wallet.
func (a Address) IsEmptyWords() bool {
	text := a.String()
	return text == EmptyWordsMainnet || text == EmptyWordsTestnet
}

// IsZero reports whether a is the address that nobody has a key of.
func (a Address) IsZero() bool { return a == Address{} }

// contractZeros is how many zero bytes a contract's address begins with.
const contractZeros = 8

// IsContract reports whether the address is a contract's, such as one of the
// system.
func (a Address) IsContract() bool {
	return [contractZeros]byte(a[:contractZeros]) == [contractZeros]byte{}
}

// String returns the address in bech32 (BIP 173), erd1….
func (a Address) String() string {
	groups, err := bech32.ConvertBits(a[:], 8, 5, true)
	if err != nil {
		return "" // does not happen: 32 bytes are 52 groups
	}
	text, err := bech32.Encode(hrp, groups)
	if err != nil {
		return ""
	}
	return text
}

// ParseAddress reads erd1… in lower case.
func ParseAddress(text string) (Address, error) {
	got, groups, form, err := bech32.DecodeGeneric(text)
	if err != nil || got != hrp || form != bech32.Version0 {
		return Address{}, ErrAddress
	}
	b, err := bech32.ConvertBits(groups, 5, 8, false)
	if err != nil || len(b) != len(Address{}) || Address(b).String() != text {
		return Address{}, ErrAddress
	}
	return Address(b), nil
}
