package policy

import (
	"errors"
	"fmt"

	"coldkms/shared/chain"
)

// unusualRules are the thresholds from which on a payment is out of the ordinary.
// What is not written has its default, which is not spelled out: a file that says
// nothing of it keeps its hash.
type unusualRules struct {
	AboveUsual   mode   `json:"aboveUsual,omitempty"`
	FirstPayment mode   `json:"firstPayment,omitempty"`
	Redirected   mode   `json:"redirected,omitempty"`
	ManyPayments mode   `json:"manyPayments,omitempty"`
	FeeRate      mode   `json:"feeRate,omitempty"`
	Shape        mode   `json:"shape,omitempty"`
	OneIn        *int64 `json:"oneIn,omitempty"`        // of what was signed before, what is above is out of the ordinary
	LeastPercent *int64 `json:"leastPercent,omitempty"` // of what is usual, below which nothing is
	FeePercent   *int64 `json:"feePercent,omitempty"`   // the same, of fee rates
	SamePercent  *int64 `json:"samePercent,omitempty"`  // by which two amounts differ that count as one
	LikeLetters  *int64 `json:"likeLetters,omitempty"`  // at both ends together, from which on addresses look alike
}

// bounded is a number of a file with its default and its bounds.
type bounded struct {
	name               string
	value              **int64
	usual, least, most int64
}

func (u *unusualRules) numbers() []bounded {
	return []bounded{
		{"oneIn", &u.OneIn, 400, 10, 1_000_000},
		{"leastPercent", &u.LeastPercent, 200, 110, 100_000},
		{"feePercent", &u.FeePercent, 300, 110, 100_000},
		{"samePercent", &u.SamePercent, 1, 0, 50},
		{"likeLetters", &u.LikeLetters, 6, 4, 30},
	}
}

func (u *unusualRules) modes() []modeField {
	return []modeField{
		{name: "aboveUsual", mode: &u.AboveUsual, usual: modeFlag,
			about: "A payee that gets much more than it usually does"},
		{name: "firstPayment", mode: &u.FirstPayment, usual: modeFlag,
			about: "A first payment that is larger than first payments are"},
		{name: "redirected", mode: &u.Redirected, usual: modeFlag,
			about: "A payment of what another payee usually gets, which gets nothing"},
		{name: "manyPayments", mode: &u.ManyPayments, usual: modeFlag,
			about: "A payee with more payments in a batch than it ever had"},
		{name: "feeRate", mode: &u.FeeRate, usual: modeFlag,
			about: "A fee rate far above those of the batch and of before"},
		{name: "shape", mode: &u.Shape, usual: modeFlag,
			about: "A transaction without change, or with more destinations, unlike all others"},
	}
}

// percentLog returns a percentage as the logarithm of a ratio.
func percentLog(percent int64) int64 {
	return chain.NewAmount(uint64(percent)*1000).Log2() - chain.NewAmount(100_000).Log2()
}

// unusual returns the thresholds in force.
func (f *file) unusual() unusualRules {
	var u unusualRules
	if f.Unusual != nil {
		u = *f.Unusual
	}
	for _, n := range u.numbers() {
		if *n.value == nil {
			*n.value = &n.usual
		}
	}
	for _, m := range u.modes() {
		if *m.mode == "" {
			*m.mode = m.usual
		}
	}
	return u
}

func (u *unusualRules) check() error {
	if u == nil {
		return nil
	}
	if *u == (unusualRules{}) {
		return errors.New("unusual: it is empty; leave it out for the defaults")
	}
	for _, n := range u.numbers() {
		if v := *n.value; v != nil && (*v < n.least || *v > n.most) {
			return fmt.Errorf("unusual: %s of %d: %d to %d", n.name, *v, n.least, n.most)
		}
	}
	return nil
}

// unusualRule has the thresholds of the rules that compare with what is usual,
// and explains them.
func unusualRule() rule {
	return rule{
		parse: func(f *file, _ Coins) error { return f.Unusual.check() },
		words: func(p Policy) (lines []string) {
			u := p.file.unusual()
			for _, m := range u.modes() {
				lines = append(lines, m.explain())
			}
			return append(lines,
				fmt.Sprintf("Out of the ordinary is what one in %d of what was signed before was above, "+
					"and from %d %% of what is usual on, of fee rates from %d %% on.",
					*u.OneIn, *u.LeastPercent, *u.FeePercent),
				fmt.Sprintf("Amounts that differ by at most %d %% of the larger count as the same; "+
					"addresses look alike from %d characters on that they begin and end with together.",
					*u.SamePercent, *u.LikeLetters))
		},
	}
}

// rate does what the policy says about something out of the ordinary. What is
// only noted is never refused.
func (j *judgement) rate(m mode, s chain.Severity, r Reason) {
	if m == modeRefuse && s < chain.Look {
		m = modeFlag
	}
	j.act(m, r.Rated(s))
}

// paysTo goes through the payments of an item to others, with what is known of
// the payee.
func (j *judgement) paysTo(each func(at chain.At, amount chain.Sum, to *payee, all *payees)) {
	j.strange(func(at chain.At, out chain.Movement, to destination) {
		all := j.past.payees[j.subject.asset(out)]
		if all == nil || out.Paid().IsZero() {
			return
		}
		name, _ := j.policy.payee(to)
		if p := all.by[name]; p != nil {
			each(at, chain.Sum{Amount: out.Paid(), Asset: out.Asset}, p, all)
		}
	})
}

// leads reports whether an amount is the largest that the batch pays to a payee. A
// finding about all its payments is raised at that one.
func (p *payee) leads(amount chain.Amount) bool { return amount == p.asks[len(p.asks)-1].amount }

// payee names whom a destination belongs to: its label joins all its addresses.
func (p Policy) payee(to destination) (name, label string) {
	if label = p.allow[to]; label != "" {
		return "\x00" + label, label
	}
	return to.to, ""
}
