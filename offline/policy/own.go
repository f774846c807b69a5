package policy

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"coldkms/shared/chain"
)

// Bounds of a rule about own transfers.
const (
	maxSignatureID = 128   // bytes, as in a wallet
	maxGrouped     = 4_096 // entries in all groups
)

// ownTransfers is the rule about what an own key receives beyond its change.
type ownTransfers struct {
	Mode     ownMode    `json:"mode"`
	FarIndex ownMode    `json:"farIndex"`
	Groups   [][]string `json:"groups,omitempty"` // signature ids within which value moves freely
}

func ownRule() rule {
	return rule{
		parse: func(f *file, _ Coins) error { return f.OwnTransfers.normalise() },
		judge: func(j *judgement) {
			paid := 0
			for i, m := range j.subject.Facts.Movements {
				if m.Pays() {
					paid++
				}
				j.own(i, m)
			}
			if paid == 0 {
				j.find(chain.FlagRoundTrip, "pays nobody: all but the fee of %s comes back", j.amount(j.subject.Facts.Cost()))
			}
		},
		words: func(p Policy) []string { return p.file.OwnTransfers.explain() },
	}
}

// ownMode is what is done about an own transfer: "allow", "look" or "refuse".
type ownMode string

// UnmarshalText implements encoding.TextUnmarshaler.
func (m *ownMode) UnmarshalText(text []byte) error {
	switch string(text) {
	case "allow", "look", "refuse":
		*m = ownMode(text)
		return nil
	}
	return fmt.Errorf(`%.20q is none of "allow", "look" and "refuse"`, text)
}

// mode is what the other rules call it. Whatever is unknown refuses.
func (m ownMode) mode() mode {
	if m == "look" {
		return modeFlag
	}
	return mode(m)
}

// own is the rule in force; a file without one has its default.
func (f *file) own() ownTransfers {
	if f.OwnTransfers != nil {
		return *f.OwnTransfers
	}
	return ownTransfers{Mode: "look", FarIndex: "refuse"}
}

// fill spells out what was left to its default.
func (o *ownTransfers) fill() {
	if o == nil {
		return
	}
	o.Mode, o.FarIndex = cmp.Or(o.Mode, "look"), cmp.Or(o.FarIndex, "refuse")
}

// normalise checks the rule and gives it its one form.
func (o *ownTransfers) normalise() error {
	if o == nil {
		return nil
	}
	seen := make(map[string]bool)
	for _, group := range o.Groups {
		if len(group) < 2 {
			return errors.New("ownTransfers: a group has two signature ids or more")
		}
		for _, id := range group {
			switch {
			case id == "" || len(id) > maxSignatureID || checkName(id) != nil:
				return fmt.Errorf("ownTransfers: %.40q is no signature id", id)
			case seen[id]:
				return fmt.Errorf("ownTransfers: %.40q is in the groups twice", id)
			}
			seen[id] = true
		}
		slices.Sort(group)
	}
	if len(seen) > maxGrouped {
		return fmt.Errorf("ownTransfers: %d signature ids in groups, at most %d", len(seen), maxGrouped)
	}
	slices.SortFunc(o.Groups, slices.Compare[[]string])
	return nil
}

// index maps each grouped entry to the first of its group.
func (o *ownTransfers) index() map[string]string {
	of := make(map[string]string)
	if o == nil {
		return of
	}
	for _, group := range o.Groups {
		for _, id := range group {
			of[id] = group[0]
		}
	}
	return of
}

// GroupWarnings points at groups that can have no effect with the entries that
// lookup knows: value moves within one coin and network only.
func (p Policy) GroupWarnings(lookup func(signatureID string) (chain.Coin, bool)) (lines []string) {
	if p.file.OwnTransfers == nil {
		return nil
	}
	for _, group := range p.file.OwnTransfers.Groups {
		var first chain.Coin
		for _, id := range group {
			at, known := lookup(id)
			switch {
			case !known:
				lines = append(lines, fmt.Sprintf("ownTransfers: this wallet has no entry %q, which is in a group", id))
			case first == chain.Coin{}:
				first = at
			case first != at:
				lines = append(lines, fmt.Sprintf("ownTransfers: entry %q is of %s, in a group with entries of %s: no value moves between them; make a group for each", id, at, first))
			}
		}
	}
	return lines
}

func (o *ownTransfers) explain() []string {
	if o == nil {
		return []string{"What an own key receives beyond its change counts as paid, and is to be looked at.",
			"An own key at an index that a search for funds may not reach is refused."}
	}
	does := map[ownMode]string{"allow": "is let through", "look": "is to be looked at", "refuse": "is refused"}
	lines := []string{
		"What an own key receives beyond its change counts as paid, and " + does[o.Mode] + ".",
		"An own key at an index that a search for funds may not reach " + does[o.FarIndex] + ".",
	}
	for _, group := range o.Groups {
		lines = append(lines, fmt.Sprintf("Value moves freely between the entries %q.", group))
	}
	return lines
}

// Indices is what the ledger knows about the indices of mnemonics.
type Indices interface {
	// Reaches reports whether a search for the funds of an entry finds those
	// at an index: it is 0, was used, or lies close above the highest reached.
	Reaches(signatureID string, index int64) bool
}

// ownAddress is one address of a key; the kind tells those that have no text.
type ownAddress struct{ unit, kind, address string }

// Balance fills in how much of each output is change. An entry, or a group of
// entries within which policy lets value move freely, gets as change what it
// supplied and no more, so that no relay chooses which own key the rest goes
// to. A key that several entries hold supplies change only to keys that the
// same entries hold: else value would come within reach of another entry, or
// leave it. At an index that is not known, change is what the same address
// supplied. A bare public key has no address: nobody who looks for funds by
// addresses would find it, so it is never change.
func (p Policy) Balance(f *chain.Facts, known Indices) {
	entry, from := make(map[string]chain.Amount), make(map[ownAddress]chain.Amount) // what is left of what each supplied
	committed := f.Committed()
	for _, in := range f.Sources {
		if in.Key != nil && in.Asset.Token == "" && (in.Proven || committed) { // a claim supplies nothing
			unit := p.units(*in.Key, in.Also)
			at := ownAddress{unit, in.Kind, address(in.Address, in.Lock)}
			entry[unit], from[at] = entry[unit].Plus(in.Amount), from[at].Plus(in.Amount)
		}
	}
	for i := range f.Movements {
		out := &f.Movements[i]
		out.Change, out.Far = chain.Amount{}, false
		if out.Own == nil || out.Asset.Token != "" || out.Unspendable || out.Burnt || out.Amount.IsZero() {
			continue
		}
		unit := p.units(*out.Own, out.Also)
		at, left := ownAddress{unit, out.Kind, address(out.Address, out.Lock)}, entry[unit]
		if out.Hidden {
			left = chain.Amount{}
		}
		if out.Own.Index != chain.NoIndex && !known.Reaches(out.Own.SignatureID, out.Own.Index) {
			left = least(left, from[at])
			out.Far = true
		}
		out.Change = least(out.Amount, left)
		out.Far = out.Far && !out.IsChange()
		entry[unit] = entry[unit].Minus(out.Change)
		from[at] = from[at].Minus(out.Change)
	}
}

func least(a, b chain.Amount) chain.Amount {
	if a.Cmp(b) < 0 {
		return a
	}
	return b
}

// unit names what is balanced together: an entry, or its group.
func (p Policy) unit(signatureID string) string {
	if group, ok := p.group[signatureID]; ok {
		return group
	}
	return signatureID
}

// address is that of a script, or the script itself where it has none.
func address(of string, script []byte) string {
	if of == "" {
		return string(script)
	}
	return of
}

// units names what is balanced together where several entries hold a key: the
// units of all of them.
func (p Policy) units(key chain.Key, also []chain.Key) string {
	list := []string{p.unit(key.SignatureID)}
	for _, k := range also {
		list = append(list, p.unit(k.SignatureID))
	}
	slices.Sort(list)
	return strings.Join(slices.Compact(list), "\x00") // which no signature id has
}

// describeOwn names the key that an output pays, and the other entries that
// hold it.
func describeOwn(out chain.Movement) string {
	const most = 3
	words := describe(*out.Own)
	for i, k := range out.Also {
		if i == most {
			return words + fmt.Sprintf(" and of %d more entries", len(out.Also)-most)
		}
		words += fmt.Sprintf(", which is also the key %s", describe(k))
	}
	return words
}

// own judges what an own key receives beyond its change.
func (j *judgement) own(i int, out chain.Movement) {
	rule, amount := j.policy.file.own(), chain.Sum{Amount: out.Transfer(), Asset: out.Asset}
	switch {
	case out.Own == nil || out.IsChange():
	case out.Unspendable:
		j.do(rule.Mode.mode(), chain.OwnTransfer, "output %d pays %s to a %s script of the own key %s, which this signer cannot spend", i, amount, out.Kind, describeOwn(out))
	case out.Hidden && !out.Far:
		j.do(rule.Mode.mode(), chain.OwnTransfer, "output %d pays %s to the own key %s in a %s script, which has no address: a search for funds by addresses does not find it", i, amount, describeOwn(out), out.Kind)
	case out.Far && !out.Change.IsZero(): // its index is in use: by what is spent here, and by no more
		j.do(rule.FarIndex.mode(), chain.FarIndex, "output %d pays %s to the own key %s beyond what that very address supplies here, and its index is not close to any that was used before", i, amount, describeOwn(out))
	case out.Far:
		j.do(rule.FarIndex.mode(), chain.FarIndex, "output %d pays %s to the own key %s, an index that was never used and is not close to one that was", i, amount, describeOwn(out))
	default:
		j.do(rule.Mode.mode(), chain.OwnTransfer, "output %d pays %s to the own key %s, beyond what its entry supplied", i, amount, describeOwn(out))
	}
}
