package policy

import (
	"errors"
	"fmt"

	"coldkms/shared/chain"
)

// maxDays bounds how rarely a payee is paid.
const maxDays = 3660

// payeeRule has what the entries of the list say of single payees: how much a batch
// may pay them, and how often they are paid.
func payeeRule() rule {
	return rule{judge: (*judgement).payeeLimits, fresh: true, words: func(p Policy) (lines []string) {
		for _, e := range p.file.Allow {
			if e.Limit != nil {
				lines = append(lines, fmt.Sprintf("%s: at most %s to %s%s in a batch.", e.coin(),
					p.assetOf(e.coin()).Format(*e.Limit), e.name, quoted(e.Label)))
			}
			if e.EveryDays != nil {
				lines = append(lines, fmt.Sprintf("%s: %s%s is paid every %s.", e.coin(), e.name, quoted(e.Label),
					chain.Count(*e.EveryDays, "day")))
			}
		}
		return lines
	}}
}

// checkTerms checks the limit and the rhythm of an entry.
func (e *entry) checkTerms(coin Coin) error {
	switch {
	case !upTo(e.Limit, coin.Largest()):
		return errors.New("limit is out of range")
	case e.EveryDays != nil && (*e.EveryDays < 1 || *e.EveryDays > maxDays):
		return fmt.Errorf("everyDays of %d: 1 to %d", *e.EveryDays, maxDays)
	}
	return nil
}

func (j *judgement) payeeLimits() {
	if len(j.policy.terms) == 0 {
		return
	}
	j.paysTo(func(at chain.At, amount chain.Sum, to *payee, _ *payees) {
		e, has := j.policy.terms[j.subject.to(j.subject.Facts.Movements[at.Index])]
		if !has {
			return
		}
		if e.Limit != nil && to.now.sum.Cmp(*e.Limit) > 0 && amount.Asset.Token == "" {
			j.act(modeRefuse, chain.Because(chain.LimitDestination,
				"output %d pays %s: this batch pays %s to its payee%s, the limit of which is %s",
				at.Index, amount, amount.Asset.Format(to.now.sum), quoted(e.Label), amount.Asset.Format(*e.Limit)).Of(at))
		}
		if e.EveryDays == nil || len(to.paid) == 0 {
			return
		}
		if since := j.history.Now() - to.paid[0].clock; since < *e.EveryDays*day*3/4 {
			j.rate(j.policy.file.SamePayment, chain.Look, chain.Because(chain.FlagSameAgain,
				"output %d pays %s to %s%s, which is paid every %s, and was paid on %s",
				at.Index, amount, shownName(to), quoted(e.Label), chain.Count(*e.EveryDays, "day"), clock(to.paid[0].clock)).Of(at))
		}
	})
}
