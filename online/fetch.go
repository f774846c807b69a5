package online

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"

	"coldkms/online/journal"
	"coldkms/online/tatum"
	"coldkms/shared/bundle"
	"coldkms/shared/chain"
	"coldkms/shared/pending"
)

// batch is how many items share one database transaction.
const batch = 500

// FetchOptions choose what is fetched.
type FetchOptions struct {
	Network chain.Network
	Chains  []chain.ID // none: every chain of the watch file that is built
	IDs     []string   // none: all
	Later   bool       // items that are left alone for now are problems
	Beside  bool       // other fetches ask for the other chains: that the watch file has none of these is no news
}

// Fetched is what a fetch did.
type Fetched struct {
	Fetched  int       `json:"fetched"`  // new in the journal
	Prepared int       `json:"prepared"` // every input proven, now
	Problems []Problem `json:"problems"`
	Notes    []string  `json:"-"`
	LeftOut  []string  `json:"-"` // of Tatum's lists
	Listed   int       `json:"-"` // how many elements those had that could be read
	NoKeys   bool      `json:"-"` // the signer has no key of the network and chains that were asked for
}

// Fetch asks Tatum for what waits, journals it as it came, and prepares
// whatever is journaled and not prepared yet.
func (r *Relay) Fetch(ctx context.Context, o FetchOptions) (Fetched, error) {
	report := Fetched{Problems: []Problem{}}
	watch, err := r.watch(ctx)
	if err != nil {
		return report, err
	}
	chains, err := r.chosenChains(watch.Watch, o, &report)
	if err != nil {
		return report, err
	}
	if p, err := r.renamedKey(ctx, o.Network); err != nil || p != nil {
		if p != nil {
			report.Problems = append(report.Problems, *p)
		}
		return report, err
	}
	parts := make([]fetching, len(chains))
	var g errgroup.Group
	for i, id := range chains { // each by itself: one that hangs holds up no other
		parts[i] = fetching{Relay: r, chain: id, ids: signatureIDs(watch.Watch, id, o.Network), options: o}
		g.Go(func() error { parts[i].run(ctx); return nil })
	}
	_ = g.Wait()
	worked := false
	for i := range parts {
		worked = worked || parts[i].unlisted == nil
	}
	for i := range parts {
		report.add(parts[i].report)
		if away := errors.Join(parts[i].unlisted, parts[i].err); errors.Is(away, journal.ErrAway) {
			return report, away
		}
		unlisted := parts[i].unlisted
		if tatum.IsAuth(unlisted) && worked { // not of the key as a whole
			unlisted = fmt.Errorf("%v", unlisted)
		}
		err = errors.Join(err, unlisted, parts[i].err)
	}
	return report, errors.Join(err, ctx.Err())
}

// add adds what was done for one chain.
func (f *Fetched) add(g Fetched) {
	f.Fetched, f.Prepared, f.Listed = f.Fetched+g.Fetched, f.Prepared+g.Prepared, f.Listed+g.Listed
	f.Problems, f.Notes, f.LeftOut = append(f.Problems, g.Problems...), append(f.Notes, g.Notes...), append(f.LeftOut, g.LeftOut...)
}

// fetching is a fetch of one chain.
type fetching struct {
	*Relay
	chain    chain.ID
	ids      []string
	options  FetchOptions
	report   Fetched
	unlisted error // why Tatum's list did not come, or not whole
	err      error
}

func (f *fetching) run(ctx context.Context) {
	l, err := f.fetchChain(ctx, f.chain, f.ids, f.options, &f.report)
	if err != nil {
		f.unlisted = fmt.Errorf("%s: %w", f.chain, err)
	}
	if ctx.Err() != nil || errors.Is(err, journal.ErrAway) {
		return
	}
	f.err = f.prepareAll(ctx, f.options, []chain.ID{f.chain}, &f.report)
	if err != nil || ctx.Err() != nil {
		return
	}
	f.err = errors.Join(f.err, f.lookBack(ctx, f.options, f.chain, l.same, &f.report))
	if ctx.Err() != nil {
		return
	}
	if err := f.askAfterAll(ctx, l, f.options, &f.report); err != nil { // what is new does not wait for this
		f.err = errors.Join(f.err, fmt.Errorf("%s: %w", f.chain, err))
	}
}

// listed is a list of Tatum that is journaled, and what is missing from it.
type listed struct {
	chain    chain.ID
	whole    bool // it has all that Tatum lists, and was not seen before
	elements []json.RawMessage
	absent   []journal.Item // journaled as open, and not in the list
	clean    bool           // nothing in it was a problem
	same     []string       // ids in it that ask for what the journal has
}

// fetchChain asks for what waits on one chain, and journals it.
func (r *Relay) fetchChain(ctx context.Context, id chain.ID, signatureIDs []string, o FetchOptions, report *Fetched) (listed, error) {
	var same []string
	for from := 0; ; {
		listing, cut := r.Tatum.Pending(ctx, id, signatureIDs, from)
		for _, why := range listing.Skipped {
			report.Problems = append(report.Problems, Problem{Code: chain.CodeOf(why), Reason: fmt.Sprintf("%s: %v", id, why)})
			report.LeftOut = append(report.LeftOut, fmt.Sprintf("%s: %v", id, why))
		}
		l, err := r.takeList(ctx, id, listing, from == 0 && cut == nil, o, report)
		same = append(same, l.same...)
		l.same = same
		if err = errors.Join(cut, err); err != nil || listing.Next <= from {
			return l, err
		}
		from = listing.Next
	}
}

// takeList journals a list, or the part of it that came. first is set for a
// list from its beginning that was not cut.
func (r *Relay) takeList(ctx context.Context, id chain.ID, listing tatum.Listing, first bool, o FetchOptions, report *Fetched) (listed, error) {
	list := listing.Elements
	report.Listed += len(list)
	whole := first && listing.Next == 0
	if whole && r.Memory.same(r.Account, id, o, list) {
		waits, err := r.waitsForList(ctx, id, list, o)
		if err != nil || !waits {
			return listed{chain: id}, err
		}
	}
	before := len(report.Problems)
	same, err := r.take(ctx, id, list, o, report)
	if err != nil || !whole { // then what is missing may be in the rest
		return listed{chain: id, same: same}, err
	}
	absent, err := r.missed(ctx, id, list, same, o, report)
	return listed{id, true, list, absent, len(report.Problems) == before, same}, err
}

func (r *Relay) chosenChains(w bundle.Watch, o FetchOptions, report *Fetched) ([]chain.ID, error) {
	for _, id := range o.Chains {
		if r.families.Of(id) == nil {
			return nil, fmt.Errorf("%w: %s", ErrNotBuilt, id)
		}
	}
	var chains []chain.ID
	for _, e := range w.Entries {
		wanted := len(o.Chains) == 0 || slices.Contains(o.Chains, e.Chain)
		if wanted && e.Network == o.Network && r.families.Of(e.Chain) != nil && !slices.Contains(chains, e.Chain) {
			chains = append(chains, e.Chain)
		}
	}
	other := slices.ContainsFunc(w.Entries, func(e bundle.WatchEntry) bool { return e.Network == o.Network })
	if len(chains) == 0 && !(o.Beside && other) {
		report.NoKeys = true
		report.Notes = append(report.Notes, fmt.Sprintf("the signer's watch file has no entry of %s for what was "+
			"asked; %s", o.Network, otherNetwork(o.Network)))
	}
	return chains, nil
}

// otherNetwork returns the advice how to fetch from the other network.
func otherNetwork(n chain.Network) string {
	if n == chain.Testnet {
		return "without --testnet it is mainnet that is fetched: kms-online fetch --testnet=false"
	}
	return "what is of testnet is fetched with: kms-online fetch --testnet"
}

// Elsewhere returns a note for people if Tatum lists something for keys of the other
// network than n, "" otherwise. It is called where Tatum lists nothing for n.
func (r *Relay) Elsewhere(ctx context.Context, n chain.Network) (string, error) {
	watch, err := r.watch(ctx)
	if err != nil {
		return "", err
	}
	other := chain.NetworkOf(n != chain.Testnet)
	chains, err := r.chosenChains(watch.Watch, FetchOptions{Network: other, Beside: true}, &Fetched{})
	if err != nil {
		return "", err
	}
	listed := 0
	for _, id := range chains {
		l, err := r.Tatum.Pending(ctx, id, signatureIDs(watch.Watch, id, other), 0)
		if err != nil {
			return "", fmt.Errorf("%s: %w", id, err)
		}
		listed += len(l.Elements)
	}
	if listed == 0 {
		return "", nil
	}
	return fmt.Sprintf("Tatum lists nothing of %s for the signer's keys, and %d of %s; %s",
		n, listed, other, otherNetwork(n)), nil
}

func signatureIDs(w bundle.Watch, id chain.ID, network chain.Network) []string {
	var ids []string
	for _, e := range w.Entries {
		if e.Chain == id && e.Network == network {
			ids = append(ids, e.SignatureID)
		}
	}
	return ids
}

// take journals what came, new or known. same are the ids that ask for what
// the journal has.
func (r *Relay) take(ctx context.Context, id chain.ID, list []json.RawMessage, o FetchOptions, report *Fetched) (same []string, err error) {
	asked := make(map[string]bool)
	for part := range slices.Chunk(list, batch) {
		var items []journal.Item
		for _, raw := range part {
			it, completed, err := incoming(id, o.Network, raw)
			it.Account, it.SeenBy = r.Account, r.fingerprint()
			switch {
			case err != nil:
				report.Problems = append(report.Problems, Problem{ID: it.ID, Code: chain.CodeOf(err), Reason: chain.ReasonOf(err).Text()})
			case completed, len(o.IDs) > 0 && !slices.Contains(o.IDs, it.ID):
			default:
				items = append(items, it)
			}
		}
		if err := r.add(ctx, items, asked, report); err != nil {
			return nil, err
		}
	}
	for id, is := range asked {
		if is {
			same = append(same, id)
		}
	}
	return same, nil
}

// add journals items. asked says of each id whether it asks for what the
// journal has, wherever the list has it.
func (r *Relay) add(ctx context.Context, items []journal.Item, asked map[string]bool, report *Fetched) error {
	seen, err := r.journal.Add(ctx, items)
	if err != nil {
		return err
	}
	for i, s := range seen {
		taken := false
		if s == journal.Changed {
			if taken, err = r.changed(ctx, items[i], report); err != nil {
				return err
			}
		}
		before, twice := asked[items[i].ID]
		asked[items[i].ID] = (s != journal.Changed || taken) && s != journal.Twin && (before || !twice)
		switch s {
		case journal.New:
			report.Fetched++
		case journal.Twin:
			if err := r.noteTwin(ctx, items[i].ID, report); err != nil {
				return err
			}
		}
	}
	return nil
}

// noteTwin reports a listed pending id that is not in small letters. Tatum takes it for
// the one that is, so it must not become a second payment. If the journal has that one,
// it is an alarm.
func (r *Relay) noteTwin(ctx context.Context, id string, report *Fetched) error {
	payment := strings.ToLower(id)
	report.Problems = append(report.Problems, Problem{ID: id, Code: CodeSameID, Reason: fmt.Sprintf(
		"it differs from %s in letter case only, and is not taken: Tatum writes pending ids in small letters. "+
			"The payment is taken once Tatum lists it so", payment)})
	known, err := r.journal.Has(ctx, payment)
	if err != nil || !known {
		return err
	}
	p := Problem{ID: payment, Code: CodeSameID, Reason: fmt.Sprintf("ALARM: Tatum lists %s as well, which differs "+
		"from this id in letter case only: it is not taken, for that would be a second payment. "+
		"Whoever made it has your API key or is Tatum", id)}
	return r.journal.Raise(ctx, *p.alarm(id))
}

// incoming makes an item of what Tatum sent. One whose id is sound is
// journaled even if nothing else is, so that it is refused once and on
// record.
func incoming(id chain.ID, network chain.Network, raw json.RawMessage) (it journal.Item, completed bool, err error) {
	it = journal.Item{Chain: id, Network: network, Pending: raw}
	tx, err := pending.Parse(raw)
	if err == nil {
		it.ID, it.Withdrawal = tx.ID, tx.WithdrawalID
		it.Content = sha256.Sum256(tx.Content())
		return it, tx.TxID != "", nil
	}
	var named struct {
		ID string `json:"id"`
	}
	_ = json.Unmarshal(raw, &named) // what can be had of it
	if !pending.ValidSignatureID(named.ID) {
		return it, false, err
	}
	it.ID = named.ID
	it.Content = sha256.Sum256(raw)
	return it, false, nil
}
