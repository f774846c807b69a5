package policy

import (
	"fmt"

	"coldkms/shared/chain"
)

// modeOf returns what is done about a finding of the family. One that no rule is
// about refuses.
func (f *file) modeOf(code chain.Code) mode {
	switch code {
	case chain.UnprovenAmount:
		return f.Unproven
	case chain.FlagData:
		return f.Data
	case chain.FlagUnnamed:
		return f.Nonstandard
	case chain.FlagLockTime:
		return f.LockTime
	case chain.FlagReplaceable:
		return f.Replaceable
	case chain.FlagCommitted, chain.FlagBurn, chain.FlagLowFee:
		return modeFlag
	}
	return modeRefuse
}

// family judges what the family found about a part of the transaction.
func (j *judgement) family(at chain.At) {
	for _, r := range j.found[at] {
		j.act(j.policy.file.modeOf(r.Code), r)
	}
}

// byPart groups the findings of the family by what they are about.
func byPart(findings []chain.Reason) map[chain.At][]chain.Reason {
	by := make(map[chain.At][]chain.Reason, len(findings))
	for _, r := range findings {
		by[r.At] = append(by[r.At], r)
	}
	return by
}

func (j *judgement) sources() {
	for i, s := range j.subject.Facts.Sources {
		at := chain.At{Part: chain.OfSource, Index: i}
		j.family(at)
		if !s.Own {
			j.act(modeRefuse, chain.Because(chain.NoKeyForInput, "input %d (%s): no key named by the request can sign it", i, s.ID).Of(at))
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

func (j *judgement) movements() {
	paid := 0
	for i, m := range j.subject.Facts.Movements {
		j.family(chain.At{Part: chain.OfMovement, Index: i})
		if m.Pays() {
			paid++
		}
		j.own(i, m)
	}
	if paid == 0 {
		j.find(chain.FlagRoundTrip, "pays nobody: all but the fee of %s comes back", j.amount(j.subject.Facts.Cost()))
	}
}

// fee caps the fee, what is burnt included, and points at fees above a tenth of
// what is paid out.
func (j *judgement) fee() {
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
	j.family(chain.At{Part: chain.OfFee})
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
