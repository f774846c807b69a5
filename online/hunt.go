package online

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"sync/atomic"

	"coldkms/online/journal"
	"coldkms/online/tatum"
	"coldkms/shared/chain"
)

// hunt is a search for previous transactions that the journal does not have.
type hunt struct {
	wanted   []string         // those of items with few of them first
	items    map[string][]int // that need one
	hopeless []atomic.Bool    // items that lack one that nobody has
}

func newHunt(drafts []draft, wanted []string) *hunt {
	h := &hunt{wanted: slices.Clone(wanted), items: make(map[string][]int), hopeless: make([]atomic.Bool, len(drafts))}
	is := make(map[string]bool, len(wanted))
	for _, id := range wanted {
		is[id] = true
	}
	least := make(map[string]int)
	for i, d := range drafts {
		if d.err != nil {
			continue
		}
		lacks := slices.DeleteFunc(slices.Clone(d.draft.Needs()), func(id string) bool { return !is[id] })
		for _, id := range lacks {
			h.items[id] = append(h.items[id], i)
			if n := least[id]; n == 0 || len(lacks) < n {
				least[id] = len(lacks)
			}
		}
	}
	slices.SortStableFunc(h.wanted, func(a, b string) int { return cmp.Compare(least[a], least[b]) })
	return h
}

// useful reports whether an item may be proven with a transaction.
func (h *hunt) useful(id string) bool {
	return slices.ContainsFunc(h.items[id], func(i int) bool { return !h.hopeless[i].Load() })
}

// unknown records that nobody has a transaction.
func (h *hunt) unknown(id string) {
	for _, i := range h.items[id] {
		h.hopeless[i].Store(true)
	}
}

// found is what came of the search for one transaction.
type found struct {
	raw []byte
	why absence
}

// askPrevious fetches what is missing, some at a time, and journals it as it
// comes. An item that lacks one transaction that nobody has costs no further
// calls.
func (r *Relay) askPrevious(ctx context.Context, h *hunt, from map[string]draft, have map[string][]byte, missing map[string]absence) (stopped, err error) {
	var lines lines
	for part := range slices.Chunk(h.wanted, share) {
		answers := make([]found, len(part))
		for i, id := range part {
			answers[i].why = absence{CodeNetwork, "previous transaction " + id + " was not asked for", true}
		}
		if stopped == nil {
			stopped = r.each(ctx, len(part), workers, func(ctx context.Context, i int) error {
				if !h.useful(part[i]) {
					return nil
				}
				line := lines.of("", from[part[i]].item.Chain)
				if line.down() != nil {
					return nil
				}
				err := r.askOne(ctx, h, line, from[part[i]], part[i], &answers[i])
				if err == nil || ctx.Err() != nil {
					return err
				}
				line.fails(err)
				return nil
			})
		}
		var keep []journal.PreviousTx
		for i, id := range part {
			if answers[i].raw == nil {
				missing[id] = answers[i].why
				continue
			}
			delete(missing, id)
			have[id] = answers[i].raw
			keep = append(keep, journal.PreviousTx{TxID: id, Raw: answers[i].raw})
		}
		err = errors.Join(err, r.journal.AddPrevious(context.WithoutCancel(ctx), keep))
	}
	if stopped == nil {
		stopped = lines.troubles(false)
	}
	return stopped, err
}

// askOne asks for one transaction. An error ends the search on its chain.
func (r *Relay) askOne(ctx context.Context, h *hunt, line *breaker, d draft, txid string, into *found) error {
	raw, err := r.Tatum.RawTransaction(ctx, d.item.Chain, txid)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if end := line.judge(err); end != nil {
		return end
	}
	switch {
	case tatum.IsNotFound(err):
		h.unknown(txid)
		into.why = absence{code: chain.UnprovenAmount, reason: "previous transaction " + txid + " is known to nobody"}
		return nil
	case err != nil:
		into.why = absence{code: CodeNetwork, reason: err.Error()}
		return nil
	}
	into.raw, err = d.family.Check(txid, raw)
	if err != nil {
		h.unknown(txid)
		into.why = absence{code: chain.UnprovenAmount, reason: err.Error()}
	}
	return nil
}
