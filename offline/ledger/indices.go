package ledger

import "slices"

// gap is how far above the highest index reached a search for funds goes on
// (BIP 44, address gap limit).
const gap = 20

// recent is how far below the highest index reached unused ones are listed.
const recent = 1000

// indices are those of one mnemonic.
type indices struct {
	used      map[int64]struct{} // seen in signed transactions: recognised, but not yet known
	confirmed map[int64]struct{} // known though far: a person was shown it as such, and signed
	highest   int64              // reached without a gap: an index far beyond does not raise it
}

// use takes in the indices of a signed transaction. What counts is how high
// each mnemonic reached before it, so that the order of its inputs and outputs
// means nothing. An index that is far beyond does not become known by being
// paid what it supplied itself: anyone can send it some dust.
func (m *memory) use(line Line) {
	type key struct {
		id        string
		index     int64
		confirmed bool
	}
	var keys []key
	for _, s := range line.From {
		if s.Index != nil {
			keys = append(keys, key{s.Key, *s.Index, false})
		}
	}
	for _, o := range line.Own {
		if o.Index != nil {
			keys = append(keys, key{o.Key, *o.Index, o.Far})
		}
	}
	reached := make(map[string]int64)
	for _, k := range keys {
		of := m.indices[k.id]
		if of == nil {
			of = &indices{used: make(map[int64]struct{}), confirmed: make(map[int64]struct{})}
			m.indices[k.id] = of
		}
		if _, have := reached[k.id]; !have {
			reached[k.id] = of.highest
		}
		of.used[k.index] = struct{}{}
		if k.confirmed {
			of.confirmed[k.index] = struct{}{}
		}
		if k.index <= reached[k.id]+gap {
			of.highest = max(of.highest, k.index)
		}
	}
}

// Reaches reports whether an index of a mnemonic is at most 20 above the
// highest that was reached in steps of at most 20, or was confirmed by a person
// to whom it was shown as far.
func (m *memory) Reaches(id string, index int64) bool {
	of := m.indices[id]
	if of == nil {
		return index <= gap
	}
	_, confirmed := of.confirmed[index]
	return confirmed || index <= of.highest+gap
}

// Indices lists indices of a mnemonic at which its funds are to be expected,
// at most so many: 0 first, then the used ones from the highest down, then
// those around the highest reached.
func (m *memory) Indices(id string, most int) []int64 {
	of := m.indices[id]
	if of == nil {
		of = &indices{}
	}
	list := []int64{0}
	used := make([]int64, 0, len(of.used))
	for index := range of.used {
		used = append(used, index)
	}
	slices.Sort(used)
	for _, index := range slices.Backward(used) {
		if index != 0 {
			list = append(list, index)
		}
	}
	for index := of.highest + gap; index > max(0, of.highest-recent); index-- {
		if _, have := of.used[index]; !have {
			list = append(list, index)
		}
	}
	return list[:min(len(list), most)]
}
