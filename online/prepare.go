package online

import (
	"context"
	"errors"
	"slices"

	"github.com/btcsuite/btcd/chaincfg/chainhash"

	"coldkms/online/journal"
	"coldkms/online/prepare"
	"coldkms/online/tatum"
	"coldkms/shared/chain"
	"coldkms/shared/pending"
)

// prepareAll prepares every item that is fetched and not prepared yet.
func (r *Relay) prepareAll(ctx context.Context, o FetchOptions, chains []chain.ID, report *Fetched) error {
	if len(chains) == 0 {
		return nil
	}
	f := journal.Filter{States: []journal.State{journal.Fetched}, Chains: chains, IDs: o.IDs, Network: o.Network, Max: batch}
	if n, err := r.journal.Count(ctx, f); err != nil || n == 0 {
		return err
	}
	for {
		lease, items, err := r.claim(ctx, f)
		if err != nil {
			return err
		}
		if len(items) == 0 {
			f.After = 0
			held, err := r.held(ctx, f)
			report.Problems = append(report.Problems, held...)
			return err
		}
		f.After = items[len(items)-1].After()
		items = slices.DeleteFunc(items, withdrawn)
		err = r.prepareBatch(ctx, lease, items, report)
		if err := errors.Join(err, r.release(ctx, lease)); err != nil {
			return err
		}
	}
}

// draft is an item on its way to being prepared; err is why it is not.
type draft struct {
	item  journal.Item
	draft prepare.Draft
	err   error
}

// parse reads a journaled item again.
func parse(it journal.Item) draft {
	d := draft{item: it}
	tx, err := pending.Parse(it.Pending)
	if err == nil && chain.ID(tx.Chain) != it.Chain {
		err = chain.Refuse(chain.WrongChain, "asked for among the transactions of %s, it says it is one of %.20q", it.Chain, tx.Chain)
	}
	if err == nil {
		d.draft, err = prepare.Parse(tx, it.Network)
	}
	d.err = err
	return d
}

func (r *Relay) prepareBatch(ctx context.Context, lease journal.Lease, items []journal.Item, report *Fetched) error {
	drafts := make([]draft, len(items))
	for i, it := range items {
		drafts[i] = parse(it)
	}
	proofs, missing, stopped := r.previous(ctx, drafts, true)
	if proofs == nil {
		return stopped
	}
	var moves []journal.Move
	for i := range drafts {
		d := &drafts[i]
		if d.err == nil {
			if why := firstMissing(d.draft, missing); why != nil {
				p := Problem{ID: d.item.ID, Code: why.code, Reason: why.reason}
				report.Problems = append(report.Problems, p)
				if err := r.note(ctx, d.item, lease, p.Code, p.Reason); err != nil {
					return err
				}
				continue
			}
			_, d.err = d.draft.Prove(proofs)
		}
		m := journal.Move{ID: d.item.ID, From: journal.Fetched, To: journal.Prepared, Lease: lease}
		if d.err != nil {
			m.To, m.Code, m.Reason = journal.Refused, chain.CodeOf(d.err), chain.ReasonOf(d.err)
			report.Problems = append(report.Problems, Problem{ID: m.ID, Code: m.Code, Reason: m.Reason})
		} else {
			report.Prepared++
		}
		moves = append(moves, m)
	}
	return errors.Join(r.journal.Move(ctx, moves...), stopped)
}

// absence is why a previous transaction is not there.
type absence struct {
	code   chain.Code
	reason string
}

func firstMissing(d prepare.Draft, missing map[chainhash.Hash]absence) *absence {
	for _, id := range d.Needs() {
		if why, is := missing[id]; is {
			return &why
		}
	}
	return nil
}

// previous gathers the previous transactions of all drafts, each once: from
// the journal, and from Tatum where that is allowed. What came is journaled.
// stopped is an error after which no further call makes sense.
func (r *Relay) previous(ctx context.Context, drafts []draft, ask bool) (proofs *prepare.Proofs, missing map[chainhash.Hash]absence, stopped error) {
	needs, from := needsOf(drafts)
	names := make([]string, len(needs))
	for i, id := range needs {
		names[i] = id.String()
	}
	held, err := r.journal.Previous(ctx, names)
	if err != nil {
		return nil, nil, err
	}
	have := make(map[chainhash.Hash][]byte, len(needs))
	var wanted []chainhash.Hash
	for i, id := range needs {
		if p, err := prepare.Check(id, held[names[i]]); err == nil {
			have[id] = p.Raw
			continue
		}
		wanted = append(wanted, id)
	}
	missing = make(map[chainhash.Hash]absence)
	for _, id := range wanted {
		missing[id] = absence{chain.UnprovenAmount, "previous transaction " + id.String() + " is not in the journal"}
	}
	if ask {
		if stopped, err = r.askPrevious(ctx, wanted, from, have, missing); err != nil {
			return nil, nil, err
		}
	}
	raws := make([][]byte, 0, len(have))
	for _, id := range needs {
		if raw, ok := have[id]; ok {
			raws = append(raws, raw)
		}
	}
	if proofs, err = prepare.NewProofs(raws); err != nil {
		return nil, nil, err
	}
	return proofs, missing, stopped
}

func needsOf(drafts []draft) (needs []chainhash.Hash, from map[chainhash.Hash]chain.ID) {
	from = make(map[chainhash.Hash]chain.ID)
	for _, d := range drafts {
		if d.err != nil {
			continue
		}
		for _, id := range d.draft.Needs() {
			if _, twice := from[id]; !twice {
				from[id] = d.draft.Chain()
				needs = append(needs, id)
			}
		}
	}
	return needs, from
}

// askPrevious fetches what is missing, some at a time, and journals it.
func (r *Relay) askPrevious(ctx context.Context, wanted []chainhash.Hash, from map[chainhash.Hash]chain.ID, have map[chainhash.Hash][]byte, missing map[chainhash.Hash]absence) (stopped, err error) {
	type answer struct {
		raw []byte
		why absence
	}
	answers := make([]answer, len(wanted))
	for i, id := range wanted {
		answers[i].why = absence{CodeNetwork, "previous transaction " + id.String() + " was not asked for: an earlier call failed"}
	}
	var line breaker
	stopped = r.each(ctx, len(wanted), workers, func(ctx context.Context, i int) error {
		raw, err := r.Tatum.RawTransaction(ctx, from[wanted[i]], wanted[i].String())
		if end := line.judge(err); end != nil {
			answers[i].why.reason = err.Error()
			return end
		}
		switch {
		case tatum.IsNotFound(err):
			answers[i].why = absence{chain.UnprovenAmount, "previous transaction " + wanted[i].String() + " is known to nobody"}
			return nil
		case err != nil:
			answers[i].why.reason = err.Error()
			return nil
		}
		p, err := prepare.Check(wanted[i], raw)
		if err != nil {
			answers[i].why = absence{chain.UnprovenAmount, err.Error()}
			return nil
		}
		answers[i].raw = p.Raw
		return nil
	})
	var keep []journal.PreviousTx
	for i, id := range wanted {
		if answers[i].raw == nil {
			missing[id] = answers[i].why
			continue
		}
		delete(missing, id)
		have[id] = answers[i].raw
		keep = append(keep, journal.PreviousTx{TxID: id.String(), Raw: answers[i].raw})
	}
	return stopped, r.journal.AddPrevious(ctx, keep)
}
