package online

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"coldkms/online/journal"
	"coldkms/shared/chain"
)

// What a restored journal has as open may have been signed and paid since the
// backup was made. It is withheld until Tatum's list has it again, and its record
// and what spends its inputs have been looked at: before that nothing of it is
// exported, again or anew. What it has as signed may have been dropped at Tatum and
// paid in another way: it is withheld until Tatum's list has it again, or a person
// decides.

// lookBack looks after what waits for that. same are the ids that Tatum lists now,
// with what the journal has.
func (r *Relay) lookBack(ctx context.Context, o FetchOptions, id chain.ID, same []string, report *Fetched) error {
	items, err := r.journal.Items(ctx, journal.Filter{
		States: []journal.State{journal.Prepared, journal.Exported, journal.Signed}, Withheld: []chain.Code{CodeRestored},
		Chains: []chain.ID{id}, IDs: o.IDs, Network: o.Network, Account: &r.Account,
	})
	if err != nil || len(items) == 0 {
		return err
	}
	listed := make(map[string]bool, len(same))
	for _, id := range same {
		listed[id] = true
	}
	problems := make([]*Problem, len(items))
	err = r.each(ctx, len(items), workers, func(ctx context.Context, i int) (err error) {
		problems[i], err = r.lookBackAt(ctx, items[i], listed[items[i].ID])
		return err
	})
	for _, p := range problems {
		if p != nil {
			report.Problems = append(report.Problems, *p)
			r.Memory.forget(r.Account, id, o)
		}
	}
	return err
}

// unlooked reports whether an item was not wanted, or refused, in the backup that
// the journal was restored from, and the network is watched for it.
func unlooked(it journal.Item) bool {
	return !it.Outstanding.IsZero() && it.State != journal.Rejected
}

// lookBackAt lets an item go on that Tatum lists, and that was not paid, as far as
// can be seen.
func (r *Relay) lookBackAt(ctx context.Context, it journal.Item, listed bool) (*Problem, error) {
	switch {
	case it.Signed != nil && listed:
		return nil, r.goesOn(ctx, it)
	case it.Signed != nil:
		return r.notSeenSince(ctx, it, errNotListed)
	}
	known, p, err := r.askAfter(ctx, it)
	if err != nil || p != nil {
		return p, err
	}
	s := &step{Relay: r, item: it, line: newBreaker(&apiKey{})}
	paid, lost := "", errors.New("no usable answer about it came from Tatum")
	if known {
		var gap string
		if paid, _, gap, lost = s.sentAllTheSame(ctx); lost == nil && paid == "" && gap != "" {
			lost = errors.New(gap)
		}
	}
	if lost == nil && paid == "" && !listed {
		lost = errNotListed
	}
	switch {
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case general(lost):
		return nil, lost
	case lost != nil:
		return r.notSeenSince(ctx, it, lost)
	case paid != "":
		return r.paidUnrecorded(ctx, it, journal.Lease{}, paid)
	}
	return nil, r.goesOn(ctx, it)
}

// errNotListed is why an item waits that Tatum does not list, whatever its record
// says.
var errNotListed = errors.New("the list of Tatum does not have it with this content: " +
	"it may have been dropped there since, and paid in another way")

// notSeenSince has on record why an item of a restored journal waits.
func (r *Relay) notSeenSince(ctx context.Context, it journal.Item, why error) (*Problem, error) {
	p := &Problem{ID: it.ID, Code: CodeRestored, Reason: fmt.Sprintf("the journal was restored, and whether it was paid "+
		"since the backup is not known: it is not exported before that is; the next fetch looks again: %v", why)}
	if it.Signed != nil {
		p.Reason = unlistedWords(it)
	}
	return p, r.note(ctx, it, journal.Lease{}, p.Code, p.Reason, 0)
}

// unlistedWords say why a signed item of a restored journal waits, and what to do.
func unlistedWords(it journal.Item) string {
	return fmt.Sprintf("it is signed (%s) and held: the journal was restored, and %v. It goes on once kms-online fetch "+
		"finds it listed. %s", it.TxID, errNotListed, journal.HeldAdvice(it.ID, contentOf(it)))
}

// goesOn lifts what withheld an item because the journal was restored.
func (r *Relay) goesOn(ctx context.Context, it journal.Item) error {
	err := r.journal.Unwithhold(ctx, it.ID, CodeRestored)
	if err == nil && unlooked(it) {
		err = r.journal.Settle(ctx, it.ID)
	}
	if err != nil || !slices.Contains(byRestore, it.Code) {
		return err
	}
	return r.note(ctx, it, journal.Lease{}, "", "", 0)
}

// paidUnrecorded raises the alarm about what the network has, and of which this
// journal does not have the signature.
func (r *Relay) paidUnrecorded(
	ctx context.Context, it journal.Item, lease journal.Lease, txid string,
) (*Problem, error) {
	made, err := r.journal.Restored(ctx)
	if err != nil {
		return nil, err
	}
	since := "somebody signed and sent it"
	if !made.IsZero() {
		since = "the journal was restored from a backup, and it was signed and sent since"
	}
	p := &Problem{ID: it.ID, Code: CodePaidUnknown, Reason: fmt.Sprintf("ALARM: the payment is made (%s), and this "+
		"journal has it as %s: %s. It is not exported again. Do not have it paid anew; import the result that it "+
		"was signed with, then broadcast, which marks it at Tatum. If there is none: somebody else signs for "+
		"its key", txid, it.State, since)}
	if err := r.journal.WithholdFor(ctx, it.ID, p.Code, CodeRestored); err != nil {
		return p, err
	}
	return p, r.noteWith(ctx, it, lease, *p, txid, 0)
}

// notLookedAt are the problems of what is not exported because nobody has looked
// whether it was paid since the backup.
func (r *Relay) notLookedAt(ctx context.Context, o ExportOptions) ([]Problem, error) {
	items, err := r.journal.Items(ctx, journal.Filter{States: open, Withheld: []chain.Code{CodeRestored}, IDs: o.IDs, Network: o.Network})
	problems := make([]Problem, len(items))
	for i, it := range items {
		problems[i] = Problem{ID: it.ID, Code: CodeRestored, Reason: "the journal was restored, and nobody has looked yet whether it was paid since the backup: kms-online fetch, then export"}
	}
	return problems, err
}
