package evm

import (
	"encoding/json"
	"errors"
	"math/big"
	"strings"

	"coldkms/shared/chain"
)

// Numbers of a pending transaction come in three forms: decimal text, text of
// 0x and hex digits, and JSON numbers. web3 takes more (blanks, signs, hex
// digits without 0x, which it reads as decimal where they happen to be digits
// only); two readers of those do not agree, so they are refused.

// maxExact is 2^53-1: JavaScript rounds JSON numbers above it without a word.
const maxExact = 1<<53 - 1

var (
	errNumber  = errors.New("not a whole number of at most 256 bits, in decimal or as 0x… in hex")
	errInexact = errors.New("a JSON number above 2^53-1, which JavaScript rounds: it must be text")
)

// parseNumber reads a number in any of its forms.
func parseNumber(v any) (chain.Amount, error) {
	switch v := v.(type) {
	case json.Number:
		a, err := chain.ParseAmount(v.String()) // no exponent, no fraction
		switch {
		case err != nil:
			return chain.Amount{}, errNumber
		case a.Cmp(chain.NewAmount(maxExact)) > 0:
			return chain.Amount{}, errInexact
		}
		return a, nil
	case string:
		if digits, ok := strings.CutPrefix(v, hexPrefix); ok {
			return parseHexNumber(digits)
		}
		a, err := chain.ParseAmount(v)
		if err != nil {
			return chain.Amount{}, errNumber
		}
		return a, nil
	}
	return chain.Amount{}, errNumber
}

func parseHexNumber(digits string) (chain.Amount, error) {
	if digits == "" || len(digits) > 2*wordSize || strings.Trim(digits, "0123456789abcdefABCDEF") != "" {
		return chain.Amount{}, errNumber
	}
	n, ok := new(big.Int).SetString(digits, 16)
	if !ok {
		return chain.Amount{}, errNumber
	}
	return chain.AmountFromBig(n)
}

// Decimal places of the units that prices and amounts are given in.
const (
	GweiDecimals  = 9
	EtherDecimals = 18
)

// ErrUnits is returned by ToWei.
var ErrUnits = errors.New("not a decimal number with at most as many places as the unit has")

// ToWei reads an amount in a unit of so many decimal places, such as "0.5"
// ether, as web3's toWei does: exactly, and never with more places than the
// unit has. A missing whole part or fraction is zero (".5", "1."). Signs and
// exponents are refused.
func ToWei(text string, places int) (chain.Amount, error) {
	whole, fraction, _ := strings.Cut(text, ".")
	if whole == "" && fraction == "" || len(fraction) > places {
		return chain.Amount{}, ErrUnits
	}
	digits := strings.TrimLeft(whole+fraction+strings.Repeat("0", places-len(fraction)), "0")
	if digits == "" {
		digits = "0"
	}
	a, err := chain.ParseAmount(digits)
	if err != nil {
		return chain.Amount{}, ErrUnits
	}
	return a, nil
}
