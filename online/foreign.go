package online

import (
	"context"
	"errors"
	"path/filepath"

	"coldkms/online/journal"
	"coldkms/shared/bundle"
	"coldkms/shared/chain"
	"coldkms/shared/interop"
	"coldkms/shared/transport/file"
)

// Written is one file for another signer that was written.
type Written struct {
	ID   string `json:"id"`
	Path string `json:"path"`
}

// writable leaves out what the format cannot have. It stays as it is, for an
// export to kms-offline.
func writable(f interop.Format, items []journal.Item, report *Exported) []journal.Item {
	var kept []journal.Item
	for _, it := range items {
		if err := f.For(it.Chain); err != nil {
			report.Problems = append(report.Problems, Problem{ID: it.ID, Code: chain.CodeOf(err), Reason: chain.ReasonOf(err).Text()})
			continue
		}
		kept = append(kept, it)
	}
	return kept
}

// writeForeign writes each item of a journaled Request that still waits as a
// file of its own. The Request stays in the journal, and Import finds the items
// by their transactions.
func (r *Relay) writeForeign(ctx context.Context, o ExportOptions, req bundle.SealedRequest, report *Exported) error {
	watch, err := r.watch(ctx)
	if err != nil {
		return err
	}
	exchange, err := o.Format.Open(req.Attached(o.Format.Family()), watch.Entries)
	if err != nil {
		return err
	}
	waiting, err := r.waitingIn(ctx, req)
	if err != nil {
		return err
	}
	whole := true
	for _, it := range req.Items {
		if !waiting[it.ID] {
			continue
		}
		name, data, err := exchange.Write(it)
		var refusal *chain.Refusal
		if errors.As(err, &refusal) {
			whole = false
			report.Problems = append(report.Problems, Problem{ID: it.ID, Code: refusal.Code, Reason: refusal.Text()})
			continue
		}
		path := filepath.Join(o.Dir, name)
		if err == nil {
			_, err = file.Of(r.FS, path).Put(name, data)
		}
		if err != nil {
			return err
		}
		report.Foreign = append(report.Foreign, Written{ID: it.ID, Path: path})
		report.Items++
	}
	if !whole {
		return nil // what is missing is written by the next export for kms-offline
	}
	return r.journal.Written(ctx, req.Digest)
}

// waitingIn says which items of a Request wait for its outcome.
func (r *Relay) waitingIn(ctx context.Context, req bundle.SealedRequest) (map[string]bool, error) {
	ids := make([]string, len(req.Items))
	for i, it := range req.Items {
		ids[i] = it.ID
	}
	items, err := r.journal.Items(ctx, journal.Filter{IDs: ids, States: []journal.State{journal.Exported}})
	if err != nil {
		return nil, err
	}
	waiting := make(map[string]bool, len(items))
	for _, it := range items {
		waiting[it.ID] = it.Request == req.Digest
	}
	return waiting, nil
}
