package offline

import (
	"coldkms/offline/policy"
	"coldkms/offline/review"
	"coldkms/shared/attestation"
	"coldkms/shared/bundle"
	"coldkms/shared/identity"
)

// vouched returns the statements of an item that are by approvers of the policy,
// and about exactly what was computed here. Whether they have expired is a
// question of now.
func (s *Session) vouched(item bundle.Item, subject policy.Subject) []attestation.Statement {
	var list []attestation.Statement
	var content attestation.Content
	for _, st := range item.Statements {
		if _, known := s.Policy.ApproverName(st.Approver); !known {
			continue
		}
		if len(list) == 0 {
			content = attestation.Of(item.ID, subject.Facts)
		}
		if content.Verify(st) {
			list = append(list, st)
		}
	}
	return list
}

// vouchers are the approvers whose statements about an item hold now, by the
// ledger's own clock.
func (s *Session) vouchers(it judgedItem) []identity.Public {
	now := s.Ledger.Now()
	var keys []identity.Public
	for _, st := range it.vouched {
		if now < st.Expires {
			keys = append(keys, st.Approver)
		}
	}
	return keys
}

// showVouched tells who vouches for an item, and until when.
func (s *Session) showVouched(it judgedItem) []review.Vouched {
	now := s.Ledger.Now()
	var list []review.Vouched
	for _, st := range it.vouched {
		name, _ := s.Policy.ApproverName(st.Approver)
		list = append(list, review.Vouched{Name: name, Key: st.Approver, Until: st.Expires, Expired: now >= st.Expires})
	}
	return list
}
