// Package daemon runs a relay by itself: it fetches, puts requests onto a
// stick that comes and goes, takes results from it, broadcasts, marks,
// watches how deep what was sent is in the chain, and notifies people of what
// they want to hear of.
//
// The work is split into loops that run concurrently (loop.go): each makes the
// steps that a person would type, again and again, with a deadline of its own.
// A pass of a loop may be cut short anywhere; the next one goes on from the
// journal. Trouble with one loop, one API key or one item delays no other.
package daemon

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"coldkms/online"
	"coldkms/online/journal"
	"coldkms/online/tatum"
	"coldkms/shared/bundle"
	"coldkms/shared/chain"
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
	Period     time.Duration // between two passes of a loop
	Every      time.Duration // at least, between two new requests
	Max        int           // items of one request; 0: as many as fit
	Depths     online.Depths // confirmations until which what was sent is watched
	Unwatched  bool          // nothing is watched
	WatchEvery time.Duration // between two looks at the chain
	LateAfter  time.Duration // that an item may be in one state before people hear of it; 0: as long as it likes
}

// Opener opens the relay and returns what closes it.
type Opener func(context.Context) (r *online.Relay, closing func() error, err error)

// Daemon is a relay that runs by itself. Its exported fields are set before Run.
type Daemon struct {
	Options
	Open  Opener
	Keys  []Key
	Drop  *file.Media // the folder that requests and results go through; nil: none
	Tell  []Teller    // who gets events
	Past  bool        // they also get the ends of items from before the first start with any of them
	Log   *slog.Logger
	Now   func() time.Time
	Sleep func(context.Context, time.Duration) error
	Saw   func(Round) // receives every round; may be nil

	board   board         // what all loops report
	speech  speech        // what was logged last
	refused refusals      // API keys that Tatum does not accept
	memory  online.Memory // of fetches
	looked  atomic.Bool   // the network was looked at since the start

	// Each of these belongs to one loop.
	exported   time.Time                // when a new request was made last
	watched    time.Time                // when the chain was looked at last
	lateLooked time.Time                // when it was looked for what is late
	suspects   map[string]suspect       // files that do not read well, yet
	handled    map[string]string        // files that were taken and could not be moved aside: their stamps
	placed     map[bundle.Digest]placed // requests on the stick
	counted    time.Time
	counts     map[string]int
	oldest     time.Time
}

// Round is what the loops did since the last one: the report of one period.
type Round struct {
	Number      int64                  `json:"round"`
	At          time.Time              `json:"at"`
	Took        time.Duration          `json:"took"`
	Fetched     int                    `json:"fetched"`
	Prepared    int                    `json:"prepared"`
	Approved    int                    `json:"approved"` // by the approval service
	Exported    int                    `json:"exported"`
	Imported    int                    `json:"imported"`
	Refused     int                    `json:"refused"`
	Broadcast   int                    `json:"broadcast"`
	Completed   int                    `json:"completed"`
	Confirmed   int                    `json:"confirmed"`
	Healed      int                    `json:"healed"` // were failed, and go on
	Told        int                    `json:"told"`
	Drop        string                 `json:"drop"` // "", "there" or "away"
	Troubles    map[string]string      `json:"troubles,omitempty"`
	Loops       map[string]Loop        `json:"loops,omitempty"`
	Counts      map[string]int         `json:"items,omitempty"`  // by state
	Alarms      map[chain.Code]int     `json:"alarms,omitempty"` // that are open, by code
	Oldest      time.Time              `json:"oldest,omitzero"`  // when the oldest item on its way was journaled
	Unheard     int                    `json:"eventsWaiting"`    // events that were not delivered yet
	DeadLetters int                    `json:"eventsGivenUp"`
	Usage       map[string]tatum.Usage `json:"keys,omitempty"`

	Problems []online.Problem `json:"-"`
	Err      error            `json:"-"` // all troubles
}

// grace is how long the step in hand may go on once the daemon is to end.
const grace = 5 * time.Second

// Run runs all loops concurrently until ctx is done; steps in hand are
// finished, or cut short after some seconds. The only error is a relay that
// cannot be opened; a database that is away is waited for.
func (d *Daemon) Run(ctx context.Context) error {
	r, closing, err := d.open(ctx)
	if err != nil || r == nil {
		return err
	}
	work, stop := lasting(ctx, grace)
	defer stop()
	loops := d.loops()
	var g errgroup.Group
	for _, l := range loops {
		g.Go(func() error { d.repeat(ctx, work, r, l, loops); return nil })
	}
	_ = g.Wait()
	d.report()
	return closing()
}

// open opens the relay. It returns nil where ctx is done before.
func (d *Daemon) open(ctx context.Context) (*online.Relay, func() error, error) {
	for {
		r, closing, err := d.Open(ctx)
		if err == nil {
			if err = d.startEvents(ctx, r); err != nil {
				err = errors.Join(err, closing())
			}
		}
		switch {
		case err == nil:
			Lend(r, d.Keys)
			r.Memory, r.Depths = &d.memory, d.Depths
			if d.Drop != nil {
				r.Lost = func(digest bundle.Digest) [][]byte { return online.LostIn(d.Drop.FS, d.Drop.Dir, digest) }
			}
			d.trouble("open", nil)
			return r, closing, nil
		case ctx.Err() != nil:
			return nil, nil, nil
		case !errors.Is(err, journal.ErrAway):
			return nil, nil, err
		}
		d.trouble("open", err)
		d.report()
		if d.Sleep(ctx, d.Period) != nil {
			return nil, nil, nil
		}
	}
}

// startEvents records, before anything is done, that events are reported from now
// on, if anybody gets them.
func (d *Daemon) startEvents(ctx context.Context, r *online.Relay) error {
	if len(d.Tell) == 0 {
		return nil
	}
	skipped, err := r.StartEvents(ctx, d.Past)
	if skipped > 0 {
		d.Log.Info(fmt.Sprintf("events are reported from now on; %d items came to an end before and are not "+
			"reported (--event-history reports them, at the first start only)", skipped), "event", LogNote)
	}
	return err
}

// Once makes one pass of every step, in order, what is signed first.
func (d *Daemon) Once(ctx context.Context) (Round, error) {
	at := d.Now()
	r, closing, err := d.open(ctx)
	if err != nil || r == nil {
		return Round{}, err
	}
	work, stop := lasting(ctx, grace)
	defer stop()
	steps := d.steps()
	for _, name := range []string{"import", "broadcast", "watch", "fetch", "approve", "export", "tell", "count"} {
		if ctx.Err() != nil {
			break
		}
		d.pass(ctx, work, r, &loop{name: name, steps: []step{steps[name]}, deadline: deadline})
	}
	if err := closing(); err != nil {
		d.trouble("close", err)
	}
	d.board.begin(at)
	return d.report(), nil
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

// lasting returns a context that ends some time after ctx does.
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
