package policy

import "coldkms/shared/chain"

// aboveUsualRule compares what a payee gets in the batch with what it got before:
// with its own median, by how far payees like it ever went beyond theirs.
func aboveUsualRule() rule { return rule{judge: (*judgement).aboveUsual, fresh: true} }

func (j *judgement) aboveUsual() {
	u := j.unusual
	j.paysTo(func(at chain.At, amount chain.Sum, to *payee, all *payees) {
		if len(to.paid) == 0 {
			return
		}
		usual := to.usual()
		jump := to.now.sum.Log2() - usual.Log2() - all.growth
		limit := all.limits[classOf(to.levels())]
		var severity chain.Severity
		switch {
		case jump > limit && to.leads(amount.Amount):
			severity = chain.Look
		case jump > max(limit/2, chain.Octave/3):
			severity = chain.Note
		default:
			return
		}
		j.rate(u.AboveUsual, severity, chain.Because(chain.FlagAboveUsual,
			"output %d pays %s: this batch pays its payee%s %s in %s, %s times what it usually gets: median %s of %s",
			at.Index, amount, quoted(to.label), amount.Asset.Format(to.now.sum), chain.Count(to.now.count, "payment"),
			times(to.now.sum, usual), amount.Asset.Units(usual), chain.Count(to.payments(), "payment")).
			Of(at).Beyond(jump*chain.Octave/limit))
	})
}
