package offline

import (
	"encoding/hex"
	"fmt"
	"time"

	"coldkms/offline/ledger"
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

// OldCopy says where an old copy of the ledger was accepted, until a policy is
// set; "" if none was.
func OldCopy(book *ledger.Ledger) string {
	at, is := book.AcceptedOld()
	if !is {
		return ""
	}
	return fmt.Sprintf("an old copy of this ledger was accepted (line %d, %s): policy, operators and relays are as old as the copy where nobody has changed them since, and what was signed in between is forgotten. Compare them; this notice ends when a person has recorded that: kms-offline policy confirm", at.Line, at.Time)
}

// someMinutes is how far the ledger's clock may be ahead of the machine's untold:
// clocks are put right by so much.
const someMinutes = 5 * time.Minute

// ClockAhead says where the ledger's clock is ahead of the machine's; "" if it is
// not. It states no time of the machine: a review is bound to what it shows.
func ClockAhead(book *ledger.Ledger) string {
	if book.Ahead() <= someMinutes {
		return ""
	}
	return fmt.Sprintf("the ledger's clock is ahead of this machine's: its last line is dated %s, and limits stand still "+
		"until then. One of the two clocks is or was wrong. Look at the machine's clock; if it is right: "+
		"kms-offline ledger clock",
		time.Unix(book.Clock(), 0).UTC().Format("2006-01-02 15:04 UTC"))
}

// noticeClock tells the reader of a review that the ledger is dated ahead.
func (s *Session) noticeClock() []string {
	if text := ClockAhead(s.Ledger); text != "" {
		return []string{text}
	}
	return nil
}

// noticeOld tells the reader of a review that the ledger was an old copy.
func (s *Session) noticeOld() []string {
	if text := OldCopy(s.Ledger); text != "" {
		return []string{text}
	}
	return nil
}
