// Package online is the relay: it fetches what Tatum wants signed, adds the
// previous transactions that prove it, carries Requests out and Results in,
// broadcasts and marks as complete. It holds no keys of coins, prints
// nothing and asks nothing; that is for cmd/kms-online.
//
// The path of a transaction is one file a step: fetch.go → export.go → (the
// signer) → import.go → broadcast.go. Each step may be killed anywhere and
// run again: what was acknowledged is in the journal, bytes are journaled
// before they leave, and the same bytes may leave any number of times.
package online

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"coldkms/online/journal"
	"coldkms/online/tatum"
	"coldkms/shared/bundle"
	"coldkms/shared/chain"
	"coldkms/shared/durable"
	"coldkms/shared/identity"
)

// Errors about a whole step. What concerns one item is a Problem.
var (
	ErrNotInitialised = errors.New("this state directory has no relay in it")
	ErrNotBuilt       = errors.New("chain is not supported yet")
	ErrOtherSigner    = errors.New("result is by a signer that is not paired with this relay")
	ErrOtherRequest   = errors.New("result for a request that this relay did not make")
	ErrMismatch       = errors.New("result does not answer its request item by item")
	ErrTooLate        = errors.New("it may be signed already")
)

// Codes of problems that only a relay has; the others are chain's.
const (
	CodeNetwork      chain.Code = "network"                   // no usable reply; the next run tries again
	CodeOtherTxID    chain.Code = "completed-with-other-txid" // Tatum says that something else completed it
	CodeUnknown      chain.Code = "unknown-at-tatum"          // dropped there, or of another API key
	CodeNodeRefused  chain.Code = "node-refused"              // the network does not take the transaction
	CodeNotMarked    chain.Code = "not-marked"                // broadcast, but Tatum does not take the txid
	CodeOtherBytes   chain.Code = "other-bytes"               // other signed bytes than those in the journal
	CodeNotWaiting   chain.Code = "not-waiting"               // an outcome for an item that waits for none
	CodeJournalFault chain.Code = "journal-fault"             // the journal's bytes are not what they were
)

// Problem is what keeps one item from going on.
type Problem struct {
	ID     string     `json:"id"`
	Code   chain.Code `json:"code"`
	Reason string     `json:"reason"`
}

// Relay is an opened state directory. Its exported fields may be set before
// the first step.
type Relay struct {
	Tatum    *tatum.Client // for fetch, broadcast and reject; import reports refusals to it if it is there
	FS       durable.FS
	Now      func() time.Time
	Sleep    func(context.Context, time.Duration) error
	Progress func(done, total int) // how far a long step is; may be nil

	journal  *journal.Journal
	identity identity.Private
	lock     *durable.Lock
}

// Names in the state directory.
const (
	keyFile      = "identity.key"
	identityFile = "relay.kmsid"
	journalFile  = "journal.db"
	lockFile     = "lock"
)

// Options say how a state directory is opened.
type Options struct {
	Dir  string
	FS   durable.FS
	Now  func() time.Time
	Read bool // only look: without the lock, so beside a process that works
}

// Open opens a state directory that Init made. Another process that has it
// open is durable.ErrLocked.
func Open(ctx context.Context, o Options) (*Relay, error) {
	key, err := readKey(o.FS, o.Dir)
	if err != nil {
		return nil, err
	}
	r := &Relay{FS: o.FS, Now: o.Now, Sleep: tatum.Sleep, identity: key}
	if !o.Read {
		if r.lock, err = durable.NewLock(filepath.Join(o.Dir, lockFile)); err != nil {
			return nil, err
		}
	}
	if r.journal, err = journal.Open(ctx, filepath.Join(o.Dir, journalFile), o.Now); err != nil {
		return nil, errors.Join(err, r.unlock())
	}
	return r, nil
}

// Close gives the state directory back.
func (r *Relay) Close() error { return errors.Join(r.journal.Close(), r.unlock()) }

func (r *Relay) unlock() error {
	if r.lock == nil {
		return nil
	}
	return r.lock.Close()
}

// workers is how many calls to Tatum are made at a time.
const workers = 8

// each calls f for 0 … n-1, some at a time, and tells how far it is. After an
// error no further call begins; those that have begun go on to their end.
func (r *Relay) each(ctx context.Context, n, atOnce int, f func(context.Context, int) error) error {
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
	for range min(n, atOnce) {
		wg.Go(func() {
			for i, ok := take(); ok; i, ok = take() {
				finish(f(ctx, i))
			}
		})
	}
	wg.Wait()
	return failed
}

// maxTroubles is after how many calls in a row without a usable reply the
// whole step ends: each of them was tried several times already.
const maxTroubles = 2 * workers

// breaker tells trouble with one call from trouble with all of them.
type breaker struct{ troubles atomic.Int32 }

// judge gives err back if no other call will work either.
func (b *breaker) judge(err error) error {
	switch {
	case tatum.IsAuth(err), tatum.IsUnreachable(err), errors.Is(err, context.Canceled):
		return err
	case !tatum.IsTransient(err):
		b.troubles.Store(0)
	case b.troubles.Add(1) >= maxTroubles:
		return err
	}
	return nil
}

// openOwn opens a Request from the journal, where it must be what was put in.
func (r *Relay) openOwn(ctx context.Context, digest bundle.Digest) (bundle.SealedRequest, error) {
	file, err := r.journal.Request(ctx, digest)
	if err != nil {
		return bundle.SealedRequest{}, err
	}
	req, err := bundle.OpenRequest(file)
	if err == nil && (req.Digest != digest || req.Relay != r.identity.Public()) {
		err = errors.New("it is another request")
	}
	if err != nil {
		return bundle.SealedRequest{}, fmt.Errorf("request %.16s in the journal is damaged: %w", digest, err)
	}
	return req, nil
}
