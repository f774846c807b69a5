package review

import (
	"cmp"
	"slices"

	"coldkms/offline/policy"
	"coldkms/shared/chain"
)

// Standing is how much of a person's attention an item wants. The zero value
// wants the most.
type Standing uint8

// The standings, in the order in which items are shown.
const (
	Refused Standing = iota // is not signed
	Look                    // may be a mistake or an attack: it wants a second look
	Noted                   // something is said about it
	OK
)

// String returns the word on the screens.
func (s Standing) String() string { return [...]string{"refused", "look", "noted", "ok"}[s] }

// noted are the findings that say what is so, not that something may be
// wrong. Whatever is not in this list wants a second look, a finding that a
// later version adds included.
var noted = [...]chain.Code{
	chain.FlagNew, chain.FlagSignedBefore, chain.FlagReplaceable, chain.FlagLockTime, chain.FlagData,
	chain.FlagUnusedKey, chain.FlagLowFee, chain.FlagDisproved, chain.RequestTime,
}

// Standing says where the item belongs.
func (it Item) Standing() Standing {
	switch {
	case it.Refused():
		return Refused
	case len(it.Findings) == 0:
		return OK
	case slices.ContainsFunc(it.Findings, it.grave):
		return Look
	}
	return Noted
}

// grave reports whether a finding wants a second look. A high fee does only
// where it is more than half of what is paid: small payments cost that much.
func (it Item) grave(r policy.Reason) bool {
	if r.Severity != chain.Unrated {
		return r.Severity >= chain.Look
	}
	if r.Code == chain.FlagHighFee && it.Facts != nil {
		return it.Facts.Cost().AbovePercent(50, it.Facts.Paid())
	}
	return !slices.Contains(noted[:], r.Code)
}

// Insists reports whether a plain yes is not enough for the item.
func (it Item) Insists() bool { return !it.Refused() && slices.ContainsFunc(it.Findings, it.grave) }

// Sorted returns the findings that want a second look, and the others.
func (it Item) Sorted() (look, notes []policy.Reason) {
	for _, r := range it.Findings {
		if it.grave(r) {
			look = append(look, r)
		} else {
			notes = append(notes, r)
		}
	}
	return look, notes
}

// IsNew reports whether the item pays somebody who was never paid before.
func (it Item) IsNew() bool {
	return slices.ContainsFunc(it.Findings, func(r policy.Reason) bool { return r.Code == chain.FlagNew })
}

// Tally counts how many items stand where.
func (b Batch) Tally() (count [OK + 1]int) {
	for _, it := range b.Items {
		count[it.Standing()]++
	}
	return count
}

// Counted is a code and how often it was found.
type Counted struct {
	Code chain.Code
	N    int // items
}

// Codes counts the codes of refusals and of findings, by items. Of refused
// items the refusals count; the most frequent first.
func (b Batch) Codes() (refusals, look, notes []Counted) {
	var by [Noted + 1]map[chain.Code]int
	for i := range by {
		by[i] = make(map[chain.Code]int)
	}
	for _, it := range b.Items {
		for code, standing := range it.codes() {
			by[standing][code]++
		}
	}
	return counted(by[Refused]), counted(by[Look]), counted(by[Noted])
}

// codes are the codes that say why an item stands where it does.
func (it Item) codes() map[chain.Code]Standing {
	codes := make(map[chain.Code]Standing)
	if it.Refused() {
		for _, r := range it.Refusals {
			codes[r.Code] = Refused
		}
		return codes
	}
	for _, r := range it.Findings {
		if it.grave(r) {
			codes[r.Code] = Look
		} else if _, had := codes[r.Code]; !had {
			codes[r.Code] = Noted
		}
	}
	return codes
}

func counted(by map[chain.Code]int) []Counted {
	list := make([]Counted, 0, len(by))
	for code, n := range by {
		list = append(list, Counted{code, n})
	}
	slices.SortFunc(list, func(x, y Counted) int { return cmp.Or(cmp.Compare(y.N, x.N), cmp.Compare(x.Code, y.Code)) })
	return list
}
