package policy

import (
	"fmt"
	"slices"

	"coldkms/shared/chain"
)

// novelty points at destinations that were never paid, that look like a known
// one, and at payments that were made before.
func (j *judgement) novelty() {
	f := &j.policy.file
	for i, out := range j.subject.Facts.Movements {
		if !out.Pays() || out.Own != nil { // of own transfers there is more to say
			continue
		}
		at, to, of := chain.At{Part: chain.OfMovement, Index: i}, j.subject.to(out), j.past.of[j.subject.asset(out)]
		label, listed := j.policy.allow[to]
		if !listed && !of.dests[to.to].known {
			j.act(f.NewDestination, chain.Because(chain.FlagNew, "output %d pays %s, which was never paid before", i, to.to).Of(at))
		}
		if other, ok := of.resembles(to.to); ok && !listed {
			j.act(f.LookAlike, chain.Because(chain.FlagLookAlike, "output %d pays %s, which begins and ends like %s%s and is another", i, to.to, other, quoted(j.policy.allow[destination{to.Coin, other}])).Of(at))
		}
		if n := of.dests[to.to].times.of(out.Amount); n > 1 {
			j.act(f.SamePayment, chain.Because(chain.FlagSameAgain, "output %d pays %s to %s%s, as %s of this batch or signed before", i, chain.Sum{Amount: out.Amount, Asset: out.Asset}, to.to, quoted(label), chain.Count(n-1, "other payment")).Of(at))
		}
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

// tokens refuses tokens that no rule is about, and what takes part in exceeding
// the limits of one.
func (j *judgement) tokens() {
	own := make(map[asset]tally)
	for i, m := range j.subject.Facts.Movements {
		a := j.subject.asset(m)
		if _, known := j.tokenRules(a.token); a.token != "" && !known {
			j.act(modeRefuse, chain.Because(chain.ChainNotAllowed, "output %d moves %s, and policy has no rule for token %.80q", i, chain.Sum{Amount: m.Amount, Asset: m.Asset}, a.token).
				Of(chain.At{Part: chain.OfMovement, Index: i}))
		}
		if a.token != "" && m.Pays() {
			t := own[a]
			t.add(m.Paid())
			own[a] = t
		}
	}
	for i, m := range j.subject.Facts.Movements {
		a := j.subject.asset(m)
		t, pays := own[a]
		if !pays || j.again {
			continue
		}
		delete(own, a) // once for each token
		rules, _ := j.tokenRules(a.token)
		for _, l := range rules.Limits {
			if sum := j.past.ofAsset(a).over(l.Per, t); l.exceeded(sum, t) {
				j.act(modeRefuse, chain.Because(limitCode(l.Per), "%s in %s, the limit is %s", chain.Sum{Amount: sum.sum, Asset: m.Asset}, chain.Count(sum.count, "payment"), l.words(m.Asset)).
					Of(chain.At{Part: chain.OfMovement, Index: i}))
			}
		}
	}
}

func (j *judgement) tokenRules(token string) (tokenRules, bool) {
	at := slices.IndexFunc(j.rules.Tokens, func(t tokenRules) bool { return t.Token == token })
	if at < 0 {
		return tokenRules{}, false
	}
	return j.rules.Tokens[at], true
}

// share is what one item pays to one destination.
type share struct {
	to destination
	tally
}

// withFees is what sums over all destinations include.
const withFees = " and fees"

// pays sums what the item pays, in all with its fee and to each destination.
func (j *judgement) pays() (all tally, to []share) {
	at := make(map[destination]int)
	for _, out := range j.subject.Facts.Movements {
		if !out.Pays() || out.Asset.Token != "" {
			continue
		}
		all.add(out.Paid())
		d := j.subject.to(out)
		i, have := at[d]
		if !have {
			i = len(to)
			at[d], to = i, append(to, share{to: d})
		}
		to[i].add(out.Paid())
	}
	all.fee(j.subject.Facts.Cost())
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
