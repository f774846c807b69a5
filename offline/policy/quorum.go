package policy

import (
	"fmt"

	"coldkms/shared/chain"
)

// operators sets how many operators must approve each item that is not
// refused. What is signed already needs none.
func (b *batch) operators(subjects []Subject, verdicts []Verdict) {
	paid, without := b.signable(subjects, verdicts)
	for i, s := range subjects {
		if b.again[i] || verdicts[i].Refused() {
			continue
		}
		j := judgement{batch: b, subject: s, rules: b.policy.coins[s.coin()]}
		own, _ := j.pays()
		if own.sum.IsZero() {
			continue
		}
		for _, q := range j.rules.Quorum {
			if t := paid[s.coin()].over(q.Per, own); t.sum.Cmp(q.Above) > 0 && q.Operators > verdicts[i].quorum {
				verdicts[i].quorum = q.Operators
				verdicts[i].why = fmt.Sprintf("%s%s, and above %s policy needs %s", without, j.paid(q.Per, t, withFees), s.Facts.Asset.Format(q.Above), chain.Count(q.Operators, "operator"))
			}
		}
	}
}

// signable sums by coin what the items pay that are not refused, and what the
// ledger has. without says in words that others are left out.
func (b *batch) signable(subjects []Subject, verdicts []Verdict) (paid map[chain.Coin]*sums, without string) {
	paid = make(map[chain.Coin]*sums)
	for i, s := range subjects {
		if verdicts[i].Refused() {
			without = "without what is refused, "
		}
		if b.again[i] || verdicts[i].Refused() {
			continue
		}
		of := paid[s.coin()]
		if of == nil {
			of = new(sums)
			*of = b.past.ofAsset(asset{s.coin(), ""}).signed
			paid[s.coin()] = of
		}
		for _, out := range s.Facts.Movements {
			if out.Pays() && out.Asset.Token == "" {
				of.all(out.Paid())
			}
		}
		of.fee(s.Facts.Cost())
	}
	return paid, without
}
