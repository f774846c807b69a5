package policy

import (
	"errors"
	"fmt"

	"coldkms/shared/chain"
)

func feeRule() rule {
	return rule{
		parse: func(f *file, coins Coins) error { return f.eachCoin(coins, (*coinRules).checkFee) },
		judge: (*judgement).fee,
		coin:  coinRules.explainFee,
		warn:  func(p Policy) []string { return p.eachWarning(coinRules.feeWarnings) },
	}
}

func (c *coinRules) checkFee(most chain.Amount) error {
	switch {
	case !upTo(c.MaxFeeRate, most) || c.MaxFeeRate.IsZero():
		return fmt.Errorf("maxFeeRate of %s: at least 1", *c.MaxFeeRate)
	case !upTo(c.MaxFee, most):
		return errors.New("maxFee is out of range")
	case !within(c.MaxFeePercent, maxPercent):
		return fmt.Errorf("maxFeePercent: 0 to %d", maxPercent)
	}
	return nil
}

func (c coinRules) explainFee(of chain.Asset) (lines []string) {
	if c.MaxFee != nil {
		lines = append(lines, fmt.Sprintf("a fee is at most %s.", of.Format(*c.MaxFee)))
	}
	if c.MaxFeePercent != nil {
		lines = append(lines, fmt.Sprintf("a fee is at most %d %% of what is paid out.", *c.MaxFeePercent))
	}
	return lines
}

func (c coinRules) feeWarnings() []string {
	if (c.MaxFee != nil && c.MaxFee.IsZero()) || (c.MaxFeePercent != nil && *c.MaxFeePercent == 0) {
		return []string{"only what has no fee can be signed, which nodes do not relay: " +
			"maxFee or maxFeePercent is zero; leave it out for the default"}
	}
	return nil
}

// fee caps the fee, what is burnt included, and points at fees above a tenth of
// what is paid out.
func (j *judgement) fee() {
	if !j.known {
		return
	}
	f, r := j.subject.Facts, j.rules
	paid, what, cost := f.Paid(), "paid out", f.Cost()
	if paid.IsZero() { // measured against what moves
		if cost.Cmp(f.Spent()) > 0 {
			j.refuse(chain.ValueOutOfRange, "its amounts do not add up")
			return
		}
		paid, what = f.Spent().Minus(cost), "that comes back"
	}
	coins := func(v chain.Amount) string { return j.amount(v).String() }
	plain, comma := withBurnt(f, chain.Amount.String)
	plain += comma
	if rate := f.CostRate(); f.Size > 0 && rate.Cmp(*r.MaxFeeRate) > 0 {
		j.refuse(chain.FeeAbovePolicy, "fee of %s is %s per %s, the cap is %s", plain, rate, f.Unit, *r.MaxFeeRate)
	}
	if r.MaxFee != nil && cost.Cmp(*r.MaxFee) > 0 {
		fee, _ := withBurnt(f, coins)
		j.refuse(chain.FeeAbovePolicy, "fee of %s, the cap is %s", fee, j.amount(*r.MaxFee))
	}
	if !f.PaysTokens() { // else there is nothing to measure the fee by
		if r.MaxFeePercent != nil && cost.AbovePercent(*r.MaxFeePercent, paid) {
			j.refuse(chain.FeeAbovePolicy, "fee of %s is more than %d %% of the %s %s", plain, *r.MaxFeePercent, paid, what)
		}
		if cost.AbovePercent(10, paid) {
			j.find(chain.FlagHighFee, "fee of %s is %s of the %s %s", plain, portion(cost, paid), paid, what)
		}
	}
}

// withBurnt writes a fee with what is burnt, and a comma that goes on after it.
func withBurnt(f chain.Facts, write func(chain.Amount) string) (words, comma string) {
	if burnt := f.Burnt(); !burnt.IsZero() {
		return fmt.Sprintf("%s, with the %s that is burnt", write(f.Cost()), write(burnt)), ","
	}
	return write(f.Cost()), ""
}

// portion returns cost as a share of paid, in percent.
func portion(cost, paid chain.Amount) string {
	if paid.IsZero() {
		return "all"
	}
	return chain.Tenths(cost, paid, 100) + " %"
}
