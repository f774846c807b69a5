package online

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"coldkms/online/tatum"
)

// workers is how many calls to Tatum are made at a time.
const workers = 8

// each calls f for 0 … n-1, some at a time, and tells how far it is. After an
// error no further call begins; those that have begun go on to their end.
func (r *Relay) each(ctx context.Context, n, atOnce int, f func(context.Context, int) error) error {
	return r.eachOf(ctx, n, atOnce, 0, f)
}

// lendAfter is after how long a call that is not answered gives its place to
// another one.
const lendAfter = 2 * time.Second

// eachOf is each with places that are lent: up to more calls that hang hold up no
// other.
func (r *Relay) eachOf(ctx context.Context, n, atOnce, more int, f func(context.Context, int) error) error {
	var next, done int
	var failed error
	var lock sync.Mutex
	var wg sync.WaitGroup
	take := func() (int, bool) {
		lock.Lock()
		defer lock.Unlock()
		if failed == nil {
			failed = ctx.Err()
		}
		next++
		return next - 1, failed == nil && next <= n
	}
	finish := func(err error) {
		lock.Lock()
		defer lock.Unlock()
		done++
		if failed == nil {
			failed = err
		}
		if r.Progress != nil {
			r.Progress(done, n)
		}
	}
	var work func()
	work = func() {
		for i, ok := take(); ok; i, ok = take() {
			running, lent := true, false
			timer := time.AfterFunc(lendAfter, func() {
				lock.Lock()
				defer lock.Unlock()
				if running && more > 0 {
					more--
					lent = true
					wg.Go(work)
				}
			})
			err := f(ctx, i)
			timer.Stop()
			finish(err)
			lock.Lock()
			running = false
			if lent {
				more++
			}
			lock.Unlock()
			if lent {
				return
			}
		}
	}
	for range min(n, atOnce) {
		wg.Go(work)
	}
	wg.Wait()
	return failed
}

// maxTroubles is after how many calls in a row without a usable reply, and
// none with one between them, a whole step ends: each of them was tried
// several times already.
const maxTroubles = 2 * workers

// maxDenied is after how many replies in a row that the key is no good a step
// ends.
const maxDenied = 3

// breaker tells trouble with one item from trouble with all of them.
type breaker struct {
	troubles atomic.Int32
	denied   atomic.Int32 // replies in a row that the key, or its credits, are no good
	last     atomic.Pointer[error]
	failed   atomic.Pointer[error]
}

// works records that a call was answered: whatever else fails concerns its
// item only.
func (b *breaker) works() { b.troubles.Store(0); b.denied.Store(0) }

// fails ends what is done with one API key.
func (b *breaker) fails(err error) { b.failed.CompareAndSwap(nil, &err) }

// down is why nothing more is done with it.
func (b *breaker) down() error {
	if err := b.failed.Load(); err != nil {
		return *err
	}
	return nil
}

// verdict is down, or else Tatum's last word where that is that the key is no
// good.
func (b *breaker) verdict() error {
	if err := b.down(); err != nil || b.denied.Load() == 0 {
		return err
	}
	return *b.last.Load()
}

// judge returns err if no other call will work either.
func (b *breaker) judge(err error) error {
	switch {
	case tatum.IsAuth(err): // one such reply to one call may be about that call only
		b.last.Store(&err)
		if b.denied.Add(1) >= maxDenied {
			return err
		}
	case general(err):
		return err
	case !tatum.IsTransient(err):
		b.works()
	case b.troubles.Add(1) >= maxTroubles:
		return err
	}
	return nil
}

// general reports whether an error concerns every call with an API key. A
// reply that was lost, cut or late concerns the item that it is about.
func general(err error) bool {
	return tatum.IsAuth(err) || errors.Is(err, tatum.ErrPaused) || errors.Is(err, tatum.ErrBudget) || errors.Is(err, context.Canceled)
}

// lines has a breaker for each API key.
type lines struct{ byAccount sync.Map }

func (l *lines) of(account string) *breaker {
	b, _ := l.byAccount.LoadOrStore(account, &breaker{})
	return b.(*breaker)
}

// troubles are those of all API keys.
func (l *lines) troubles() (all error) {
	l.byAccount.Range(func(account, b any) bool {
		err := b.(*breaker).verdict()
		switch {
		case err != nil && account == "":
			all = errors.Join(all, err)
		case err != nil:
			all = errors.Join(all, fmt.Errorf("API key %q: %w", account, err))
		}
		return true
	})
	return all
}
