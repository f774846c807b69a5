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

// Bundle returns the items of a Request and what families carry beside them:
// each part once, in the order of first use.
func Bundle(list []Prepared) ([]bundle.Item, []bundle.Attachment) {
	var r bundle.Request
	position := make(map[familyPart]int)
	for _, p := range list {
		family := p.Family()
		for _, part := range p.Parts() {
			id := familyPart{family, part.ID}
			if _, twice := position[id]; !twice {
				position[id] = len(r.Attached(family))
				r.Attach(family, part.Raw)
			}
		}
		r.Items = append(r.Items, p.Item(func(part string) int { return position[familyPart{family, part}] }))
	}
	return r.Items, r.Attachments
}

// familyPart names a part of a family's attachment.
type familyPart struct{ family, id string }
