package online

import (
	"context"
	"errors"

	"coldkms/online/journal"
	"coldkms/online/prepare"
)

// expire takes what expired in a Request back to prepared. Exporting it proves it
// once more, and has it prepared anew at the next fetch. What nothing keeps from
// being paid twice stays where it is.
func (r *Relay) expire(ctx context.Context, o ExportOptions) error {
	for _, f := range r.families {
		x, expires := f.(prepare.Expirer)
		if !expires {
			continue
		}
		filter := r.exportable(journal.Filter{States: []journal.State{journal.Exported}, Chains: f.Chains(), IDs: o.IDs, Network: o.Network})
		lease, items, err := r.claim(ctx, filter)
		var moves []journal.Move
		for _, it := range items {
			if d := r.drafted(it); d.err == nil && x.Expired(d.draft) && len(d.draft.Tx().Uses()) > 0 {
				moves = append(moves, journal.Move{ID: it.ID, From: journal.Exported, To: journal.Prepared, Code: prepare.Expired, Reason: "it expired before its signature came", Lease: lease})
			}
		}
		if err == nil {
			err = r.journal.Move(ctx, moves...)
		}
		if err := errors.Join(err, r.release(ctx, lease)); err != nil {
			return err
		}
	}
	return nil
}
