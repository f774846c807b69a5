package online

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"

	"coldkms/online/journal"
	"coldkms/shared/bundle"
	"coldkms/shared/chain"
	"coldkms/shared/chain/utxo"
	"coldkms/shared/psbt"
	"coldkms/shared/transport/file"
)

// Written is one PSBT that was written.
type Written struct {
	ID   string `json:"id"`
	Path string `json:"path"`
}

// ErrNoSuchKey is returned for a master fingerprint that belongs to no
// mnemonic of the watch file.
var ErrNoSuchKey = errors.New("signature id is no mnemonic of the paired signer")

// withPSBT leaves out what cannot be a PSBT. It stays as it is, for an export
// to kms-offline.
func withPSBT(items []journal.Item, report *Exported) []journal.Item {
	var kept []journal.Item
	for _, it := range items {
		if psbt.For(it.Chain) {
			kept = append(kept, it)
			continue
		}
		report.Problems = append(report.Problems, Problem{ID: it.ID, Code: chain.UnsupportedChain,
			Reason: fmt.Sprintf("PSBT is not for %s: export it without --psbt, for kms-offline", it.Chain)})
	}
	return kept
}

// writePSBTs writes each item of a journaled Request that still waits as a
// PSBT of its own. The Request stays in the journal, and Import finds the items
// by their transactions.
func (r *Relay) writePSBTs(ctx context.Context, o ExportOptions, req bundle.SealedRequest, report *Exported) error {
	keys, err := r.origins(ctx, o.Masters)
	if err != nil {
		return err
	}
	table, err := utxo.NewTable(req.Previous)
	if err != nil {
		return fmt.Errorf("request %.16s in the journal is damaged: %w", req.Digest, err)
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
		p, err := r.writePSBT(o.Dir, it, table, req.Previous, keys)
		var refusal *chain.Refusal
		switch {
		case errors.As(err, &refusal):
			whole = false
			report.Problems = append(report.Problems, Problem{ID: it.ID, Code: refusal.Code, Reason: refusal.Reason})
		case err != nil:
			return err
		default:
			report.PSBTs = append(report.PSBTs, p)
			report.Items++
		}
	}
	if !whole {
		return nil // what is missing is written by the next export without PSBT
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

func (r *Relay) writePSBT(dir string, it bundle.Item, table *utxo.Table, previous [][]byte, keys *origins) (Written, error) {
	tx, err := utxo.Decode(it.Coin, it.Tx, it.Context, table)
	if err != nil {
		return Written{}, err
	}
	named, err := keys.of(it.Keys)
	if err != nil {
		return Written{}, err
	}
	packet, err := psbt.Make(tx, table, previous, named)
	if err != nil {
		return Written{}, err
	}
	b, err := packet.Encode()
	if err != nil {
		return Written{}, err
	}
	if len(b) > psbt.MaxFile {
		return Written{}, chain.Refuse(chain.Malformed, "as a PSBT it has %d bytes, at most %d are read: export it without --psbt", len(b), psbt.MaxFile)
	}
	path := filepath.Join(dir, psbtName(it, packet.Paid()))
	_, err = file.Of(r.FS, path).Put(filepath.Base(path), b)
	return Written{ID: it.ID, Path: path}, err
}

// psbtName tells a person which transaction, and how much it pays to others.
func psbtName(it bundle.Item, paid int64) string {
	const unit = 100_000_000
	return fmt.Sprintf("coldkms-%s-%d.%08d%s.psbt", it.ID, paid/unit, paid%unit, it.Chain)
}
