package offline

import (
	"encoding/hex"

	"coldkms/offline/review"
	"coldkms/shared/identity"
)

// Book names how far the ledger is now.
func (s *Session) Book() review.LedgerName {
	return review.LedgerName{Lines: s.Ledger.Len(), Head: s.Ledger.Head(), Words: identity.Words(s.Ledger.HeadBytes())}
}

// Rules names the policy in force.
func (s *Session) Rules() review.PolicyName {
	name := review.PolicyName{Name: s.Policy.Name(), Hash: hex.EncodeToString(s.Policy.Hash())}
	if set, ever := s.Ledger.PolicySet(); ever && set.Hash == name.Hash {
		name.Since, name.Line = set.Time, set.Line
	}
	return name
}

// basis is by what a batch is judged now.
func (s *Session) basis() review.Basis { return review.Basis{Policy: s.Rules(), Ledger: s.Book()} }
