package policy

import "coldkms/shared/chain"

func samePaymentRule() rule {
	return rule{
		modes: func(f *file) []modeField {
			return []modeField{{name: "samePayment", mode: &f.SamePayment, usual: modeFlag,
				about: "An amount that the same destination was paid before"}}
		},
		judge: (*judgement).samePayments,
		fresh: true,
	}
}

func (j *judgement) samePayments() {
	j.strange(func(at chain.At, out chain.Movement, to destination) {
		n := j.past.of[j.subject.asset(out)].dests[to.to].times.of(out.Amount)
		if n > 1 {
			j.act(j.policy.file.SamePayment, chain.Because(chain.FlagSameAgain,
				"output %d pays %s to %s%s, as %s of this batch or signed before",
				at.Index, chain.Sum{Amount: out.Amount, Asset: out.Asset}, to.to, quoted(j.policy.allow[to]), chain.Count(n-1,
					"other payment")).Of(at))
		}
	})
}
