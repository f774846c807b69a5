package online

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"coldkms/online/journal"
	"coldkms/online/prepare"
	"coldkms/shared/bundle"
	"coldkms/shared/chain"
	"coldkms/shared/interop"
	"coldkms/shared/textfile"
)

// ErrNoMatch is returned for a signed transaction that nobody here asked for.
var ErrNoMatch = errors.New("it signs no transaction that this relay has exported")

// maxFinished bounds a finished transaction in bytes.
const maxFinished = 4_000_000

// Importer takes files of any kind into one report: Results, and files and
// finished transactions of other signers.
type Importer struct {
	relay    *Relay
	report   *Imported
	formats  []interop.Format
	indexed  bool // the journal knows the unsigned txids of all that was exported
	requests map[bundle.Digest]*opened
}

// opened is a Request of the journal.
type opened struct {
	bundle.SealedRequest
	items     map[string]bundle.Item
	proofs    proofs
	exchanges map[int]interop.Exchange // by number of the format
}

// Importer starts an import. formats are those of other signers.
func (r *Relay) Importer(report *Imported, formats ...interop.Format) *Importer {
	return &Importer{relay: r, report: report, formats: formats, requests: make(map[bundle.Digest]*opened)}
}

// unreadable is an error about a file of another signer's format.
type unreadable struct{ error }

func (e unreadable) Unwrap() error { return e.error }

// File takes one file. listed says that it was found in a folder and not
// named: then what is not signed, or not ours, is passed over with a note.
func (im *Importer) File(ctx context.Context, name string, file []byte, listed bool) error {
	err := im.file(ctx, file, listed)
	stranger := listed && !strings.EqualFold(filepath.Ext(name), resultEnding)
	if stranger && (errors.As(err, new(unreadable)) || errors.Is(err, ErrNoMatch) || errors.Is(err, bundle.ErrInvalid)) {
		im.report.Notes = append(im.report.Notes, fmt.Sprintf("%s was passed over: %v", name, err))
		return nil
	}
	return err
}

func (im *Importer) file(ctx context.Context, file []byte, listed bool) error {
	for n, format := range im.formats {
		a, err := format.Read(file)
		if err != nil {
			return unreadable{err}
		}
		if a == nil {
			continue
		}
		if listed && !a.Signed() {
			return nil
		}
		return im.adopt(ctx, a.UnsignedID(), func(req *opened, it bundle.Item) (prepare.Final, error) {
			exchange, err := req.exchange(n, format)
			if err != nil {
				return prepare.Final{}, err
			}
			raw, txid, err := exchange.Finish(it, a)
			return prepare.Final{Raw: raw, TxID: txid}, err
		})
	}
	if tx := im.finished(file); tx != nil {
		return im.adopt(ctx, tx.UnsignedID(), func(req *opened, it bundle.Item) (prepare.Final, error) {
			return req.proofs.adopt(it, tx)
		})
	}
	return im.relay.Import(ctx, file, im.report)
}

// finished reads a finished transaction, binary or as text: hex or base64. It
// returns nil if the file is none.
func (im *Importer) finished(file []byte) prepare.Tx {
	if len(file) > 5*maxFinished { // hex in UTF-16, and its line ends
		return nil
	}
	if binary, ok := textfile.Bytes(file); ok {
		file = binary
	}
	for _, family := range im.relay.families {
		if tx, err := family.Read(file); err == nil {
			return tx
		}
	}
	return nil
}

// adopt finds the item that asked for a transaction, lets finish put
// signatures into the journal's own and verify it, and journals what stands.
// Nothing else is taken from the file.
func (im *Importer) adopt(ctx context.Context, unsigned string, finish func(*opened, bundle.Item) (prepare.Final, error)) error {
	it, err := im.find(ctx, unsigned)
	if err != nil || it == nil {
		return err
	}
	req, err := im.request(ctx, it.Request)
	if err != nil {
		return err
	}
	f := final{outcome: bundle.Outcome{ID: it.ID}}
	f.tx, f.err = finish(req, req.items[it.ID])
	switch p := f.against(*it); {
	case p != nil:
		return im.problem(ctx, *it, *p)
	case it.Signed != nil: // known already
		return nil
	}
	if err := im.relay.journal.Adopt(ctx, f.signedFor(*it)); err != nil {
		return err
	}
	im.report.took(*it)
	return im.relay.ownAfterAll(ctx, *it, f.tx.TxID)
}

func (im *Importer) problem(ctx context.Context, it journal.Item, p Problem) error {
	if dealt, err := im.relay.dealtWith(ctx, p); err != nil || dealt {
		return err
	}
	im.report.Problems = append(im.report.Problems, p)
	if p.evidence != "" {
		if err := im.relay.journal.Raise(ctx, *p.alarm(p.evidence)); err != nil {
			return err
		}
	}
	if it.State != journal.Exported {
		return nil
	}
	return im.relay.note(ctx, it, journal.Lease{}, p.Code, p.Reason, 0)
}

// find returns the item that asked for a transaction. Where two ask for the very
// same one, nothing says which of them it pays: that is a problem of both.
func (im *Importer) find(ctx context.Context, unsigned string) (*journal.Item, error) {
	if err := im.index(ctx); err != nil {
		return nil, err
	}
	ids, err := im.relay.journal.AskedFor(ctx, unsigned)
	if err != nil {
		return nil, err
	}
	if len(ids) == 0 {
		return nil, fmt.Errorf("%w (unsigned txid %s)", ErrNoMatch, unsigned)
	}
	items, err := im.relay.journal.Items(ctx, journal.Filter{IDs: ids})
	if err != nil {
		return nil, err
	}
	rejected := func(it journal.Item) bool { return it.State == journal.Rejected }
	if live := slices.DeleteFunc(slices.Clone(items), rejected); len(live) > 0 {
		items = live
	}
	if len(items) == 1 {
		return &items[0], nil
	}
	for _, it := range items {
		p := Problem{ID: it.ID, Code: chain.BatchConflict, Reason: fmt.Sprintf("%d pending ids ask for this very transaction, which pays once: reject all but one", len(items))}
		if err := im.problem(ctx, it, p); err != nil {
			return nil, err
		}
	}
	return nil, nil
}

// index makes what was exported be found by its unsigned txid.
func (im *Importer) index(ctx context.Context) error {
	if im.indexed {
		return nil
	}
	if err := im.relay.hashAsked(ctx); err != nil {
		return err
	}
	im.indexed = true
	return nil
}

// request opens the Request in which an item went out last.
func (im *Importer) request(ctx context.Context, digest bundle.Digest) (*opened, error) {
	if req := im.requests[digest]; req != nil {
		return req, nil
	}
	sealed, err := im.relay.openOwn(ctx, digest)
	if err != nil {
		return nil, err
	}
	req := &opened{SealedRequest: sealed, items: make(map[string]bundle.Item, len(sealed.Items)), exchanges: make(map[int]interop.Exchange)}
	if req.proofs, err = im.relay.attached(sealed); err != nil {
		return nil, err
	}
	for _, item := range sealed.Items {
		req.items[item.ID] = item
	}
	im.requests[digest] = req
	return req, nil
}

// exchange opens the Request for answers of a format.
func (o *opened) exchange(n int, format interop.Format) (interop.Exchange, error) {
	if o.exchanges[n] == nil {
		x, err := format.Open(o.Attached(format.Family()), nil)
		if err != nil {
			return nil, err
		}
		o.exchanges[n] = x
	}
	return o.exchanges[n], nil
}
