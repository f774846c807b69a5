package online

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"coldkms/online/tatum"
	"coldkms/shared/chain"
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
// none with one between them, nothing more is done about a chain in a step: each
// of them may have been tried several times already.
const maxTroubles = share

// toldTroubles is after how many of them the chain is reported to be in trouble.
const toldTroubles = 2 * workers

// maxDenied is after how many replies in a row that the key is no good a step
// ends.
const maxDenied = 3

// breaker tells trouble with one item from trouble with all of a chain.
type breaker struct {
	troubles atomic.Int32
	last     atomic.Pointer[error] // of the troubles
	failed   atomic.Pointer[error]
	key      *apiKey
}

// apiKey is what is known of an API key, on all chains.
type apiKey struct {
	denied atomic.Int32 // replies in a row that the key, or its credits, are no good
	last   atomic.Pointer[error]
	failed atomic.Pointer[error]
}

func newBreaker(key *apiKey) *breaker { return &breaker{key: key} }

// works records that a call was answered: whatever else fails concerns its
// item only.
func (b *breaker) works() { b.troubles.Store(0); b.key.denied.Store(0) }

// fails ends what is done about a chain, or with the API key where that is the
// trouble.
func (b *breaker) fails(err error) {
	if ofKey(err) {
		b.key.failed.CompareAndSwap(nil, &err)
		return
	}
	b.failed.CompareAndSwap(nil, &err)
}

// down is why nothing more is done about it.
func (b *breaker) down() error {
	if err := b.key.failed.Load(); err != nil {
		return *err
	}
	if err := b.failed.Load(); err != nil {
		return *err
	}
	return nil
}

// verdict is why nothing more is done with it, or else Tatum's last word where that
// is that it is no good.
func (k *apiKey) verdict() error {
	if err := k.failed.Load(); err != nil {
		return *err
	}
	if k.denied.Load() == 0 {
		return nil
	}
	return *k.last.Load()
}

// judge returns err if no other call will work either.
func (b *breaker) judge(err error) error {
	switch {
	case tatum.IsAuth(err): // one such reply to one call may be about that call only
		b.key.last.Store(&err)
		if b.key.denied.Add(1) >= maxDenied {
			return err
		}
	case general(err):
		return err
	case !tatum.IsTransient(err):
		b.works()
	default:
		b.last.Store(&err)
		if b.troubles.Add(1) >= maxTroubles {
			return err
		}
	}
	return nil
}

// general reports whether an error concerns every call with an API key. A
// reply that was lost, cut or late concerns the item that it is about.
func general(err error) bool {
	return ofKey(err) || tatum.LeftAlone(err) || errors.Is(err, context.Canceled)
}

// ofKey reports whether an error concerns the API key or its credits, whatever the
// call was about.
func ofKey(err error) bool { return tatum.IsAuth(err) || errors.Is(err, tatum.ErrBudget) }

// lines has a breaker for each chain of each API key: where Tatum fails about one
// chain, what is done about the others goes on.
type lines struct{ keys, chains sync.Map }

// line names a chain of an API key.
type line struct {
	account string
	chain   chain.ID
}

func (l *lines) of(account string, id chain.ID) *breaker {
	key, _ := l.keys.LoadOrStore(account, &apiKey{})
	b, _ := l.chains.LoadOrStore(line{account, id}, newBreaker(key.(*apiKey)))
	return b.(*breaker)
}

// dead reports whether nothing more is done with some API key.
func (l *lines) dead() (is bool) {
	l.keys.Range(func(_, k any) bool {
		is = k.(*apiKey).failed.Load() != nil
		return !is
	})
	return is
}

// troubles are those of all API keys, and of all chains with keys that work. many
// is set where there are several keys, which are named then.
func (l *lines) troubles(many bool) (all error) {
	say := func(account string, err error) {
		if many || account != "" {
			err = fmt.Errorf("API key %q: %w", cmp.Or(account, "default"), err)
		}
		all = errors.Join(all, err)
	}
	l.keys.Range(func(account, k any) bool {
		if err := k.(*apiKey).verdict(); err != nil {
			say(account.(string), err)
		}
		return true
	})
	l.chains.Range(func(at, value any) bool {
		b := value.(*breaker)
		err := b.failed.Load()
		if err == nil && b.troubles.Load() >= toldTroubles {
			err = b.last.Load()
		}
		if err != nil {
			say(at.(line).account, fmt.Errorf("%s: %w", at.(line).chain, *err))
		}
		return true
	})
	return all
}
