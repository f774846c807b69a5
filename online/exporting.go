package online

import (
	"context"

	"coldkms/online/journal"
	"coldkms/online/prepare"
	"coldkms/shared/chain"
)

// exporting makes Requests of claimed items. They may need gigabytes of previous
// transactions: in memory are those of one Request, and of some items more.
type exporting struct {
	*Relay
	o      ExportOptions
	peer   journal.Peer
	lease  journal.Lease
	report *Exported

	list  []prepare.Prepared // of the Request that is being filled
	room  prepare.Room
	begun bool // a Request was made
}

// Bounds of what is proven at a time.
const (
	provenFirst = 8
	provenMost  = 256
	provenBytes = 16 << 20
)

func (e *exporting) all(ctx context.Context, items []journal.Item) error {
	e.room.Statements = e.statements()
	for n := provenFirst; len(items) > 0; {
		n = min(n, len(items))
		list, err := e.prove(ctx, items[:n])
		if err != nil {
			return err
		}
		for _, p := range list {
			if err := e.add(ctx, p); err != nil {
				return err
			}
		}
		items, n = items[n:], nextPart(list)
	}
	return e.flush(ctx)
}

// nextPart is how many items are proven next, if they are as those before.
func nextPart(list []prepare.Prepared) int {
	size := 1
	for _, p := range list {
		for _, part := range p.Parts() {
			size += len(part.Raw)
		}
	}
	return min(max(provenBytes*len(list)/size, 1), provenMost)
}

// add puts an item into the Request, or into the next one.
func (e *exporting) add(ctx context.Context, p prepare.Prepared) error {
	if !e.room.Take(p) {
		if err := e.flush(ctx); err != nil {
			return err
		}
		e.room.Take(p)
	}
	e.list = append(e.list, p)
	return nil
}

// flush makes the Request, if there is anything for it.
func (e *exporting) flush(ctx context.Context) error {
	if len(e.list) == 0 {
		return nil
	}
	if !e.begun {
		e.begun = true
		e.report.Items, e.report.Requests = 0, nil // not of what an earlier export had left
	}
	list := e.list
	e.list, e.room = nil, prepare.Room{Statements: e.room.Statements}
	return e.exportNew(ctx, e.o, e.peer, e.lease, list, e.report)
}

// prove proves items once more from what the journal holds.
func (e *exporting) prove(ctx context.Context, items []journal.Item) ([]prepare.Prepared, error) {
	if e.o.Format != nil {
		items = writable(e.o.Format, items, e.report)
	}
	drafts := make([]draft, len(items))
	for i, it := range items {
		drafts[i] = e.drafted(it)
	}
	proofs, _, err := e.gather(ctx, drafts, e.room.Part, false)
	if err != nil {
		return nil, err
	}
	var list []prepare.Prepared
	for _, d := range drafts {
		var p prepare.Prepared
		err := d.err
		if err == nil {
			p, err = proofs.prove(d)
		}
		if err == nil {
			list = append(list, p)
			continue
		}
		e.report.Problems = append(e.report.Problems, Problem{ID: d.item.ID, Code: chain.CodeOf(err), Reason: chain.ReasonOf(err).Text()})
		if d.item.State == journal.Prepared { // to be prepared once more at the next fetch
			move := journal.Move{ID: d.item.ID, From: journal.Prepared, To: journal.Fetched, Code: chain.CodeOf(err), Reason: chain.ReasonOf(err).Text(), Lease: e.lease}
			if err := e.journal.Move(ctx, move); err != nil {
				return nil, err
			}
		}
	}
	return list, nil
}
