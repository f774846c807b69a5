package offline

import (
	"errors"
	"slices"

	"coldkms/offline/ledger"
)

// ErrLeftOut is returned where items were taken out of a batch that operators
// approve: whoever approved all of it has not seen what is left.
var ErrLeftOut = errors.New("nothing was signed yet: operators have to approve what is left of the batch, after you took items out of it")

// LeaveOut takes items out of a batch that operators approve, by their place
// in it, and records that. From then on they are refused, and what is left has
// a round of its own, until somebody declines the batch.
func (s *Session) LeaveOut(j *Judged, rejected ...int) error {
	ids := make([]string, len(rejected))
	for i, at := range rejected {
		ids[i] = j.Request.Items[at].ID
	}
	if err := s.TakeOut(j, ids...); err != nil {
		return err
	}
	return s.RecordTakenOut(j)
}

func (s *Session) leftOut(j *Judged, rejected ...int) ledger.Line {
	left := slices.Clone(s.Ledger.LeftOut(j.Request.Digest))
	for _, at := range rejected {
		left = append(left, j.Request.Items[at].ID)
	}
	slices.Sort(left)
	return ledger.Line{Kind: ledger.KindLeftOut, Request: j.Request.Digest.String(), Left: slices.Compact(left), Items: len(j.items)}
}

// RecordTakenOut records what TakeOut took out of a batch that operators
// approve, before anything is signed, as rejected. It ends the rounds of the batch, except
// that of exactly what is left, which operators may have approved.
func (s *Session) RecordTakenOut(j *Judged) error {
	need, _ := j.Quorum()
	if len(j.taken) == 0 || need == 0 && j.whole == 0 && !s.Ledger.AnyApproved(j.Request.Digest) {
		return nil
	}
	line := s.leftOut(j, j.taken...)
	line.Policy, line.Judged = s.policyHash(), j.judgement()
	rejections := s.rejections(j, "taken out by a person of a batch that operators approve", j.taken)
	for i := range rejections {
		rejections[i].Act = ledger.ActLeftOut
	}
	if err := s.Ledger.Append(append(rejections, line)...); err != nil {
		return err
	}
	if s.CheckQuorum(j) != nil {
		s.settle(j) // what is left, of which some may be like what was rejected, is approved as judged from now on
	}
	return nil
}

// refuseLeftOut refuses what a person took out of the batch.
func (s *Session) refuseLeftOut(j *Judged) {
	left := map[string]bool{}
	for _, id := range s.Ledger.LeftOut(j.Request.Digest) {
		left[id] = true
	}
	for i := range j.items {
		if left[j.Request.Items[i].ID] && j.items[i].err == nil {
			j.items[i].out, j.items[i].err = true, s.takenOut(j, i, "taken out of the batch by a person before; it comes back in a new request (kms-online retry ID, then export), or after a no to the whole batch")
		}
	}
}
