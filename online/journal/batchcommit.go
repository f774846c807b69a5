package journal

import (
	"context"
	"errors"
	"fmt"
	"sync"
)

// group lets changes that come while another one is being written share the
// next transaction: one flush of the disk for all of them.
type group struct {
	turn    sync.Mutex // of who writes
	mu      sync.Mutex
	waiting []*asked
}

// asked is one change of a group. f uses ctx, which may end before the group's.
// err is what became of it alone.
type asked struct {
	ctx  context.Context
	f    func(tx) error
	err  error
	done bool
}

// together runs a change that does not mind the company of others: if it
// fails, the others do not. When it returns the change is on disk, or not made.
func (j *Journal) together(ctx context.Context, what string, f func(tx) error) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("journal: %s: %w", what, err)
	}
	a := &asked{ctx: ctx, f: f}
	j.group.mu.Lock()
	j.group.waiting = append(j.group.waiting, a)
	j.group.mu.Unlock()

	j.group.turn.Lock()
	defer j.group.turn.Unlock()
	if !a.done {
		j.lead(ctx)
	}
	if a.err != nil {
		return fmt.Errorf("journal: %s: %w", what, a.err)
	}
	return nil
}

// lead writes everything that waits.
func (j *Journal) lead(ctx context.Context) {
	j.group.mu.Lock()
	all := j.group.waiting
	j.group.waiting = nil
	j.group.mu.Unlock()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), maxChange) // it is not only the leader's
	defer cancel()
	err := j.commit(ctx, func(t tx) error {
		for _, a := range all {
			if a.err = a.ctx.Err(); a.err != nil {
				continue // it would fail every time, and look like a database that is away
			}
			if a.err = t.alone(ctx, a.f, len(all) == 1); a.err != nil && (len(all) == 1 || j.shared && passes(a.err)) {
				return a.err
			}
		}
		return nil
	})
	for _, a := range all {
		a.done = true
		if err != nil {
			a.err = err
		}
	}
}

// alone runs a change that leaves nothing behind if it fails.
func (t tx) alone(ctx context.Context, f func(tx) error, only bool) error {
	if only {
		return f(t)
	}
	if _, err := t.Tx.ExecContext(ctx, "SAVEPOINT alone"); err != nil {
		return err
	}
	err := f(t)
	if err != nil {
		_, undo := t.Tx.ExecContext(ctx, "ROLLBACK TO SAVEPOINT alone")
		err = errors.Join(err, undo)
	}
	_, release := t.Tx.ExecContext(ctx, "RELEASE SAVEPOINT alone")
	return errors.Join(err, release)
}
