package online

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"coldkms/online/journal"
	"coldkms/online/prepare"
	"coldkms/shared/bundle"
	"coldkms/shared/chain"
	"coldkms/shared/durable"
	"coldkms/shared/identity"
)

// A journal that was restored from a backup has lost the Requests that were
// made since. Two things prove that a Result of the paired signer is about one
// of them: the Request's file, which this relay signed, and, in a journal that
// is known to be restored, the signatures in the Result.

// lostRequest takes a Request of this relay back into the journal, if its file
// is at hand. It is journal.ErrNoRequest if not.
func (r *Relay) lostRequest(ctx context.Context, digest bundle.Digest) (bundle.SealedRequest, error) {
	if r.Lost != nil {
		for _, file := range r.Lost(digest) {
			req, err := bundle.OpenRequestOf(file, func(relay identity.Public) error {
				if relay != r.identity.Public() {
					return ErrOtherRequest
				}
				return nil
			})
			if err == nil && req.Digest == digest {
				return req, r.journal.AdoptRequest(ctx, req)
			}
		}
	}
	return bundle.SealedRequest{}, journal.ErrNoRequest
}

// maxLost bounds how many files of one name's kind are looked at.
const maxLost = 8

// LostIn looks for the file of a request in a folder, and in those that requests are
// moved aside to, by the digest in its name.
func LostIn(fsys durable.FS, dir string, digest bundle.Digest) (found [][]byte) {
	for _, at := range []string{dir, filepath.Join(dir, DoneFolder), filepath.Join(dir, VoidFolder)} {
		entries, err := fsys.ReadDir(at)
		if err != nil {
			continue
		}
		for _, e := range entries {
			name := strings.ToLower(e.Name())
			if len(found) == maxLost || filepath.Ext(name) != ".kmsreq" || !strings.Contains(name, fmt.Sprintf("%x", digest[:4])) {
				continue
			}
			if file, err := durable.ReadFile(fsys, filepath.Join(at, e.Name()), bundle.MaxFile); err == nil {
				found = append(found, file)
			}
		}
	}
	return found
}

// recognise takes a Result whose Request is lost. What proves an outcome to be
// ours is the signature itself: put into what this journal has of the item, it
// must make a transaction whose every script runs. Refusals prove nothing, and
// are not taken.
func (r *Relay) recognise(ctx context.Context, res bundle.SealedResult, report *Imported) error {
	made, err := r.journal.Restored(ctx)
	if err != nil {
		return err
	}
	if made.IsZero() {
		return fmt.Errorf("%w (digest %.16s…)", ErrOtherRequest, res.Request)
	}
	items, err := r.itemsOf(ctx, res)
	if err != nil {
		return err
	}
	signed := slices.ContainsFunc(res.Outcomes, bundle.Outcome.Signed)
	if len(items) == 0 && !signed {
		return fmt.Errorf("%w (digest %.16s…), and none of its %d pending ids is in the journal: after a restore, run fetch first", ErrOtherRequest, res.Request, len(res.Outcomes))
	}
	proven, err := r.proveAgain(ctx, items)
	if err != nil {
		return err
	}
	finals, refused := make([]final, 0, len(res.Outcomes)), 0
	for _, o := range res.Outcomes {
		switch _, known := items[o.ID]; {
		case known && o.Signed():
			finals = append(finals, final{outcome: o})
		case known:
			refused++
		default:
			if err := r.lostOutcome(ctx, res.Digest, o, report); err != nil {
				return err
			}
		}
	}
	if n := len(res.Outcomes) - len(items); n > 0 {
		report.Notes = append(report.Notes, fmt.Sprintf("%d of the %d pending ids in this result are not in the journal, and nothing of them was taken: run fetch, then import it again", n, len(res.Outcomes)))
	}
	err = r.each(ctx, len(finals), runtime.GOMAXPROCS(0), func(_ context.Context, i int) error {
		p, f := proven[finals[i].outcome.ID], &finals[i]
		if f.err = p.err; f.err == nil {
			f.tx, f.err = p.proofs.Finish(p.item, f.outcome.Signatures)
		}
		return nil
	})
	if err != nil {
		return err
	}
	if report.Notes = append(report.Notes, fmt.Sprintf("the request of this result (digest %.16s…) is not in the journal; what its signatures prove is taken", res.Request)); refused > 0 {
		report.Notes = append(report.Notes, fmt.Sprintf("%d refusals in it were not taken: export again, and the signer says so again", refused))
	}
	return r.adoptFinals(ctx, items, finals, report)
}

// lostOutcome reports an outcome for an item that the journal lacks, as its request.
// What is signed may be paid: that is an alarm.
func (r *Relay) lostOutcome(ctx context.Context, result bundle.Digest, o bundle.Outcome, report *Imported) error {
	p := final{outcome: o}.notHere()
	if o.Signed() {
		p.evidence = result.String()
	}
	if dealt, err := r.dealtWith(ctx, p); err != nil || dealt {
		return err
	}
	report.Problems = append(report.Problems, p)
	if p.evidence == "" {
		return nil
	}
	return r.journal.Raise(ctx, *p.alarm(p.evidence))
}

// itemsOf returns the items of a Result that the journal has, by pending id.
func (r *Relay) itemsOf(ctx context.Context, res bundle.SealedResult) (map[string]journal.Item, error) {
	ids := make([]string, len(res.Outcomes))
	for i, o := range res.Outcomes {
		ids[i] = o.ID
	}
	list, err := r.journal.Items(ctx, journal.Filter{IDs: ids})
	if err != nil {
		return nil, err
	}
	items := make(map[string]journal.Item, len(list))
	for _, it := range list {
		items[it.ID] = it
	}
	return items, nil
}

// provenItem is an item as it would travel, or why it cannot.
type provenItem struct {
	item   bundle.Item
	proofs prepare.Proofs // its own
	err    error
}

// proveAgain makes of items what an export would.
func (r *Relay) proveAgain(ctx context.Context, items map[string]journal.Item) (map[string]provenItem, error) {
	drafts := make([]draft, 0, len(items))
	for _, it := range items {
		drafts = append(drafts, r.drafted(it))
	}
	proofs, _, err := r.previous(ctx, drafts, r.Tatum != nil)
	if proofs == nil {
		return nil, err
	}
	proven := make(map[string]provenItem, len(drafts))
	for _, d := range drafts {
		var p provenItem
		p.item, p.proofs, p.err = asExported(d, proofs)
		proven[d.item.ID] = p
	}
	return proven, nil
}

func asExported(d draft, all proofs) (bundle.Item, prepare.Proofs, error) {
	if d.err != nil {
		return bundle.Item{}, nil, d.err
	}
	p, err := all.prove(d)
	if err != nil {
		return bundle.Item{}, nil, chain.Refuse(chain.CodeOf(err), "%s; run fetch, which gets previous transactions, then import again", chain.ReasonOf(err).Text())
	}
	items, attached := prepare.Bundle([]prepare.Prepared{p})
	own, err := d.family.Proofs(bundle.Request{Attachments: attached}.Attached(p.Family()))
	return items[0], own, err
}

// adoptFinals journals what stands, each item by itself.
func (r *Relay) adoptFinals(ctx context.Context, items map[string]journal.Item, finals []final, report *Imported) error {
	for _, f := range finals {
		it := items[f.outcome.ID]
		if p := f.against(it); p != nil {
			report.Problems = append(report.Problems, *p)
			continue
		}
		if it.Signed != nil { // known already
			continue
		}
		if err := r.journal.Adopt(ctx, journal.SignedItem{ID: it.ID, TxID: f.tx.TxID, Raw: f.tx.Raw}); err != nil {
			return err
		}
		if err := r.ownAfterAll(ctx, it, f.tx.TxID); err != nil {
			return err
		}
		report.took(it)
	}
	return nil
}

// ownAfterAll heals the alarm that something else completed an item, where what
// completed it is the transaction that came now. What the network has goes on.
func (r *Relay) ownAfterAll(ctx context.Context, it journal.Item, txid string) error {
	if it.Marked(CodePaidUnknown) {
		err := r.journal.Unwithhold(ctx, it.ID, CodePaidUnknown)
		return errors.Join(err, r.journal.HealEvidence(ctx, it.ID, CodePaidUnknown, txid, "its result came by import: it is this relay's own"))
	}
	if it.Code != CodeOtherTxID {
		return nil
	}
	return r.journal.HealEvidence(ctx, it.ID, CodeOtherTxID, txid, "the transaction that Tatum names came by import with the paired signer's signature: it is this relay's own")
}
