package policy

import (
	"slices"
	"time"

	"coldkms/shared/chain"
)

// samePaymentRule finds amounts that are paid twice: in the batch, or again too
// early by the rhythm of the payee. Payments that recur on time are not reported.
func samePaymentRule() rule {
	return rule{
		modes: func(f *file) []modeField {
			return []modeField{{name: "samePayment", mode: &f.SamePayment, usual: modeFlag,
				about: "An amount that the same payee gets twice in a batch, or again before it is due"}}
		},
		judge: (*judgement).samePayments,
		fresh: true,
	}
}

func (j *judgement) samePayments() {
	percent := *j.unusual.SamePercent
	j.paysTo(func(at chain.At, amount chain.Sum, to *payee, all *payees) {
		if same := to.twins(amount.Amount, percent); len(same) > 1 {
			j.twice(at, amount, to, all, same)
		} else if early, rhythm := to.early(amount.Amount, percent, j.history.Now(), all.rhythm); early {
			j.rate(j.policy.file.SamePayment, chain.Look, chain.Because(chain.FlagSameAgain,
				"output %d pays %s to %s%s, which got the same on %s%s",
				at.Index, amount, shownName(to), quoted(to.label), clock(to.paid[0].clock), rhythm).Of(at))
		}
	})
}

// twice judges an amount that is in the batch more than once for a payee. The
// first of them would be right without the others, and is only noted.
func (j *judgement) twice(at chain.At, amount chain.Sum, to *payee, all *payees, same []ask) {
	n, usually := len(same), 0
	for _, o := range to.paid {
		usually = max(usually, o.pairs(*j.unusual.SamePercent))
	}
	if usually >= n-1 {
		return
	}
	severity := chain.Look
	switch this := (ask{id: j.subject.ID, at: at.Index}); {
	case all.total >= leastKnown && int64(all.doubled)*50 > int64(all.total): // the company does that
		severity = chain.Note
	case n <= manyTwins && !slices.ContainsFunc(same, func(a ask) bool { return a.before(this) }):
		severity = chain.Note
	}
	j.rate(j.policy.file.SamePayment, severity, chain.Because(chain.FlagSameAgain,
		"output %d pays %s to %s%s, as %s of this batch, to %d %%",
		at.Index, amount, shownName(to), quoted(to.label),
		chain.Count(n-1, "other payment"), *j.unusual.SamePercent).Of(at))
}

const (
	manyTwins   = 100  // with more payments of one amount, none counts as the right one
	leastRhythm = hour // seconds
)

// early reports whether a payee got an amount the last time, and less than half of
// its rhythm ago, and in words what that rhythm is. Where there is none yet, it is
// early within a day. A shorter rhythm than leastRhythm is none to trust: who signs
// some batches in a row has not agreed to pay somebody every minute.
func (p *payee) early(amount chain.Amount, percent, now, rhythm int64) (early bool, words string) {
	if len(p.paid) == 0 || !slices.ContainsFunc(p.paid[0].amounts, func(a chain.Amount) bool {
		return closeTo(a, amount, percent)
	}) {
		return false, ""
	}
	if own := p.rhythm(); own != noInterval {
		rhythm = own
	}
	since := now - p.paid[0].clock
	if rhythm == noInterval {
		return since < day, ""
	}
	if rhythm < leastRhythm {
		return 2*since < leastRhythm, ""
	}
	return 2*since < rhythm, ", and is usually paid every " + span(rhythm)
}

func shownName(p *payee) string {
	if p.label != "" {
		return "payee"
	}
	return p.name
}

// clock formats a time for a reason. Reasons state absolute times: a review is bound
// to its words, and "3 hours ago" would change before it is signed.
func clock(unix int64) string { return time.Unix(unix, 0).UTC().Format("2006-01-02 15:04 UTC") }

// span formats a number of seconds, such as "3 days".
func span(seconds int64) string {
	switch {
	case seconds < 2*hour:
		return chain.Count(seconds/minute, "minute")
	case seconds < 2*day:
		return chain.Count(seconds/hour, "hour")
	}
	return chain.Count(seconds/day, "day")
}
