package journal

import (
	"cmp"
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"time"
)

// Several relays may share one journal. Whoever is about to do something
// outside of it for an item (export, send, mark, drop) first claims the item
// for a while, and journals the step only while it still holds it. A lease
// that ran out, by the clock of the database, is anybody's.
//
// Leases save work and keep stale knowledge out. That two byte strings never
// leave for one id does not rest on them, but on what is set once.

// ErrLeased is returned where another relay holds an item now.
var ErrLeased = errors.New("another relay is at work with this item")

// Lease is the right to work with the items that were claimed with it. The
// zero Lease fits items that nobody holds.
type Lease struct {
	holder string
	ttl    time.Duration
	until  time.Time // on this machine's clock, and never later than the database's
}

// Left is how long the lease is good for from now, not more than that.
func (l Lease) Left(now time.Time) time.Duration { return l.until.Sub(now) }

// free is the condition that nobody holds an item.
const free = "held_until <= {now}"

// Claim takes up to f.Max (0: all) of the items that f chooses and that nobody
// holds. owner names who claims: Enter gives back all that it left behind.
func (j *Journal) Claim(ctx context.Context, owner string, ttl time.Duration, f Filter) (Lease, []Item, error) {
	any := f
	any.Max = 1
	with, args := any.chosen(free, "")
	var found int
	err := j.read(ctx, func() error { // most looks find nothing: that is to cost no write
		return j.db.QueryRowContext(ctx, with+"SELECT count(*) FROM chosen", args...).Scan(&found)
	})
	if err != nil {
		return Lease{}, nil, fmt.Errorf("journal: claim: %w", err)
	}
	if found == 0 {
		return Lease{}, nil, nil
	}
	lease := Lease{holder: owner + "/" + rand.Text(), ttl: ttl}
	with, args = f.chosen(free, "{free}")
	query := with + "UPDATE items SET holder = ?, held_until = {now} + ? WHERE seq IN (SELECT seq FROM chosen) AND " + free + " RETURNING " + columns
	args = append(args, lease.holder, ttl.Milliseconds())
	var items []Item
	err = j.change(ctx, "claim", func(t tx) error {
		lease.until = j.now().Add(ttl)
		rows, err := t.QueryContext(ctx, query, args...)
		if err != nil {
			return err
		}
		items, err = scanAll(rows)
		return err
	})
	slices.SortFunc(items, func(a, b Item) int { return cmp.Compare(a.seq, b.seq) })
	return lease, items, err
}

// Renew makes a lease on one item as long as it was at first. ErrLeased means
// that it ran out before.
func (j *Journal) Renew(ctx context.Context, l Lease, id string) (Lease, error) {
	err := j.change(ctx, "renew", func(t tx) error {
		l.until = j.now().Add(l.ttl)
		done, err := t.ExecContext(ctx, "UPDATE items SET held_until = {now} + ? WHERE id = ? AND holder = ? AND held_until > {now}", l.ttl.Milliseconds(), id, l.holder)
		return t.met(ctx, done, err, id, l)
	})
	return l, err
}

// Release returns the leases that are still held.
func (j *Journal) Release(ctx context.Context, l Lease) error {
	if l.holder == "" {
		return nil
	}
	return j.change(ctx, "release", func(t tx) error { return t.release(ctx, l.holder) })
}

func (t tx) release(ctx context.Context, holder string) error {
	_, err := t.ExecContext(ctx, "UPDATE items SET holder = '', held_until = 0 WHERE holder = ? AND held_until > 0", holder)
	return err
}

// fence is the condition that an item may be changed by whoever has l.
func (l Lease) fence() (condition string, args []any) {
	if l.holder == "" {
		return " AND " + free, nil
	}
	return " AND holder = ? AND held_until > {now}", []any{l.holder}
}

// met makes an error of an update that met no row: ErrLeased if the fence was
// what kept it out, else ErrState.
func (t tx) met(ctx context.Context, done sql.Result, err error, id string, l Lease) error {
	if err != nil {
		return err
	}
	n, err := done.RowsAffected()
	if err == nil && n == 1 {
		return nil
	}
	if err != nil {
		return err
	}
	condition, args := l.fence()
	var inside int
	err = t.QueryRowContext(ctx, "SELECT count(*) FROM items WHERE id = ?"+condition, append([]any{id}, args...)...).Scan(&inside)
	if err != nil {
		return err
	}
	var known int
	if err := t.QueryRowContext(ctx, "SELECT count(*) FROM items WHERE id = ?", id).Scan(&known); err != nil {
		return err
	}
	if inside == 0 && known == 1 {
		return ErrLeased
	}
	return ErrState
}
