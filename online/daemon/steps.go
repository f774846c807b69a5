package daemon

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"coldkms/online"
	"coldkms/online/journal"
	"coldkms/online/tatum"
	"coldkms/shared/chain"
)

func (d *Daemon) broadcast(ctx context.Context, r *online.Relay, round *Round) error {
	got, err := r.Broadcast(ctx, online.BroadcastOptions{IDs: d.IDs, Due: true})
	round.Broadcast, round.Completed = len(got.Broadcast), len(got.Completed)
	for _, s := range got.Broadcast {
		d.Log.Info("broadcast", "event", logBroadcast, "id", s.ID, "txid", s.TxID)
	}
	for _, id := range got.Completed {
		d.Log.Info("completed", "event", logCompleted, "id", id)
		d.speech.forget("item " + id)
	}
	d.problems(round, "broadcast", got.Problems)
	return err
}

func (d *Daemon) watch(ctx context.Context, r *online.Relay, round *Round) error {
	if d.Unwatched || d.Now().Sub(d.watched) < d.WatchEvery {
		return nil
	}
	d.watched = d.Now()
	got, err := r.Watch(ctx, online.WatchOptions{IDs: d.IDs, Due: true})
	d.looked.Store(true)
	round.Confirmed, round.Healed = len(got.Confirmed), len(got.Healed)
	for _, id := range got.Confirmed {
		d.Log.Info("confirmed", "event", logConfirmed, "id", id)
	}
	for _, id := range got.Healed {
		d.Log.Warn("what was failed goes on: the network has it after all, or it may be sent again",
			"event", logHealed, "id", id)
	}
	d.problems(round, "watch", got.Problems)
	return err
}

// refusedRest is for how long an API key is not used that Tatum does not
// accept: a person has to look at it.
const refusedRest = 15 * time.Minute

// refusal is what Tatum said of an API key, and until when it is not used.
type refusal struct {
	until time.Time
	err   error
}

// refusals are the API keys that are not used for a while.
type refusals struct {
	mu  sync.Mutex
	all map[string]refusal
}

// of returns why a key is not used now, nil if it is.
func (r *refusals) of(name string, now time.Time) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if no := r.all[name]; now.Before(no.until) {
		return no.err
	}
	return nil
}

func (r *refusals) add(name string, now time.Time, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if now.Before(r.all[name].until) {
		return
	}
	if r.all == nil {
		r.all = make(map[string]refusal)
	}
	r.all[name] = refusal{now.Add(refusedRest), err}
}

// keysAtOnce is how many API keys are asked with at a time.
const keysAtOnce = 8

func (d *Daemon) fetch(ctx context.Context, r *online.Relay, round *Round) error {
	return d.fetchOf(ctx, r, round, d.Chains, false)
}

// fetchOf asks about some chains with each key, some at a time: one that is slow
// or in trouble holds up no other. beside is set where other loops ask about the
// other chains.
func (d *Daemon) fetchOf(ctx context.Context, r *online.Relay, round *Round, chains []chain.ID, beside bool) error {
	var g errgroup.Group
	g.SetLimit(keysAtOnce)
	reports, errs := make([]online.Fetched, len(d.Keys)), make([]error, len(d.Keys))
	for i, k := range d.Keys {
		if errs[i] = d.refused.of(k.Name, d.Now()); errs[i] != nil {
			continue
		}
		g.Go(func() error {
			mine, err := r.As(k.Name)
			if err == nil {
				reports[i], err = mine.Fetch(ctx, online.FetchOptions{Network: k.Network, Chains: chains, IDs: d.IDs, Beside: beside})
			}
			errs[i] = err
			return nil
		})
	}
	_ = g.Wait()
	var failed error
	for i, k := range d.Keys {
		got, err := reports[i], errs[i]
		round.Fetched, round.Prepared = round.Fetched+got.Fetched, round.Prepared+got.Prepared
		for _, note := range got.Notes {
			d.once(logFetchNote, "note "+k.Name, note)
		}
		d.problems(round, "fetch", got.Problems)
		for _, text := range got.LeftOut {
			failed = errors.Join(failed, named(k, leftOut(text)))
		}
		if tatum.IsAuth(err) {
			d.refused.add(k.Name, d.Now(), err)
		}
		if err != nil {
			failed = errors.Join(failed, named(k, err))
		}
	}
	return failed
}

// leftOut is an element of Tatum's list that cannot be used: the others were.
type leftOut string

func (l leftOut) Error() string { return string(l) }

// OnlyLeftOut reports whether an error of a round is about nothing but elements of
// Tatum's lists that were left out, so that all else is done.
func OnlyLeftOut(err error) bool {
	switch e := err.(type) { //nolint:errorlint // the tree is walked here
	case leftOut:
		return true
	case interface{ Unwrap() []error }:
		return !slices.ContainsFunc(e.Unwrap(), func(err error) bool { return !OnlyLeftOut(err) })
	case interface{ Unwrap() error }:
		return OnlyLeftOut(e.Unwrap())
	}
	return false
}

// approve asks the approval service about what is prepared.
func (d *Daemon) approve(ctx context.Context, r *online.Relay, round *Round) error {
	got, err := r.Approve(ctx, online.ApproveOptions{IDs: d.IDs, Due: true})
	round.Approved = got.Approved
	d.problems(round, "approve", got.Problems)
	return err
}

// countEvery is how often items are counted while nothing happens.
const countEvery = time.Minute

// How long the journal may take for a write that changes little, and for what is
// counted in it, until the report says that it does not answer.
const (
	probeDeadline = 5 * time.Second
	countDeadline = 20 * time.Second
)

// probe writes to the journal. A full disk, a database that is away or frozen is
// in the report of the same period; other steps wait for such a journal.
func (d *Daemon) probe(ctx context.Context, r *online.Relay, _ *Round) error {
	ctx, cancel := context.WithTimeout(ctx, probeDeadline)
	defer cancel()
	err := r.Probe(ctx)
	if journal.IsFull(err) {
		const room = "free some space on the disk of the state directory (df -h)"
		return fmt.Errorf("the journal cannot be written: %s: %w", room, err)
	}
	if err != nil {
		return fmt.Errorf("the journal cannot be written: %w", err)
	}
	return nil
}

func (d *Daemon) count(ctx context.Context, r *online.Relay, round *Round) error {
	if d.board.troubled(stepJournal) {
		return nil // said already, and it would be waited for
	}
	ctx, cancel := context.WithTimeout(ctx, countDeadline)
	defer cancel()
	notices, err := r.Notices(ctx)
	if err != nil {
		return err
	}
	round.Alarms, round.DeadLetters = notices.Alarms, notices.Dead
	if len(d.Tell) > 0 { // without a receiver nothing waits for one
		round.Unheard = notices.Waiting
	}
	if !d.board.moved() && d.counts != nil && d.Now().Sub(d.counted) < countEvery {
		round.Counts, round.Oldest = d.counts, d.oldest
		return nil
	}
	counts, oldest, err := r.Counts(ctx)
	if err != nil {
		return err
	}
	d.oldest = oldest
	d.counts, d.counted = make(map[string]int, len(counts)), d.Now()
	for s, n := range counts {
		d.counts[string(s)] = n
	}
	round.Counts, round.Oldest = maps.Clone(d.counts), d.oldest
	return nil
}

// moved reports whether an item came into another state.
func (r *Round) moved() bool {
	return r.Fetched+r.Prepared+r.Approved+r.Exported+r.Imported+r.Refused+r.Broadcast+r.Completed+r.Confirmed+r.Healed > 0
}
