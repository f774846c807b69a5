package policy

import (
	"fmt"

	"coldkms/shared/chain"
)

func (c coinRules) explainLimits(of chain.Asset) (lines []string) {
	for _, l := range c.Limits {
		lines = append(lines, fmt.Sprintf("at most %s %s.", l.words(of), l.Per.words()))
	}
	for _, l := range c.DestinationLimits {
		lines = append(lines, fmt.Sprintf("at most %s to one destination %s.", l.words(of), l.Per.words()))
	}
	return lines
}

func (w window) words() string {
	switch w {
	case perBatch:
		return "in a batch"
	case perDay:
		return "in any 24 hours"
	case perWeek:
		return "in any 7 days"
	}
	return "in a transaction"
}

// limitWarnings points at limits that let nothing through, or that another one
// reaches first.
func (c coinRules) limitWarnings() (lines []string) {
	warn := func(format string, args ...any) { lines = append(lines, fmt.Sprintf(format, args...)) }
	for i, l := range c.Limits {
		if l.nothing() {
			warn("nothing can be paid: the limit per %s is zero", l.Per)
		}
		for _, longer := range c.Limits[i+1:] {
			if l.beyond(longer) {
				warn("the limit per %s is never reached: the one per %s is lower", l.Per, longer.Per)
			}
		}
	}
	for _, d := range c.DestinationLimits {
		if d.nothing() {
			warn("nothing can be paid: the limit for one destination per %s is zero", d.Per)
		}
		for _, l := range c.Limits {
			if l.Per.order() >= d.Per.order() && d.beyond(l) {
				warn("the limit for one destination per %s is never reached: the one for all per %s is lower", d.Per, l.Per)
			}
		}
	}
	return lines
}

// nothing reports whether a limit lets no payment through.
func (l limit) nothing() bool {
	return (l.Sum != nil && l.Sum.IsZero()) || (l.Count != nil && *l.Count == 0)
}

// beyond reports whether a limit over a window that contains this one's is
// reached before it in every case.
func (l limit) beyond(longer limit) bool {
	sum := l.Sum == nil || (longer.Sum != nil && l.Sum.Cmp(*longer.Sum) > 0)
	count := l.Count == nil || (longer.Count != nil && *l.Count > *longer.Count)
	return sum && count
}
