package offline

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"

	"coldkms/offline/ledger"
	"coldkms/offline/operator"
	"coldkms/offline/policy"
	"coldkms/offline/review"
	"coldkms/shared/bundle"
	"coldkms/shared/identity"
)

// Errors about operators' approvals.
var (
	ErrQuorum        = errors.New("too few operators approved this batch")
	ErrNotOperator   = errors.New("approval is by nobody who is an operator of this wallet")
	ErrOtherApproval = errors.New("approval is of something else: of another batch or round, under another policy, or of what was judged otherwise")
	ErrNothingToSign = errors.New("all of this batch is refused: there is nothing to approve")
)

// terms are what an operator approves: the batch as it is judged now, in its
// open round. ok is false if it was not reviewed as it is judged now.
func (s *Session) terms(j *Judged) (t operator.Terms, ok bool) {
	judgement := j.judgement()
	return s.termsIn(j, ledger.Grant{Judged: judgement, Round: s.Ledger.Round(j.Request.Digest, s.policyHash(), judgement)})
}

// termsIn are terms of the round and the judgement that a grant is of.
func (s *Session) termsIn(j *Judged, g ledger.Grant) (t operator.Terms, ok bool) {
	t.Batch = j.Request.Digest
	copy(t.Policy[:], s.Policy.Hash())
	judged, _ := hex.DecodeString(g.Judged)
	copy(t.Judged[:], judged)
	round, err := hex.DecodeString(g.Round)
	return t, err == nil && copy(t.Round[:], round) == len(t.Round)
}

// Round returns the nonce of the open round of a batch in hex, or "" if it was
// not reviewed as it is judged now.
func (s *Session) Round(j *Judged) string {
	return s.Ledger.Round(j.Request.Digest, s.policyHash(), j.judgement())
}

// newRound returns the round in which a review is recorded: the open one, or a
// fresh one.
func (s *Session) newRound(j *Judged) (string, error) {
	if open := s.Round(j); open != "" {
		return open, nil
	}
	return s.Ledger.NewRound(s.Random)
}

// Approve signs a batch as it is judged, by an operator's key, and records it.
// The batch was reviewed as it is judged now. how says in the ledger by which
// way the operator agreed.
func (s *Session) Approve(j *Judged, key identity.Private, how string) (operator.Approval, error) {
	if signable, _ := j.Batch.Count(); signable == 0 {
		return operator.Approval{}, ErrNothingToSign
	}
	t, ok := s.terms(j)
	if !ok {
		return operator.Approval{}, s.unreviewed(j)
	}
	a := operator.Approve(key, t)
	return a, s.TakeApproval(j, a, how)
}

// Elsewhere reports whether a round that an operator names is not the open one
// of this ledger; "" names none. One that has ended here is an error, unless what
// ended it is that a copy was put back: it may be open where it was drawn.
func (s *Session) Elsewhere(j *Judged, round string) (bool, error) {
	if s.Ledger.Ended(round) && !s.Ledger.EndedByCopy(round) {
		why := ""
		if last, ended := s.Ledger.LastEnding(j.Request.Digest); ended {
			why = fmt.Sprintf("; what happened to this batch last: %s (ledger line %d)", last.Why, last.Line)
		}
		return false, fmt.Errorf("%w: round %s has ended%s", ErrOtherApproval, round, why)
	}
	if batch, open := s.Ledger.RoundOf(round); open && batch != j.Request.Digest.String() {
		return false, fmt.Errorf("%w: round %s is that of another batch here, "+
			"with the digest %s", ErrOtherApproval, round, batch)
	}
	return round != "" && round != s.Round(j), nil
}

// EndedByCopy returns the last round of a batch that this ledger has, if it ended
// because a copy was put back: it may be open where the batch was reviewed.
func (s *Session) EndedByCopy(j *Judged) (ledger.Ending, bool) {
	last, ended := s.Ledger.LastEnding(j.Request.Digest)
	return last, ended && last.ByCopy
}

// ApproveElsewhere is Approve in a round that another ledger drew. The approval
// is on record here, opens no round and counts nowhere but there.
func (s *Session) ApproveElsewhere(j *Judged, key identity.Private, round, how string) (operator.Approval, error) {
	name, enrolled := s.operator(key.Public())
	if !enrolled {
		return operator.Approval{}, fmt.Errorf("%w: %s", ErrNotOperator, key.Public().Fingerprint())
	}
	t, ok := s.termsIn(j, ledger.Grant{Judged: j.judgement(), Round: round})
	switch elsewhere, err := s.Elsewhere(j, round); {
	case err != nil:
		return operator.Approval{}, err
	case !ok || !elsewhere || s.Round(j) == "":
		return operator.Approval{}, s.unreviewed(j)
	}
	a := operator.Approve(key, t)
	line := s.about(j, ledger.KindApproved)
	line.Round, line.Approval = round, how
	line.Operators = []string{operator.Operator{Name: name, Key: a.Operator}.Record(a)}
	return a, s.Ledger.Append(line)
}

// TakeApproval records an approval that was given here or carried here. One
// that is on record already is not recorded again.
func (s *Session) TakeApproval(j *Judged, a operator.Approval, how string) error {
	name, enrolled := s.operator(a.Operator)
	t, ok := s.terms(j)
	switch {
	case !enrolled:
		return fmt.Errorf("%w: %s", ErrNotOperator, a.Operator.Fingerprint())
	case slices.Contains(s.approvals(j), a):
		return nil
	case !ok || a.Terms != t || !a.Valid():
		return fmt.Errorf("%w (it is by %s)", ErrOtherApproval, name)
	}
	who := operator.Operator{Name: name, Key: a.Operator}
	if slices.Contains(s.Approvers(j), who) {
		return nil
	}
	line := s.about(j, ledger.KindApproved)
	line.Round = hex.EncodeToString(t.Round[:])
	line.Operators, line.Approval = []string{who.Record(a)}, how
	return s.Ledger.Append(line)
}

// operator returns the name of an enrolled operator.
func (s *Session) operator(key identity.Public) (name string, ok bool) {
	at := slices.IndexFunc(s.Operators, func(o operator.Operator) bool { return o.Key == key })
	if at < 0 {
		return "", false
	}
	return s.Operators[at].Name, true
}

// approvals are those on record of exactly this: in the open round, and those
// under which signing it was cut short. Each signature is checked: a ledger
// alone is no proof.
func (s *Session) approvals(j *Judged) (list []operator.Approval) {
	grants, _ := s.granted(j)
	judged := j.judgement()
	for _, g := range append(slices.Clip(grants), ledger.Grant{
		Round: s.Round(j), Judged: judged, Approved: s.Ledger.ApprovedBy(j.Request.Digest, s.policyHash(), judged),
	}) {
		t, ok := s.termsIn(j, g)
		if !ok {
			continue
		}
		for _, record := range g.Approved {
			_, a, err := operator.ParseRecord(record, t)
			if err != nil || !a.Valid() {
				continue
			}
			list = append(list, a)
		}
	}
	return list
}

// Approvers are the operators whose approval of exactly this is on record,
// each once, by their keys in ascending order. Whoever is no operator any more
// does not count.
func (s *Session) Approvers(j *Judged) []operator.Operator {
	var list []operator.Operator
	for _, a := range s.approvals(j) {
		name, enrolled := s.operator(a.Operator)
		who := operator.Operator{Name: name, Key: a.Operator}
		if enrolled && !slices.Contains(list, who) {
			list = append(list, who)
		}
	}
	slices.SortFunc(list, func(a, b operator.Operator) int { return bytes.Compare(a.Key[:], b.Key[:]) })
	return list
}

// Quorum says how many operators must approve a batch, and in a sentence why.
// 0: none.
func (j *Judged) Quorum() (need int, why string) {
	for i, it := range j.items {
		if n, because := it.verdict.Quorum(); n > need && !j.Batch.Items[i].Refused() {
			need, why = n, because
		}
	}
	return need, why
}

// CheckQuorum is ErrQuorum where operators are missing: it is for asking
// before a person is asked. Sign demands the same.
func (s *Session) CheckQuorum(j *Judged) error {
	need, why := j.Quorum()
	if have := s.Approvers(j); len(have) < need {
		return fmt.Errorf("%w: %d of %d%s: %s%s", ErrQuorum, len(have), need, named(have), why, s.lostApprovals(j, have))
	}
	return nil
}

// RecordAsked writes down, once, which items a batch asks for together that needs
// operators, or might need them without what is refused: asked for again in several
// batches, they still count together.
func (s *Session) RecordAsked(j *Judged) error {
	refused := slices.ContainsFunc(j.Batch.Items, review.Item.Refused)
	if need, _ := j.Quorum(); need == 0 && !(refused && s.Policy.QuorumPerBatch()) {
		return nil
	}
	line := ledger.Line{Kind: ledger.KindAsked, Request: j.Request.Digest.String(), Items: len(j.items)}
	for i, it := range j.items {
		if j.decoded(i) && !slices.Contains(s.Ledger.Origins(proposal(it.subject)), j.Request.Digest) {
			line.Marks = j.appendMarks(line.Marks, i)
		}
	}
	if len(line.Marks) == 0 {
		return nil
	}
	return s.Ledger.Append(line)
}

// noticeQuorum tells the reader of a review who has to approve, and who did.
func (s *Session) noticeQuorum(j *Judged) []string {
	need, why := j.Quorum()
	have := s.Approvers(j)
	switch {
	case need > 0:
		return []string{fmt.Sprintf("operators who must approve: %d, so far %d%s: %s%s; that is %s: where items of it are rejected, operators approve what is left anew", need, len(have), named(have), why, s.lostApprovals(j, have), s.whatIsApproved(j))}
	case len(have) > 0:
		return []string{fmt.Sprintf("operators who approved: %d%s", len(have), named(have))}
	}
	return nil
}

// whatIsApproved says what approvals are about.
func (s *Session) whatIsApproved(j *Judged) string {
	if len(s.Ledger.LeftOut(j.Request.Digest)) > 0 {
		return "of all but what was taken out"
	}
	return "of the whole batch"
}

// lostApprovals says who approved in a round that has ended, beside those who
// have approved again, and what ended it.
func (s *Session) lostApprovals(j *Judged, have []operator.Operator) string {
	how, lost := s.Ledger.LastLost(j.Request.Digest)
	var names []string
	for _, record := range how.Approved {
		name, _, _ := strings.Cut(record, " ")
		again := slices.ContainsFunc(have, func(o operator.Operator) bool { return o.Name == name })
		if !again && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	if !lost || len(names) == 0 {
		return ""
	}
	return fmt.Sprintf("; %s approved in an earlier round, which ended: %s (ledger line %d)", strings.Join(names, ", "), how.Why, how.Line)
}

func named(list []operator.Operator) string {
	if len(list) == 0 {
		return ""
	}
	names := make([]string, len(list))
	for i, o := range list {
		names[i] = o.Name
	}
	slices.Sort(names)
	return " (" + strings.Join(names, ", ") + ")"
}

// Agree returns a person's consent to a batch that was shown to the end, with
// the operators who approved it.
func (s *Session) Agree(j *Judged) policy.Consent {
	return policy.Agree(j.Request.Digest, keysOf(s.Approvers(j))...)
}

func keysOf(list []operator.Operator) []identity.Public {
	keys := make([]identity.Public, len(list))
	for i, o := range list {
		keys[i] = o.Key
	}
	return keys
}

func recordOf(list []operator.Operator) []string {
	var names []string
	for _, o := range list {
		names = append(names, o.String())
	}
	return names
}

// ReviewedAs returns nil if a batch was reviewed as it is judged now: an
// operator may then approve it by its digest.
func (s *Session) ReviewedAs(j *Judged, digest bundle.Digest) error {
	if digest != j.Request.Digest {
		return j.OtherDigest("--digest")
	}
	if s.Round(j) == "" {
		return s.unreviewed(j)
	}
	return nil
}
