package online

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"time"

	"coldkms/online/approval"
	"coldkms/online/journal"
	"coldkms/online/prepare"
	"coldkms/shared/attestation"
	"coldkms/shared/bundle"
	"coldkms/shared/chain"
)

// errNoFacts is about what does nothing that anyone could vouch for, such as
// paying more than it spends. It is carried all the same: the signer refuses
// it, and has it on record.
var errNoFacts = errors.New("it cannot be said what the transaction does")

// approvers is how many questions the approval service is asked at a time.
const approvers = 16

// asAgreed is how long a yes without statements counts. A statement counts for
// half of its time: it has a way to go.
const asAgreed = 10 * time.Minute

// errVetoed is why an item waits while nobody is asked.
var errVetoed = errors.New("the approval service said no, and nothing else since")

// ApproveOptions choose what the approval service is asked about.
type ApproveOptions struct {
	Network chain.Network
	IDs     []string
	Again   bool // also what was exported and has no outcome yet
	Due     bool // only what was not answered a short time ago
}

// Approved is what the approval service said.
type Approved struct {
	Approved int
	Problems []Problem
}

// Approve asks the approval service, if there is one, about what is to be
// exported, and journals each answer as it comes. What it does not say yes to
// stays as it is, and is a problem.
func (r *Relay) Approve(ctx context.Context, o ApproveOptions) (Approved, error) {
	var report Approved
	if r.FourEye == nil {
		return report, nil
	}
	f := journal.Filter{States: []journal.State{journal.Prepared}, IDs: o.IDs, Network: o.Network}
	if o.Again {
		f.States = append(f.States, journal.Exported)
	}
	if f = r.exportable(f); o.Due {
		f.Due = r.Now()
	}
	var err error
	if f.IDs, err = r.journal.Unapproved(ctx, f); err != nil || len(f.IDs) == 0 {
		return report, err
	}
	steps, err := r.work(ctx, job{filter: f, do: (*step).approve, atOnce: approvers})
	for _, s := range steps {
		if s.completed {
			report.Approved++
		}
		if s.problem != nil {
			report.Problems = append(report.Problems, *s.problem)
		}
	}
	return report, err
}

func (s *step) approve(ctx context.Context) error {
	p, err := s.proven(ctx)
	if err != nil {
		return nil // it is prepared once more when it is to be exported
	}
	list, err := s.vouched(ctx, p)
	if errors.Is(err, approval.ErrLeftAlone) { // it was not asked: that is no try in vain, and its turn is next
		s.problem = &Problem{ID: s.item.ID, Code: CodeNoAnswer, Reason: err.Error()}
		return nil
	}
	if err != nil && !errors.Is(err, errNoFacts) {
		return s.denied(ctx, err)
	}
	if err := s.approved(ctx, list); err != nil {
		return err
	}
	s.completed = true
	if s.item.Code != CodeVetoed && s.item.Code != CodeNoAnswer {
		return nil
	}
	return s.note(ctx, s.item, s.lease, "", "", 0)
}

// approved journals a yes.
func (s *step) approved(ctx context.Context, list []attestation.Statement) error {
	until := s.Now().Add(asAgreed)
	for i, one := range list {
		half := s.Now().Add(time.Unix(one.Expires, 0).Sub(s.Now()) / 2)
		if i == 0 || half.Before(until) {
			until = half
		}
	}
	text, err := json.Marshal(attestation.Answer{Statements: list})
	if err != nil {
		return err
	}
	return s.journal.Approve(ctx, journal.Approval{ID: s.item.ID, Verdict: journal.Approved, Statements: text, Until: until, Service: s.FourEye.Service()})
}

// denied journals that there is no yes. A no holds until the service says yes
// or a person lifts it, also where no service is asked any more.
func (s *step) denied(ctx context.Context, why error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	code := codeOfAnswer(why)
	if errors.Is(why, approval.ErrRefused) {
		if err := s.journal.Veto(ctx, s.item.ID, s.FourEye.Service()); err != nil {
			return err
		}
	}
	return s.stays(ctx, code, why)
}

// agreed chooses, of what f chooses, what may go to the signer as far as the
// approval service is concerned.
func (r *Relay) agreed(ctx context.Context, f journal.Filter) (ids []string, all bool, err error) {
	if r.FourEye == nil {
		return f.IDs, true, nil
	}
	f.Max = 0
	approvals, err := r.journal.Approvals(ctx, f)
	return slices.Sorted(maps.Keys(approvals)), false, err
}

// carry puts statements into the items that they are about.
func (r *Relay) carry(ctx context.Context, items []bundle.Item) error {
	if r.FourEye == nil {
		return nil
	}
	ids := make([]string, len(items))
	for i, it := range items {
		ids[i] = it.ID
	}
	approvals, err := r.journal.Approvals(ctx, journal.Filter{IDs: ids})
	if err != nil {
		return err
	}
	for i := range items {
		a, known := approvals[items[i].ID]
		if !known || a.Verdict == journal.Lifted {
			continue
		}
		var answer attestation.Answer
		if err := json.Unmarshal(a.Statements, &answer); err != nil {
			return fmt.Errorf("the approval of %s in the journal is damaged: %w", a.ID, err)
		}
		items[i].Statements = answer.Statements
	}
	return nil
}

// Unveto lifts a veto of the approval service, in a person's name: the service
// is not asked about this item again.
func (r *Relay) Unveto(ctx context.Context, id, why string) (journal.State, error) {
	it, err := r.journal.Item(ctx, id)
	if err != nil {
		return "", err
	}
	vetoes, err := r.journal.Vetoes(ctx, id)
	if err != nil {
		return "", err
	}
	if len(vetoes) > 0 && slices.Contains([]journal.State{journal.Failed, journal.Rejected, journal.Broadcast, journal.Completed}, it.State) {
		return "", fmt.Errorf("unveto: item %s is %s (%s): %w: it waits for no approval, so to lift the no would send nothing. %s", id, it.State, it.Code, journal.ErrState, afterVeto(it))
	}
	if len(vetoes) == 0 {
		return "", fmt.Errorf("unveto: item %s is %s: %w: the approval service has not refused it", id, it.State, journal.ErrState)
	}
	if err := r.journal.Approve(ctx, journal.Approval{ID: id, Verdict: journal.Lifted, Reason: why}); err != nil {
		return "", err
	}
	return it.State, r.note(ctx, it, journal.Lease{}, "", "", 0)
}

// afterVeto says what a person can do about an item that a veto does not hold up.
func afterVeto(it journal.Item) string {
	switch it.State {
	case journal.Failed:
		return fmt.Sprintf("A person gave it up, or it cannot be sent: kms-online status %s says which. If it is to be paid all the same: kms-online retry %s, then unveto it; else do nothing", it.ID, it.ID)
	case journal.Rejected:
		return "A person rejected it, and nothing sends it. If it is to be paid all the same, have it made anew under a new id"
	}
	return "It was sent already"
}

// SetService makes an approval service part of the relay's state, "" for none.
func (r *Relay) SetService(ctx context.Context, url, method string) error {
	return r.journal.SetService(ctx, url, method)
}

// ServiceUnsaid reports whether the journal was restored, and nobody has said
// since which approval service is asked.
func (r *Relay) ServiceUnsaid(ctx context.Context) (bool, error) {
	return r.journal.ServiceUnsaid(ctx)
}

// errUnsaid is why nothing is sent from a restored journal.
var errUnsaid = errors.New("this journal was restored, and the approval service may have said no to this meanwhile: name the service again, kms-online broadcast --external-url URL, or say that there is none, --external-url none")

// Service returns the approval service of the relay's state, "" for none.
func (r *Relay) Service(ctx context.Context) (url, method string, err error) {
	return r.journal.Service(ctx)
}

func codeOfAnswer(err error) chain.Code {
	if errors.Is(err, approval.ErrRefused) || errors.Is(err, errOtherService) {
		return CodeVetoed
	}
	return CodeNoAnswer
}

// errOtherService is why an item waits whatever the service of today says.
var errOtherService = errors.New("another approval service said no, and only that one's yes lifts it, or kms-online unveto")

// vouched asks about one transaction, unless a service that is not asked any
// more said no to it: then nobody else's yes counts.
func (s *step) vouched(ctx context.Context, p prepare.Prepared) ([]attestation.Statement, error) {
	vetoes, err := s.journal.Vetoes(ctx, s.item.ID)
	if err != nil {
		return nil, err
	}
	for _, service := range vetoes {
		if service != s.FourEye.Service() {
			return nil, fmt.Errorf("%w: %s", errOtherService, hostOf(service))
		}
	}
	return s.ask(ctx, p)
}

// hostOf names a service without its path, which may have a secret in it.
func hostOf(service string) string {
	u, err := url.Parse(service)
	if err != nil || u.Host == "" {
		return "its address is not on record"
	}
	return u.Scheme + "://" + u.Host
}

// VetoesBut counts the items that another service than that of the relay said
// no to, and that wait for its yes.
func (r *Relay) VetoesBut(ctx context.Context) (int, error) {
	service := ""
	if r.FourEye != nil {
		service = r.FourEye.Service()
	}
	return r.journal.VetoesBut(ctx, service)
}

// ask asks about one transaction.
func (r *Relay) ask(ctx context.Context, p prepare.Prepared) ([]attestation.Statement, error) {
	facts, err := p.Facts()
	if err != nil {
		return nil, errors.Join(errNoFacts, err)
	}
	return r.FourEye.Vouch(ctx, p.ID(), facts)
}

// mayLeave asks the approval service once more before a signed transaction is
// sent for the first time. Without a yes it stays signed.
func (s *step) mayLeave(ctx context.Context) (bool, error) {
	if s.item.Withheld == CodeRestored && len(s.item.Beside) == 0 && s.item.Offered == (journal.Offer{}) {
		return false, s.stays(ctx, CodeRestored, errors.New(unlistedWords(s.item)))
	}
	if withdrawn(s.item) {
		return false, s.heldBack(ctx, nil)
	}
	st, err := s.standing()
	switch {
	case err != nil:
		return false, err
	case st.unsaid:
		return false, s.stays(ctx, CodeNotNamed, errUnsaid)
	}
	if doubt := s.unreleased(st.restored); doubt != "" {
		return false, s.stays(ctx, CodeRestored, errors.New(doubt))
	}
	vetoes := st.vetoes[s.item.ID]
	switch {
	case st.said[s.item.ID].Verdict == journal.Lifted:
		return true, nil
	case s.FourEye == nil && len(vetoes) > 0:
		return false, s.stays(ctx, CodeVetoed, errVetoed)
	case s.FourEye == nil:
		return true, nil
	}
	p, err := s.proven(ctx)
	var list []attestation.Statement
	if err == nil {
		list, err = s.vouched(ctx, p)
	}
	if err != nil {
		return false, s.denied(ctx, err)
	}
	return true, s.approved(ctx, list)
}

// proven reads the item from the journal once more.
func (s *step) proven(ctx context.Context) (prepare.Prepared, error) {
	d := s.drafted(s.item)
	if d.err != nil {
		return nil, d.err
	}
	proofs, _, err := s.previous(ctx, []draft{d}, false)
	if err != nil {
		return nil, err
	}
	return proofs.prove(d)
}
