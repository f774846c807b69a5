package offline

import (
	"fmt"
	"slices"

	"coldkms/offline/ledger"
)

// Decline records that the person said no to a batch, and what they had rejected of
// it one by one, by place: a no to the whole takes no rejection back.
func (s *Session) Decline(j *Judged, rejected ...int) error {
	line := ledger.Line{Kind: ledger.KindDeclined, Request: j.Request.Digest.String(), Items: len(j.items)}
	for i := range j.items {
		if j.decoded(i) {
			line.Declined = append(line.Declined, ledger.Brief(j.items[i].subject.Content))
		}
		line.Marks = j.appendMarks(line.Marks, i)
	}
	rejections := s.rejections(j, "rejected by a person, who then declined the batch", rejected)
	return s.Ledger.Append(append([]ledger.Line{line}, rejections...)...)
}

// appendMarks appends the marks by which the ledger knows an item again.
func (j *Judged) appendMarks(marks []string, i int) []string {
	marks = append(marks, ledger.MarkID(j.Request.Items[i].ID))
	for _, op := range j.items[i].subject.Facts.Exclusive {
		marks = append(marks, ledger.MarkOutpoint(op))
	}
	return marks
}

// Discard records that decisions about a batch, which an earlier session kept,
// cannot be read, and that a person goes on without them. What was reviewed
// before is to be reviewed again.
func (s *Session) Discard(j *Judged) error {
	return s.Ledger.Append(ledger.Line{Kind: ledger.KindDeclined, Act: ledger.ActDiscard, Request: j.Request.Digest.String(), Items: len(j.items)})
}

// noticeDeclined tells that somebody said no to this batch before, or to
// another one with the same transactions.
func (s *Session) noticeDeclined(j *Judged) []string {
	if at, discarded, was := s.Ledger.Declined(j.Request.Digest); discarded {
		return []string{fmt.Sprintf("decisions about this batch that could not be read were discarded on %s (ledger line %d): what they were, rejections too, is not known", at.Day(), at.Line)}
	} else if was {
		return []string{fmt.Sprintf("this batch was declined on %s (ledger line %d)", at.Day(), at.Line)}
	}
	var here, elsewhere, other declinedItems
	for i := range j.items {
		if at, _, was := s.Ledger.DeclinedOther(proposal(j.items[i].subject)); was && j.decoded(i) {
			other.add(at.At)
		}
		at, was := s.Ledger.DeclinedItem(j.items[i].subject.Content)
		switch {
		case !was || !j.decoded(i):
		case at.Batch == j.Request.Digest.String(): // somebody has agreed to the rest of it since
			here.add(at.At)
		default:
			elsewhere.add(at.At)
		}
	}
	return slices.Concat(here.say(len(j.items), "declined with this batch"), elsewhere.say(len(j.items), "declined in another batch"),
		other.say(len(j.items), "declined as another transaction under the same id, or of the same outpoint"))
}

// declinedItems are items of a batch that somebody declined before.
type declinedItems struct {
	n    int
	last ledger.At
}

func (d *declinedItems) add(at ledger.At) {
	d.n++
	if at.Line > d.last.Line {
		d.last = at
	}
}

func (d *declinedItems) say(of int, where string) []string {
	if d.n == 0 {
		return nil
	}
	were, noun := "were", "transactions"
	if d.n == 1 {
		were = "was"
	}
	if of == 1 {
		noun = "transaction"
	}
	return []string{fmt.Sprintf("%d of %d %s %s %s, last on %s (ledger line %d)", d.n, of, noun, were, where, d.last.Day(), d.last.Line)}
}
