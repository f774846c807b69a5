package chain

import (
	"fmt"
	"strings"
)

// Coin is a chain on one of its networks. The zero value is no coin.
type Coin struct {
	Chain   ID
	Network Network
}

// String returns the chain and the network, such as "BTC mainnet".
func (c Coin) String() string { return string(c.Chain) + " " + c.Network.String() }

// Compare orders coins by chain, then network.
func (c Coin) Compare(other Coin) int {
	switch {
	case c.Chain < other.Chain, c.Chain == other.Chain && c.Network < other.Network:
		return -1
	case c == other:
		return 0
	}
	return 1
}

// Asset is what can be paid: a coin, or a token of a coin. Assets are compared
// with ==. Symbol and Decimals come from the program's own tables, never from
// a request, so one token has one of each.
type Asset struct {
	Coin
	Token    string // contract, issuer and code, or asset id in the chain's own form; "" for the coin itself
	Symbol   string
	Decimals uint8
}

// maxDecimals bounds Decimals: 10^77 is the highest power of ten in 256 bits.
const maxDecimals = 77

// Format returns an amount of the asset in units of it and in its smallest
// unit, such as "0.00041000 BTC (41000)".
func (a Asset) Format(v Amount) string { return fmt.Sprintf("%s %s (%s)", a.Units(v), a.Symbol, v) }

// Units returns an amount in units of the asset, with all decimals, such as
// "0.00041000".
func (a Asset) Units(v Amount) string {
	digits, places := v.String(), int(min(a.Decimals, maxDecimals))
	if places == 0 {
		return digits
	}
	if missing := places + 1 - len(digits); missing > 0 {
		digits = zeros[:missing] + digits
	}
	point := len(digits) - places
	return digits[:point] + "." + digits[point:]
}

// Parse reads an amount in units, such as "0.25", with no more decimals than the
// asset has.
func (a Asset) Parse(units string) (Amount, error) {
	whole, part, point := strings.Cut(units, ".")
	if places := int(min(a.Decimals, maxDecimals)); point && part == "" || len(part) > places {
		return Amount{}, fmt.Errorf("not a number with at most %d decimals", places)
	} else {
		part += zeros[:places-len(part)]
	}
	digits := strings.TrimLeft(whole+part, "0")
	if digits == "" && whole != "" {
		digits = "0"
	}
	return ParseAmount(digits)
}

// zeros has one more zero than any asset has decimals.
const zeros = "000000000000000000000000000000000000000000000000000000000000000000000000000000"
