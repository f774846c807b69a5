package online

import (
	"context"
	"errors"
	"slices"

	"coldkms/online/journal"
	"coldkms/online/prepare"
	"coldkms/online/tatum"
	"coldkms/shared/chain"
	"coldkms/shared/pending"
)

// prepareAll prepares every item that is fetched and not prepared yet, and
// whose time has come to be tried again: first those that were never tried.
func (r *Relay) prepareAll(ctx context.Context, o FetchOptions, chains []chain.ID, report *Fetched) error {
	if len(chains) == 0 {
		return nil
	}
	f := journal.Filter{States: []journal.State{journal.Fetched}, Chains: chains, IDs: o.IDs, Network: o.Network, Max: batch}
	if len(o.IDs) == 0 {
		f.Due = r.Now()
	}
	if len(r.Accounts) > 0 { // each key proves what it fetched, all at the same time
		f.Account = &r.Account
	}
	p := preparing{Relay: r.calling(tatum.Prove), report: report, seen: make(map[string]bool)}
	if n, err := r.journal.Count(ctx, f); err != nil || n == 0 {
		return errors.Join(err, p.addLater(ctx, o, f))
	}
	for _, f.Fresh = range []bool{true, false} {
		f.After = 0
		if err := p.run(ctx, f); err != nil {
			return errors.Join(err, p.stopped)
		}
	}
	f.After = 0
	held, err := r.held(ctx, f)
	report.Problems = append(report.Problems, held...)
	return errors.Join(err, p.addLater(ctx, o, f), p.stopped)
}

// addLater adds what is left alone for now to the problems, where that was asked for.
func (p *preparing) addLater(ctx context.Context, o FetchOptions, f journal.Filter) error {
	if !o.Later || f.Due.IsZero() {
		return nil
	}
	later, err := p.later(ctx, f, p.seen)
	p.report.Problems = append(p.report.Problems, later...)
	return err
}

// preparing is a preparation of many items.
type preparing struct {
	*Relay
	report  *Fetched
	seen    map[string]bool
	stopped error // why Tatum is not asked any more, at all or about a chain; what the journal can prove is prepared still
}

func (p *preparing) run(ctx context.Context, f journal.Filter) error {
	for ctx.Err() == nil {
		lease, items, err := p.claim(ctx, f)
		if err != nil || len(items) == 0 {
			return err
		}
		f.After = items[len(items)-1].After()
		items = slices.DeleteFunc(items, func(it journal.Item) bool { return withdrawn(it) && !it.Marked(CodeRestored) || p.seen[it.ID] })
		stop := p.keep(ctx, lease)
		err = p.batch(ctx, lease, items)
		stop()
		if err := errors.Join(err, p.release(ctx, lease)); err != nil {
			return err
		}
	}
	return ctx.Err()
}

// draft is an item on its way to being prepared; err is why it is not.
type draft struct {
	item   journal.Item
	family prepare.Family
	draft  prepare.Draft
	err    error
}

// parse reads a journaled item again.
func (r *Relay) parse(it journal.Item) draft {
	d := draft{item: it, family: r.families.Of(it.Chain)}
	tx, err := pending.Parse(it.Pending)
	if err == nil && chain.ID(tx.Chain) != it.Chain {
		err = chain.Refuse(chain.WrongChain, "asked for among the transactions of %s, it says it is one of %.20q", it.Chain, tx.Chain)
	}
	if err == nil && d.family == nil {
		err = chain.Refuse(chain.UnsupportedChain, "chain %.20q is not supported yet", it.Chain)
	}
	if err == nil {
		d.draft, err = d.family.Parse(tx, it.Network)
	}
	d.err = err
	return d
}

// drafted reads a journaled item as it was prepared, or as Tatum sent it where it
// was not, or by an older version.
func (r *Relay) drafted(it journal.Item) draft {
	if len(it.Prepared) == 0 {
		return r.parse(it)
	}
	d := draft{item: it}
	d.family, d.draft, d.err = r.families.Restore(it.ID, it.Prepared)
	return d
}

// proofs are previous transactions, read, by the name of their family.
type proofs map[string]prepare.Proofs

// prove proves a draft that has no error.
func (p proofs) prove(d draft) (prepare.Prepared, error) { return d.draft.Prove(p[d.family.Name()]) }

// form proves a draft, and returns what the journal keeps of it.
func (p proofs) form(d draft) ([]byte, error) {
	proven, err := p.prove(d)
	if err != nil {
		return nil, err
	}
	return prepare.Form(proven)
}

func (p *preparing) batch(ctx context.Context, lease journal.Lease, items []journal.Item) error {
	drafts := make([]draft, len(items))
	for i, it := range items {
		p.seen[it.ID] = true
		drafts[i] = p.parse(it)
	}
	proofs, missing, stopped := p.previous(ctx, drafts, !ofKey(p.stopped))
	if proofs == nil {
		return stopped
	}
	if stopped != nil && !errors.Is(p.stopped, tatum.ErrPaused) { // once is enough
		p.stopped = stopped
	}
	var moves []journal.Move
	for i := range drafts {
		d := &drafts[i]
		var form []byte
		if d.err == nil {
			if why := firstMissing(d.draft, missing); why != nil {
				if err := p.unproven(ctx, d.item, lease, *why); err != nil {
					return err
				}
				continue
			}
			form, d.err = proofs.form(*d)
		}
		m := p.proven(d, form, lease)
		if err := p.sameWithdrawal(ctx, d.item, &m); err != nil {
			return err
		}
		moves = append(moves, m)
	}
	return p.journal.Move(ctx, moves...)
}

// unproven records why an item is not prepared, unless nobody was asked.
func (p *preparing) unproven(ctx context.Context, it journal.Item, lease journal.Lease, why absence) error {
	if why.skipped || ctx.Err() != nil {
		return nil
	}
	p.report.Problems = append(p.report.Problems, Problem{ID: it.ID, Code: why.code, Reason: why.reason})
	return p.note(ctx, it, lease, why.code, why.reason, delay(why.code, it.Tries))
}

// proven makes the step of an item that has all it needs.
func (p *preparing) proven(d *draft, form []byte, lease journal.Lease) journal.Move {
	m := journal.Move{ID: d.item.ID, From: journal.Fetched, To: journal.Prepared, Prepared: form, Lease: lease}
	if d.err == nil {
		p.report.Prepared++
		return m
	}
	m.To, m.Prepared, m.Code, m.Reason = journal.Refused, nil, chain.CodeOf(d.err), chain.ReasonOf(d.err).Text()
	p.report.Problems = append(p.report.Problems, Problem{ID: m.ID, Code: m.Code, Reason: m.Reason})
	return m
}

// absence is why a previous transaction is not there.
type absence struct {
	code    chain.Code
	reason  string
	skipped bool // nobody was asked for it
}

// firstMissing returns why a draft cannot be proven, nil if it can. An answer
// says more than that nobody was asked.
func firstMissing(d prepare.Draft, missing map[string]absence) (first *absence) {
	for _, id := range d.Needs() {
		if why, is := missing[id]; is && (first == nil || first.skipped) {
			first = &why
		}
	}
	return first
}

// previous gathers the previous transactions of all drafts, each once: from
// the journal, and from Tatum where that is allowed. What came is journaled.
// stopped is an error after which no further call makes sense.
func (r *Relay) previous(ctx context.Context, drafts []draft, ask bool) (proofs proofs, missing map[string]absence, stopped error) {
	return r.gather(ctx, drafts, func(string) []byte { return nil }, ask)
}

// gather is previous for whoever has some of them already, checked.
func (r *Relay) gather(ctx context.Context, drafts []draft, known func(string) []byte, ask bool) (proofs proofs, missing map[string]absence, stopped error) {
	needs, from := needsOf(drafts)
	have, wanted, err := r.journaled(ctx, needs, from, known)
	if err != nil {
		return nil, nil, err
	}
	missing = make(map[string]absence)
	for _, id := range wanted {
		missing[id] = absence{chain.UnprovenAmount, "previous transaction " + id + " is not in the journal", true}
	}
	if ask {
		if stopped, err = r.askPrevious(ctx, newHunt(drafts, wanted), from, have, missing); err != nil {
			return nil, nil, err
		}
	}
	if proofs, err = r.read(needs, from, have); err != nil {
		return nil, nil, err
	}
	return proofs, missing, stopped
}

// read reads the previous transactions that are there, for each family.
func (r *Relay) read(needs []string, from map[string]draft, have map[string][]byte) (proofs, error) {
	parts := make(map[string][][]byte)
	for _, id := range needs {
		if raw, ok := have[id]; ok {
			name := from[id].family.Name()
			parts[name] = append(parts[name], raw)
		}
	}
	all := make(proofs, len(r.families))
	for _, f := range r.families {
		read, err := f.Proofs(parts[f.Name()])
		if err != nil {
			return nil, err
		}
		all[f.Name()] = read
	}
	return all, nil
}

// journaled returns those that are known, or in the journal, and the ids of the
// others.
func (r *Relay) journaled(ctx context.Context, needs []string, from map[string]draft, known func(string) []byte) (have map[string][]byte, wanted []string, err error) {
	have = make(map[string][]byte, len(needs))
	var names []string
	for _, id := range needs {
		if raw := known(id); raw != nil {
			have[id] = raw
			continue
		}
		names = append(names, id)
	}
	held, err := r.journal.Previous(ctx, names)
	if err != nil {
		return nil, nil, err
	}
	for _, id := range needs {
		if have[id] != nil {
			continue
		}
		if raw, err := from[id].family.Check(id, held[id]); err == nil {
			have[id] = raw
			continue
		}
		wanted = append(wanted, id)
	}
	return have, wanted, nil
}

// needsOf lists the previous transactions that drafts need, and of each the first
// draft that needs it.
func needsOf(drafts []draft) (needs []string, from map[string]draft) {
	from = make(map[string]draft)
	for _, d := range drafts {
		if d.err != nil {
			continue
		}
		for _, id := range d.draft.Needs() {
			if _, twice := from[id]; !twice {
				from[id] = d
				needs = append(needs, id)
			}
		}
	}
	return needs, from
}
