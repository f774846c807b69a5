package policy

import (
	"cmp"
	"fmt"
	"slices"

	"coldkms/shared/chain"
)

// quorumRule asks for operators. Judge counts them once every item is judged.
func quorumRule() rule {
	return rule{
		parse: func(f *file, coins Coins) error {
			return f.eachCoin(coins, func(c *coinRules, most chain.Amount) error { return normaliseQuorum(c.Quorum, most) })
		},
		coin: coinRules.explainQuorum,
		warn: func(p Policy) []string { return p.eachWarning(coinRules.quorumWarnings) },
	}
}

func (c coinRules) explainQuorum(of chain.Asset) (lines []string) {
	for _, q := range c.Quorum {
		lines = append(lines, fmt.Sprintf("above %s %s, %s must approve the batch.", of.Format(q.Above), q.Per.words(),
			chain.Count(q.Operators, "operator")))
	}
	return lines
}

func normaliseQuorum(list []quorum, most chain.Amount) error {
	for _, q := range list {
		switch {
		case q.Per.order() < 0:
			return fmt.Errorf(`quorum: per is %.20q: it can be "transaction", "batch", "day" or "week"`, string(q.Per))
		case !upTo(&q.Above, most):
			return fmt.Errorf("quorum per %s: above is out of range", q.Per)
		case q.Operators < 1 || q.Operators > maxOperators:
			return fmt.Errorf("quorum per %s: %d operators, 1 to %d", q.Per, q.Operators, maxOperators)
		}
	}
	slices.SortFunc(list, func(a, b quorum) int {
		return cmp.Or(cmp.Compare(a.Per.order(), b.Per.order()), a.Above.Cmp(b.Above))
	})
	for i := range list {
		if i > 0 && list[i].Per == list[i-1].Per && list[i].Above == list[i-1].Above {
			return fmt.Errorf("quorum: per %s above %s is there twice", list[i].Per, list[i].Above)
		}
	}
	return nil
}

// QuorumPerBatch reports whether operators are asked for by what a batch pays.
func (p Policy) QuorumPerBatch() bool {
	for _, c := range p.coins {
		if slices.ContainsFunc(c.Quorum, func(q quorum) bool { return q.Per == perBatch }) {
			return true
		}
	}
	return false
}

// quorumWarnings points at thresholds that are never reached or change nothing.
func (c coinRules) quorumWarnings() (lines []string) {
	warn := func(format string, args ...any) { lines = append(lines, fmt.Sprintf(format, args...)) }
	for _, l := range c.Limits {
		for _, q := range c.Quorum {
			if q.Per == l.Per && l.Sum != nil && q.Above.Cmp(*l.Sum) >= 0 {
				warn("%s above %d per %s are never asked: the limit is %d",
					chain.Count(q.Operators, "operator"), q.Above, q.Per, *l.Sum)
			}
		}
	}
	inTime := func(q quorum) bool { return q.Per != perTransaction && q.Per != perBatch }
	if len(c.Quorum) > 0 && !slices.ContainsFunc(c.Quorum, inTime) {
		warn("operators are asked per transaction or batch only: a large sum in several batches needs none; " +
			"add a quorum per day or week")
	}
	for i, q := range c.Quorum {
		for _, higher := range c.Quorum[i+1:] {
			if q.Per == higher.Per && q.Operators >= higher.Operators {
				warn("%s above %d per %s change nothing: %d are asked for less already",
					chain.Count(higher.Operators, "operator"), higher.Above, q.Per, q.Operators)
			}
		}
	}
	return lines
}

// operators sets how many operators must approve each item that is not
// refused. What is signed already needs none.
func (b *batch) operators(subjects []Subject, verdicts []Verdict) {
	paid, without := b.signable(subjects, verdicts)
	earlier := b.comesBack(subjects, verdicts)
	for i := range subjects {
		if b.again[i] || verdicts[i].Refused() {
			continue
		}
		s := &subjects[i]
		j := judgement{batch: b, subject: s, rules: b.policy.coins[s.coin()]}
		if len(j.rules.Quorum) == 0 {
			continue
		}
		own := j.paysInAll()
		if own.sum.IsZero() {
			continue
		}
		for _, q := range j.rules.Quorum {
			t := paid[s.coin()].over(q.Per, own)
			j.ask(&verdicts[i], q, t, func() string { return without + j.paid(q.Per, t, withFees) })
			if q.Per != perBatch {
				continue
			}
			for _, digest := range b.origins(s) {
				t := *earlier[earlierBatch{s.coin(), digest}]
				j.ask(&verdicts[i], q, t, func() string { return j.withEarlier(digest, t) })
			}
		}
	}
}

// ask asks for the operators of a quorum if a tally is above its threshold and
// no more are asked for already.
func (j *judgement) ask(v *Verdict, q quorum, t tally, pays func() string) {
	if t.sum.Cmp(q.Above) > 0 && q.Operators > v.quorum {
		v.quorum = q.Operators
		v.why = fmt.Sprintf("%s, and above %s policy needs %s", pays(), j.subject.Facts.Asset.Format(q.Above),
			chain.Count(q.Operators, "operator"))
	}
}

// signable sums by coin what the items pay that are not refused, and what the
// ledger has. without says in words that others are left out.
func (b *batch) signable(subjects []Subject, verdicts []Verdict) (paid map[chain.Coin]*sums, without string) {
	paid = make(map[chain.Coin]*sums)
	for i := range subjects {
		s := &subjects[i]
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
		for m := range s.Facts.Movements {
			if out := &s.Facts.Movements[m]; out.Pays() && out.Asset.Token == "" {
				of.all(out.Paid())
			}
		}
		of.fee(s.Facts.Cost())
	}
	return paid, without
}
