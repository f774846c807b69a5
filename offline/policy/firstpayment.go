package policy

import "coldkms/shared/chain"

// firstPaymentRule compares the first payment to somebody with first payments of
// before, and with the batch.
func firstPaymentRule() rule { return rule{judge: (*judgement).firstPayment, fresh: true} }

func (j *judgement) firstPayment() {
	u := j.unusual
	j.paysTo(func(at chain.At, amount chain.Sum, to *payee, all *payees) {
		limited := j.policy.terms[j.subject.to(j.subject.Facts.Movements[at.Index])].Limit != nil
		if len(to.paid) > 0 || limited || !to.leads(amount.Amount) {
			return
		}
		look, note, than, known := all.firstLimits(*u.OneIn)
		level := to.now.sum.Log2()
		if !known || level <= note {
			return
		}
		severity := chain.Note
		if level > look {
			severity = chain.Look
		}
		j.rate(u.FirstPayment, severity, chain.Because(chain.FlagFirstLarge,
			"output %d pays %s to a payee%s that was never paid before, %s in this batch: %s",
			at.Index, amount, quoted(to.label), amount.Asset.Format(to.now.sum), than).Of(at).Beyond(level-look))
	})
}

// firstLimits returns from where on a first payment is looked at and noted. Where
// few payees are new, less is needed than where most are: about one of a batch
// is expected to be beyond.
func (all *payees) firstLimits(oneIn int64) (look, note int64, than string, known bool) {
	if len(all.batch) < leastBatch && len(all.firsts) < leastKnown {
		return 0, 0, "", false
	}
	batch := int64(0)
	if len(all.batch) > 0 { // beyond most of the batch, and not by a trifle
		batch = max(above(all.batch, 10), all.batch[len(all.batch)/2]+chain.Octave/3)
	}
	for _, reference := range [][]int64{all.firsts, all.all} {
		if len(reference) >= leastKnown {
			rare := min(max(2*all.fresh, 10), oneIn)
			look = max(above(reference, rare)+all.growth, batch)
			note = max(above(reference, 20)+all.growth, batch)
			return look, min(note, look),
				"more than first payments usually are, and than nine of ten payments of the batch", true
		}
	}
	middle, reach := spread(all.batch, chain.Octave/2)
	return middle + reach, middle + reach*3/5, "far more than most payments of the batch", true
}
