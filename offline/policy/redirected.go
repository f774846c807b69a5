package policy

import (
	"strings"

	"coldkms/shared/chain"
)

// redirectedRule finds the amount of a payee that is paid regularly and gets
// nothing, though it is time, in a payment to somebody else.
func redirectedRule() rule { return rule{judge: (*judgement).redirected, fresh: true} }

func (j *judgement) redirected() {
	u := j.unusual
	j.paysTo(func(at chain.At, amount chain.Sum, to *payee, all *payees) {
		level := amount.Amount.Log2()
		if len(to.paid) > 0 && to.now.sum.Log2()-to.usual().Log2()-all.growth <= chain.Octave/4 {
			return // what it usually gets
		}
		var who []string
		severity := chain.Note // an amount near by is often chance
		for near := level - 1; near <= level+1; near++ {
			for _, a := range all.expected[near] {
				who = append(who, a.who)
				if a.amount == amount.Amount {
					severity = chain.Look
				}
			}
		}
		if len(who) == 0 || len(who) > 2 {
			return
		}
		j.rate(u.Redirected, severity, chain.Because(chain.FlagMoved,
			"output %d pays %s to another payee than usually: %s gets that regularly, and nothing in this batch",
			at.Index, amount, strings.Join(who, " or ")).Of(at))
	})
}
