package ledger

import (
	"crypto/sha256"
	"slices"

	"coldkms/shared/bundle"
)

// origins are the batches with which items were asked for and not signed: out of
// which a person took them, which a person declined, or in which they were
// refused. A quorum per batch counts such an item there, too.
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
		o.add(line.Request, itemMarks(line.ID, contentOf(line), line.Spent)...)
	case KindLeftOut, KindAgreed:
		for _, id := range line.Left {
			o.add(line.Request, MarkID(id))
		}
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

// itemMarks lists by what an item is known again.
func itemMarks(id string, content [sha256.Size]byte, spent []string) []string {
	marks := []string{MarkID(id)}
	if content != ([sha256.Size]byte{}) {
		marks = append(marks, Brief(content))
	}
	for _, op := range spent {
		marks = append(marks, MarkOutpoint(op))
	}
	return marks
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

func (o *origins) of(marks []string) (batches []bundle.Digest) {
	for _, mark := range marks {
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
	if len(o.asked) == 0 { // the marks of many items would be made for nothing
		return nil
	}
	return o.of(itemMarks(p.ID, p.Content, p.Spent))
}

// SignedFrom lists the batches with which content had been asked for before it
// was signed in another one.
func (o *origins) SignedFrom(content [sha256.Size]byte) []bundle.Digest { return o.signed[content] }
