package xrp

import (
	"encoding/hex"
	"fmt"
	"math/big"
	"strconv"
	"strings"

	"coldkms/shared/chain"
)

// Decimals is the number of decimals in which amounts of issued currencies are
// counted. The ledger has floating decimals of 16 digits; a payment that is not
// a whole number of 10^-30, or above 2^256 of them, is refused.
const Decimals = 30

// XRPDecimals is the number of decimals of XRP: 1 XRP is 10^6 drops.
const XRPDecimals = 6

// Currency is the code of an issued currency.
type Currency [20]byte

// Where a code of three characters stands. All other bytes are zero.
const (
	codeAt  = 12
	codeEnd = 15
)

const codeLetters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789?!@#$%^&*<>(){}[]|"

// String returns the three characters, or 40 hex digits in upper case. No other
// text is made of a code: whoever issues a currency chooses it.
func (c Currency) String() string {
	short := string(c[codeAt:codeEnd])
	if c == (Currency{12: short[0], 13: short[1], 14: short[2]}) && isCode(short) {
		return short
	}
	return strings.ToUpper(hex.EncodeToString(c[:]))
}

func isCode(s string) bool {
	return len(s) == codeEnd-codeAt && strings.Trim(s, codeLetters) == ""
}

func (c Currency) check() error {
	if s := c.String(); s == "XRP" || c == (Currency{}) {
		return malformed("an issued currency named XRP")
	}
	return nil
}

func parseCurrency(s string) (c Currency, err error) {
	if isCode(s) {
		copy(c[codeAt:], s)
		return c, c.check()
	}
	b, err := hex.DecodeString(s)
	if err != nil || len(b) != len(c) || strings.ToUpper(s) != s {
		return c, malformed("currency %.50q is neither three characters nor 40 hex digits in upper case", s)
	}
	c = Currency(b)
	return c, c.check()
}

// Amount is drops of XRP, or a value of an issued currency: a currency and its
// issuer together are the asset.
type Amount struct {
	Issued   bool
	Drops    uint64 // of XRP
	Value    Value  // of an issued currency
	Currency Currency
	Issuer   Account
}

// Quantity returns an amount in drops, or in 10^-30 of an issued currency; ok
// is false if it is not a whole number of at most 256 bits of that.
func (a Amount) Quantity() (q chain.Amount, ok bool) {
	if !a.Issued {
		return chain.NewAmount(a.Drops), true
	}
	return a.Value.Quantity()
}

// Token names the asset for chain.Asset: "" for XRP, else code and issuer.
func (a Amount) Token() string {
	if !a.Issued {
		return ""
	}
	return a.Currency.String() + "." + a.Issuer.String()
}

// String returns the amount in XRP, or value, currency and issuer.
func (a Amount) String() string {
	if !a.Issued {
		return chain.Asset{Symbol: "XRP", Decimals: XRPDecimals}.Format(chain.NewAmount(a.Drops))
	}
	return fmt.Sprintf("%s %s of issuer %s", a.Value, a.Currency, a.Issuer)
}

// Value is a decimal, Mantissa × 10^Exponent, in the one form of the ledger:
// zero, or a mantissa of 16 digits.
type Value struct {
	Mantissa uint64
	Exponent int
}

// Bounds of Value.
const (
	leastMantissa = 1_000_000_000_000_000
	mostMantissa  = 9_999_999_999_999_999
	mantissaSize  = 16
	leastExponent = -96
	mostExponent  = 80
	maxValueText  = 200
)

// Quantity returns the value in 10^-30; ok is false if it is not a whole number
// of at most 256 bits of that.
func (v Value) Quantity() (q chain.Amount, ok bool) {
	n, shift := new(big.Int).SetUint64(v.Mantissa), v.Exponent+Decimals
	power := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(max(shift, -shift))), nil)
	if shift >= 0 {
		n.Mul(n, power)
	} else if _, rest := n.QuoRem(n, power, new(big.Int)); rest.Sign() != 0 {
		return q, false
	}
	q, err := chain.AmountFromBig(n)
	return q, err == nil
}

// String returns the value in decimal, with all digits and no others.
func (v Value) String() string {
	if v.Mantissa == 0 {
		return "0"
	}
	digits := strconv.FormatUint(v.Mantissa, 10)
	if v.Exponent >= 0 {
		return digits + strings.Repeat("0", v.Exponent)
	}
	if missing := 1 - v.Exponent - len(digits); missing > 0 {
		digits = strings.Repeat("0", missing) + digits
	}
	point := len(digits) + v.Exponent
	return strings.TrimSuffix(digits[:point]+"."+strings.TrimRight(digits[point:], "0"), ".")
}

func (v Value) check() error {
	if v == (Value{}) || v.Mantissa >= leastMantissa && v.Mantissa <= mostMantissa && v.Exponent >= leastExponent && v.Exponent <= mostExponent {
		return nil
	}
	return malformed("a value that is not in the ledger's one form")
}

// ParseValue reads a decimal, such as 12.5 or 1.25e+20, of at most 16
// significant digits.
func ParseValue(s string) (v Value, err error) {
	bad := malformed("value %.40q is no decimal of at most %d digits that the ledger can hold", s, mantissaSize)
	number, exponent, scientific := strings.Cut(strings.ToLower(s), "e")
	whole, fraction, point := strings.Cut(number, ".")
	switch {
	case len(s) > maxValueText, !isDigits(whole), point && !isDigits(fraction), whole[0] == '0' && len(whole) > 1:
		return v, bad
	}
	e := 0
	if scientific {
		if e, err = strconv.Atoi(exponent); err != nil || max(e, -e) > maxValueText {
			return v, bad
		}
	}
	e -= len(fraction)
	digits := strings.TrimLeft(whole+fraction, "0")
	if digits == "" {
		return Value{}, nil
	}
	short := strings.TrimRight(digits, "0")
	e += len(digits) - len(short)
	if len(short) > mantissaSize {
		return v, bad
	}
	e -= mantissaSize - len(short)
	short += strings.Repeat("0", mantissaSize-len(short))
	if v.Mantissa, err = strconv.ParseUint(short, 10, 64); err != nil {
		return Value{}, bad
	}
	v.Exponent = e
	if v.check() != nil {
		return Value{}, bad
	}
	return v, nil
}

func isDigits(s string) bool { return s != "" && strings.Trim(s, "0123456789") == "" }
