package policy

import (
	"cmp"
	"fmt"
	"slices"

	"coldkms/shared/chain"
)

// chainRule refuses what is for other coins than those that are listed.
func chainRule() rule {
	return rule{
		parse: (*file).normaliseChains,
		judge: func(j *judgement) {
			if !j.known {
				j.refuse(chain.ChainNotAllowed, "policy does not sign for %s", j.subject.coin())
			}
		},
		words: func(p Policy) (lines []string) {
			for _, c := range p.file.Chains {
				lines = append(lines, p.explainCoin(p.coins[c.coin()])...)
			}
			return append(lines, "Whatever is not for one of these chains and networks is refused.")
		},
		warn: func(p Policy) (lines []string) {
			if len(p.file.Chains) == 0 {
				lines = append(lines, "nothing can be signed: chains is empty")
			}
			for _, c := range p.file.Chains {
				if at := c.coin(); p.file.Unlisted == modeRefuse && !p.paysSomebody(at) {
					lines = append(lines, fmt.Sprintf("%s: nothing can be paid: unlisted destinations are refused, "+
						"and none is listed that is not denied", at))
				}
			}
			return lines
		},
	}
}

func (f *file) normaliseChains(coins Coins) error {
	seen := make(map[chain.Coin]bool)
	for i := range f.Chains {
		c := &f.Chains[i]
		at := c.coin()
		if _, ok := coins.Coin(at); !ok {
			return fmt.Errorf("chains: %.20q %.20q is not a coin and network that this program signs for",
				string(c.Chain), c.Network)
		}
		if seen[at] {
			return fmt.Errorf("chains: %s is there twice", at)
		}
		seen[at] = true
	}
	slices.SortFunc(f.Chains, func(a, b coinRules) int {
		return cmp.Or(cmp.Compare(a.Chain, b.Chain), cmp.Compare(a.Network, b.Network))
	})
	return nil
}

// eachCoin has what a rule says of each coin checked. most is the highest amount
// there can be.
func (f *file) eachCoin(coins Coins, check func(c *coinRules, most chain.Amount) error) error {
	for i := range f.Chains {
		c := &f.Chains[i]
		coin, _ := coins.Coin(c.coin()) // normaliseChains has seen to it that there is one
		if err := check(c, coin.Largest()); err != nil {
			return fmt.Errorf("%s: %w", c.coin(), err)
		}
	}
	return nil
}

// eachWarning collects the warnings about each coin.
func (p Policy) eachWarning(of func(coinRules) []string) (lines []string) {
	for _, c := range p.file.Chains {
		for _, line := range of(c) {
			lines = append(lines, c.coin().String()+": "+line)
		}
	}
	return lines
}

// explainCoin says what each rule has for a coin.
func (p Policy) explainCoin(c coinRules) []string {
	at, of := c.coin(), p.assetOf(c.coin())
	lines := []string{fmt.Sprintf("%s: signed for, with a fee of at most %s smallest units per vB.", at, *c.MaxFeeRate)}
	for _, r := range rules() {
		if r.coin == nil {
			continue
		}
		for _, line := range r.coin(c, of) {
			lines = append(lines, at.String()+": "+line)
		}
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

// paysSomebody reports whether some listed destination of a coin can be paid.
func (p Policy) paysSomebody(at chain.Coin) bool {
	return slices.ContainsFunc(p.file.Allow, func(e entry) bool {
		_, denied := p.denies(e)
		return e.destination().Coin == at && !denied
	})
}
