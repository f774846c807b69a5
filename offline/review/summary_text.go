package review

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"

	"coldkms/shared/chain"
)

// Text writes the summary for paper: totals, destinations, and a few lines an
// item.
func (s Summary) Text(w io.Writer) error {
	p := printer{w: w}
	p.line("made               %s by the signer's clock", s.Made.UTC().Format(time.RFC3339))
	p.line("signer             %s", s.Signer)
	p.line("policy             %s", s.Policy)
	if s.Policy.Hash != "" {
		p.line("                   %s", s.Policy.Hash)
	}
	p.line("ledger             %d lines, head", s.Ledger.Lines)
	p.line("                   %s", s.Ledger.Head)
	p.line("                   %s", s.Ledger.Words)
	for _, f := range s.Batches {
		f.text(&p)
	}
	return p.err
}

func (f Finished) text(p *printer) {
	signed, refused := f.split()
	p.line("")
	p.line("batch digest  %s", f.Batch.Digest)
	p.line("items              %d: %d %s, %d refused", len(f.Batch.Items), signed, f.done(), refused)
	if f.Outcomes != nil {
		p.line("agreed             %s", f.agreed())
	}
	for _, name := range f.Operators {
		p.line("approved by        %s", name)
	}
	f.Batch.sums(p, f.counted)
	for _, d := range f.Batch.Destinations(f.counted) {
		d.text(p)
	}
	p.line("")
	for i, it := range f.Batch.Items {
		p.line("[%d]  %s  %s %s  %s", i+1, it.ID, it.Chain, it.Network, strings.ToUpper(f.state(i)))
		if f.Outcomes != nil && f.Outcomes[i].TxID != "" {
			p.line("  txid     %s", f.Outcomes[i].TxID)
		}
		codes, reasons := f.why(i)
		for n := range codes {
			p.line("  %-8s %s: %s", "", codes[n], reasons[n])
		}
		if it.Facts == nil {
			continue
		}
		for _, out := range listed(it) {
			p.line("  %-8s %s", label(out), out.Asset.Format(out.Amount))
			for _, l := range destination(out) {
				p.line("             %s", l)
			}
		}
		p.line("  fee      %s", it.Facts.Asset.Format(it.Facts.Fee))
		if burnt := it.Facts.Burnt(); !burnt.IsZero() {
			p.line("  burn     %s, which counts as fee", it.Facts.Asset.Format(burnt))
		}
		if valid := validity(it.Facts.Validity); valid != "" {
			p.line("  valid    %s", valid)
		}
	}
}

// listed are an item's outputs as a summary has them: payments first, then
// change.
func listed(it Item) (list []chain.Movement) {
	if it.Facts == nil {
		return nil
	}
	for _, change := range []bool{false, true} {
		for _, out := range it.Facts.Movements {
			if out.IsChange() == change {
				list = append(list, out)
			}
		}
	}
	return list
}

type (
	summaryJSON struct {
		Made    string         `json:"made"`
		Signer  string         `json:"signer"`
		Policy  string         `json:"policy"` // hash; "": the built-in one
		Name    string         `json:"policyName"`
		Since   string         `json:"policySince"`
		Line    uint64         `json:"policyLine"`
		Ledger  LedgerName     `json:"ledger"`
		Batches []finishedJSON `json:"batches"`
	}
	finishedJSON struct {
		Digest       string        `json:"digest"`
		Agreed       string        `json:"agreed"`
		Operators    []string      `json:"operators"`
		Totals       []Total       `json:"totals"`
		Destinations []Destination `json:"destinations"`
		Items        []outcomeJSON `json:"items"`
	}
	outcomeJSON struct {
		Number   int           `json:"number"`
		ID       string        `json:"id"`
		Chain    chain.ID      `json:"chain"`
		Network  string        `json:"network"`
		State    string        `json:"state"`
		TxID     string        `json:"txId,omitempty"`
		Codes    []chain.Code  `json:"codes"`
		Reasons  []string      `json:"reasons"`
		Payments []paymentJSON `json:"payments"`
		Change   []paymentJSON `json:"change"`
		Fee      chain.Amount  `json:"fee"`
		Burnt    chain.Amount  `json:"burnt,omitzero"`
		Valid    *ValidJSON    `json:"valid,omitempty"`
	}
	paymentJSON struct {
		To    string       `json:"to"`
		Value chain.Amount `json:"value"`           // of a payment without the part that is change
		Token string       `json:"token,omitempty"` // none: the coin itself
		Memo  string       `json:"memo,omitempty"`
		Burnt chain.Amount `json:"burnt,omitzero"` // nobody can ever spend it; counts as fee
		Own   *OwnJSON     `json:"own,omitempty"`
	}
)

// JSON writes the summary as data; amounts are in smallest units.
func (s Summary) JSON(w io.Writer) error {
	doc := summaryJSON{Made: s.Made.UTC().Format(time.RFC3339), Signer: s.Signer, Policy: s.Policy.Hash, Name: s.Policy.Name, Since: s.Policy.Since, Line: s.Policy.Line,
		Ledger: s.Ledger, Batches: []finishedJSON{}}
	for _, f := range s.Batches {
		doc.Batches = append(doc.Batches, f.json())
	}
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false)
	if err := enc.Encode(doc); err != nil {
		return fmt.Errorf("summary: %w", err)
	}
	return nil
}

func (f Finished) json() finishedJSON {
	out := finishedJSON{Digest: f.Batch.Digest.String(), Agreed: f.How, Operators: append([]string{}, f.Operators...),
		Totals: f.Batch.Totals(f.counted), Destinations: append([]Destination{}, f.Batch.Destinations(f.counted)...), Items: make([]outcomeJSON, len(f.Batch.Items))}
	for i, it := range f.Batch.Items {
		o := outcomeJSON{Number: i + 1, ID: it.ID, Chain: it.Chain, Network: it.Network.String(), State: f.state(i), Payments: []paymentJSON{}, Change: []paymentJSON{}}
		o.Codes, o.Reasons = f.why(i)
		if f.Outcomes != nil {
			o.TxID = f.Outcomes[i].TxID
		}
		for _, out := range listed(it) {
			if out.IsChange() {
				o.Change = append(o.Change, paymentOf(out, out.Amount))
			} else {
				o.Payments = append(o.Payments, paymentOf(out, out.Paid()))
			}
		}
		if it.Facts != nil {
			o.Fee, o.Burnt, o.Valid = it.Facts.Fee, it.Facts.Burnt(), validJSON(it.Facts.Validity)
		}
		out.Items[i] = o
	}
	return out
}

func paymentOf(out chain.Movement, value chain.Amount) paymentJSON {
	p := paymentJSON{To: out.To, Value: value, Token: out.Asset.Token, Memo: out.Memo, Own: ownJSON(out)}
	if out.IsBurnt() {
		p.Burnt = out.Amount
	}
	return p
}
