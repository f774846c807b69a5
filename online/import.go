package online

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"

	"coldkms/online/journal"
	"coldkms/online/prepare"
	"coldkms/online/tatum"
	"coldkms/shared/bundle"
	"coldkms/shared/chain"
	"coldkms/shared/durable"
	"coldkms/shared/identity"
	"coldkms/shared/transport/file"
)

// Imported is what Results brought.
type Imported struct {
	Imported int       `json:"imported"` // signed, and new
	Refused  int       `json:"refused"`  // refused by the signer, and new
	Problems []Problem `json:"problems"`
	Notes    []string  `json:"-"`
}

// resultEnding is the extension of Result files.
const resultEnding = ".kmsres"

// Incoming is a file to import.
type Incoming struct {
	Path   string
	Listed bool        // found in a folder, not named
	On     file.Medium // what that folder was on
}

// Files lists what an argument of import means: the file itself, or the
// results, PSBTs and finished transactions of a folder, results in the order in
// which they were made.
func Files(fsys durable.FS, path string) ([]Incoming, error) {
	info, err := fsys.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("import: %w", file.Reading(err))
	}
	if !info.IsDir() {
		return []Incoming{{Path: path}}, nil
	}
	on := file.MediumOf(fsys, filepath.Clean(path))
	entries, err := fsys.ReadDir(path)
	if err != nil {
		return nil, fmt.Errorf("import: %w", file.Reading(err))
	}
	var files []Incoming
	for _, e := range entries {
		name := e.Name()
		if ending := strings.ToLower(filepath.Ext(name)); !strings.HasPrefix(name, ".") && (ending == resultEnding || ending == ".psbt" || ending == ".txn") {
			files = append(files, Incoming{Path: filepath.Join(path, name), Listed: true, On: on})
		}
	}
	slices.SortStableFunc(files, func(a, b Incoming) int { return cmp.Compare(LedgerLine(a.Path), LedgerLine(b.Path)) })
	return files, nil
}

// LedgerLine returns the length of the signer's ledger that the name of a
// result states, 0 where it states none. Results that are imported in that
// order do not look as if the ledger had been rolled back. It is for that
// order only: a name proves nothing.
func LedgerLine(path string) uint64 {
	_, after, found := strings.Cut(filepath.Base(path), "-line")
	if !found {
		return 0
	}
	digits := strings.TrimRight(strings.TrimSuffix(after, resultEnding), ".")
	n, err := strconv.ParseUint(digits, 10, 63)
	if err != nil {
		return 0
	}
	return n
}

// Import takes one Result: signatures are put into the transactions of the
// journaled Request, every script is run, and what stands is journaled in one
// transaction. Nothing but signatures and refusals is taken from the Result.
func (r *Relay) Import(ctx context.Context, file []byte, report *Imported) error {
	peer, err := r.journal.Peer(ctx)
	if err != nil {
		return err
	}
	res, err := bundle.OpenResultOf(file, func(signer identity.Public) error {
		if signer != peer.Signer {
			return fmt.Errorf("%w: it is by %s, paired is %s", ErrOtherSigner, signer.Fingerprint(), peer.Signer.Fingerprint())
		}
		return nil
	})
	if err != nil {
		return err
	}
	req, err := r.openOwn(ctx, res.Request)
	if errors.Is(err, journal.ErrNoRequest) {
		if req, err = r.lostRequest(ctx, res.Request); errors.Is(err, journal.ErrNoRequest) {
			return r.recognise(ctx, res, report)
		}
	}
	if err != nil {
		return err
	}
	if err := answers(req.Request, res.Result); err != nil {
		return err
	}
	if err := r.noteLedger(ctx, res, peer, report); err != nil {
		return err
	}
	finals, err := r.finalize(ctx, req, res)
	if err != nil {
		return err
	}
	return r.record(ctx, res, finals, report)
}

// answers checks that a Result has exactly one outcome for each item, in
// their order.
func answers(req bundle.Request, res bundle.Result) error {
	if len(req.Items) != len(res.Outcomes) {
		return fmt.Errorf("%w: %d outcomes for %d items", ErrMismatch, len(res.Outcomes), len(req.Items))
	}
	for i, o := range res.Outcomes {
		if o.ID != req.Items[i].ID {
			return fmt.Errorf("%w: outcome %d is of %s, the item is %s", ErrMismatch, i, o.ID, req.Items[i].ID)
		}
	}
	return nil
}

// noteLedger looks whether the signer's memory went back in time.
func (r *Relay) noteLedger(ctx context.Context, res bundle.SealedResult, peer journal.Peer, report *Imported) error {
	known, err := r.journal.HasResult(ctx, res.Digest)
	if err != nil || known {
		return err
	}
	shorter := res.LedgerLen < peer.LedgerLen
	forked := res.LedgerLen == peer.LedgerLen && peer.Head != nil && string(res.LedgerHead) != string(peer.Head)
	if shorter || forked {
		why := fmt.Sprintf("the signer's ledger has %d lines in this result (%.16s…), %d were seen before: an older result "+
			"comes late, or an old copy of the signer was put back", res.LedgerLen, res.Digest, peer.LedgerLen)
		report.Notes = append(report.Notes, string(CodeRolledBack)+": "+why)
		return r.journal.Raise(ctx, journal.Raise{Code: CodeRolledBack, Evidence: res.Digest.String(), Reason: "ALARM: " + why +
			". If no result was left lying, sign nothing more: follow \"Drill: restored old backup\" in docs/OPERATIONS.md"})
	}
	return nil
}

// final is what became of one outcome on this side.
type final struct {
	outcome bundle.Outcome
	tx      prepare.Final
	err     error // the signatures do not make a valid transaction
}

func (r *Relay) finalize(ctx context.Context, req bundle.SealedRequest, res bundle.SealedResult) ([]final, error) {
	attached, err := r.attached(req)
	if err != nil {
		return nil, err
	}
	finals := make([]final, len(res.Outcomes))
	err = r.each(ctx, len(finals), runtime.GOMAXPROCS(0), func(_ context.Context, i int) error {
		f := final{outcome: res.Outcomes[i]}
		if f.outcome.Signed() {
			f.tx, f.err = attached.finish(req.Items[i], f.outcome.Signatures)
		}
		finals[i] = f
		return nil
	})
	return finals, err
}

// attached reads what a Request carries beside its items.
func (r *Relay) attached(req bundle.SealedRequest) (proofs, error) {
	all := make(proofs)
	for _, it := range req.Items {
		f := r.families.Named(it.Family)
		if f == nil || all[it.Family] != nil {
			continue
		}
		read, err := f.Proofs(req.Attached(f.Name()))
		if err != nil {
			return nil, fmt.Errorf("request %.16s in the journal is damaged: %w", req.Digest, err)
		}
		all[it.Family] = read
	}
	return all, nil
}

// of returns the proofs of an item's family.
func (p proofs) of(it bundle.Item) (prepare.Proofs, error) {
	if attached := p[it.Family]; attached != nil {
		return attached, nil
	}
	return nil, chain.Refuse(chain.UnsupportedChain, "family %.20q is not supported", it.Family)
}

// finish puts signatures into the transaction of an item.
func (p proofs) finish(it bundle.Item, signatures [][]byte) (prepare.Final, error) {
	attached, err := p.of(it)
	if err != nil {
		return prepare.Final{}, err
	}
	return attached.Finish(it, signatures)
}

// adopt takes a transaction that another signer finished.
func (p proofs) adopt(it bundle.Item, signed prepare.Tx) (prepare.Final, error) {
	attached, err := p.of(it)
	if err != nil {
		return prepare.Final{}, err
	}
	return attached.Adopt(it, signed)
}

// Other relays may be at work with the items of a Result: then it is looked
// at again, so often, with a pause.
const (
	recordTries = 5
	recordPause = time.Second
)

// record compares outcomes with where the items stand now, and journals what
// is new.
func (r *Relay) record(ctx context.Context, res bundle.SealedResult, finals []final, report *Imported) error {
	for try := 1; ; try++ {
		s, err := r.sort(ctx, res, finals)
		if err != nil {
			return err
		}
		err = r.journal.Import(ctx, res, s.signed, s.refused)
		if err == nil {
			return r.tell(ctx, s, report)
		}
		if errors.Is(err, journal.ErrOtherBytes) && try < recordTries {
			continue // another relay was faster with another signature: now that is a problem of this item only
		}
		if !elsewhere(err) || try == recordTries {
			return err
		}
		if err := r.Sleep(ctx, recordPause); err != nil {
			return err
		}
	}
}

// sorted is what outcomes mean for the items as they stand.
type sorted struct {
	items    map[string]journal.Item
	signed   []journal.SignedItem
	refused  []journal.RefusedItem
	problems []Problem
	before   bool // the very same Result was imported before
}

func (r *Relay) sort(ctx context.Context, res bundle.SealedResult, finals []final) (sorted, error) {
	ids := make([]string, len(finals))
	for i, f := range finals {
		ids[i] = f.outcome.ID
	}
	list, err := r.journal.Items(ctx, journal.Filter{IDs: ids})
	if err != nil {
		return sorted{}, err
	}
	before, err := r.journal.HasResult(ctx, res.Digest)
	if err != nil {
		return sorted{}, err
	}
	s := sorted{items: make(map[string]journal.Item, len(list)), before: before}
	for _, it := range list {
		s.items[it.ID] = it
	}
	for _, f := range finals {
		it, here := s.items[f.outcome.ID]
		if !here {
			s.problems = append(s.problems, f.notHere())
			continue
		}
		switch p := f.against(it); {
		case p != nil:
			s.problems = append(s.problems, *p)
		case f.outcome.Signed() && it.Signed == nil:
			s.signed = append(s.signed, f.signedFor(it))
		case f.outcome.Code == chain.SignedEarlier:
			s.problems = append(s.problems, signedEarlier(f.outcome, res))
		case f.outcome.Signed(), it.State != journal.Exported: // known already
		case it.Request != res.Request && before: // taken when it came first, and retried since
		case it.Request != res.Request:
			s.problems = append(s.problems, Problem{ID: it.ID, Code: CodeOtherAnswer, Reason: fmt.Sprintf(
				"the signer refused it (%s: %s) in its answer to request %.16s; a newer request %.16s is out with it, whose answer decides", f.outcome.Code, f.outcome.Reason, res.Request, it.Request)})
		default:
			s.refused = append(s.refused, journal.RefusedItem{ID: it.ID, Code: f.outcome.Code, Reason: f.outcome.Reason})
		}
	}
	return s, nil
}

// tell reports what was journaled.
func (r *Relay) tell(ctx context.Context, s sorted, report *Imported) error {
	for _, x := range s.signed {
		report.took(s.items[x.ID])
		if err := r.ownAfterAll(ctx, s.items[x.ID], x.TxID); err != nil {
			return err
		}
	}
	report.Refused += len(s.refused)
	old := 0
	for _, p := range s.problems {
		dealt, err := r.dealtWith(ctx, p)
		if err != nil {
			return err
		}
		if it, here := s.items[p.ID]; dealt || s.before && p.evidence == "" && here && it.State != journal.Exported {
			old++
			continue
		}
		report.Problems = append(report.Problems, p)
		if p.evidence != "" {
			if err := r.journal.Raise(ctx, *p.alarm(p.evidence)); err != nil {
				return err
			}
		}
		if s.items[p.ID].State != journal.Exported {
			continue
		}
		if err := r.note(ctx, s.items[p.ID], journal.Lease{}, p.Code, p.Reason, 0); err != nil {
			return err
		}
	}
	if old > 0 {
		report.Notes = append(report.Notes, fmt.Sprintf(
			"a result was imported before: %d of its outcomes are not taken, and were told then", old))
	}
	r.tellTatum(ctx, s, report)
	return nil
}

// dealtWith reports whether a person has dealt with the alarm about a problem, and
// nothing has changed since: then it is no news.
func (r *Relay) dealtWith(ctx context.Context, p Problem) (bool, error) {
	if p.evidence == "" {
		return false, nil
	}
	said, lasts, err := r.journal.Dealt(ctx, p.ID, p.Code, p.evidence)
	return said.By != "" && lasts, err
}

// took counts a signature that was taken for an item as it stood before.
func (i *Imported) took(before journal.Item) {
	switch {
	case before.State == journal.Rejected, notWanted(before) != "":
		i.Problems = append(i.Problems, unwanted(before))
		return
	case before.State != journal.Refused:
		i.Imported++
		return
	}
	i.Problems = append(i.Problems, Problem{ID: before.ID, Code: journal.SignedLate, Reason: "it was refused before, and here is a valid signature for it; it is not sent. " + journal.HeldAdvice(before.ID, before.Offered.Content())})
}

// notHere is about an outcome for an item that the journal lacks. Where it is
// signed, it may be paid, and that is an alarm.
func (f final) notHere() Problem {
	p := Problem{ID: f.outcome.ID, Code: CodeNotHere, Reason: "it is not in this journal, which was restored from a backup: run fetch, then import again; where Tatum does not list it any more, it was completed or dropped there meanwhile"}
	switch {
	case f.err == nil && f.tx.TxID != "":
		p.evidence = f.tx.TxID
		p.Reason = fmt.Sprintf("ALARM: its transaction %s is signed, and may be paid. Look for that txid in an explorer or a node of your own, and at Tatum for its record (GET /v3/kms/%s); do not have it paid anew before that. %s", f.tx.TxID, f.outcome.ID, sentence(p.Reason))
	case f.err == nil && f.outcome.Signed(): // the transaction id is not known without the item
		p.Reason = "ALARM: it is signed, and may be paid, or it is another relay's that has the same signer: " +
			"do not have it paid anew before you know. Import the result again with its request (*.kmsreq) " +
			"beside it, which tells the txid. " + sentence(p.Reason)
	}
	return p
}

// against says why an outcome cannot be taken for an item as it stands.
func (f final) against(it journal.Item) *Problem {
	problem := func(code chain.Code, format string, args ...any) *Problem {
		return &Problem{ID: f.outcome.ID, Code: code, Reason: fmt.Sprintf(format, args...)}
	}
	switch {
	case f.err != nil:
		return problem(chain.CodeOf(f.err), "%s", chain.ReasonOf(f.err).Text())
	case !f.outcome.Signed():
		if it.State != journal.Exported && it.State != journal.Refused {
			return problem(CodeNotWaiting, "refused by the signer (%s), but here it is %s", f.outcome.Code, it.State)
		}
	case it.Signed != nil:
		if string(it.Signed) != string(f.tx.Raw) {
			p := problem(CodeOtherBytes, "ALARM: it was signed before as %s, now there are other bytes for it (%s); they were not taken", it.TxID, f.tx.TxID)
			p.evidence = f.tx.TxID
			return p
		}
	}
	return nil
}

// signedFor is the signature for the journal, with an alarm where nobody wants
// it any more. Of what was refused or rejected here the journal knows itself.
func (f final) signedFor(it journal.Item) journal.SignedItem {
	s := journal.SignedItem{ID: it.ID, TxID: f.tx.TxID, Raw: f.tx.Raw}
	if notWanted(it) != "" {
		p := unwanted(it)
		s.Alarm = p.alarm(heldEvidence(s.TxID, it.Offered))
	}
	return s
}

// unwanted is the problem of a valid signature for what was rejected here or
// dropped at Tatum.
func unwanted(it journal.Item) Problem {
	content := it.Offered.Content()
	if it.State == journal.Rejected { // a retry takes that back first
		content = ""
	}
	return Problem{ID: it.ID, Code: journal.SignedDropped, Reason: "ALARM: it is not wanted any more (" + notWanted(it) + "), and here is a valid signature for it. It is held. " + journal.HeldAdvice(it.ID, content)}
}

// signedEarlier is the problem of an item that the signer refuses now, and has
// signed before. It stays as it is: a signature may be out, so that it is not to
// be paid otherwise.
func signedEarlier(o bundle.Outcome, res bundle.SealedResult) Problem {
	return Problem{ID: o.ID, Code: chain.SignedEarlier, evidence: res.Digest.String(), Reason: "ALARM: the signer did not sign it now, and has signed it before: " + o.Reason +
		". Import the result of then: kms-online import FILE. Where it is lost, have it signed again, which gives the same bytes; do not pay it otherwise. kms-online reject " + o.ID + " --why TEXT gives it up, once every copy of that result is destroyed"}
}

// notWanted is why nobody wants an item signed, "" if it is wanted. That Tatum
// names another txid is an alarm of its own, and the transaction that comes
// may be that one.
func notWanted(it journal.Item) string {
	switch {
	case it.State == journal.Rejected:
		return "rejected"
	case !withdrawn(it):
		return ""
	}
	for _, code := range it.Marks() {
		if code != CodeOtherTxID && !slices.Contains(byRestore, code) {
			return string(code)
		}
	}
	return ""
}

// tellTatum reports refusals as Tatum's own KMS would. It is a courtesy:
// whether it arrives changes nothing here.
func (r *Relay) tellTatum(ctx context.Context, s sorted, report *Imported) {
	errs := make(map[string][]tatum.ItemError) // by API key
	for _, x := range s.refused {
		account := s.items[x.ID].Account
		errs[account] = append(errs[account], tatum.ItemError{ID: x.ID, Error: "refused by the offline signer: " + string(x.Code)})
	}
	for account, list := range errs {
		mine, err := r.As(account)
		if err != nil || mine.Tatum == nil {
			continue
		}
		if err := mine.Tatum.ReportErrors(ctx, list); err != nil {
			report.Notes = append(report.Notes, fmt.Sprintf("refusals were not reported to Tatum: %v", err))
		}
	}
}
