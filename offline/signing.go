package offline

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"

	"coldkms/offline/ledger"
	"coldkms/offline/operator"
	"coldkms/offline/policy"
	"coldkms/offline/sign"
	"coldkms/shared/bundle"
	"coldkms/shared/chain"
	"coldkms/shared/parallel"
)

// Outcome is what became of one item.
type Outcome struct {
	ID     string
	Signed sign.Signed // when Err is nil
	Err    error       // a refusal

	Earlier Earlier // of a refusal: where it was signed before, if it was
}

// Signatures is a finished batch: the Result and what is in it.
type Signatures struct {
	Result   bundle.SealedResult
	Outcomes []Outcome
}

// Count returns how many items were signed, and how many refused.
func (s Signatures) Count() (signed, refused int) {
	for _, o := range s.Outcomes {
		if o.Err == nil {
			signed++
		} else {
			refused++
		}
	}
	return signed, refused
}

// chunk is how many items are decoded and signed at a time: what a batch takes
// at once does not grow with it beyond that.
const chunk = 500

// Sign signs what was judged, agreed to and not refused, chunk by chunk. Every
// finished transaction is verified, every line of the ledger is on the disk,
// before the Result, which has all of the batch, is given out. how says in the
// ledger by which way the person agreed. Where it is cut short, it goes on under
// the same approvals: see granted.
func (s *Session) Sign(j *Judged, consent policy.Consent, how string) (Signatures, error) {
	operators := s.Approvers(j)
	if consent.Partial() { // they approved all of it
		operators = nil
	}
	run := signing{s, j, consent, how, s.verdicts(j, consent), operators} // of now: the ledger may have grown since the review
	if how != "" {
		if err := s.Ledger.Append(run.agreed()); err != nil {
			return Signatures{}, err
		}
	}
	outcomes := make([]Outcome, len(j.items))
	for first := 0; first < len(outcomes); first += chunk {
		if err := run.sign(outcomes, first, min(first+chunk, len(outcomes))); err != nil {
			return Signatures{}, err
		}
	}
	sealed, err := bundle.SealResult(run.result(outcomes), s.Identity)
	if err != nil {
		return Signatures{}, err
	}
	return Signatures{Result: sealed, Outcomes: outcomes}, nil
}

// signing is one run of Sign.
type signing struct {
	*Session
	judged    *Judged
	consent   policy.Consent
	how       string
	verdicts  []policy.Verdict
	operators []operator.Operator
}

func (r *signing) agreed() ledger.Line {
	line := r.about(r.judged, ledger.KindAgreed)
	line.Approval, line.Operators, line.Scope = r.how, recordOf(r.operators), r.scopeOf(r.judged, r.consent)
	line.Left = r.rejected()
	return line
}

// rejected lists the pending ids that the person took out. They are on record
// with the yes: where signing is cut short, no line about them follows.
func (r *signing) rejected() []string {
	var ids []string
	for i, it := range r.judged.items {
		if chain.CodeOf(it.err) == chain.RefusedByPerson || it.err == nil && r.consent.Rejects(it.subject.Content) {
			ids = append(ids, r.judged.Request.Items[i].ID)
		}
	}
	return ids
}

// sign signs the items from first up to end, and records them.
func (r *signing) sign(outcomes []Outcome, first, end int) error {
	parallel.Each(end-first, func(i int) {
		outcomes[first+i] = r.signItem(first + i)
		if outcomes[first+i].Err != nil {
			outcomes[first+i].Earlier = r.before(r.judged, first+i)
		}
		r.finished()
	})
	lines := make([]ledger.Line, 0, end-first)
	for i := first; i < end; i++ {
		line := r.line(r.judged, i, outcomes[i], r.how)
		if line.Kind != ledger.KindRefused {
			line.Operators = recordOf(r.operators)
		}
		lines = append(lines, line)
		if r.Lean && !r.judged.IsUnasked() { // the answer is made from it
			outcomes[i].Signed.Raw = nil
		}
	}
	if err := r.Ledger.Append(lines...); err != nil {
		return err
	}
	if r.Brief {
		for i := first; i < end; i++ {
			facts := &r.judged.subjects[i].Facts
			facts.Sources, facts.Movements = nil, nil
		}
	}
	return nil
}

func (r *signing) result(outcomes []Outcome) bundle.Result {
	result := bundle.Result{
		Request: r.judged.Request.Digest, LedgerHead: r.Ledger.HeadBytes(), LedgerLen: r.Ledger.Len(),
		Policy: r.Policy.Hash(), Outcomes: make([]bundle.Outcome, len(outcomes)), Operators: keysOf(r.operators),
	}
	for i, o := range outcomes {
		if o.Err != nil {
			code, reason := o.Refusal()
			result.Outcomes[i] = bundle.Refused(o.ID, code, reason)
		} else {
			result.Outcomes[i] = bundle.Outcome{ID: o.ID, Signatures: o.Signed.Signatures}
		}
	}
	return result
}

// signItem signs one item if it was not refused when it was shown, and is not
// now. The approval is for what was judged: an item that decoded to something
// else now would not be covered by it.
func (r *signing) signItem(i int) (o Outcome) {
	o.ID = r.judged.Request.Items[i].ID
	defer contain(&o.Err)
	it := r.judged.items[i]
	if it.err != nil {
		o.Err = it.err
		return o
	}
	digest := r.judged.Request.Digest
	verdict := r.verdicts[i]
	if it.verdict.Refused() || r.consent.Rejects(it.subject.Content) {
		verdict = it.verdict
	}
	approval, err := verdict.Approve(digest, r.consent)
	if err != nil {
		o.Err = err
		return o
	}
	job, err := r.prepare(r.judged.Request.Items[i], r.judged.opened)
	if err != nil {
		o.Err = err
		return o
	}
	o.Signed, o.Err = job.Sign(approval)
	if o.Err == nil {
		o.Err = r.sameBytes(r.signedAs(*it.subject), o.Signed)
	}
	if o.Err != nil {
		o.Signed = sign.Signed{}
	}
	return o
}

// sameBytes compares what was signed with what the ledger says was signed for
// the same content. Signatures are deterministic: if they differ, the content
// is not what it was, or this machine makes mistakes.
func (r *signing) sameBytes(content [32]byte, done sign.Signed) error {
	before, had := r.Ledger.Record(content)
	if !had {
		return nil
	}
	id, _ := bundle.ParseDigest(done.TxID)
	final := before.Final == [32]byte{} || before.Final == sha256.Sum256(done.Raw)
	if id != before.TxID || !final {
		return chain.Refuse(chain.InternalFailure, "the ledger has this as signed before, and the bytes are not the same again: nothing of it leaves this machine; keep the request, and compare it with the one before")
	}
	return nil
}

func (s *Session) line(j *Judged, i int, o Outcome, how string) ledger.Line {
	subject := *j.items[i].subject
	line := ledger.Line{
		Kind: ledger.KindRefused, Request: j.Request.Digest.String(), Policy: s.policyHash(),
		ID: o.ID, Chain: j.Request.Items[i].Chain, Network: j.Request.Items[i].Network.String(),
	}
	if o.Err != nil {
		line.Code, line.Reason = chain.CodeOf(o.Err), chain.ReasonOf(o.Err).Text()
		if line.Code == chain.RefusedByPerson && j.decoded(i) { // remembered under any id
			line.Content, line.Spent = hex.EncodeToString(subject.Content[:]), subject.Facts.Exclusive
			_, line.Paid, _ = moved(subject.Facts, false)
		}
		return line
	}
	fee := subject.Facts.Fee
	line.Kind, line.TxID, line.Approval = ledger.KindSigned, o.Signed.TxID, how
	final := sha256.Sum256(o.Signed.Raw)
	line.Final = hex.EncodeToString(final[:])
	if line.Claimed = subject.Facts.Claims(); len(line.Claimed) > 0 {
		line.Bare = hex.EncodeToString(subject.Bare[:])
	}
	content := s.signedAs(subject)
	line.Content, line.Spent, line.Fee = hex.EncodeToString(content[:]), subject.Facts.Exclusive, &fee
	for _, f := range j.Batch.Items[i].Findings {
		if f.Code == chain.FlagDisproved { // an outpoint is taken over from what was signed before
			line.Code, line.Reason = f.Code, f.Text()
		}
	}
	line.Burnt, line.Size = subject.Facts.Burnt(), subject.Facts.Size
	line.From, line.Paid, line.Own = moved(subject.Facts, farShown(j.Batch.Items[i].Findings))
	return line
}

// contain turns a panic over one item into its refusal: a fault in a library,
// provoked or not, neither stops the other items nor signs this one.
func contain(err *error) {
	if r := recover(); r != nil {
		*err = chain.Refuse(chain.InternalFailure, "a fault of this program: %s", fmt.Sprint(r))
	}
}

// farShown reports whether a finding says that an index is far.
func farShown(findings []policy.Reason) bool {
	return slices.ContainsFunc(findings, func(r policy.Reason) bool { return r.Code == chain.FarIndex })
}
