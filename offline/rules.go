package offline

import (
	"encoding/hex"
	"errors"
	"fmt"
	"iter"

	"coldkms/offline/ledger"
	"coldkms/offline/policy"
	"coldkms/shared/chain"
)

// ErrPolicy is returned where a policy was set, and the wallet does not have
// exactly that one.
var ErrPolicy = errors.New("the policy in the wallet is not the one that was set last")

// InForce returns the policy by which to judge: the one that the wallet keeps,
// if it is the one that the ledger has on record as set last, or the built-in
// one if none was ever set. Anything else is an error.
func InForce(coins policy.Coins, kept []byte, book *ledger.Ledger) (policy.Policy, error) {
	set, ever := book.PolicySet()
	switch {
	case !ever && len(kept) == 0:
		return policy.Default(coins), nil
	case !ever:
		return policy.Policy{}, fmt.Errorf("%w: the ledger knows of none", ErrPolicy)
	case len(kept) == 0:
		return policy.Policy{}, fmt.Errorf("%w: there is none", ErrPolicy)
	}
	p, err := policy.Load(coins, kept)
	if err != nil {
		return policy.Policy{}, fmt.Errorf("%w: %w", ErrPolicy, err)
	}
	if got := hex.EncodeToString(p.Hash()); got != set.Hash {
		return policy.Policy{}, fmt.Errorf("%w: its hash is %.16s…, the ledger has %.16s…", ErrPolicy, got, set.Hash)
	}
	return p, nil
}

// verdicts judges by the policy in force and by what the ledger holds now.
// Items that did not decode have the zero Verdict, which refuses. So do those
// that a person took out, which count towards no limit and no quorum.
func (s *Session) verdicts(j *Judged, consent policy.Consent) []policy.Verdict {
	at := make([]int, 0, len(j.items))
	for i, it := range j.items {
		if it.err == nil && !consent.Rejects(it.subject.Content) {
			it.subject.Vouched, it.subject.Origins = s.vouchers(it), s.Ledger.Origins(proposal(it.subject))
			at = append(at, i)
		}
	}
	subjects := j.subjects
	if len(at) < len(subjects) {
		subjects = make([]policy.Subject, len(at))
		for i, k := range at {
			subjects[i] = j.subjects[k]
		}
	}
	verdicts := make([]policy.Verdict, len(j.items))
	of := policy.Circumstances{Batch: j.Request.Digest, Created: j.Request.Created, Offline: s.Offline}
	batch := s.sumsOf(subjects)
	for i, v := range s.Policy.Judge(subjects, of, History{s.Ledger}) {
		verdicts[at[i]] = s.dateSigned(j, at[i], s.recallRejection(subjects[i:i+1], batch, v))
	}
	return verdicts
}

// recallRejection adds to a verdict that a person took the item, or one that is
// taken for the same payment, out of a batch before, or declined a batch with
// another one under its id or of its outpoint: it never comes back as one about
// which nothing is to be said.
func (s *Session) recallRejection(one []policy.Subject, batch ledger.Sums, v policy.Verdict) policy.Verdict {
	p := proposal(&one[0])
	p.Pays, p.Batch = s.sumsOf(one), batch
	if at, what, was := s.Ledger.Rejected(p); was {
		v.Findings = append(v.Findings, chain.Because(chain.FlagRejected,
			"a person took %s out of a batch on %s (ledger line %d)", what, at.Day(), at.Line))
	} else if at, what, was := s.Ledger.DeclinedOther(p); was {
		v.Findings = append(v.Findings, chain.Because(chain.FlagRejected,
			"a person said no to a batch with %s on %s (ledger line %d)", what, at.Day(), at.Line))
	}
	return v
}

// proposal names an item, without what it pays.
func proposal(of *policy.Subject) ledger.Proposal {
	return ledger.Proposal{ID: of.ID, Content: of.Content, Spent: of.Facts.Exclusive}
}

// sumsOf sums up what items pay to those to whom a person rejected a payment.
func (s *Session) sumsOf(subjects []policy.Subject) ledger.Sums {
	sums := make(ledger.Sums)
	for i := range subjects {
		facts := &subjects[i].Facts
		for m := range facts.Movements {
			if out := &facts.Movements[m]; !out.IsChange() {
				s.Ledger.AddRejected(sums, facts.Coin, paymentOf(out))
			}
		}
	}
	return sums
}

// signedAs returns the content under which the ledger has, or will have, a
// subject as signed.
func (s *Session) signedAs(subject policy.Subject) [32]byte {
	content, _ := policy.SignedAs(&subject, History{s.Ledger})
	return content
}

// History is the ledger as policy asks it.
type History struct{ *ledger.Ledger }

// Record implements policy.History.
func (h History) Record(content [32]byte) (policy.Record, bool) {
	r, ok := h.Ledger.Record(content)
	return policy.Record(r), ok
}

// Payments implements policy.History.
func (h History) Payments(since int64) iter.Seq[policy.Payment] {
	return func(yield func(policy.Payment) bool) {
		for p := range h.Ledger.Payments(since) {
			if !yield(policy.Payment{
				Clock: p.Clock, Coin: p.Coin, Token: p.Token, To: p.To, Value: p.Value, Fee: p.Fee, Changed: p.Changed,
				Size: p.Size, Content: p.Content, Batch: p.Batch, Origins: h.Ledger.SignedFrom(p.Content),
			}) {
				return
			}
		}
	}
}
