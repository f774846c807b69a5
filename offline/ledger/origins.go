package ledger

import (
	"crypto/sha256"
	"iter"
	"slices"

	"coldkms/shared/bundle"
)

// origins are the batches with which items were asked for and not signed: which
// needed operators, out of which a person took them, which a person declined, or
// in which they were refused. A quorum per batch counts such an item there, too.
type origins struct {
	asked  map[string][]bundle.Digest            // MarkID, MarkOutpoint or Brief → batches
	signed map[[sha256.Size]byte][]bundle.Digest // signed content that was asked for before → batches
}

func newOrigins() origins {
	return origins{asked: map[string][]bundle.Digest{}, signed: map[[sha256.Size]byte][]bundle.Digest{}}
}

// follow takes in what was not signed, and where it was signed later.
func (o *origins) follow(line Line) {
	switch line.Kind {
	case KindRefused:
		o.add(line.Request, slices.Collect(itemMarks(line.ID, contentOf(line), line.Spent))...)
	case KindLeftOut, KindAgreed:
		for _, id := range line.Left {
			o.add(line.Request, MarkID(id))
		}
	case KindAsked:
		o.add(line.Request, line.Marks...)
	case KindDeclined:
		o.add(line.Request, line.Declined...)
		o.add(line.Request, line.Marks...)
	case KindSigned:
		content := contentOf(line)
		if from := o.of(itemMarks(line.ID, content, line.Spent)); len(from) > 0 {
			o.signed[content] = from
		}
	}
}

func contentOf(line Line) [sha256.Size]byte {
	content, _ := bundle.ParseDigest(line.Content) // zero where there is none
	return content
}

// itemMarks goes through the marks by which an item is recognised. It makes them
// one by one, because those of all items of a large batch take much memory.
func itemMarks(id string, content [sha256.Size]byte, spent []string) iter.Seq[string] {
	return func(yield func(string) bool) {
		if !yield(MarkID(id)) {
			return
		}
		if content != ([sha256.Size]byte{}) && !yield(Brief(content)) {
			return
		}
		for _, op := range spent {
			if !yield(MarkOutpoint(op)) {
				return
			}
		}
	}
}

func (o *origins) add(batch string, marks ...string) {
	digest, err := bundle.ParseDigest(batch)
	if err != nil {
		return
	}
	for _, mark := range marks {
		if !slices.Contains(o.asked[mark], digest) {
			o.asked[mark] = append(o.asked[mark], digest)
		}
	}
}

func (o *origins) of(marks iter.Seq[string]) (batches []bundle.Digest) {
	if len(o.asked) == 0 {
		return nil
	}
	for mark := range marks {
		for _, batch := range o.asked[mark] {
			if !slices.Contains(batches, batch) {
				batches = append(batches, batch)
			}
		}
	}
	return batches
}

// Origins lists the batches with which an item, or another one under its id or
// of one of its outpoints, was asked for before and not signed.
func (o *origins) Origins(p Proposal) []bundle.Digest {
	return o.of(itemMarks(p.ID, p.Content, p.Spent))
}

// SignedFrom lists the batches with which content had been asked for before it
// was signed in another one.
func (o *origins) SignedFrom(content [sha256.Size]byte) []bundle.Digest { return o.signed[content] }
