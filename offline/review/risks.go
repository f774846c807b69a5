package review

import (
	"fmt"
	"slices"

	"coldkms/shared/chain"
)

// maxRisks is how many of the largest risks stand before the question.
const maxRisks = 3

// Risks returns the gravest findings of the chosen items, at most so many:
// those that want a second look, one for each item.
func (b Batch) Risks(choice Choice, most int) []Unusual {
	list := slices.DeleteFunc(b.Unusual(len(b.Items)), func(u Unusual) bool {
		return !b.counts(u.Item, choice) || u.Severity < chain.Look
	})
	return list[:min(len(list), most)]
}

// risks writes the largest risks of what would be signed: what each item is to
// be looked at for, how much, and to whom.
func (b Batch) risks(p *printer, choice Choice) {
	for _, u := range b.Risks(choice, maxRisks) {
		p.line("RISK               [%d] %s: %s to %s", u.Item+1, u.Reason.Code, u.Sum(), u.Payee())
	}
}

// Sum is what is at risk, in units of its asset.
func (u Unusual) Sum() string {
	return u.AtRisk.Asset.Units(u.AtRisk.Amount) + " " + u.AtRisk.Asset.Symbol
}

// Payee names whom an unusual item pays: by the label of policy and by the
// address, whole and in groups, or by the kind of its script.
func (u Unusual) Payee() string {
	name := "nobody"
	switch {
	case u.To == nil:
	case u.To.Address != "":
		name = Groups(u.To.Address)
	default:
		name = "a " + u.To.Kind + " script"
	}
	if u.Label != "" {
		name = fmt.Sprintf("%q, %s", u.Label, name)
	}
	return name
}
