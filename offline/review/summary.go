package review

import (
	"coldkms/offline/policy"
	"time"

	"coldkms/shared/chain"
)

// Summary is what became of some batches, for a file or for paper.
type Summary struct {
	Made    time.Time
	Signer  string     // fingerprint
	Policy  PolicyName // in force
	Ledger  LedgerName // afterwards
	Batches []Finished
}

// Finished is one batch of a Summary. Without Outcomes it was reviewed only.
type Finished struct {
	Batch     Batch
	How       string   // how the person agreed: "typed", "digest"; "" where nobody was asked
	Operators []string // who approved
	Outcomes  []Outcome
}

// Outcome is what became of one item, by its place in the batch.
type Outcome struct {
	TxID   string // of what was signed
	Code   chain.Code
	Reason string // in words, of what was not
}

// state says what became of an item: "signed" or "refused", or of one that
// was reviewed its verdict.
func (f Finished) state(i int) string {
	switch {
	case f.Outcomes == nil:
		return f.Batch.Items[i].Verdict()
	case f.Outcomes[i].TxID != "":
		return "signed"
	}
	return "refused"
}

// counted says which items count in the totals: what was signed, or of a
// review what can be.
func (f Finished) counted(i int) bool { return f.Outcomes == nil || f.Outcomes[i].TxID != "" }

// split counts what was signed (or can be) and what was refused.
func (f Finished) split() (signed, refused int) {
	for i, it := range f.Batch.Items {
		if !it.Refused() && f.counted(i) {
			signed++
		} else {
			refused++
		}
	}
	return signed, refused
}

// why returns codes and sentences: of a refusal, or of what was found.
func (f Finished) why(i int) (codes []chain.Code, reasons []string) {
	codes, reasons = []chain.Code{}, []string{}
	if f.Outcomes != nil && f.Outcomes[i].TxID == "" {
		return append(codes, f.Outcomes[i].Code), append(reasons, f.Outcomes[i].Reason)
	}
	it := f.Batch.Items[i]
	for _, list := range [][]policy.Reason{it.Refusals, it.Findings} {
		for _, r := range list {
			codes, reasons = append(codes, r.Code), append(reasons, r.Text())
		}
	}
	return codes, reasons
}

// done is the word for what the totals are of.
func (f Finished) done() string {
	if f.Outcomes == nil {
		return "can be signed"
	}
	return "signed"
}

// agreed says who agreed, in words.
func (f Finished) agreed() string {
	switch f.How {
	case "typed":
		return "a person, on the signer's terminal"
	case "digest":
		return "a person who had reviewed it, by its digest"
	case "":
		return "nobody was asked"
	}
	return f.How
}
