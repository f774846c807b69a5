package policy

import "coldkms/shared/chain"

// manyPaymentsRule counts the payments of a batch to one payee.
func manyPaymentsRule() rule { return rule{judge: (*judgement).manyPayments, fresh: true} }

func (j *judgement) manyPayments() {
	u := j.unusual
	j.paysTo(func(at chain.At, amount chain.Sum, to *payee, all *payees) {
		most := 0
		for _, o := range to.paid {
			most = max(most, o.count)
		}
		n := int(to.now.count)
		if n < 3 || n <= most+1 || !to.leads(amount.Amount) {
			return
		}
		severity := chain.Look
		if all.total >= leastKnown && !all.share(n, *u.OneIn) {
			severity = chain.Note
		}
		j.rate(u.ManyPayments, severity, chain.Because(chain.FlagManyPayments,
			"output %d pays %s: one of %d payments of this batch to one payee%s, %s in all; it had %d at most in a batch before",
			at.Index, amount, n, quoted(to.label), amount.Asset.Format(to.now.sum), most).Of(at).Beyond(int64(n-most)))
	})
}
