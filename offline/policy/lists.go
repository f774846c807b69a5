package policy

import (
	"fmt"

	"coldkms/shared/chain"
)

// listRule compares destinations with the lists of those that are known and of
// those that are never paid.
func listRule() rule {
	return rule{
		modes: func(f *file) []modeField {
			return []modeField{{name: "unlisted", mode: &f.Unlisted, usual: modeAllow,
				about: "A destination that is not on the list of those it knows"}}
		},
		parse: func(f *file, coins Coins) error {
			if err := normaliseList(coins, "allow", f.Allow); err != nil {
				return err
			}
			return normaliseList(coins, "deny", f.Deny)
		},
		judge: (*judgement).lists,
		words: func(p Policy) []string { return p.file.explainLists() },
		warn:  Policy.listWarnings,
	}
}

// lists compares destinations with the policy's own.
func (j *judgement) lists() {
	for i, out := range j.subject.Facts.Movements {
		if out.IsChange() {
			continue
		}
		at, to := chain.At{Part: chain.OfMovement, Index: i}, j.subject.to(out)
		if e, denied := j.policy.deny.find(to, out.Lock); denied {
			j.act(modeRefuse, chain.Because(chain.Denied, "output %d pays %s, %s", i, to.to, e.words(to)).Of(at))
		}
		if out.Own != nil && j.policy.file.OwnTransfers != nil {
			continue // a policy that has a rule of its own about these
		}
		if _, listed := j.policy.allow[to]; !listed && (out.Pays() || !out.Amount.IsZero()) {
			j.act(j.policy.file.Unlisted, chain.Because(chain.NotAllowed,
				"output %d pays %s, which is not on the list of allowed destinations", i, to.to).Of(at))
		}
	}
}

func (f file) explainLists() []string {
	var lines []string
	for _, e := range f.Deny {
		lines = append(lines, fmt.Sprintf("%s: never pays %s%s, nor another address of its key.",
			e.destination().Coin, e.destination().to, quoted(e.Label)))
	}
	for _, e := range f.Allow {
		lines = append(lines, fmt.Sprintf("%s: knows %s%s.", e.destination().Coin, e.destination().to, quoted(e.Label)))
	}
	return lines
}

// listWarnings points at entries that no payment can match, or that are refused
// all the same.
func (p Policy) listWarnings() (lines []string) {
	f := p.file
	warn := func(format string, args ...any) { lines = append(lines, fmt.Sprintf(format, args...)) }
	for _, e := range f.Allow {
		to := e.destination()
		if other, denied := p.denies(e); denied && other.destination() == to {
			warn("%s: %s is on both lists, and is refused", to.Coin, to.to)
		} else if denied {
			warn("%s: %s is listed and is refused: it pays the same key as %s, which is denied",
				to.Coin, to.to, other.destination().to)
		}
		if _, signed := p.coins[to.Coin]; !signed {
			warn("%s: %s is listed, and nothing is signed for this coin", to.Coin, to.to)
		}
	}
	for _, e := range f.Deny {
		if _, signed := p.coins[e.destination().Coin]; !signed {
			warn("%s: %s is denied, and nothing is signed for this coin anyway", e.destination().Coin, e.destination().to)
		}
	}
	return lines
}
