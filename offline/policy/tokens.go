package policy

import (
	"cmp"
	"fmt"
	"slices"

	"coldkms/shared/chain"
)

func tokenRule() rule {
	return rule{
		parse: func(f *file, coins Coins) error {
			return f.eachCoin(coins, func(c *coinRules, _ chain.Amount) error { return c.normaliseTokens() })
		},
		judge: (*judgement).tokens,
		coin:  coinRules.explainTokens,
	}
}

// explainTokens names each token that may be moved. The decimals of a token are
// not known.
func (c coinRules) explainTokens(chain.Asset) (lines []string) {
	for _, t := range c.Tokens {
		if len(t.Limits) == 0 {
			lines = append(lines, fmt.Sprintf("token %q may be moved, in any amount.", t.Token))
		}
		for _, l := range t.Limits {
			lines = append(lines, fmt.Sprintf("token %q: at most %s %s.", t.Token, l.units(), l.Per.words()))
		}
	}
	return lines
}

// units returns the limit in words, in the smallest unit of its token.
func (l limit) units() string {
	switch {
	case l.Sum == nil:
		return chain.Count(*l.Count, "payment")
	case l.Count == nil:
		return l.Sum.String() + " of its smallest unit"
	}
	return fmt.Sprintf("%s of its smallest unit in %s", l.Sum, chain.Count(*l.Count, "payment"))
}

// normaliseTokens checks the rules for tokens. Nobody knows how much there is of
// one.
func (c *coinRules) normaliseTokens() error {
	for i := range c.Tokens {
		t := &c.Tokens[i]
		if t.Token == "" || checkName(t.Token) != nil {
			return fmt.Errorf("tokens: %.40q is no token", t.Token)
		}
		if err := normaliseLimits("limits of a token", t.Limits, chain.MaxAmount().Minus(chain.NewAmount(1))); err != nil {
			return err
		}
	}
	slices.SortFunc(c.Tokens, func(a, b tokenRules) int { return cmp.Compare(a.Token, b.Token) })
	for i := range c.Tokens {
		if i > 0 && c.Tokens[i].Token == c.Tokens[i-1].Token {
			return fmt.Errorf("tokens: %.40q is there twice", c.Tokens[i].Token)
		}
	}
	return nil
}

// tokens refuses tokens that no rule is about, and what takes part in exceeding
// the limits of one.
func (j *judgement) tokens() {
	own := make(map[asset]tally)
	for i, m := range j.subject.Facts.Movements {
		a := j.subject.asset(m)
		if _, known := j.tokenRules(a.token); a.token != "" && !known {
			j.act(modeRefuse, chain.Because(chain.ChainNotAllowed,
				"output %d moves %s, and policy has no rule for token %.80q",
				i, chain.Sum{Amount: m.Amount, Asset: m.Asset}, a.token).Of(chain.At{Part: chain.OfMovement, Index: i}))
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
				j.act(modeRefuse, chain.Because(limitCode(l.Per), "%s in %s, the limit is %s",
					chain.Sum{Amount: sum.sum, Asset: m.Asset}, chain.Count(sum.count, "payment"), l.words(m.Asset)).
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
