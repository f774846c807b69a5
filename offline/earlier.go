package offline

import (
	"fmt"

	"coldkms/offline/ledger"
	"coldkms/offline/policy"
	"coldkms/offline/sign"
	"coldkms/shared/chain"
)

// earlier returns where an item was signed before, if it was: exactly this
// transaction, under whatever id and as part of whatever batch, whether or not
// it can be judged now.
func (s *Session) earlier(j *Judged, i int) (ledger.At, bool) {
	e := s.before(j, i)
	return e.At, e.same && e.At != (ledger.At{})
}

// Earlier is where an item that is refused now was signed before.
type Earlier struct {
	ledger.At
	same bool // exactly it; false: another transaction under its id that spends one of its outpoints
}

// before returns where a signature of an item, or of another transaction under
// its id that spends the same, was made; the zero Earlier where none was.
func (s *Session) before(j *Judged, i int) Earlier {
	of, item := *j.items[i].subject, j.Request.Items[i]
	outpoints, bare := of.Facts.Exclusive, of.Bare
	if reader, ok := j.opened[item.Family].(sign.Outliner); ok && !j.decoded(i) {
		outpoints, bare, _ = reader.Outline(item)
	}
	at, same, was := s.Ledger.Earlier(item.ID, bare, outpoints)
	if exact, signed := s.Ledger.SignedAt(of.Content); signed && !same && j.decoded(i) {
		at, same, was = exact, true, true
	}
	if !was {
		return Earlier{}
	}
	return Earlier{at, same}
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

// Refusal returns code and reason of an item that is not signed. Where it was
// signed before, or what spends the same was under its id, the code says no more
// than that: a reader must not conclude that no signature exists.
func (o Outcome) Refusal() (chain.Code, string) {
	why := chain.ReasonOf(o.Err)
	what := "another transaction that spends the same was signed under this id"
	switch {
	case o.Earlier.At == (ledger.At{}):
		return why.Code, why.Text()
	case o.Earlier.same:
		what = "it was signed"
	}
	return chain.SignedEarlier, fmt.Sprintf("%s on %s (ledger line %d), and that signature may be out; not signed again: %s: %s", what, o.Earlier.Day(), o.Earlier.Line, why.Code, why.Text())
}
