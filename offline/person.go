package offline

import (
	"fmt"
	"slices"

	"coldkms/offline/ledger"
	"coldkms/offline/policy"
	"coldkms/shared/bundle"
	"coldkms/shared/chain"
)

// Judgement names what the review shows of a batch: its content, verdicts and
// reasons. Whatever a session decided about a batch holds for this judgement
// only; that it rejected something, which is on record, does not change it.
func (j *Judged) Judgement() string { return j.judgementWithout(chain.FlagRejected) }

// RecordRejected records items that a person rejected in a session that goes on
// later, by their place: they are not to come back as ordinary ones elsewhere.
func (s *Session) RecordRejected(j *Judged, rejected ...int) error {
	lines := s.rejections(j, "rejected by a person, who left the session to go on later", rejected)
	if len(lines) == 0 {
		return nil
	}
	return s.Ledger.Append(lines...)
}

// rejections returns a line for each item that a person rejected, by their place,
// and that the ledger does not have as rejected. By it the same transaction, one of
// its outpoints, or the same payment is recognised wherever it comes back.
func (s *Session) rejections(j *Judged, why string, rejected []int) (lines []ledger.Line) {
	for _, i := range rejected {
		if !s.Ledger.RejectedAs(j.items[i].subject.Content) {
			lines = append(lines, s.line(j, i, Outcome{ID: j.Request.Items[i].ID,
				Err: chain.Refuse(chain.RefusedByPerson, "%s", why)}, ""))
		}
	}
	return lines
}

// Except takes items out of a consent, by their place in the batch. They
// become refusals, refused-by-person, in the Result and in the ledger.
func (j *Judged) Except(consent policy.Consent, rejected ...int) policy.Consent {
	contents := make([][32]byte, len(rejected))
	for i, at := range rejected {
		contents[i] = j.items[at].subject.Content
	}
	return consent.Except(contents...)
}

// TakeOut takes items out of a batch before it is agreed to, by their pending
// ids. They are refused in the person's name, and the rest is judged as if
// they were not there: what they alone stood in the way of is free.
func (s *Session) TakeOut(j *Judged, ids ...string) error {
	whole, _ := j.Quorum()
	j.whole = max(j.whole, whole)
	for _, id := range ids {
		at := slices.IndexFunc(j.Request.Items, func(it bundle.Item) bool { return it.ID == id })
		if at < 0 {
			return fmt.Errorf("the batch has no item %.80q", id)
		}
		if !slices.Contains(s.Ledger.LeftOut(j.Request.Digest), id) {
			j.taken = append(j.taken, at)
		}
		j.items[at].out, j.items[at].err = true, s.takenOut(j, at, "taken out of the batch by a person")
	}
	if len(ids) > 0 {
		j.refuseConflicts()
		s.settle(j)
	}
	return nil
}

// PutBack undoes TakeOut of items that nothing has recorded yet, by their place,
// and judges the rest as if it had not been.
func (s *Session) PutBack(j *Judged, places ...int) {
	for _, at := range places {
		j.items[at].out, j.items[at].err = false, nil // as TakeOut in a session is of conflicts only
	}
	j.taken = slices.DeleteFunc(j.taken, func(at int) bool { return slices.Contains(places, at) })
	if len(places) > 0 {
		j.refuseConflicts()
		s.settle(j)
	}
}

func (s *Session) finished() {
	if s.Finished != nil {
		s.Finished()
	}
}
