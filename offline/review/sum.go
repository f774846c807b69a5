package review

import (
	"coldkms/shared/chain"
)

// percent is a fee as a share of what is paid out, in tenths of a percent,
// rounded down; "" where nothing is paid out.
func percent(fee, paid chain.Amount) string {
	if paid.IsZero() {
		return ""
	}
	share := chain.Tenths(fee, paid, 100)
	if !fee.IsZero() && share == "0.0" {
		return "less than 0.1 %"
	}
	return share + " %"
}
