package xrp

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"slices"
	"strings"

	btcaddr "github.com/btcsuite/btcd/address/v2"

	"coldkms/shared/chain"
)

// Account is an account's id: RIPEMD-160 of SHA-256 of its master public key.
type Account [20]byte

// PublicKey is a key in the form of SigningPubKey: a compressed point of
// secp256k1, or ED and a key of Ed25519.
type PublicKey [33]byte

// Account returns the account whose master key it is.
func (k PublicKey) Account() Account { return Account(btcaddr.Hash160(k[:])) }

// ErrAddress is returned for what is no address of the XRP Ledger.
var ErrAddress = errors.New("not an address of the XRP Ledger")

// accountVersion is the byte before an account's id.
const accountVersion = 0

// String returns the classic address, r….
func (a Account) String() string { return EncodeBase58([]byte{accountVersion}, a[:]) }

// IsSpecial reports whether a is one of the two accounts that nobody has a key
// of and that a program may make by mistake: ACCOUNT_ZERO and ACCOUNT_ONE.
func (a Account) IsSpecial() bool { return a == Account{} || a == Account{19: 1} }

// ParseAccount reads a classic address.
func ParseAccount(text string) (Account, error) {
	b, err := DecodeBase58([]byte(text), []byte{accountVersion}, len(Account{}))
	if err != nil {
		return Account{}, ErrAddress
	}
	return Account(b), nil
}

// prefixX returns the two bytes before an X-address of a network (XLS-5d).
func prefixX(n chain.Network) []byte {
	if n == chain.Mainnet {
		return []byte{0x05, 0x44}
	}
	return []byte{0x04, 0x93}
}

// sizeX is the size of an account, a flag, and a tag of 64 bits.
const sizeX = len(Account{}) + 1 + 8

// ParseX reads an X-address (X…, T…) of a network: an account, and a tag or
// none. One of the other network is refused as such.
func ParseX(text string, n chain.Network) (a Account, tag Number, err error) {
	b, err := DecodeBase58([]byte(text), prefixX(n), sizeX)
	if err != nil {
		for _, other := range []chain.Network{chain.Mainnet, chain.Testnet} {
			if _, err := DecodeBase58([]byte(text), prefixX(other), sizeX); err == nil {
				return a, tag, chain.Refuse(chain.WrongNetwork, "the X-address %.60q is of %s", text, other)
			}
		}
		return a, tag, ErrAddress
	}
	a, b = Account(b[:len(a)]), b[len(a):]
	low, high := binary.LittleEndian.Uint32(b[1:]), binary.LittleEndian.Uint32(b[5:])
	if b[0] > 1 || high != 0 || b[0] == 0 && low != 0 {
		return a, tag, ErrAddress
	}
	return a, Number{low, b[0] == 1}, nil
}

// X returns the X-address of an account and a tag on a network.
func (a Account) X(tag Number, n chain.Network) string {
	b := append([]byte{}, a[:]...)
	if tag.Stated {
		b = append(b, 1)
	} else {
		b = append(b, 0)
	}
	b = binary.LittleEndian.AppendUint32(b, tag.Value)
	return EncodeBase58(prefixX(n), append(b, 0, 0, 0, 0))
}

// alphabet is the XRP Ledger's order of the 58 characters.
const alphabet = "rpshnaf39wBUDNEGHJKLM4PQRST7VWXYZ2bcdeCg65jkm8oFqi1tuvAxyz"

const (
	checksumSize = 4
	maxBase58    = 64 // characters: X-addresses have 47
)

func checksum(b []byte) []byte {
	first := sha256.Sum256(b)
	second := sha256.Sum256(first[:])
	return second[:checksumSize]
}

// EncodeBase58 returns prefix, payload and a checksum in the XRP Ledger's
// base 58.
func EncodeBase58(prefix, payload []byte) string {
	b := slices.Concat(prefix, payload)
	b = append(b, checksum(b)...)
	var digits []byte // least significant first
	for _, c := range b {
		carry := int(c)
		for i := range digits {
			carry += int(digits[i]) << 8
			digits[i] = byte(carry % 58)
			carry /= 58
		}
		for ; carry > 0; carry /= 58 {
			digits = append(digits, byte(carry%58))
		}
	}
	for i := 0; i < len(b) && b[i] == 0; i++ {
		digits = append(digits, 0)
	}
	slices.Reverse(digits)
	for i, d := range digits {
		digits[i] = alphabet[d]
	}
	return string(digits)
}

// DecodeBase58 reads what EncodeBase58 writes for a prefix and a payload of a
// size, and returns the payload. Nothing of the text is in the error: it may be
// a secret. What it worked with is overwritten.
func DecodeBase58(text, prefix []byte, size int) ([]byte, error) {
	if len(text) == 0 || len(text) > maxBase58 {
		return nil, ErrAddress
	}
	want := len(prefix) + size + checksumSize
	b := make([]byte, want)
	defer clear(b)
	zeros := 0
	for i, c := range text {
		carry := strings.IndexByte(alphabet, c)
		if carry < 0 {
			return nil, ErrAddress
		}
		if carry == 0 && zeros == i {
			zeros++
		}
		for k := want - 1; k >= 0; k-- {
			carry += int(b[k]) * 58
			b[k] = byte(carry)
			carry >>= 8
		}
		if carry != 0 {
			return nil, ErrAddress
		}
	}
	leading := 0
	for leading < want && b[leading] == 0 {
		leading++
	}
	body := b[:want-checksumSize]
	if zeros != leading || !bytes.HasPrefix(b, prefix) || !bytes.Equal(checksum(body), b[len(body):]) {
		return nil, ErrAddress
	}
	return bytes.Clone(body[len(prefix):]), nil
}
