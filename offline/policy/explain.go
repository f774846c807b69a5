package policy

import (
	"fmt"
	"slices"

	"coldkms/shared/chain"
)

// Explain says what the policy does, a sentence for each rule. The same rules
// give the same sentences, so that two policies can be compared line by line.
func (p Policy) Explain() []string {
	f := p.file
	if len(f.Chains) == 0 {
		return []string{"Nothing is signed: no chain is allowed."}
	}
	var lines []string
	say := func(format string, args ...any) { lines = append(lines, fmt.Sprintf(format, args...)) }
	if f.Name != "" {
		say("This policy is called %q.", f.Name)
	}
	for _, c := range f.Chains {
		lines = append(lines, p.coins[c.coin()].explain(p.assetOf(c.coin()))...)
	}
	say("Whatever is not for one of these chains and networks is refused.")
	lines = append(lines, f.explainLists()...)
	for _, m := range f.modes() {
		say("%s", m.explain())
	}
	lines = append(lines, f.OwnTransfers.explain()...)
	lines = append(lines, explainShared(f.SharedKeys))
	if f.MaxRequestAge != nil {
		say("A request whose time is more than %d hours from this signer's clock is refused.", *f.MaxRequestAge)
	}
	if f.LedgerCheck {
		say("A PSBT is signed only after a person has named the length and the head words of the ledger.")
	}
	if f.RequireOffline {
		say("Nothing is signed while a network interface is up, or where that cannot be told.")
	}
	if a := f.Approvers; a != nil {
		say("Each item needs the word of %d of %d approvers.", a.Needed, len(a.Keys))
		for _, k := range a.Keys {
			say("An approver is %x%s.", k.Key, quoted(k.Name))
		}
	}
	return lines
}

func (c coinRules) explain(of chain.Asset) []string {
	at := c.coin()
	lines := []string{fmt.Sprintf("%s: signed for, with a fee of at most %s smallest units per vB.", at, *c.MaxFeeRate)}
	say := func(format string, args ...any) {
		lines = append(lines, at.String()+": "+fmt.Sprintf(format, args...))
	}
	if c.MaxFee != nil {
		say("a fee is at most %s.", of.Format(*c.MaxFee))
	}
	if c.MaxFeePercent != nil {
		say("a fee is at most %d %% of what is paid out.", *c.MaxFeePercent)
	}
	for _, l := range c.Limits {
		say("at most %s %s.", l.words(of), l.Per.words())
	}
	for _, l := range c.DestinationLimits {
		say("at most %s to one destination %s.", l.words(of), l.Per.words())
	}
	for _, q := range c.Quorum {
		say("above %s %s, %s must approve the batch.", of.Format(q.Above), q.Per.words(), chain.Count(q.Operators, "operator"))
	}
	return lines
}

func (p Policy) assetOf(c chain.Coin) chain.Asset {
	coin, ok := p.coin(c)
	if !ok {
		return chain.Asset{Coin: c, Symbol: string(c.Chain)}
	}
	return coin.Asset()
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

func (f file) explainLists() []string {
	var lines []string
	for _, e := range f.Deny {
		lines = append(lines, fmt.Sprintf("%s: never pays %s%s, nor another address of its key.", e.destination().Coin, e.destination().to, quoted(e.Label)))
	}
	for _, e := range f.Allow {
		lines = append(lines, fmt.Sprintf("%s: knows %s%s.", e.destination().Coin, e.destination().to, quoted(e.Label)))
	}
	return lines
}

// explain says what is done about what the field is for.
func (m modeField) explain() string {
	about := map[string]string{
		"unlisted":       "A destination that is not on the list of those it knows",
		"newDestination": "A destination that was never paid and is on no list",
		"lookAlike":      "An address that begins and ends like a known one and is another",
		"samePayment":    "An amount that the same destination was paid before",
		"unproven":       "An amount to be spent that is not proven",
		"replacement":    "A transaction that spends what is signed into another one",
		"data":           "Data on the chain (OP_RETURN)",
		"nonstandard":    "A script of no standard form",
		"lockTime":       "A transaction that is not valid yet",
		"replaceable":    "A transaction that can be replaced in the mempool (BIP 125)",
	}[m.name]
	switch *m.mode {
	case modeAllow:
		return about + " is let through."
	case modeFlag:
		return about + " is flagged."
	}
	return about + " is refused."
}

// Warnings points at rules that can never hold or never matter.
func (p Policy) Warnings() []string {
	f := p.file
	var lines []string
	warn := func(format string, args ...any) { lines = append(lines, fmt.Sprintf(format, args...)) }
	if len(f.Chains) == 0 {
		warn("nothing can be signed: chains is empty")
	}
	for _, c := range f.Chains {
		lines = append(lines, c.warnings()...)
		if at := c.coin(); f.Unlisted == modeRefuse && !p.paysSomebody(at) {
			warn("%s: nothing can be paid: unlisted destinations are refused, and none is listed that is not denied", at)
		}
	}
	for _, e := range f.Allow {
		to := e.destination()
		if other, denied := p.denies(e); denied && other.destination() == to {
			warn("%s: %s is on both lists, and is refused", to.Coin, to.to)
		} else if denied {
			warn("%s: %s is listed and is refused: it pays the same key as %s, which is denied", to.Coin, to.to, other.destination().to)
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
	if f.NewDestination == modeRefuse && f.Unlisted != modeRefuse && len(f.Allow) == 0 {
		warn("new destinations are refused and none is listed: only what was paid before this policy can be paid")
	}
	return lines
}

// paysSomebody reports whether some listed destination of a coin can be paid.
func (p Policy) paysSomebody(at chain.Coin) bool {
	return slices.ContainsFunc(p.file.Allow, func(e entry) bool {
		_, denied := p.denies(e)
		return e.destination().Coin == at && !denied
	})
}

func (c coinRules) warnings() []string {
	at := c.coin()
	var lines []string
	warn := func(format string, args ...any) {
		lines = append(lines, at.String()+": "+fmt.Sprintf(format, args...))
	}
	if (c.MaxFee != nil && c.MaxFee.IsZero()) || (c.MaxFeePercent != nil && *c.MaxFeePercent == 0) {
		warn("only what has no fee can be signed, which nodes do not relay: maxFee or maxFeePercent is zero; leave it out for the default")
	}
	for i, l := range c.Limits {
		if l.nothing() {
			warn("nothing can be paid: the limit per %s is zero", l.Per)
		}
		for _, longer := range c.Limits[i+1:] {
			if l.beyond(longer) {
				warn("the limit per %s is never reached: the one per %s is lower", l.Per, longer.Per)
			}
		}
		for _, q := range c.Quorum {
			if q.Per == l.Per && l.Sum != nil && q.Above.Cmp(*l.Sum) >= 0 {
				warn("%s above %d per %s are never asked: the limit is %d", chain.Count(q.Operators, "operator"), q.Above, q.Per, *l.Sum)
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
	for i, q := range c.Quorum {
		for _, higher := range c.Quorum[i+1:] {
			if q.Per == higher.Per && q.Operators >= higher.Operators {
				warn("%s above %d per %s change nothing: %d are asked for less already", chain.Count(higher.Operators, "operator"), higher.Above, q.Per, q.Operators)
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

// Compare lists what another policy takes away ("- …") and adds ("+ …").
func (p Policy) Compare(other Policy) []string {
	before, after := p.Explain(), other.Explain()
	var lines []string
	lines = append(lines, missing(before, after, "- ")...)
	return append(lines, missing(after, before, "+ ")...)
}

func missing(from, in []string, mark string) []string {
	have := make(map[string]bool, len(in))
	for _, s := range in {
		have[s] = true
	}
	var lines []string
	for _, s := range from {
		if !have[s] {
			lines = append(lines, mark+s)
		}
	}
	return lines
}
