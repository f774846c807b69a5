package policy

import (
	"fmt"
	"slices"
	"strings"
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
		} else if got, rhythm := to.early(amount.Amount, percent, j.history.Now(), all.rhythm); got != nil {
			j.rate(j.policy.file.SamePayment, chain.Look, chain.Because(chain.FlagSameAgain,
				"output %d pays %s to %s%s, which got %s on %s%s",
				at.Index, amount, shownName(to), quoted(to.label), likeness(amount, *got, percent),
				clock(to.paid[0].clock), rhythm).Of(at))
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
		"output %d pays %s to %s%s, as %s of this batch%s",
		at.Index, amount, shownName(to), quoted(to.label),
		chain.Count(n-1, "other payment"), amountsOf(amount, same, *j.unusual.SamePercent)).Of(at))
}

// likeness names an amount that was paid before beside one that is to be paid:
// what is within some percent is not called the same.
func likeness(asked chain.Sum, got chain.Amount, percent int64) string {
	if got == asked.Amount {
		return "the same"
	}
	return fmt.Sprintf("%s, within %d %% of it,", chain.Sum{Amount: got, Asset: asked.Asset}, percent)
}

// amountsOf names the amounts of payments, in their order, where they are not all one.
func amountsOf(asked chain.Sum, same []ask, percent int64) string {
	least, most := same[0].amount, same[len(same)-1].amount
	switch {
	case least == most:
		return ""
	case len(same) > 2:
		return fmt.Sprintf(", of %s to %s, within %d %%", chain.Sum{Amount: least, Asset: asked.Asset},
			chain.Sum{Amount: most, Asset: asked.Asset}, percent)
	case least == asked.Amount:
		least = most
	}
	return strings.TrimSuffix(", of "+likeness(asked, least, percent), ",")
}

const (
	manyTwins   = 100  // with more payments of one amount, none counts as the right one
	leastRhythm = hour // seconds
)

// early returns the amount that a payee got the last time, if it was less than half of
// its rhythm ago, and in words what that rhythm is; else nil. Where there is no rhythm
// yet, it is early within a day. A shorter rhythm than leastRhythm is none to trust: who
// signs some batches in a row has not agreed to pay somebody every minute.
func (p *payee) early(amount chain.Amount, percent, now, rhythm int64) (got *chain.Amount, words string) {
	if len(p.paid) == 0 {
		return nil, ""
	}
	last := p.paid[0].amounts
	at := slices.Index(last, amount) // the very same, if there is one
	if at < 0 {
		at = slices.IndexFunc(last, func(a chain.Amount) bool { return closeTo(a, amount, percent) })
	}
	if at < 0 {
		return nil, ""
	}
	if own := p.rhythm(); own != noInterval {
		rhythm = own
	}
	since := now - p.paid[0].clock
	switch {
	case rhythm == noInterval:
		rhythm = 2 * day
	case rhythm < leastRhythm:
		rhythm = leastRhythm
	default:
		words = ", and is usually paid every " + span(rhythm)
	}
	if 2*since >= rhythm {
		return nil, ""
	}
	return &last[at], words
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
