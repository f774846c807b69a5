package chain

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/big"
	"math/bits"
	"reflect"
	"strconv"
)

// Amount is an unsigned integer of 256 bits in an asset's smallest unit, such
// as satoshi or wei. The zero value is 0. Amounts are compared with ==.
type Amount struct {
	limbs [4]uint64 // least significant first
}

// maxDigits is the length of 2^256-1 in decimal, and maxDigits64 that of 2^64-1.
const (
	maxDigits   = 78
	maxDigits64 = 20
)

// MaxAmount is 2^256-1.
func MaxAmount() Amount {
	const all = ^uint64(0)
	return Amount{[4]uint64{all, all, all, all}}
}

// NewAmount returns v as an Amount.
func NewAmount(v uint64) Amount { return Amount{[4]uint64{v}} }

// AmountOf returns v as an Amount; ok is false if v is negative.
func AmountOf(v int64) (a Amount, ok bool) {
	if v < 0 {
		return Amount{}, false
	}
	return NewAmount(uint64(v)), true
}

// ErrAmount is returned for text that is not an Amount in its one form.
var ErrAmount = errors.New("not an integer of at most 256 bits in decimal")

// ParseAmount reads a decimal integer without sign, blanks or leading zeros.
func ParseAmount(s string) (Amount, error) {
	if len(s) == 0 || len(s) > maxDigits || s[0] == '0' && len(s) > 1 {
		return Amount{}, ErrAmount
	}
	for _, c := range []byte(s) {
		if c < '0' || c > '9' {
			return Amount{}, ErrAmount
		}
	}
	if len(s) < maxDigits64 {
		n, err := strconv.ParseUint(s, 10, 64)
		return NewAmount(n), err
	}
	n, _ := new(big.Int).SetString(s, 10)
	return AmountFromBig(n)
}

// AmountFromBig returns n as an Amount, or ErrAmount if n is negative or has
// more than 256 bits.
func AmountFromBig(n *big.Int) (Amount, error) {
	if n.Sign() < 0 || n.BitLen() > 256 {
		return Amount{}, ErrAmount
	}
	var bytes [32]byte
	n.FillBytes(bytes[:])
	return AmountFromBytes(bytes), nil
}

// AmountFromBytes reads 32 bytes, the most significant first.
func AmountFromBytes(b [32]byte) (a Amount) {
	for i, c := range b {
		at := (len(b) - 1 - i) / 8
		a.limbs[at] = a.limbs[at]<<8 | uint64(c)
	}
	return a
}

// Bytes returns 32 bytes, the most significant first.
func (a Amount) Bytes() (b [32]byte) {
	for i := range b {
		at := len(b) - 1 - i
		b[i] = byte(a.limbs[at/8] >> (8 * (at % 8)))
	}
	return b
}

// Big returns a as a new big.Int.
func (a Amount) Big() *big.Int {
	b := a.Bytes()
	return new(big.Int).SetBytes(b[:])
}

// Int64 returns a as an int64; ok is false if it does not fit.
func (a Amount) Int64() (v int64, ok bool) {
	v = int64(a.limbs[0])
	return v, v >= 0 && a.limbs[1]|a.limbs[2]|a.limbs[3] == 0
}

// IsZero reports whether a is 0.
func (a Amount) IsZero() bool { return a == Amount{} }

// Cmp returns -1, 0 or 1 as a is less than, equal to or greater than b.
func (a Amount) Cmp(b Amount) int {
	for i := len(a.limbs) - 1; i >= 0; i-- {
		switch {
		case a.limbs[i] < b.limbs[i]:
			return -1
		case a.limbs[i] > b.limbs[i]:
			return 1
		}
	}
	return 0
}

// Add returns a + b; ok is false if the sum does not fit.
func (a Amount) Add(b Amount) (sum Amount, ok bool) {
	var carry uint64
	for i := range a.limbs {
		sum.limbs[i], carry = bits.Add64(a.limbs[i], b.limbs[i], carry)
	}
	return sum, carry == 0
}

// Sub returns a - b; ok is false if b is greater than a.
func (a Amount) Sub(b Amount) (difference Amount, ok bool) {
	var borrow uint64
	for i := range a.limbs {
		difference.limbs[i], borrow = bits.Sub64(a.limbs[i], b.limbs[i], borrow)
	}
	return difference, borrow == 0
}

// Plus returns a + b, or MaxAmount if the sum does not fit: a sum for limits,
// which none of them reaches.
func (a Amount) Plus(b Amount) Amount {
	if sum, ok := a.Add(b); ok {
		return sum
	}
	return MaxAmount()
}

// Minus returns a - b, or 0 if b is greater than a.
func (a Amount) Minus(b Amount) Amount {
	if difference, ok := a.Sub(b); ok {
		return difference
	}
	return Amount{}
}

// Times returns a · n; ok is false if the product does not fit.
func (a Amount) Times(n uint64) (product Amount, ok bool) {
	var carry uint64
	for i, limb := range a.limbs {
		high, low := bits.Mul64(limb, n)
		var over uint64
		product.limbs[i], over = bits.Add64(low, carry, 0)
		carry = high + over // high is at most 2^64-2
	}
	return product, carry == 0
}

// Per returns a / size, rounded up: an amount for each unit of size, such as
// satoshi for each vB. For a size of 0 or less it returns a.
func (a Amount) Per(size int64) Amount {
	if size <= 1 {
		return a
	}
	var quotient Amount
	var rest uint64
	for i := len(a.limbs) - 1; i >= 0; i-- {
		quotient.limbs[i], rest = bits.Div64(rest, a.limbs[i], uint64(size))
	}
	if rest > 0 {
		quotient = quotient.Plus(NewAmount(1))
	}
	return quotient
}

// Octave is one doubling in what Log2 returns.
const Octave = 256

// Log2 returns the binary logarithm of a in 1/256, rounded down, and 0 for 0:
// amounts of any size as small integers whose differences are ratios.
func (a Amount) Log2() int64 {
	top := len(a.limbs) - 1
	for top > 0 && a.limbs[top] == 0 {
		top--
	}
	if a.limbs[top] == 0 {
		return 0
	}
	shift := bits.LeadingZeros64(a.limbs[top])
	mantissa := a.limbs[top] << shift
	if top > 0 && shift > 0 {
		mantissa |= a.limbs[top-1] >> (64 - shift)
	}
	log := int64(64*top + 63 - shift)
	for range 8 { // a bit of the fraction each: squaring doubles the logarithm
		high, _ := bits.Mul64(mantissa, mantissa)
		log <<= 1
		if high>>63 == 1 {
			log |= 1
			mantissa = high
		} else {
			mantissa = high << 1
		}
	}
	return log
}

// AbovePercent reports whether a is more than percent % of whole.
func (a Amount) AbovePercent(percent int64, whole Amount) bool {
	left := new(big.Int).Mul(a.Big(), big.NewInt(100))
	right := new(big.Int).Mul(whole.Big(), big.NewInt(percent))
	return left.Cmp(right) > 0
}

// String returns a in decimal.
func (a Amount) String() string {
	if a.limbs[1]|a.limbs[2]|a.limbs[3] == 0 {
		return strconv.FormatUint(a.limbs[0], 10)
	}
	return a.Big().String()
}

// Format implements fmt.Formatter: every verb writes what String returns.
func (a Amount) Format(s fmt.State, _ rune) { _, _ = io.WriteString(s, a.String()) }

// MarshalJSON writes a as a JSON number with all its digits.
func (a Amount) MarshalJSON() ([]byte, error) { return []byte(a.String()), nil }

// UnmarshalJSON reads what MarshalJSON writes, and nothing else.
func (a *Amount) UnmarshalJSON(text []byte) (err error) {
	if *a, err = ParseAmount(string(text)); err != nil {
		what := "number " + string(text)
		if text[0] == '"' {
			what = "string"
		}
		return &json.UnmarshalTypeError{Value: what, Type: reflect.TypeFor[Amount]()} // encoding/json adds the field
	}
	return nil
}
