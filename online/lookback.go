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
// backup was made. It is withheld until Tatum's record and what spends its inputs
// have been looked at: before that nothing of it is exported, again or anew.

// lookBack looks after what waits for that.
func (r *Relay) lookBack(ctx context.Context, o FetchOptions, chains []chain.ID, report *Fetched) error {
	items, err := r.journal.Items(ctx, journal.Filter{
		States: []journal.State{journal.Prepared, journal.Exported}, Withheld: []chain.Code{CodeRestored},
		Chains: chains, IDs: o.IDs, Network: o.Network, Account: &r.Account,
	})
	if err != nil || len(items) == 0 {
		return err
	}
	problems := make([]*Problem, len(items))
	err = r.each(ctx, len(items), workers, func(ctx context.Context, i int) (err error) {
		problems[i], err = r.lookBackAt(ctx, items[i])
		return err
	})
	for _, p := range problems {
		if p != nil {
			report.Problems = append(report.Problems, *p)
		}
	}
	return err
}

// lookBackAt lets an item go on that was not paid, as far as can be seen.
func (r *Relay) lookBackAt(ctx context.Context, it journal.Item) (*Problem, error) {
	known, p, err := r.askAfter(ctx, it)
	if err != nil || p != nil {
		return p, err
	}
	s := &step{Relay: r, item: it, line: &breaker{}}
	paid, lost := "", errors.New("no usable answer about it came from Tatum")
	if known {
		var gap string
		if paid, _, gap, lost = s.sentAllTheSame(ctx); lost == nil && paid == "" && gap != "" {
			lost = errors.New(gap)
		}
	}
	switch {
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case general(lost):
		return nil, lost
	case lost != nil:
		p := &Problem{ID: it.ID, Code: CodeRestored, Reason: fmt.Sprintf("the journal was restored, and whether it was paid since the backup is not known: it is not exported before that is; the next fetch looks again: %v", lost)}
		return p, r.note(ctx, it, journal.Lease{}, p.Code, p.Reason, 0)
	case paid != "":
		return r.paidUnrecorded(ctx, it, paid)
	}
	if err := r.journal.Unwithhold(ctx, it.ID, CodeRestored); err != nil || !slices.Contains(byRestore, it.Code) {
		return nil, err
	}
	return nil, r.note(ctx, it, journal.Lease{}, "", "", 0)
}

// paidUnrecorded raises the alarm about what the network has, and of which this
// journal does not have the signature.
func (r *Relay) paidUnrecorded(ctx context.Context, it journal.Item, txid string) (*Problem, error) {
	p := &Problem{ID: it.ID, Code: CodePaidUnknown, Reason: fmt.Sprintf("ALARM: the payment is made (%s), and this journal, which was restored from a backup, has it as %s: it was signed and sent since. It is not exported again. Do not have it paid anew; import the result that it was signed with, then broadcast, which marks it at Tatum. If there is none: somebody else signs for its key", txid, it.State)}
	if err := r.journal.Withhold(ctx, it.ID, p.Code, CodeRestored); err != nil {
		return p, err
	}
	return p, r.noteWith(ctx, it, journal.Lease{}, *p, txid, 0)
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
