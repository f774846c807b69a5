package offline

import (
	"fmt"

	"coldkms/offline/ledger"
	"coldkms/offline/policy"
	"coldkms/shared/chain"
)

// earlier returns where an item was signed before, if it was: exactly this
// content, under whatever id and as part of whatever batch.
func (s *Session) earlier(j *Judged, i int) (ledger.At, bool) {
	if !j.decoded(i) {
		return ledger.At{}, false
	}
	return s.Ledger.SignedAt(j.items[i].subject.Content)
}

// takenOut is the refusal of an item that a person took out. What was signed
// before is not taken back by that.
func (s *Session) takenOut(j *Judged, i int, why string) error {
	if at, was := s.earlier(j, i); was {
		why += "; " + signedAt(at) + ", and that signature may be out: to leave it out takes nothing back"
	}
	return chain.Refuse(chain.RefusedByPerson, "%s", why)
}

func signedAt(at ledger.At) string { return signedReason(at).Text() }

func signedReason(at ledger.At) chain.Reason {
	return chain.Because(chain.FlagSignedBefore, "it was signed on %s (ledger line %d)", at.Day(), at.Line)
}

// dateSigned adds to the findings where an item was signed before.
func (s *Session) dateSigned(j *Judged, i int, v policy.Verdict) policy.Verdict {
	at, was := s.earlier(j, i)
	for k, f := range v.Findings {
		if was && f.Code == chain.FlagSignedBefore {
			v.Findings[k].Also = append(f.Also, signedReason(at))
		}
	}
	return v
}

// Refusal returns code and reason of an item that is not signed. Where exactly
// it was signed before, the code says no more than that: whoever reads it must
// not conclude that no signature is out.
func (o Outcome) Refusal() (chain.Code, string) {
	why := chain.ReasonOf(o.Err)
	if o.Earlier == (ledger.At{}) {
		return why.Code, why.Text()
	}
	return chain.SignedEarlier, fmt.Sprintf("%s, and that signature may be out; not signed again: %s: %s", signedAt(o.Earlier), why.Code, why.Text())
}
