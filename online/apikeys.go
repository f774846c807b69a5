package online

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"coldkms/online/journal"
	"coldkms/online/tatum"
	"coldkms/shared/bundle"
	"coldkms/shared/chain"
)

// ErrNoKey is returned for an item that an API key fetched which is not here:
// with another one Tatum would not know it.
var ErrNoKey = errors.New("the API key that fetched it is not here")

// As returns the relay as it works for an API key, by its name. The journal
// remembers names and never keys.
func (r *Relay) As(account string) (*Relay, error) {
	if account == r.Account {
		return r, nil
	}
	client := r.Accounts[account]
	if client == nil && account == "" {
		return nil, fmt.Errorf("%w: it was the only one then; give it in the file of keys under the name default", ErrNoKey)
	}
	if client == nil {
		return nil, fmt.Errorf("%w: its name is %.80q", ErrNoKey, account)
	}
	mine := *r
	mine.Tatum, mine.Account = client, account
	mine.Accounts = map[string]*tatum.Client{r.Account: r.Tatum}
	for name, c := range r.Accounts {
		mine.Accounts[name] = c
	}
	return &mine, nil
}

// fingerprint tells the API key in use from others, in the journal. It says
// nothing of the key to whoever does not have it.
func (r *Relay) fingerprint() string {
	public := r.identity.Public()
	return r.Tatum.Fingerprint(public[:])
}

const reasonChanged = "ALARM: Tatum now asks for something else under this id; what was journaled first stays. Whoever changed it has your API key or is Tatum: treat the key as stolen"

// noteChanged raises an alarm where Tatum changed its mind about what it asks
// for, and shows it on the item too while that is where it was. The item does
// not go to the signer while Tatum does not ask for what it asked for first.
// reply is what it asks for now.
func (r *Relay) noteChanged(ctx context.Context, id string, now journal.Offer, reply json.RawMessage) error {
	it, err := r.journal.Item(ctx, id)
	if err == nil {
		err = r.journal.Offered(ctx, id, now)
	}
	if err == nil && it.Accepted != now.Digest {
		err = r.journal.WithholdFor(ctx, id, chain.ContentChanged, gone...)
	}
	if err != nil {
		return err
	}
	p := Problem{ID: it.ID, Code: chain.ContentChanged, Reason: reasonChanged + ". " + r.changeWords(ctx, it, reply) + offerWords(now)}
	if it.State == journal.Signed && it.Accepted != now.Digest {
		it.Offered = now
		p.Reason += ". " + journal.HeldAdvice(it.ID, contentOf(it))
	}
	if it.Code == chain.ContentChanged {
		return r.journal.Raise(ctx, *p.alarm(now.Digest))
	}
	return r.noteWith(ctx, it, journal.Lease{}, p, now.Digest, 0)
}

// changeWords say what an item paid and what Tatum asks for in its place.
func (r *Relay) changeWords(ctx context.Context, it journal.Item, reply json.RawMessage) string {
	after := it
	after.Pending = reply
	was, is := r.paysWords(ctx, it), r.paysWords(ctx, after)
	if was == is {
		return "What it pays is the same: " + is
	}
	return fmt.Sprintf("It paid %s; now it pays %s", was, is)
}

// maxTold bounds how many outputs are named in a reason.
const maxTold = 4

// paysWords name the outputs of what an item asks for.
func (r *Relay) paysWords(ctx context.Context, it journal.Item) string {
	var s Status
	s.pays(r.parse(it), r.watched(ctx))
	if s.Outputs == 0 {
		return "what does not read"
	}
	var words []string
	for _, p := range s.Pays[:min(len(s.Pays), maxTold)] {
		to := p.Address
		if to == "" {
			to = "a script without an address"
		}
		words = append(words, p.Amount+" to "+to)
	}
	if s.Outputs > len(words) {
		words = append(words, fmt.Sprintf("%d more", s.Outputs-len(words)))
	}
	return strings.Join(words, ", ")
}

// offerWords identify what Tatum has in the place of an item.
func offerWords(o journal.Offer) string {
	if o.Withdrawal == "" {
		return fmt.Sprintf(" (content %s)", o.Content())
	}
	return fmt.Sprintf(" (content %s, withdrawal %.64s)", o.Content(), o.Withdrawal)
}

// open are the states of an item that nothing is signed for yet.
var open = []journal.State{journal.Fetched, journal.Prepared, journal.Exported}

// withdrawn reports whether an item must not go to the signer, nor, once it is
// signed, to the network: Tatum does not ask for it any more, or asks for
// something else, or a person wants it rejected.
func withdrawn(it journal.Item) bool { return it.Withheld != "" && it.Withheld != CodeVetoed }

// exportable chooses what may go to the signer. What the approval service has
// refused may go when it says yes, so where there is one it is asked again.
func (r *Relay) exportable(f journal.Filter) journal.Filter {
	f.Wanted = true
	if r.FourEye != nil {
		f.Withheld = []chain.Code{CodeVetoed}
	}
	return f
}

// Reasons to withhold an item. The first ones end when Tatum lists it again,
// with the same content; the others may be lifted by a person, by name.
var (
	gone          = []chain.Code{CodeUnknown, CodeOtherTxID, CodeOtherKey}
	byTatum       = append(slices.Clone(gone), chain.ContentChanged)
	liftable      = []chain.Code{journal.Dropping, journal.Unwanted, CodePaidUnknown, CodeSameID}
	withheldCodes = slices.Concat(liftable, byTatum, []chain.Code{CodeGivenUp})
	byRestore     = []chain.Code{CodeRestored, CodePaidUnknown} // nobody has said that it is not wanted
)

// missed returns what Tatum asked for once and does not list any more, and
// takes back what was said of items that are listed again. Nothing is dropped
// here: a list that came short by mistake does no harm.
func (r *Relay) missed(ctx context.Context, id chain.ID, list []json.RawMessage, same []string, o FetchOptions, report *Fetched) (absent []journal.Item, err error) {
	ids := make([]string, 0, len(list))
	listed := make(map[string]bool, len(list))
	for _, raw := range list {
		it, completed, err := incoming(id, o.Network, raw)
		if it.ID != "" && (err != nil || !completed) && !journal.Misspelt(it.ID) {
			ids, listed[it.ID] = append(ids, it.ID), true
		}
	}
	if err := r.stillListed(ctx, ids, report); err != nil {
		return nil, err
	}
	if err := r.listedNoMore(ctx, id, listed, o, report); err != nil {
		return nil, err
	}
	f := journal.Filter{States: open, Chains: []chain.ID{id}, Network: o.Network, Account: &r.Account}
	all, err := r.journal.Count(ctx, f)
	if err != nil || all == 0 {
		return nil, err
	}
	known := f
	known.IDs = ids
	there := 0
	if len(ids) > 0 {
		if there, err = r.journal.Count(ctx, known); err != nil {
			return nil, err
		}
	}
	known.IDs = same
	if err := r.listedAgain(ctx, known); err != nil || there == all {
		return nil, err
	}
	items, err := r.journal.Items(ctx, f)
	if err != nil {
		return nil, err
	}
	for _, it := range items {
		if !listed[it.ID] && !withdrawn(it) {
			absent = append(absent, it)
		}
	}
	return absent, nil
}

// askAfterAll asks Tatum what became of what a list does not have. A program
// that fetches again and again asks a bounded number a time, each of them not
// too often.
func (r *Relay) askAfterAll(ctx context.Context, l listed, o FetchOptions, report *Fetched) error {
	if !l.whole {
		return nil
	}
	due, settled := r.Memory.due(l.absent, r.Now())
	known := make([]bool, len(due))
	problems := make([]*Problem, len(due))
	err := r.each(ctx, len(due), workers, func(ctx context.Context, i int) (err error) {
		known[i], problems[i], err = r.askAfter(ctx, due[i])
		return err
	})
	if err != nil {
		return err
	}
	for i, p := range problems {
		if settled = settled && known[i] && p == nil; p != nil {
			report.Problems = append(report.Problems, *p)
		}
		if known[i] && p == nil {
			r.Memory.asked(due[i].ID, r.Now())
		}
	}
	if settled && l.clean {
		r.Memory.keep(r.Account, l.chain, o, l.elements)
	}
	return nil
}

// waitsForList reports whether a list that did not change may still end what an item
// is withheld for: a person may have retried the item since.
func (r *Relay) waitsForList(ctx context.Context, id chain.ID, list []json.RawMessage, o FetchOptions) (bool, error) {
	if len(list) == 0 {
		return false, nil
	}
	return r.journal.Any(ctx, journal.Filter{
		States: append(slices.Clone(open), journal.Signed), Chains: []chain.ID{id}, Network: o.Network, Account: &r.Account,
		Withheld: append(slices.Clone(gone), CodeRestored),
	})
}

// listedAgain takes back what was said of items that were not listed.
func (r *Relay) listedAgain(ctx context.Context, known journal.Filter) error {
	if len(known.IDs) == 0 {
		return nil
	}
	known.Withheld = byTatum
	items, err := r.journal.Items(ctx, known)
	if err != nil {
		return err
	}
	for _, it := range items {
		if unlooked(it) {
			err = r.journal.WithholdFor(ctx, it.ID, CodeRestored, byTatum...)
		} else {
			err = r.journal.Unwithhold(ctx, it.ID, byTatum...)
		}
		if err != nil {
			return err
		}
		if err := r.note(ctx, it, journal.Lease{}, "", "", 0); err != nil {
			return err
		}
		if err := r.asksForSame(ctx, it); err != nil {
			return err
		}
	}
	return nil
}

// asksForSame heals the alarms about an item that went on, since Tatum lists it again
// as it was journaled.
func (r *Relay) asksForSame(ctx context.Context, it journal.Item) error {
	for code, why := range map[chain.Code]string{
		chain.ContentChanged: "by now Tatum asks for the very same again as at first, and it goes on. " +
			"Whoever changed it meanwhile has your API key or is Tatum: treat the key as stolen",
		CodeOtherTxID: "by now Tatum lists it as not completed again, and it goes on",
	} {
		if !it.Marked(code) {
			continue
		}
		if err := r.journal.Heal(ctx, it.ID, code, why); err != nil {
			return err
		}
	}
	return nil
}

// askAfter asks Tatum what became of an item that it does not list any more.
// known is false where it has to be asked again; the problem is nil where it
// still waits.
func (r *Relay) askAfter(ctx context.Context, it journal.Item) (known bool, p *Problem, err error) {
	kms, err := r.Tatum.PendingByID(ctx, it.ID)
	txid := kms.TxID
	p = &Problem{ID: it.ID}
	switch {
	case tatum.IsNotFound(err) && r.otherKey(it):
		p, err = r.holdForKey(ctx, it)
		return true, p, err
	case tatum.IsNotFound(err):
		p.Code, p.Reason = CodeUnknown, "Tatum does not have it any more: somebody dropped it there; it is not taken to the signer"
		if it.Request != (bundle.Digest{}) {
			p.Reason += ", but it was exported before: destroy that request and its result"
		}
	case err != nil:
		return false, nil, nil // asked again at the next fetch
	case offerOf(it, kms.Raw) != journal.Offer{}:
		now := offerOf(it, kms.Raw)
		p.Code, p.Reason = chain.ContentChanged, reasonChanged+offerWords(now)
		return true, p, r.noteChanged(ctx, it.ID, now, kms.Raw)
	case txid == "":
		return true, nil, nil // it waits; the list was short, or its key is not in the watch file any more
	default:
		p.Code, p.Reason = CodeOtherTxID, fmt.Sprintf("ALARM: Tatum says that %.80q completed it, and nothing was signed for it here: something else signs for this id. It is not taken to the signer. %s", txid, otherTxIDAdvice(txid))
		if made, err := r.journal.Restored(ctx); err != nil {
			return false, nil, err
		} else if !made.IsZero() && !it.Created.After(made) {
			p.Reason = fmt.Sprintf("ALARM: Tatum says that %.80q completed it, and this journal, restored from a backup of %s, has no signature for it: import the results that were signed since then; if none of them is for it, something else signs for this id. %s", txid, made.Format(time.RFC3339), otherTxIDAdvice(txid))
		}
	}
	if err := r.journal.Withhold(ctx, it.ID, p.Code, byRestore...); err != nil {
		return false, p, err
	}
	if p.Code == CodeUnknown { // signed later, it is held for this
		if err := r.journal.Offered(ctx, it.ID, journal.Offer{Digest: journal.OfferNone}); err != nil {
			return false, p, err
		}
	}
	var alarm *journal.Raise
	if p.Code == CodeOtherTxID {
		alarm = p.alarm(txid)
	}
	if it.State != journal.Prepared && alarm != nil {
		return true, p, r.noteWith(ctx, it, journal.Lease{}, *p, txid, 0)
	}
	if it.State != journal.Prepared {
		return true, p, r.note(ctx, it, journal.Lease{}, p.Code, p.Reason, 0)
	}
	err = r.journal.Move(ctx, journal.Move{ID: it.ID, From: journal.Prepared, To: journal.Fetched, Code: p.Code, Reason: p.Reason, Alarm: alarm})
	if elsewhere(err) {
		return false, p, nil
	}
	return err == nil, p, err
}
