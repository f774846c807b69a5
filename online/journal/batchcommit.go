package journal

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

// group lets changes that come while another one is being written share the
// next transaction: one flush of the disk for all of them.
type group struct {
	turn    chan struct{} // of who writes; no mutex, as it is held while others come
	last    int           // how many shared the last transaction; of whoever has the turn
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
// f may run more than once.
func (j *Journal) together(ctx context.Context, what string, f func(tx) error) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("journal: %s: %w", what, err)
	}
	a := &asked{ctx: ctx, f: f}
	j.group.mu.Lock()
	j.group.waiting = append(j.group.waiting, a)
	j.group.mu.Unlock()

	j.group.turn <- struct{}{}
	defer func() { <-j.group.turn }()
	if !a.done {
		j.lead(ctx)
	}
	if a.err != nil {
		return fmt.Errorf("journal: %s: %w", what, a.err)
	}
	return nil
}

// company is how long changes wait for others while they come in numbers. It is
// little beside a call to Tatum, and one flush of the disk more for each costs more.
const company = 5 * time.Millisecond

// gather returns everything that waits. A change that comes while none else does,
// such as one that a person waits for, waits for no company.
func (j *Journal) gather(ctx context.Context) []*asked {
	g := &j.group
	if g.last > 1 {
		_ = pause(ctx, company) // what is cut short is seen by whoever asked
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	all := g.waiting
	g.waiting, g.last = nil, len(all)
	return all
}

// lead writes everything that waits.
func (j *Journal) lead(ctx context.Context) {
	all := j.gather(ctx)
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), maxChange) // it is not only the leader's
	defer cancel()
	err := j.all(ctx, all)
	if errors.Is(err, errOneFailed) {
		err = j.eachAlone(ctx, all)
	}
	for _, a := range all {
		a.done = true
		if err != nil {
			a.err = err
		}
	}
}

// errOneFailed is returned where a change of several fails, and none is made.
var errOneFailed = errors.New("one of several changes is not possible")

// all makes all changes, or none.
func (j *Journal) all(ctx context.Context, all []*asked) error {
	return j.commit(ctx, func(t tx) error {
		t.uncut = true
		for _, a := range all {
			if a.err = a.ctx.Err(); a.err != nil {
				continue // it would fail every time, and look like a database that is away
			}
			a.err = a.f(t)
			switch {
			case a.err == nil:
			case len(all) == 1 || j.shared && passes(a.err):
				return a.err
			default:
				return errOneFailed
			}
		}
		return nil
	})
}

// eachAlone makes the changes that are possible.
func (j *Journal) eachAlone(ctx context.Context, all []*asked) error {
	return j.commit(ctx, func(t tx) error {
		t.uncut = true
		for _, a := range all {
			if a.err = a.ctx.Err(); a.err != nil {
				continue
			}
			if a.err = t.alone(ctx, a.f); a.err != nil && j.shared && passes(a.err) {
				return a.err
			}
		}
		return nil
	})
}

// alone runs a change that leaves nothing behind if it fails.
func (t tx) alone(ctx context.Context, f func(tx) error) error {
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
