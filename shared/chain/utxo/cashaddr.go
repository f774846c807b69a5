package utxo

import (
	"errors"
	"strings"

	"github.com/btcsuite/btcd/address/v2/bech32"
)

// Bitcoin Cash's address format (cashaddr.md of the coin): prefix, ':', and
// in the alphabet of bech32 a version byte, the hash, and a checksum of 40
// bits that also covers the prefix.

// Version bytes: type and size of the hash. Types 2 and 3 name the same scripts
// as 0 and 1 and say that the wallet understands tokens (CHIP-2022-02
// CashTokens); P2SH32 has a hash of 256 bits (CHIP-2022-05).
const (
	cashPubKeyHash      byte = 0x00 // type 0, 160 bits
	cashScriptHash      byte = 0x08 // type 1, 160 bits
	cashScriptHash32    byte = 0x0b // type 1, 256 bits
	cashPubKeyToken     byte = 0x10 // type 2, 160 bits
	cashScriptToken     byte = 0x18 // type 3, 160 bits
	cashScriptHash32Tok byte = 0x1b // type 3, 256 bits

	cashAlphabet  = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
	cashCheckSize = 8 // groups of five bits
)

var errCashAddr = errors.New("not a cashaddr address")

// cashPolymod is the checksum's polynomial division over GF(32).
func cashPolymod(values []byte) uint64 {
	generator := [5]uint64{0x98f2bc8e61, 0x79b76d99e2, 0xf33e5fb3c4, 0xae2eabe2a8, 0x1e4f43e470}
	c := uint64(1)
	for _, v := range values {
		top := byte(c >> 35)
		c = c&0x07ffffffff<<5 ^ uint64(v)
		for i, g := range generator {
			if top>>i&1 == 1 {
				c ^= g
			}
		}
	}
	return c ^ 1
}

// cashExpand returns the low five bits of each letter of the prefix, and the
// zero that stands for the colon.
func cashExpand(prefix string) []byte {
	out := make([]byte, 0, len(prefix)+1)
	for _, c := range []byte(prefix) {
		out = append(out, c&0x1f)
	}
	return append(out, 0)
}

func encodeCashAddr(prefix string, version byte, hash []byte) string {
	groups, err := bech32.ConvertBits(append([]byte{version}, hash...), 8, 5, true)
	if err != nil {
		return "" // does not happen: eight bits always convert with padding
	}
	check := cashPolymod(append(append(cashExpand(prefix), groups...), make([]byte, cashCheckSize)...))
	for i := range cashCheckSize {
		groups = append(groups, byte(check>>(5*(cashCheckSize-1-i)))&0x1f)
	}
	var b strings.Builder
	b.WriteString(prefix)
	b.WriteByte(':')
	for _, g := range groups {
		b.WriteByte(cashAlphabet[g])
	}
	return b.String()
}

// decodeCashAddr reads an address with or without its prefix, in lower or
// upper case but not both.
func decodeCashAddr(prefix, address string) (version byte, hash []byte, err error) {
	lower := strings.ToLower(address)
	if lower != address && strings.ToUpper(address) != address {
		return 0, nil, errCashAddr
	}
	body, named := strings.CutPrefix(lower, prefix+":")
	if !named && strings.Contains(lower, ":") {
		return 0, nil, errCashAddr
	}
	groups := make([]byte, 0, len(body))
	for _, c := range []byte(body) {
		at := strings.IndexByte(cashAlphabet, c)
		if at < 0 || len(groups) > 112 {
			return 0, nil, errCashAddr
		}
		groups = append(groups, byte(at))
	}
	if len(groups) < cashCheckSize || cashPolymod(append(cashExpand(prefix), groups...)) != 0 {
		return 0, nil, errCashAddr
	}
	data, err := bech32.ConvertBits(groups[:len(groups)-cashCheckSize], 5, 8, false)
	if err != nil || len(data) != 21 && len(data) != 33 || (data[0]&7 == 3) != (len(data) == 33) {
		return 0, nil, errCashAddr
	}
	return data[0], data[1:], nil
}
