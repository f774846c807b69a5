package policy

import "coldkms/shared/chain"

// feeRateRule compares fee rates with those of the batch and of the ledger.
func feeRateRule() rule { return rule{judge: (*judgement).feeRate} }

// rates are the fee rates of one coin, as logarithms of what a thousand units of
// size cost.
type rates struct{ batch, before []int64 }

func rateOf(cost chain.Amount, size int64) (level int64, ok bool) {
	if size <= 0 || cost.IsZero() {
		return 0, false
	}
	thousand, fits := cost.Times(1000)
	return thousand.Per(size).Log2(), fits
}

// limit is from which rate on a fee is out of the ordinary.
func (r *rates) limit(least, oneIn int64) (limit, usual int64, known bool) {
	switch {
	case len(r.batch) >= leastBatch/2:
		middle, reach := spread(r.batch, chain.Octave/4)
		return middle + max(reach, least), middle, true
	case len(r.before) >= leastBatch:
		return max(above(r.before, oneIn), r.before[len(r.before)/2]) + least, r.before[len(r.before)/2], true
	}
	return 0, 0, false
}

func (j *judgement) feeRate() {
	u, f := j.unusual, j.subject.Facts
	of := j.past.rates[f.Coin]
	level, ok := rateOf(f.Cost(), f.Size)
	if of == nil || !ok {
		return
	}
	limit, usual, known := of.limit(percentLog(*u.FeePercent), *u.OneIn)
	at := chain.At{Part: chain.OfFee}
	switch {
	case known && level > limit:
		j.rate(u.FeeRate, chain.Look, j.feeReason(level, usual, "of this coin usually").Of(at).Beyond(level-usual))
	case len(of.before) >= leastKnown && level > above(of.before, *u.OneIn)+3*chain.Octave &&
		len(of.batch) > 0 && level == of.batch[len(of.batch)-1]:
		j.rate(u.FeeRate, chain.Look, j.feeReason(level, of.before[len(of.before)/2],
			"signed before; the whole batch may cost too much, and this is its highest").Of(at).Beyond(level-usual))
	case known && level > usual+chain.Octave:
		j.rate(u.FeeRate, chain.Note, j.feeReason(level, usual, "of this coin usually").Of(at).Beyond(level-usual))
	}
}

func (j *judgement) feeReason(level, usual int64, what string) Reason {
	f := j.subject.Facts
	return chain.Because(chain.FlagFeeRate, "fee of %s is %s per %s, about %s times the rate %s",
		j.amount(f.Cost()), f.CostRate(), f.Unit, octaves(level-usual), what)
}

// octaves writes a logarithm as the ratio that it stands for.
func octaves(log int64) string {
	one, _ := chain.NewAmount(1 << 20).Times(1 << min(max(log/chain.Octave, 0), 40))
	part, _ := one.Times(uint64(chain.Octave + log%chain.Octave)) // straight between two doublings: near enough for words
	return chain.Tenths(part.Per(chain.Octave), chain.NewAmount(1<<20), 1)
}
