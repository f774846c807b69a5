package offline

import (
	"errors"
	"fmt"
)

// ErrNotReviewed is returned where the digest of a batch is no consent: nobody
// has reviewed the batch, or not as it is judged now.
var ErrNotReviewed = errors.New("this batch was not reviewed under the policy in force")

// notReviewed is an ErrNotReviewed that says what happened since the review.
type notReviewed struct{ text string }

// Error implements error.
func (e notReviewed) Error() string { return e.text }

// Is makes it an ErrNotReviewed.
func (e notReviewed) Is(target error) bool { return target == ErrNotReviewed }

// OtherDigest is the ErrNotReviewed of a digest, given with a flag, that is of
// another batch.
func (j *Judged) OtherDigest(flag string) error {
	return notReviewed{fmt.Sprintf("%s does not name this batch, whose digest is %s", flag, j.Request.Digest)}
}

// unreviewed is the ErrNotReviewed of a batch: why its last review does not
// count.
func (s *Session) unreviewed(j *Judged) error {
	if s.Ledger.Open(j.Request.Digest) {
		return notReviewed{"this batch is judged otherwise now than when it was reviewed, or other items are left out"}
	}
	if how, ended := s.Ledger.LastEnding(j.Request.Digest); ended {
		return notReviewed{fmt.Sprintf("this batch was reviewed, but since then %s (ledger line %d)", how.Why, how.Line)}
	}
	return ErrNotReviewed
}
