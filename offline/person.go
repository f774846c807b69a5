package offline

import "coldkms/offline/policy"

// Judgement names what the review shows of a batch: its content, verdicts and
// reasons. Whatever was decided about a batch holds for this judgement only.
func (j *Judged) Judgement() string { return j.judgement() }

// Except takes items out of a consent, by their place in the batch. They
// become refusals, refused-by-person, in the Result and in the ledger.
func (j *Judged) Except(consent policy.Consent, rejected ...int) policy.Consent {
	contents := make([][32]byte, len(rejected))
	for i, at := range rejected {
		contents[i] = j.items[at].subject.Content
	}
	return consent.Except(contents...)
}

func (s *Session) finished() {
	if s.Finished != nil {
		s.Finished()
	}
}
