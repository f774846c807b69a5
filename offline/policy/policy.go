// Package policy judges what a transaction does. It sees facts that were
// computed from the transaction, never what someone said about it, and what
// the ledger remembers. Nothing can be signed without an Approval, and only
// this package makes one.
package policy

import (
	"crypto/sha256"
	"fmt"

	"coldkms/shared/chain"
	"coldkms/shared/chain/utxo"
)

// Subject is one transaction under judgement.
type Subject struct {
	ID        string   // Tatum's pending id
	Content   [32]byte // digest of what it does
	Outpoints []string // what it spends
	Facts     chain.Facts
}

// History is what the ledger remembers.
type History interface {
	// Signed gives the content that was signed under a pending id.
	Signed(id string) (content [32]byte, ok bool)
	// Spender gives the content of the signed transaction that spends an outpoint.
	Spender(outpoint string) (content [32]byte, ok bool)
}

// Reason is one refusal or finding: a code and a sentence.
type Reason struct {
	Code chain.Code
	Text string
}

// Policy is a set of rules. The zero Policy allows nothing.
type Policy struct {
	maxFeeRate map[chain.ID]int64 // smallest units per vB
}

// Default are the rules in force before anyone sets others: every item needs
// a person's consent, amounts must be proven, the fee rate is capped for each
// coin, dust is refused, an outpoint is signed once.
func Default() Policy {
	caps := make(map[chain.ID]int64)
	for _, id := range []chain.ID{chain.BTC, chain.LTC, chain.DOGE, chain.BCH} {
		if p, err := utxo.ParamsOf(id, chain.Mainnet); err == nil {
			caps[id] = p.MaxFeeRate
		}
	}
	return Policy{maxFeeRate: caps}
}

// Verdict is what a policy says of a Subject. Its zero value refuses.
type Verdict struct {
	judged   bool
	content  [32]byte
	Refusals []Reason
	Findings []Reason // to be shown; they refuse nothing
}

// Refused says whether the item must not be signed.
func (v Verdict) Refused() bool { return !v.judged || len(v.Refusals) > 0 }

// Codes lists the codes of refusals, then of findings.
func (v Verdict) Codes() []chain.Code {
	codes := make([]chain.Code, 0, len(v.Refusals)+len(v.Findings))
	for _, r := range v.Refusals {
		codes = append(codes, r.Code)
	}
	for _, r := range v.Findings {
		codes = append(codes, r.Code)
	}
	return codes
}

// Judge applies the rules.
func (p Policy) Judge(s Subject, h History) Verdict {
	j := judgement{policy: p, subject: s, history: h}
	j.inputs()
	j.outputs()
	j.fee()
	j.memory()
	j.timing()
	return Verdict{judged: true, content: s.Content, Refusals: j.refusals, Findings: j.findings}
}

type judgement struct {
	policy   Policy
	subject  Subject
	history  History
	refusals []Reason
	findings []Reason
}

func (j *judgement) refuse(code chain.Code, format string, args ...any) {
	j.refusals = append(j.refusals, Reason{code, fmt.Sprintf(format, args...)})
}

func (j *judgement) find(code chain.Code, format string, args ...any) {
	j.findings = append(j.findings, Reason{code, fmt.Sprintf(format, args...)})
}

// allTaproot says whether every input is P2TR. Only then does every signature
// commit to every amount. One input of another kind, and two requests that
// claim different amounts yield signatures that together pay a hidden fee:
// the older signature hashes commit to their own amount at most.
func (j *judgement) allTaproot() bool {
	for _, in := range j.subject.Facts.Inputs {
		if in.Kind != utxo.P2TR.String() {
			return false
		}
	}
	return true
}

func (j *judgement) inputs() {
	committed := j.allTaproot()
	for i, in := range j.subject.Facts.Inputs {
		switch {
		case !in.Proven && committed:
			j.find(chain.FlagCommitted, "input %d (%s): its previous transaction is missing; the signature is valid only if every amount is as shown (BIP 341)", i, in.Outpoint)
		case !in.Proven:
			j.refuse(chain.UnprovenAmount, "input %d (%s): its previous transaction is missing, so its amount is a claim", i, in.Outpoint)
		}
		if !in.Own {
			j.refuse(chain.NoKeyForInput, "input %d (%s): no key named by the request can sign it", i, in.Outpoint)
		}
	}
	for _, k := range j.subject.Facts.UnusedKeys {
		j.find(chain.FlagUnusedKey, "key %s is named but signs nothing", describe(k))
	}
}

func (j *judgement) outputs() {
	change := 0
	for i, out := range j.subject.Facts.Outputs {
		if out.Dust {
			j.refuse(chain.Dust, "output %d pays %d, less than nodes relay", i, out.Value)
		}
		switch out.Kind {
		case utxo.NullData.String():
			j.find(chain.FlagData, "output %d carries data (OP_RETURN)", i)
		case utxo.Nonstandard.String(), utxo.WitnessUnknown.String():
			j.find(chain.FlagUnnamed, "output %d pays a script that has no standard form", i)
		}
		if out.Change {
			change++
		}
	}
	if change == len(j.subject.Facts.Outputs) {
		j.find(chain.FlagRoundTrip, "pays nobody but its own keys")
	}
}

// fee caps the fee rate and points at fees above a tenth of what is paid out.
func (j *judgement) fee() {
	f := j.subject.Facts
	limit, ok := j.policy.maxFeeRate[f.Chain]
	switch {
	case !ok:
		j.refuse(chain.FeeAbovePolicy, "no fee cap is known for %s", f.Chain)
	case f.FeeRate() > limit:
		j.refuse(chain.FeeAbovePolicy, "fee of %d is %d per vB, the cap is %d", f.Fee, f.FeeRate(), limit)
	}
	paid := f.Paid()
	if paid == 0 {
		paid = f.Spent() - f.Fee // all of it comes back: measured against what moves
	}
	if f.Fee > paid/10 {
		j.find(chain.FlagHighFee, "fee of %d is more than a tenth of the %d paid out", f.Fee, paid)
	}
	if f.Fee < f.VSize {
		j.find(chain.FlagZeroFee, "fee of %d is below 1 per vB: nodes may not relay it", f.Fee)
	}
}

// memory compares with what was signed before.
func (j *judgement) memory() {
	s := j.subject
	before, signed := j.history.Signed(s.ID)
	switch {
	case signed && before == s.Content:
		j.find(chain.FlagSignedBefore, "was signed before: the same bytes again")
	case signed:
		j.refuse(chain.ContentChanged, "pending id %s was signed before with other content", s.ID)
	}
	for _, op := range s.Outpoints {
		if other, ok := j.history.Spender(op); ok && other == s.Content && !signed {
			j.find(chain.FlagSameAgain, "the same transaction was signed under another pending id: it pays once only")
			break
		}
	}
	for _, op := range s.Outpoints {
		if other, ok := j.history.Spender(op); ok && other != s.Content {
			j.refuse(chain.AlreadySpent, "outpoint %s is already signed into another transaction", op)
		}
	}
}

func (j *judgement) timing() {
	f := j.subject.Facts
	if f.LockedIn {
		j.find(chain.FlagLockTime, "is not valid before %s", LockTime(f.LockTime))
	}
	if f.Replaceable {
		j.find(chain.FlagReplaceable, "can be replaced in the mempool (BIP 125)")
	}
}

func describe(k chain.Key) string {
	if k.Index == chain.NoIndex {
		return k.SignatureID
	}
	return fmt.Sprintf("%s index %d", k.SignatureID, k.Index)
}

// Hash identifies a policy. The built-in default has none.
func (p Policy) Hash() []byte { return nil }

// Consent is a person's yes to one batch, or to what they reviewed before.
type Consent struct {
	batch [sha256.Size]byte
	given bool
}

// Agree records that a person has seen the batch with this digest and said yes.
func Agree(batch [sha256.Size]byte) Consent { return Consent{batch: batch, given: true} }

// Approval lets exactly one content be signed. Only Approve makes one.
type Approval struct {
	content [32]byte
	valid   bool
}

// Approve joins a verdict and a consent. A refused item, another batch or a
// missing consent is a refusal.
func (v Verdict) Approve(batch [sha256.Size]byte, c Consent) (Approval, error) {
	if v.Refused() {
		if len(v.Refusals) == 0 {
			return Approval{}, chain.Refuse(chain.InternalFailure, "item was never judged")
		}
		return Approval{}, chain.Refuse(v.Refusals[0].Code, "%s", v.Refusals[0].Text)
	}
	if !c.given || c.batch != batch {
		return Approval{}, chain.Refuse(chain.RefusedByPerson, "nobody agreed to this batch")
	}
	return Approval{content: v.content, valid: true}, nil
}

// Covers says whether the approval is for this content.
func (a Approval) Covers(content [32]byte) bool { return a.valid && a.content == content }
