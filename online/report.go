package online

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"time"

	"coldkms/online/journal"
	"coldkms/shared/bundle"
	"coldkms/shared/chain"
)

// Audited is what the journal and the Results say of one item, for an audit:
// who, what, when, and the hashes by which papers elsewhere can be compared.
type Audited struct {
	Status
	Fee        string   `json:"fee,omitempty"` // in coins, as what it spends proves
	Withdrawal string   `json:"withdrawalId,omitempty"`
	Created    string   `json:"created"`                // first fetched, RFC 3339
	Asked      string   `json:"askedSHA256"`            // of what Tatum asked for, as it came
	Request    string   `json:"request,omitempty"`      // digest of the Request that it last was in
	Signed     string   `json:"signedSHA256,omitempty"` // of the signed transaction
	Answers    []Answer `json:"answers,omitempty"`      // of the signer, to that Request
	Vetoes     []string `json:"vetoes,omitempty"`       // approval services whose no stands, without their paths
	Lifted     string   `json:"liftedVeto,omitempty"`   // who lifted a no, and why
}

// Answer is one Result's word on an item.
type Answer struct {
	Result     string     `json:"result"` // digest
	Imported   string     `json:"imported"`
	Signer     string     `json:"signer"`              // fingerprint
	Operators  []string   `json:"operators,omitempty"` // fingerprints of whose approvals counted
	Outcome    string     `json:"outcome"`             // signed or refused
	Code       chain.Code `json:"code,omitempty"`
	Reason     string     `json:"reason,omitempty"`
	Policy     string     `json:"policySHA256,omitempty"`
	LedgerHead string     `json:"ledgerHead"`
	LedgerLen  uint64     `json:"ledgerLength"`
}

// ReportOptions choose what is reported.
type ReportOptions struct {
	Network  chain.Network
	IDs      []string
	From, To time.Time // first fetched, To not included; zero: no bound
}

// Report returns what is on record to each, oldest first.
func (r *Relay) Report(ctx context.Context, o ReportOptions, each func(Audited) error) error {
	opened := make(map[bundle.Digest][]answered)
	keys := r.watched(ctx)
	f := journal.Filter{IDs: o.IDs, Network: o.Network, Max: batch}
	for {
		items, err := r.journal.Items(ctx, f)
		if err != nil || len(items) == 0 {
			return err
		}
		f.After = items[len(items)-1].After()
		said, err := r.said(ctx, items)
		if err != nil {
			return err
		}
		for _, it := range items {
			if it.Created.Before(o.From) || (!o.To.IsZero() && !it.Created.Before(o.To)) {
				continue
			}
			a, err := r.audit(ctx, it, opened)
			d := r.drafted(it)
			a.pays(d, keys)
			if err == nil {
				a.Fee, err = r.fee(ctx, d)
			}
			if said[it.ID].Verdict == journal.Lifted {
				a.Lifted = said[it.ID].Reason
			}
			if err == nil {
				err = each(a)
			}
			if err != nil {
				return err
			}
		}
	}
}

// fee returns what an item pays in fees, "" where nothing proves it.
func (r *Relay) fee(ctx context.Context, d draft) (string, error) {
	if d.err != nil || len(d.item.Prepared) == 0 {
		return "", nil
	}
	all, _, err := r.previous(ctx, []draft{d}, false)
	if err != nil {
		return "", err
	}
	p, err := all.prove(d)
	if err != nil {
		return "", nil // a previous transaction is not in the journal
	}
	facts, err := p.Facts()
	if err != nil {
		return "", nil // as errNoFacts
	}
	return facts.Asset.Units(facts.Fee), nil
}

// said returns what was said of items before they may leave.
func (r *Relay) said(ctx context.Context, items []journal.Item) (map[string]journal.Approval, error) {
	return r.journal.Approvals(ctx, journal.Filter{IDs: idsOf(items)})
}

// vetoes names the approval services whose no to an item stands.
func (r *Relay) vetoes(ctx context.Context, id string) ([]string, error) {
	services, err := r.journal.Vetoes(ctx, id)
	for i, s := range services {
		services[i] = hostOf(s)
	}
	return services, err
}

// answered is a Result and when it came.
type answered struct {
	bundle.SealedResult
	at       time.Time
	outcomes map[string]bundle.Outcome
}

// maxOpened bounds how many Requests' Results are kept in memory.
const maxOpened = 64

func (r *Relay) audit(ctx context.Context, it journal.Item, opened map[bundle.Digest][]answered) (Audited, error) {
	asked := sha256.Sum256(it.Pending)
	restored, err := r.journal.Restorations(ctx)
	status := whole(it, restored)
	a := Audited{Status: status, Withdrawal: it.Withdrawal, Created: it.Created.Format(time.RFC3339), Asked: hex.EncodeToString(asked[:])}
	if err != nil {
		return a, err
	}
	if a.Vetoes, err = r.vetoes(ctx, it.ID); err != nil {
		return a, err
	}
	if it.Signed != nil {
		sum := sha256.Sum256(it.Signed)
		a.Signed = hex.EncodeToString(sum[:])
	}
	if it.Request == (bundle.Digest{}) {
		return a, nil
	}
	a.Request = it.Request.String()
	results, known := opened[it.Request]
	if !known {
		var err error
		if results, err = r.answers(ctx, it.Request); err != nil {
			return a, err
		}
		if len(opened) >= maxOpened {
			clear(opened)
		}
		opened[it.Request] = results
	}
	for _, res := range results {
		if o, ok := res.outcomes[it.ID]; ok {
			a.Answers = append(a.Answers, res.answer(o))
		}
	}
	return a, nil
}

func (r *Relay) answers(ctx context.Context, request bundle.Digest) ([]answered, error) {
	files, err := r.journal.Results(ctx, request)
	if err != nil {
		return nil, err
	}
	var list []answered
	for _, f := range files {
		res, err := bundle.OpenResult(f.File)
		if err != nil {
			return nil, fmt.Errorf("a result of request %.16s in the journal is damaged: %w", request, err)
		}
		a := answered{SealedResult: res, at: f.At, outcomes: make(map[string]bundle.Outcome, len(res.Outcomes))}
		for _, o := range res.Outcomes {
			a.outcomes[o.ID] = o
		}
		list = append(list, a)
	}
	return list, nil
}

func (a answered) answer(o bundle.Outcome) Answer {
	out := Answer{
		Result: a.Digest.String(), Imported: a.at.Format(time.RFC3339), Signer: a.Signer.Fingerprint(), Outcome: "signed", Code: o.Code, Reason: o.Reason,
		Policy: hex.EncodeToString(a.Policy), LedgerHead: hex.EncodeToString(a.LedgerHead), LedgerLen: a.LedgerLen,
	}
	if !o.Signed() {
		out.Outcome = "refused"
	}
	for _, p := range a.Operators {
		out.Operators = append(out.Operators, p.Fingerprint())
	}
	return out
}
