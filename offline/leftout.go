package offline

import (
	"errors"
	"slices"

	"coldkms/offline/ledger"
	"coldkms/shared/chain"
)

// ErrLeftOut is returned where items were taken out of a batch that operators
// approve: they approved all of it, and have not seen what is left.
var ErrLeftOut = errors.New("nothing was signed yet: operators approved the whole batch, and you took items out of it")

// LeaveOut records that a person took items out of a batch, by their place in
// it. From then on they are refused, and what is left has a round of its own,
// until somebody declines the batch.
func (s *Session) LeaveOut(j *Judged, rejected ...int) error {
	left := slices.Clone(s.Ledger.LeftOut(j.Request.Digest))
	for _, at := range rejected {
		left = append(left, j.Request.Items[at].ID)
	}
	slices.Sort(left)
	return s.Ledger.Append(ledger.Line{Kind: ledger.KindLeftOut, Request: j.Request.Digest.String(), Left: slices.Compact(left), Items: len(j.items)})
}

// refuseLeftOut refuses what a person took out of the batch.
func (s *Session) refuseLeftOut(j *Judged) {
	left := map[string]bool{}
	for _, id := range s.Ledger.LeftOut(j.Request.Digest) {
		left[id] = true
	}
	for i := range j.items {
		if left[j.Request.Items[i].ID] && j.items[i].err == nil {
			j.items[i].err = chain.Refuse(chain.RefusedByPerson, "taken out of the batch by a person before; only a no to the whole batch brings it back")
		}
	}
}
