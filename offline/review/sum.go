package review

import (
	"fmt"
	"math/big"

	"coldkms/shared/chain"
)

// unit is one coin in smallest units: every coin of the family has eight
// decimals.
const unit = 100_000_000

// Sum adds amounts up, in smallest units. It cannot overflow: one transaction
// of a coin without a supply may come close to the highest int64.
type Sum struct{ n big.Int }

// Add adds one amount.
func (s *Sum) Add(value int64) {
	var v big.Int
	s.n.Add(&s.n, v.SetInt64(value))
}

// Cmp compares two sums, as big.Int.Cmp.
func (s *Sum) Cmp(other *Sum) int { return s.n.Cmp(&other.n) }

// Sign is -1, 0 or 1, as that of a big.Int.
func (s *Sum) Sign() int { return s.n.Sign() }

// String returns the smallest units.
func (s *Sum) String() string { return s.n.String() }

// MarshalJSON returns the smallest units as a number, of any size.
func (s *Sum) MarshalJSON() ([]byte, error) { return []byte(s.n.String()), nil }

// Coins returns the sum in coins and as it is, as Amount does.
func (s *Sum) Coins(id chain.ID) string {
	return fmt.Sprintf("%s %s (%s)", s.decimal(), id, s.n.String())
}

// decimal returns coins with eight decimals.
func (s *Sum) decimal() string {
	var whole, rest big.Int
	whole.QuoRem(&s.n, big.NewInt(unit), &rest)
	sign := ""
	if s.n.Sign() < 0 {
		sign = "-"
	}
	return fmt.Sprintf("%s%s.%08d", sign, whole.Abs(&whole).String(), rest.Abs(&rest))
}

// Amount writes smallest units as a coin amount and as they are.
func Amount(id chain.ID, value int64) string {
	var s Sum
	s.Add(value)
	return s.Coins(id)
}

// Decimal writes smallest units as coins, with eight decimals.
func Decimal(value int64) string {
	var s Sum
	s.Add(value)
	return s.decimal()
}

// percent is a fee as a share of what is paid out, in tenths of a percent,
// rounded down; "" where nothing is paid out.
func percent(fee, paid int64) string {
	if paid <= 0 || fee < 0 {
		return ""
	}
	tenths := new(big.Int).Mul(big.NewInt(fee), big.NewInt(1000))
	tenths.Quo(tenths, big.NewInt(paid))
	if fee > 0 && tenths.Sign() == 0 {
		return "less than 0.1 %"
	}
	whole, rest := new(big.Int).QuoRem(tenths, big.NewInt(10), new(big.Int))
	return fmt.Sprintf("%s.%s %%", whole, rest)
}
