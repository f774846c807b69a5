package online

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"runtime/debug"
	"slices"

	"coldkms/online/journal"
	"coldkms/online/prepare"
	"coldkms/shared/attestation"
	"coldkms/shared/bundle"
	"coldkms/shared/chain"
	"coldkms/shared/interop"
	"coldkms/shared/transport/file"
)

// ExportOptions choose what is exported.
type ExportOptions struct {
	Dir     string        // where the file goes
	Network chain.Network // UnknownNetwork: both
	IDs     []string      // none: all that are prepared
	Max     int           // 0: all
	Asked   bool          // the approval service was asked already
	Again   bool          // also what was exported and has no outcome yet
	Newest  bool          // where nothing is prepared: of what waits write the newest Request alone

	Format interop.Format // one file an item for another signer, instead of the Request's file; may be nil

	medium file.Medium // what Dir is on

	Put func(name string, file []byte) (path string, err error) // writes a Request's file elsewhere than to Dir; may be nil
}

// Exported is the Request that was written.
type Exported struct {
	Request  *string   `json:"request"` // path of the last one; nil when nothing waits
	Digest   *string   `json:"digest"`
	Items    int       `json:"items"`              // of all that were written
	Requests []string  `json:"requests,omitempty"` // paths of all that were written; more than one where not everything fits into one
	Foreign  []Written `json:"psbts,omitempty"`    // with a Format, and then Request is nil
	Problems []Problem `json:"problems,omitempty"`
	Notes    []string  `json:"-"`
}

// Export puts what is prepared into one Request, journals it, and then
// writes its file. Where nothing is prepared, the Requests that wait for their
// Results are written again, the same files.
func (r *Relay) Export(ctx context.Context, o ExportOptions) (Exported, error) {
	peer, err := r.journal.Peer(ctx)
	if err != nil {
		return Exported{}, err
	}
	if o.Put == nil {
		o.medium = file.MediumOf(r.FS, o.Dir)
		err = r.folder(o.Dir)
	}
	if err != nil {
		return Exported{}, err
	}
	var report Exported
	if report.Notes, err = r.Recall(ctx); err != nil {
		return report, err
	}
	waits, err := r.notLookedAt(ctx, o)
	if report.Problems = append(report.Problems, waits...); err != nil {
		return report, err
	}
	if err := r.finishExports(ctx, o, &report); err != nil {
		return report, err
	}
	if err := r.expire(ctx, o); err != nil {
		return report, err
	}
	if !o.Asked {
		got, err := r.Approve(ctx, ApproveOptions{Network: o.Network, IDs: o.IDs, Again: o.Again})
		report.Problems = append(report.Problems, got.Problems...)
		if err != nil {
			return report, err
		}
	}
	for {
		again, err := r.exportOnce(ctx, o, peer, &report)
		if err != nil || !again {
			return report, err
		}
	}
}

// Unprepared returns how many items may go to the signer once fetch has prepared them.
func (r *Relay) Unprepared(ctx context.Context, o ExportOptions) (int, error) {
	return r.journal.Count(ctx, journal.Filter{
		States: []journal.State{journal.Fetched}, IDs: o.IDs, Network: o.Network, Wanted: true,
	})
}

// exportOnce makes one Request, or several where not everything fits into one.
// again is set where one had to be given up, whose items are prepared now.
func (r *Relay) exportOnce(ctx context.Context, o ExportOptions, peer journal.Peer, report *Exported) (again bool, err error) {
	lease, items, err := r.ready(ctx, o, report)
	e := exporting{Relay: r, o: o, peer: peer, lease: lease, report: report}
	if err == nil {
		err = e.all(ctx, items)
	}
	if err == nil && !e.begun {
		again, err = r.exportAgain(ctx, o, report)
	}
	return again, errors.Join(err, r.release(ctx, lease))
}

// largeFile is from how many bytes on memory is given back before a Request's
// file is journaled.
const largeFile = 16 << 20

func (r *Relay) exportNew(ctx context.Context, o ExportOptions, peer journal.Peer, lease journal.Lease, ready []prepare.Prepared, report *Exported) error {
	items, attached := prepare.Bundle(ready)
	if err := r.carry(ctx, items); err != nil {
		return err
	}
	sealed, err := bundle.SealRequest(bundle.Request{
		Signer: peer.Signer, Created: r.Now().Unix(), LedgerHead: peer.Head, Items: items, Attachments: attached,
	}, r.identity)
	if err != nil {
		return r.unsealed(ctx, o, peer, lease, ready, report, err)
	}
	if o.Format == nil { // they are in the file now
		clear(ready)
		clear(attached)
	}
	if len(sealed.File) > largeFile { // the database is about to copy it, in memory that is none of Go's
		debug.FreeOSMemory()
	}
	known, err := r.journal.Export(ctx, sealed, lease)
	if err == nil && known { // the very same one, made in the same second
		sealed, err = r.openOwn(ctx, sealed.Digest)
	}
	if err != nil {
		return err
	}
	return r.write(ctx, o, sealed, report)
}

// statements is how many of an item a Request must have room for.
func (r *Relay) statements() int {
	if r.FourEye == nil {
		return 0
	}
	return attestation.Max
}

// unsealed deals with items that cannot be sealed into one Request, though
// each has passed every check: half of them at a time, until one is left that
// is to blame. It is prepared anew at the next fetch, and holds up no other.
func (r *Relay) unsealed(ctx context.Context, o ExportOptions, peer journal.Peer, lease journal.Lease, ready []prepare.Prepared, report *Exported, why error) error {
	if n := len(ready); n > 1 {
		return errors.Join(r.exportNew(ctx, o, peer, lease, ready[:n/2], report), r.exportNew(ctx, o, peer, lease, ready[n/2:], report))
	}
	p := Problem{ID: ready[0].ID(), Code: chain.TooLarge, Reason: why.Error()}
	report.Problems = append(report.Problems, p)
	err := r.journal.Move(ctx, journal.Move{ID: p.ID, From: journal.Prepared, To: journal.Fetched, Code: p.Code, Reason: p.Reason, Lease: lease})
	if elsewhere(err) { // it was exported before
		return nil
	}
	return err
}

// ErrNoFolder is returned where the folder to export to does not exist.
var ErrNoFolder = errors.New("folder does not exist")

// folder refuses a folder that is missing: the stick that it is on may not be
// mounted, and what is in no one's hands must not count as exported. One that is
// there is taken as it is: what is written there is signed.
func (r *Relay) folder(dir string) error {
	info, err := r.FS.Stat(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("export to %s: %w, and nothing was exported", dir, ErrNoFolder)
	case err == nil && !info.IsDir():
		return fmt.Errorf("export to %s: it is not a folder, and nothing was exported", dir)
	}
	return file.Reading(err)
}

// write puts a Request's file, or those for another signer, in place and says so. A different
// file of that name is never overwritten.
func (r *Relay) write(ctx context.Context, o ExportOptions, req bundle.SealedRequest, report *Exported) error {
	digest := req.Digest.String()
	if err := o.medium.Holds(r.FS, o.Dir); err != nil {
		return err
	}
	if o.Format != nil {
		report.Digest = &digest
		return r.writeForeign(ctx, o, req, report)
	}
	put := o.Put
	if put == nil {
		put = func(name string, data []byte) (string, error) {
			path := filepath.Join(o.Dir, name)
			note, err := r.putInPlace(ctx, file.Of(r.FS, path), name, data)
			if note != "" {
				report.Notes = append(report.Notes, note)
			}
			return path, err
		}
	}
	path, err := put(fileName(req), req.File)
	if err != nil {
		return err
	}
	if err := r.journal.Written(ctx, req.Digest); err != nil {
		return err
	}
	report.Request, report.Digest, report.Items = &path, &digest, report.Items+len(req.Items)
	report.Requests = append(report.Requests, path)
	return nil
}

// fileName tells a person when, of which network, how much and which.
func fileName(req bundle.SealedRequest) string {
	name := file.Name{Created: req.Created, Items: len(req.Items), Digest: req.Digest, Ending: ".kmsreq"}
	for i, it := range req.Items {
		switch {
		case i == 0:
			name.Network = it.Network.String()
		case name.Network != it.Network.String():
			name.Network = ""
		}
	}
	return name.String()
}

// finishExports writes what was journaled and never written, because the
// program ended between the two.
func (r *Relay) finishExports(ctx context.Context, o ExportOptions, report *Exported) error {
	waiting, err := r.journal.Waiting(ctx)
	if err != nil {
		return err
	}
	for _, w := range waiting {
		if w.Written || w.Held { // held: another relay is about to write it
			continue
		}
		req, err := r.openOwn(ctx, w.Digest)
		if errors.Is(err, ErrUnreadable) {
			if err := r.abandon(ctx, w.Digest, err, report); err != nil {
				return err
			}
			continue
		}
		if err != nil {
			return err
		}
		if err := r.write(ctx, o, req, report); err != nil {
			return err
		}
		report.Notes = append(report.Notes, "an earlier export was cut short; wrote its request "+*report.Digest)
	}
	return nil
}

// abandon gives up a Request that cannot be read: what it holds is exported
// anew.
func (r *Relay) abandon(ctx context.Context, digest bundle.Digest, why error, report *Exported) error {
	report.Notes = append(report.Notes, fmt.Sprintf("%v: what it holds goes into a new request; a result for the old one is not taken", why))
	if err := r.Abandon(ctx, digest); err != nil {
		return err
	}
	_, err := r.Recall(ctx)
	return err
}

// exportAgain writes the Requests that wait for their Results, each the same
// file as before, and gives up those that cannot be read.
func (r *Relay) exportAgain(ctx context.Context, o ExportOptions, report *Exported) (givenUp bool, err error) {
	waiting, err := r.journal.Waiting(ctx)
	waiting = slices.DeleteFunc(waiting, func(w journal.Waiting) bool { return w.Held }) // another relay is about to write it
	if err != nil || len(waiting) == 0 {
		return false, err
	}
	if report.Digest != nil || len(report.Problems) > 0 {
		return false, nil // something was said already
	}
	note := "nothing new to export; this request still waits for its result"
	if n := len(waiting); n > 1 && o.Newest {
		note = fmt.Sprintf("nothing new to export; %d requests still wait for their results, this is the newest (--again puts all into one)", n)
		waiting = waiting[n-1:]
	}
	written := 0
	for _, w := range waiting {
		req, err := r.openOwn(ctx, w.Digest)
		switch {
		case errors.Is(err, ErrUnreadable):
			givenUp, err = true, r.abandon(ctx, w.Digest, err, report)
		case err == nil:
			written++
			err = r.write(ctx, o, req, report)
		}
		if err != nil {
			return givenUp, err
		}
	}
	if written > 1 {
		note = fmt.Sprintf("nothing new to export; %d requests still wait for their results, "+
			"and all were written again", written)
	}
	if report.Digest != nil {
		report.Notes = append(report.Notes, note)
	}
	return givenUp, nil
}

// ready claims what is to be exported.
func (r *Relay) ready(ctx context.Context, o ExportOptions, report *Exported) (journal.Lease, []journal.Item, error) {
	limit := o.Max
	if limit <= 0 || limit > bundle.MaxItems {
		limit = bundle.MaxItems
	}
	states := []journal.State{journal.Prepared}
	if o.Again {
		states = append(states, journal.Exported)
	}
	f := r.exportable(journal.Filter{States: states, IDs: o.IDs, Network: o.Network, Max: limit})
	ids, all, err := r.agreed(ctx, f)
	if err != nil || !all && len(ids) == 0 {
		return journal.Lease{}, nil, err
	}
	f.IDs = ids
	lease, items, err := r.claim(ctx, f)
	if err != nil {
		return lease, nil, err
	}
	held, err := r.held(ctx, f)
	report.Problems = append(report.Problems, held...)
	return lease, items, err
}
