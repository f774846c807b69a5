package policy

import (
	"fmt"
	"math"
	"math/big"
	"math/bits"
	"strconv"
	"strings"

	"coldkms/shared/chain"
	"coldkms/shared/chain/utxo"
)

// allTaproot reports whether every input is P2TR. Only then does every signature
// commit to every amount. One input of another kind, and two requests that
// claim different amounts yield signatures that together pay a hidden fee:
// the older signature hashes commit to their own amount at most.
func allTaproot(inputs []chain.Input) bool {
	for _, in := range inputs {
		if in.Kind != utxo.P2TR.String() {
			return false
		}
	}
	return true
}

func (j *judgement) inputs() {
	committed := allTaproot(j.subject.Facts.Inputs)
	for i, in := range j.subject.Facts.Inputs {
		switch {
		case !in.Proven && committed:
			j.find(chain.FlagCommitted, "input %d (%s): its previous transaction is missing; the signature is valid only if every amount is as shown (BIP 341)", i, in.Outpoint)
		case !in.Proven:
			j.do(j.policy.file.Unproven, chain.UnprovenAmount, "input %d (%s): its previous transaction is missing, so its amount is a claim, and so is the fee", i, in.Outpoint)
		}
		if !in.Own {
			j.refuse(chain.NoKeyForInput, "input %d (%s): no key named by the request can sign it", i, in.Outpoint)
		}
	}
	for _, k := range j.subject.Facts.UnusedKeys {
		j.find(chain.FlagUnusedKey, "key %s is named but signs nothing", describe(k))
	}
}

func describe(k chain.Key) string {
	if k.Index == chain.NoIndex {
		return k.SignatureID
	}
	return fmt.Sprintf("%s / %d", k.SignatureID, k.Index)
}

func (j *judgement) outputs() {
	paid := 0
	for i, out := range j.subject.Facts.Outputs {
		if out.Dust {
			j.refuse(chain.Dust, "output %d pays %d, less than nodes relay", i, out.Value)
		}
		if out.Value < 0 {
			j.refuse(chain.ValueOutOfRange, "output %d pays %d", i, out.Value)
		}
		switch out.Kind {
		case utxo.NullData.String():
			j.do(j.policy.file.Data, chain.FlagData, "output %d carries data (OP_RETURN)", i)
		case utxo.Nonstandard.String(), utxo.WitnessUnknown.String():
			j.do(j.policy.file.Nonstandard, chain.FlagUnnamed, "output %d pays a script that has no standard form", i)
		}
		if out.Burnt && out.Value > 0 {
			j.find(chain.FlagBurn, "output %d (%s) burns %s: nobody can ever spend it, and it counts as fee", i, out.Kind, Amount(j.subject.Facts.Chain, out.Value))
		}
		if pays(out) {
			paid++
		}
		j.own(i, out)
	}
	if paid == 0 {
		j.find(chain.FlagRoundTrip, "pays nobody: all but the fee of %s comes back", Amount(j.subject.Facts.Chain, j.subject.Facts.Cost()))
	}
}

// fee caps the fee, what is burnt included, and points at fees above a tenth of
// what is paid out.
func (j *judgement) fee() {
	f, r := j.subject.Facts, j.rules
	paid, what, cost := f.Paid(), "paid out", f.Cost()
	fee := func(format func(int64) string) string { return format(cost) }
	if burnt := f.Burnt(); burnt != 0 {
		fee = func(format func(int64) string) string {
			return fmt.Sprintf("%s, with the %s that is burnt,", format(cost), format(burnt))
		}
	}
	plain := func(v int64) string { return strconv.FormatInt(v, 10) }
	coins := func(v int64) string { return Amount(f.Chain, v) }
	if paid == 0 { // measured against what moves
		paid, what = f.Spent()-cost, "that comes back"
	}
	if f.Fee < 0 || cost < f.Fee || paid < 0 || cost > math.MaxInt64-f.VSize {
		j.refuse(chain.ValueOutOfRange, "its amounts do not add up")
		return
	}
	if f.CostRate() > *r.MaxFeeRate {
		j.refuse(chain.FeeAbovePolicy, "fee of %s is %d per vB, the cap is %d", fee(plain), f.CostRate(), *r.MaxFeeRate)
	}
	if r.MaxFee != nil && cost > *r.MaxFee {
		j.refuse(chain.FeeAbovePolicy, "fee of %s, the cap is %s", strings.TrimSuffix(fee(coins), ","), Amount(f.Chain, *r.MaxFee))
	}
	if r.MaxFeePercent != nil && abovePercent(cost, paid, *r.MaxFeePercent) {
		j.refuse(chain.FeeAbovePolicy, "fee of %s is more than %d %% of the %d %s", fee(plain), *r.MaxFeePercent, paid, what)
	}
	if cost > paid/10 {
		j.find(chain.FlagHighFee, "fee of %s is %s of the %d %s", fee(plain), tenths(cost, paid, 100, " %"), paid, what)
	}
	if f.Fee < f.VSize {
		j.find(chain.FlagLowFee, "fee of %d is %s, below 1: nodes may not relay it", f.Fee, tenths(f.Fee, f.VSize, 1, " per vB"))
	}
}

// tenths returns part/whole·times to one decimal, rounded down, with a unit.
func tenths(part, whole, times int64, unit string) string {
	if whole <= 0 {
		return "all"
	}
	n := new(big.Int).Mul(big.NewInt(part), big.NewInt(10*times))
	whole10, rest := n.Quo(n, big.NewInt(whole)).QuoRem(n, big.NewInt(10), new(big.Int))
	return fmt.Sprintf("%s.%s%s", whole10, rest, unit)
}

// abovePercent reports whether 100·part > percent·whole, of numbers that are not
// negative.
func abovePercent(part, whole, percent int64) bool {
	high1, low1 := bits.Mul64(uint64(part), 100)
	high2, low2 := bits.Mul64(uint64(whole), uint64(percent))
	return high1 > high2 || (high1 == high2 && low1 > low2)
}
