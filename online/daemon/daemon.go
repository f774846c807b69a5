// Package daemon runs a relay by itself: it fetches, puts requests onto a
// stick that comes and goes, takes results from it, broadcasts, marks,
// watches how deep what was sent is in the chain, and tells people what they
// want to hear of.
//
// A round is made of the same steps that a person would type. It may be cut
// short anywhere; the next one goes on from the journal. Trouble with one
// step, one API key or one item holds up no other.
package daemon

import (
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"time"

	"coldkms/online"
	"coldkms/online/journal"
	"coldkms/online/tatum"
	"coldkms/shared/bundle"
	"coldkms/shared/chain"
	"coldkms/shared/durable"
	"coldkms/shared/transport/file"
)

// Key is one API key, by the name that the journal knows it under.
type Key struct {
	Name    string // "" for the only one
	Network chain.Network
	Client  *tatum.Client
	Pace    *tatum.Pace
}

// Options say what a daemon does.
type Options struct {
	Chains     []chain.ID    // none: all that the signer has keys of
	IDs        []string      // only these pending transactions; none: all
	Period     time.Duration // between two rounds
	Every      time.Duration // at least, between two new requests
	Max        int           // items of one request; 0: as many as fit
	Depth      int64         // confirmations until which what was sent is watched; 0: not at all
	WatchEvery time.Duration // between two looks at the chain
	LateAfter  time.Duration // that an item may be in one state before people hear of it; 0: as long as it likes
}

// Opener opens the relay for one round, and gives what ends its use.
type Opener func(context.Context) (r *online.Relay, closing func() error, err error)

// Daemon is a relay that runs by itself. Its fields are set before Run.
type Daemon struct {
	Options
	Open  Opener // of the relay, for one round at a time
	Keys  []Key
	Drop  *file.Media // the folder that requests and results go through; nil: none
	Tell  []Teller    // who hears of events
	Log   *slog.Logger
	Now   func() time.Time
	Sleep func(context.Context, time.Duration) error
	Saw   func(Round) // hears of every round; may be nil

	rounds     int64
	memory     online.Memory
	exported   time.Time                // when a new request was made last
	watched    time.Time                // when the chain was looked at last
	lateLooked time.Time                // when it was looked for what is late
	said       map[string]string        // what was logged last of an item, a step or a file
	suspects   map[string]suspect       // files that do not read well, yet
	handled    map[string]string        // files that were taken and could not be moved aside: their stamps
	resting    map[string]refusal       // API keys that Tatum does not accept
	placed     map[bundle.Digest]placed // requests on the stick
	counted    time.Time
	counts     map[string]int
}

// Round is what one round did.
type Round struct {
	Number    int64                  `json:"round"`
	At        time.Time              `json:"at"`
	Took      time.Duration          `json:"took"`
	Fetched   int                    `json:"fetched"`
	Prepared  int                    `json:"prepared"`
	Exported  int                    `json:"exported"`
	Imported  int                    `json:"imported"`
	Refused   int                    `json:"refused"`
	Broadcast int                    `json:"broadcast"`
	Completed int                    `json:"completed"`
	Confirmed int                    `json:"confirmed"`
	Told      int                    `json:"told"`
	Drop      string                 `json:"drop"` // "", "there" or "away"
	Troubles  map[string]string      `json:"troubles,omitempty"`
	Counts    map[string]int         `json:"items,omitempty"` // by state
	Alarms    int                    `json:"alarms"`          // that are open
	Usage     map[string]tatum.Usage `json:"keys,omitempty"`

	Problems []online.Problem `json:"-"`
	Err      error            `json:"-"` // all troubles
}

// grace is how long the step in hand may go on once the daemon is to end.
const grace = 5 * time.Second

// Run makes rounds until ctx is done; the step in hand is finished, or cut
// short after some seconds. Only a relay that cannot be opened in the first
// one is an error.
func (d *Daemon) Run(ctx context.Context) error {
	for {
		if _, err := d.Once(ctx); err != nil {
			return err
		}
		pause := d.Period - d.Period/10 + time.Duration(rand.Int64N(int64(d.Period/5)+1)) // relays that were started together drift apart
		if d.Sleep(ctx, pause) != nil {
			return nil
		}
	}
}

// lockTries is how often a relay that another command has open is tried.
const lockTries = 20

// Once makes one round.
func (d *Daemon) Once(ctx context.Context) (Round, error) {
	d.rounds++
	round := Round{Number: d.rounds, At: d.Now(), Troubles: make(map[string]string)}
	work, stop := lasting(ctx, grace)
	defer stop()
	r, closing, err := d.open(ctx)
	switch {
	case ctx.Err() != nil && err != nil:
		return round, nil
	case errors.Is(err, durable.ErrLocked):
		d.trouble(&round, "open", errors.New("another command works with this relay; the next round comes after it"))
	case err != nil && (d.rounds == 1 && !errors.Is(err, journal.ErrAway)):
		return round, err
	case err != nil:
		d.trouble(&round, "open", err)
	default:
		d.steps(ctx, work, r, &round)
		if err := closing(); err != nil {
			d.trouble(&round, "close", err)
		}
	}
	d.finish(&round)
	return round, nil
}

func (d *Daemon) open(ctx context.Context) (*online.Relay, func() error, error) {
	for try := 1; ; try++ {
		r, closing, err := d.Open(ctx)
		if !errors.Is(err, durable.ErrLocked) || try == lockTries || d.Sleep(ctx, 100*time.Millisecond) != nil {
			return r, closing, err
		}
	}
}

// steps makes one step after the other, as long as stop is not done. What is
// signed goes first.
func (d *Daemon) steps(stop, ctx context.Context, r *online.Relay, round *Round) {
	Lend(r, d.Keys)
	r.Memory = &d.memory
	for _, step := range []struct {
		name string
		do   func(context.Context, *online.Relay, *Round) error
	}{
		{"import", d.collect}, {"broadcast", d.broadcast}, {"watch", d.watch}, {"fetch", d.fetch}, {"export", d.place}, {"count", d.count}, {"tell", d.tell},
	} {
		if stop.Err() != nil {
			return
		}
		if err := step.do(ctx, r, round); err != nil && stop.Err() == nil {
			d.trouble(round, step.name, err)
		} else if err == nil {
			delete(d.said, "step "+step.name)
		}
	}
}

// Lend gives a relay its API keys, of which there may be none.
func Lend(r *online.Relay, keys []Key) {
	r.Accounts = make(map[string]*tatum.Client)
	for i, k := range keys {
		if i == 0 {
			r.Tatum, r.Account = k.Client, k.Name
			continue
		}
		r.Accounts[k.Name] = k.Client
	}
}

// lasting gives a context that ends some time after ctx does.
func lasting(ctx context.Context, grace time.Duration) (context.Context, context.CancelFunc) {
	work, cancel := context.WithCancelCause(context.WithoutCancel(ctx))
	unhook := context.AfterFunc(ctx, func() {
		timer := time.NewTimer(grace)
		defer timer.Stop()
		select {
		case <-timer.C:
			cancel(context.Cause(ctx))
		case <-work.Done():
		}
	})
	return work, func() { unhook(); cancel(context.Canceled) }
}

func (d *Daemon) broadcast(ctx context.Context, r *online.Relay, round *Round) error {
	got, err := r.Broadcast(ctx, online.BroadcastOptions{IDs: d.IDs})
	round.Broadcast, round.Completed = len(got.Broadcast), len(got.Completed)
	for _, s := range got.Broadcast {
		d.Log.Info("broadcast", "id", s.ID, "txid", s.TxID)
	}
	for _, id := range got.Completed {
		d.Log.Info("completed", "id", id)
		delete(d.said, "item "+id)
	}
	d.problems(round, "broadcast", got.Problems)
	return err
}

func (d *Daemon) watch(ctx context.Context, r *online.Relay, round *Round) error {
	if d.Depth <= 0 || d.Now().Sub(d.watched) < d.WatchEvery {
		return nil
	}
	d.watched = d.Now()
	got, err := r.Watch(ctx, online.WatchOptions{IDs: d.IDs, Depth: d.Depth})
	round.Confirmed = len(got.Confirmed)
	for _, id := range got.Confirmed {
		d.Log.Info("confirmed", "id", id, "depth", d.Depth)
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

// fetch asks with each key. One that is in trouble holds up no other.
func (d *Daemon) fetch(ctx context.Context, r *online.Relay, round *Round) error {
	var failed error
	for _, k := range d.Keys {
		if no := d.resting[k.Name]; d.Now().Before(no.until) {
			failed = errors.Join(failed, named(k, no.err))
			continue
		}
		mine, err := r.As(k.Name)
		if err != nil {
			return err
		}
		got, err := mine.Fetch(ctx, online.FetchOptions{Network: k.Network, Chains: d.Chains, IDs: d.IDs})
		round.Fetched, round.Prepared = round.Fetched+got.Fetched, round.Prepared+got.Prepared
		for _, note := range got.Notes {
			d.once("note "+k.Name, note)
		}
		d.problems(round, "fetch", got.Problems)
		if tatum.IsAuth(err) {
			if d.resting == nil {
				d.resting = make(map[string]refusal)
			}
			d.resting[k.Name] = refusal{d.Now().Add(refusedRest), err}
		}
		if err != nil {
			failed = errors.Join(failed, named(k, err))
		}
	}
	return failed
}

// countEvery is how often items are counted while nothing happens.
const countEvery = time.Minute

func (d *Daemon) count(ctx context.Context, r *online.Relay, round *Round) error {
	open, err := r.OpenAlarms(ctx)
	if err != nil {
		return err
	}
	round.Alarms = open
	if !round.moved() && d.counts != nil && d.Now().Sub(d.counted) < countEvery {
		round.Counts = d.counts
		return nil
	}
	counts, err := r.Counts(ctx)
	if err != nil {
		return err
	}
	d.counts, d.counted = make(map[string]int, len(counts)), d.Now()
	for s, n := range counts {
		d.counts[string(s)] = n
	}
	round.Counts = d.counts
	return nil
}

// moved says whether an item came into another state.
func (r *Round) moved() bool {
	return r.Fetched+r.Prepared+r.Exported+r.Imported+r.Refused+r.Broadcast+r.Completed+r.Confirmed+len(r.Problems) > 0
}
