package policy

import "coldkms/shared/chain"

// rule is one thing that a policy asks of an item: a file of this package. What
// a rule does not need is nil.
type rule struct {
	modes func(*file) []modeField  // its fields that say allow, flag or refuse
	parse func(*file, Coins) error // checks its part of a file and gives it its one form
	judge func(*judgement)         // refuses or flags an item
	fresh bool                     // asked only of what is not signed yet
	words func(Policy) []string    // a sentence for each of its settings
	coin  coinWords                // the same, of its settings of a coin
	warn  func(Policy) []string    // settings that can never hold or never matter
}

// coinWords explains what a rule has for a coin, as sentences about it.
type coinWords func(coinRules, chain.Asset) []string

// rules are all of them, in the order in which they are asked and explained. A
// new one is one more line.
func rules() []rule {
	return []rule{
		chainRule(), sourceRule(), familyRule(), ownRule(), feeRule(), memoryRule(), listRule(), tokenRule(), sharedRule(),
		offlineRule(), ledgerCheckRule(), ageRule(), requestTimeRule(), approverRule(), newDestinationRule(), lookAlikeRule(),
		samePaymentRule(), aboveUsualRule(), firstPaymentRule(), redirectedRule(), manyPaymentsRule(), feeRateRule(),
		shapeRule(), unusualRule(), payeeRule(), limitRule(), quorumRule(),
	}
}

// parse checks a file, rule by rule.
func (f *file) parse(coins Coins) error {
	for _, r := range rules() {
		if r.parse != nil {
			if err := r.parse(f, coins); err != nil {
				return err
			}
		}
	}
	return nil
}

// modes are the fields of a file that say allow, flag or refuse.
func (f *file) modes() (list []modeField) {
	for _, r := range rules() {
		if r.modes != nil {
			list = append(list, r.modes(f)...)
		}
	}
	return list
}
