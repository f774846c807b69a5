package policy

import (
	"crypto/sha256"
	"maps"

	"coldkms/shared/chain"
	"coldkms/shared/identity"
)

// Reason is one refusal or finding.
type Reason = chain.Reason

// Verdict is what a policy says of a Subject. Its zero value refuses.
type Verdict struct {
	judged   bool
	content  [32]byte
	quorum   int
	why      string
	Refusals []Reason
	Findings []Reason // to be shown; they refuse nothing
}

// Refused reports whether the item must not be signed.
func (v Verdict) Refused() bool { return !v.judged || len(v.Refusals) > 0 }

// Quorum says how many operators must approve the batch before this item is
// signed, and in a sentence why. 0: none, any person's consent will do.
func (v Verdict) Quorum() (operators int, why string) { return v.quorum, v.why }

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

// Consent is a person's yes to one batch, or to what they reviewed before,
// and the operators who approved it.
type Consent struct {
	batch     [sha256.Size]byte
	given     bool
	operators int
	rejected  map[[32]byte]bool // contents that the person took out of the batch
}

// Agree records that a person has seen the batch with this digest and said
// yes, and the keys of the operators whose approval of exactly this batch, as
// it is judged now, was verified. A key counts once.
func Agree(batch [sha256.Size]byte, operators ...identity.Public) Consent {
	distinct := make(map[identity.Public]bool, len(operators))
	for _, key := range operators {
		distinct[key] = true
	}
	return Consent{batch: batch, given: true, operators: len(distinct)}
}

// Except is the same consent without the items of these contents: the person
// said no to them. Operators approved the whole batch, so none of their
// approvals counts for a part of it.
func (c Consent) Except(contents ...[32]byte) Consent {
	if len(contents) > 0 {
		c.operators = 0
	}
	rejected := maps.Clone(c.rejected)
	if rejected == nil {
		rejected = make(map[[32]byte]bool, len(contents))
	}
	for _, content := range contents {
		rejected[content] = true
	}
	c.rejected = rejected
	return c
}

// Partial reports whether the person took items out of the batch.
func (c Consent) Partial() bool { return len(c.rejected) > 0 }

// Rejects reports whether the person took the item of this content out.
func (c Consent) Rejects(content [32]byte) bool { return c.rejected[content] }

// Approval lets exactly one content be signed. Only Approve makes one.
type Approval struct {
	content [32]byte
	valid   bool
}

// Approve joins a verdict and a consent. A refused item, another batch, a
// missing consent or too few operators are a refusal.
func (v Verdict) Approve(batch [sha256.Size]byte, c Consent) (Approval, error) {
	if v.Refused() {
		if len(v.Refusals) == 0 {
			return Approval{}, chain.Refuse(chain.InternalFailure, "item was never judged")
		}
		return Approval{}, &chain.Refusal{Reason: v.Refusals[0]}
	}
	if !c.given || c.batch != batch {
		return Approval{}, chain.Refuse(chain.RefusedByPerson, "nobody agreed to this batch")
	}
	if c.Rejects(v.content) {
		return Approval{}, chain.Refuse(chain.RefusedByPerson, "taken out of the batch by the person who reviewed it")
	}
	if c.operators < v.quorum {
		return Approval{}, chain.Refuse(chain.QuorumMissing, "%d of %d operators approved this batch: %s", c.operators, v.quorum, v.why)
	}
	return Approval{content: v.content, valid: true}, nil
}

// Covers reports whether the approval is for this content.
func (a Approval) Covers(content [32]byte) bool { return a.valid && a.content == content }
