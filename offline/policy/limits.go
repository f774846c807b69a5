package policy

import (
	"cmp"
	"fmt"
	"slices"

	"coldkms/shared/chain"
)

// limitRule bounds what is paid, in all and to each destination.
func limitRule() rule {
	return rule{
		parse: func(f *file, coins Coins) error { return f.eachCoin(coins, (*coinRules).normaliseLimits) },
		judge: (*judgement).limits,
		fresh: true,
		coin:  coinRules.explainLimits,
		warn:  func(p Policy) []string { return p.eachWarning(coinRules.limitWarnings) },
	}
}

// limitCode names the refusal of each window.
func limitCode(w window) chain.Code {
	switch w {
	case perBatch:
		return chain.LimitBatch
	case perDay:
		return chain.LimitDay
	case perWeek:
		return chain.LimitWeek
	}
	return chain.LimitTx
}

// limits refuses what takes part in exceeding a limit. Each sum is over the
// whole batch and what was signed before it, so that no order and no split
// changes who is refused: everyone who contributes.
func (j *judgement) limits() {
	if len(j.rules.Limits) == 0 && len(j.rules.DestinationLimits) == 0 {
		return
	}
	own, to := j.pays()
	if own == (tally{}) {
		return
	}
	of := j.past.of[asset{j.subject.coin(), ""}]
	for _, l := range j.rules.Limits {
		if t := of.over(l.Per, own); l.exceeded(t, own) {
			j.refuse(limitCode(l.Per), "%s, the limit is %s", j.paid(l.Per, t, withFees), j.bound(l))
		}
	}
	for _, l := range j.rules.DestinationLimits {
		for _, d := range to {
			if t := of.dests[d.to.to].over(l.Per, d.tally); l.exceeded(t, d.tally) {
				j.refuse(chain.LimitDestination, "%s, the limit for one destination is %s", j.paid(l.Per, t, " to "+d.to.to), j.bound(l))
			}
		}
	}
}

// share is what one item pays to one destination.
type share struct {
	to destination
	tally
}

// withFees is what sums over all destinations include.
const withFees = " and fees"

// paysInAll sums what the item pays, with its fee.
func (j *judgement) paysInAll() (all tally) {
	for i := range j.subject.Facts.Movements {
		if out := &j.subject.Facts.Movements[i]; out.Pays() && out.Asset.Token == "" {
			all.add(out.Paid())
		}
	}
	all.fee(j.subject.Facts.Cost())
	return all
}

// pays sums what the item pays, in all with its fee and to each destination.
func (j *judgement) pays() (all tally, to []share) {
	all = j.paysInAll()
	at := make(map[destination]int)
	for _, out := range j.subject.Facts.Movements {
		if !out.Pays() || out.Asset.Token != "" {
			continue
		}
		d := j.subject.to(out)
		i, have := at[d]
		if !have {
			i = len(to)
			at[d], to = i, append(to, share{to: d})
		}
		to[i].add(out.Paid())
	}
	return all, to
}

// over returns the tally of a window; own is that of the item itself.
func (s *sums) over(w window, own tally) tally {
	switch w {
	case perBatch:
		return s.batch
	case perDay:
		return s.day
	case perWeek:
		return s.week
	}
	return own
}

// exceeded reports whether a tally is above the limit in a part that an item
// contributed to.
func (l limit) exceeded(t, own tally) bool {
	return (l.Sum != nil && t.sum.Cmp(*l.Sum) > 0 && !own.sum.IsZero()) || (l.Count != nil && t.count > *l.Count && own.count > 0)
}

// paid says in words what a window's tally is of.
func (j *judgement) paid(w window, t tally, to string) string {
	what := fmt.Sprintf("%s in %s%s", j.amount(t.sum), chain.Count(t.count, "payment"), to)
	switch w {
	case perBatch:
		if j.past.ofAsset(asset{j.subject.coin(), ""}).signed.batch.sum != (chain.Amount{}) {
			return "this batch, with what was signed of it before, pays " + what
		}
		return "this batch pays " + what
	case perDay:
		return "this batch and what was signed in the last 24 hours pay " + what
	case perWeek:
		return "this batch and what was signed in the last 7 days pay " + what
	}
	return "this transaction pays " + what
}

// bound says in words what a limit is.
func (j *judgement) bound(l limit) string { return l.words(j.subject.Facts.Asset) }

func (l limit) words(of chain.Asset) string {
	switch {
	case l.Sum == nil:
		return chain.Count(*l.Count, "payment")
	case l.Count == nil:
		return of.Format(*l.Sum)
	}
	return fmt.Sprintf("%s in %s", of.Format(*l.Sum), chain.Count(*l.Count, "payment"))
}

func (c *coinRules) normaliseLimits(most chain.Amount) error {
	if err := normaliseLimits("limits", c.Limits, most); err != nil {
		return err
	}
	return normaliseLimits("destinationLimits", c.DestinationLimits, most)
}

func normaliseLimits(name string, list []limit, most chain.Amount) error {
	for _, l := range list {
		switch {
		case l.Per.order() < 0:
			return fmt.Errorf(`%s: per is %.20q: it can be "transaction", "batch", "day" or "week"`, name, string(l.Per))
		case l.Sum == nil && l.Count == nil:
			return fmt.Errorf(`%s per %s: neither "sum" nor "count"`, name, l.Per)
		case !upTo(l.Sum, most) || !within(l.Count, maxCount):
			return fmt.Errorf("%s per %s: out of range", name, l.Per)
		}
	}
	slices.SortFunc(list, func(a, b limit) int { return cmp.Compare(a.Per.order(), b.Per.order()) })
	for i := range list {
		if i > 0 && list[i].Per == list[i-1].Per {
			return fmt.Errorf("%s: per %s is there twice", name, list[i].Per)
		}
	}
	return nil
}

// order sorts windows, the shortest first; -1 for an unknown one.
func (w window) order() int {
	return slices.Index([]window{perTransaction, perBatch, perDay, perWeek}, w)
}
