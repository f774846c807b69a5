package offline

import (
	"encoding/hex"
	"fmt"

	"coldkms/offline/ledger"
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
}

// Signatures is a finished batch: the Result and what is in it.
type Signatures struct {
	Result   bundle.SealedResult
	Outcomes []Outcome
}

// Count gives how many items were signed, and how many refused.
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

// Sign signs what was judged, agreed to and not refused. Every finished
// transaction is verified, every line of the ledger is on the disk, before
// the Result is given out. how says in the ledger by which way the person
// agreed.
func (s *Session) Sign(j *Judged, consent policy.Consent, how string) (Signatures, error) {
	outcomes := make([]Outcome, len(j.items))
	verdicts := s.verdicts(j) // of now: the ledger may have grown since the review
	parallel.Each(len(j.items), func(i int) {
		outcomes[i] = j.sign(i, consent, verdicts[i])
		s.finished()
	})
	operators := s.Approvers(j)
	lines := make([]ledger.Line, 0, 1+len(outcomes))
	if how != "" {
		agreed := s.about(j, ledger.KindAgreed)
		agreed.Approval = how
		lines = append(lines, agreed)
	}
	for i, o := range outcomes {
		lines = append(lines, s.line(j, i, o, how))
	}
	for i := range lines {
		if lines[i].Kind != ledger.KindRefused {
			lines[i].Operators = recordOf(operators)
		}
	}
	if err := s.Ledger.Append(lines...); err != nil {
		return Signatures{}, err
	}
	result := bundle.Result{
		Request: j.Request.Digest, LedgerHead: s.Ledger.HeadBytes(), LedgerLen: s.Ledger.Len(),
		Policy: s.Policy.Hash(), Outcomes: make([]bundle.Outcome, len(outcomes)), Operators: keysOf(operators),
	}
	for i, o := range outcomes {
		if o.Err != nil {
			result.Outcomes[i] = bundle.Refused(o.ID, chain.CodeOf(o.Err), chain.ReasonOf(o.Err))
		} else {
			result.Outcomes[i] = bundle.Outcome{ID: o.ID, Signatures: o.Signed.Signatures}
		}
	}
	sealed, err := bundle.SealResult(result, s.Identity)
	if err != nil {
		return Signatures{}, err
	}
	return Signatures{Result: sealed, Outcomes: outcomes}, nil
}

// sign signs one item if it was not refused when it was shown, and is not now.
func (j *Judged) sign(i int, consent policy.Consent, now policy.Verdict) (o Outcome) {
	o.ID = j.Request.Items[i].ID
	defer contain(&o.Err)
	it := j.items[i]
	if it.err != nil {
		o.Err = it.err
		return o
	}
	approval, err := it.verdict.Approve(j.Request.Digest, consent)
	if err == nil {
		approval, err = now.Approve(j.Request.Digest, consent)
	}
	if err != nil {
		o.Err = err
		return o
	}
	o.Signed, o.Err = it.job.Sign(approval)
	return o
}

func (s *Session) line(j *Judged, i int, o Outcome, how string) ledger.Line {
	line := ledger.Line{
		Kind: ledger.KindRefused, Request: j.Request.Digest.String(), Policy: s.policyHash(),
		ID: o.ID, Chain: j.Request.Items[i].Chain, Network: j.Request.Items[i].Network.String(),
	}
	if o.Err != nil {
		line.Code, line.Reason = chain.CodeOf(o.Err), chain.ReasonOf(o.Err)
		return line
	}
	subject := j.items[i].subject
	fee := subject.Facts.Fee
	line.Kind, line.TxID, line.Approval = ledger.KindSigned, o.Signed.TxID, how
	line.Content, line.Spent, line.Fee = hex.EncodeToString(subject.Content[:]), subject.Outpoints, &fee
	for _, out := range subject.Facts.Outputs {
		if out.Change {
			continue
		}
		to := out.Address
		if to == "" {
			to = hex.EncodeToString(out.Script)
		}
		line.Paid = append(line.Paid, ledger.Payment{To: to, Value: out.Value})
	}
	return line
}

// contain turns a panic over one item into its refusal: a fault in a library,
// provoked or not, neither stops the other items nor signs this one.
func contain(err *error) {
	if r := recover(); r != nil {
		*err = chain.Refuse(chain.InternalFailure, "a fault of this program: %s", fmt.Sprint(r))
	}
}
