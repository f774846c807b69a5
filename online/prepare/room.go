package prepare

import "coldkms/shared/bundle"

// A Room is what is left of one Request that is being filled. Its zero value is
// that of an empty one.
type Room struct {
	Statements int // that each transaction may bring with it

	sum  bundle.Load
	have map[string][]byte // parts by id
}

// Take reserves room for a transaction, or reports that there is not enough. A
// transaction that was proven always fits into an empty Request.
func (r *Room) Take(p Prepared) bool {
	const perStatement = 128
	next := r.sum.Add(p.Load()).Add(bundle.Load{Statements: r.Statements, Bytes: r.Statements * perStatement})
	parts := p.Parts()
	for _, part := range parts {
		if _, twice := r.have[part.ID]; !twice {
			next = next.Add(bundle.LoadOf(part.Raw))
		}
	}
	if next.Check() != nil && r.sum.Items > 0 {
		return false
	}
	if r.have == nil {
		r.have = make(map[string][]byte)
	}
	for _, part := range parts {
		r.have[part.ID] = part.Raw
	}
	r.sum = next
	return true
}

// Part returns a part that the Request has already, or nil.
func (r *Room) Part(id string) []byte { return r.have[id] }

// Bundle returns the items of a Request and its table of previous transactions,
// each once, in the order of first use.
func Bundle(list []Prepared) ([]bundle.Item, [][]byte) {
	var table [][]byte
	position := make(map[string]int)
	items := make([]bundle.Item, len(list))
	for i, p := range list {
		for _, part := range p.Parts() {
			if _, twice := position[part.ID]; !twice {
				position[part.ID] = len(table)
				table = append(table, part.Raw)
			}
		}
		items[i] = p.Item(func(part string) int { return position[part] })
	}
	return items, table
}
