package review

import (
	"fmt"
	"math/big"

	"coldkms/shared/chain"
)

// percent is a fee as a share of what is paid out, in tenths of a percent,
// rounded down; "" where nothing is paid out.
func percent(fee, paid chain.Amount) string {
	if paid.IsZero() {
		return ""
	}
	tenths := new(big.Int).Mul(fee.Big(), big.NewInt(1000))
	tenths.Quo(tenths, paid.Big())
	if !fee.IsZero() && tenths.Sign() == 0 {
		return "less than 0.1 %"
	}
	whole, rest := new(big.Int).QuoRem(tenths, big.NewInt(10), new(big.Int))
	return fmt.Sprintf("%s.%s %%", whole, rest)
}
