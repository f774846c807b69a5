package ledger

import (
	"slices"
	"strings"

	"coldkms/shared/bundle"
)

// Ending is how a round ended.
type Ending struct {
	At
	Why      string   // in words, such as "bob was removed"
	Approved []string // approvals that count no longer, as the lines have them
	Round    string   // its nonce
	ByCopy   bool     // a copy was put back: the round may be open in the ledger that drew it
}

// whyEnded says in words what a line did to the rounds that it ended.
func whyEnded(by Line) string {
	switch by.Kind {
	case KindSigned:
		return "it was signed"
	case KindRefused, KindLeftOut:
		return "items were left out"
	case KindDeclined:
		if by.Act == ActDiscard {
			return "decisions about it that could not be read were discarded"
		}
		return "somebody declined it"
	case KindPolicy:
		return "another policy was set"
	case KindAccepted:
		return "a lost part of the ledger was accepted"
	case KindOperator:
		return operatorsWere(by)
	case KindWallet:
		if by.Act == ActSettle || by.Act == ActLost {
			return "what wallet and ledger said differently was settled"
		}
		return "a copy of the wallet was put back"
	case KindUpgraded:
		return "the ledger was upgraded"
	}
	return "of a line of kind " + by.Kind
}

// whyOutdated is why rounds of before do not count.
const whyOutdated = "the form of rounds has changed"

// outdated remembers a review or an approval in a round of an earlier version:
// nothing says which ledger drew it.
func (s *standing) outdated(line Line) {
	how := Ending{At: At{line.N, line.Time}, Why: whyOutdated}
	s.endings[line.Request] = how
	if line.Kind == KindApproved {
		how.Approved = append(slices.Clip(s.lost[line.Request].Approved), line.Operators...)
		s.lost[line.Request] = how
	}
}

func operatorsWere(by Line) string {
	var names []string
	for _, who := range by.Operators {
		name, _, _ := strings.Cut(who, " ")
		names = append(names, name)
	}
	who, did := strings.Join(names, ", "), "removed"
	if by.Act == ActAdd {
		did = "enrolled"
	}
	if len(names) == 1 {
		return who + " was " + did
	}
	return who + " were " + did
}

// LastEnding returns how the last round of a batch ended, if any did.
func (s *standing) LastEnding(batch bundle.Digest) (Ending, bool) {
	how, ok := s.endings[batch.String()]
	return how, ok
}

// LastLost returns how the last round of a batch ended that had approvals, if
// any did.
func (s *standing) LastLost(batch bundle.Digest) (Ending, bool) {
	how, ok := s.lost[batch.String()]
	return how, ok
}

// Open reports whether a batch has an open round, whatever it was judged as.
func (s *standing) Open(batch bundle.Digest) bool {
	return len(s.rounds[batch.String()]) > 0
}
