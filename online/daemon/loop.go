package daemon

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"coldkms/online"
	"coldkms/shared/chain"
)

// step is one thing that a person could type.
type step struct {
	name string // as in Round.Troubles
	do   func(context.Context, *online.Relay, *Round) error
}

// loop repeats some steps, apart from all other loops.
type loop struct {
	name     string
	steps    []step
	deadline time.Duration // of one pass
	next     []string      // loops that have work to do after a pass that moved something
	wake     chan struct{}
}

// stepJournal is the step that shows whether the journal can be written.
const stepJournal = "journal"

// Deadlines of one pass. What is not done by then is done in the next one.
const (
	deadline       = 10 * time.Minute
	notifyDeadline = 2 * time.Minute
)

func (d *Daemon) steps() map[string]step {
	all := make(map[string]step)
	for _, s := range []step{
		{"import", d.collect}, {"export", d.place}, {"broadcast", d.broadcast}, {"watch", d.watch}, {"fetch", d.fetch}, {"approve", d.approve}, {"tell", d.tell}, {stepJournal, d.probe}, {"count", d.count},
	} {
		all[s.name] = s
	}
	return all
}

func (d *Daemon) loops() []*loop {
	s := d.steps()
	all := []*loop{
		{name: "stick", steps: []step{s["import"], s["export"]}, deadline: deadline, next: []string{"settle", "notify"}},
		{name: "settle", steps: []step{s["broadcast"]}, deadline: deadline, next: []string{"notify"}},
		{name: "watch", steps: []step{s["watch"]}, deadline: deadline, next: []string{"notify"}},
		{name: "approve", steps: []step{s["approve"]}, deadline: deadline, next: []string{"stick"}},
		{name: "notify", steps: []step{s["tell"]}, deadline: notifyDeadline},
		{name: "report", steps: []step{s[stepJournal], s["count"]}, deadline: notifyDeadline},
	}
	for _, id := range d.fetched() { // a list that hangs holds up no other chain's
		name := "fetch " + string(id)
		fetch := step{name, func(ctx context.Context, r *online.Relay, round *Round) error {
			return d.fetchOf(ctx, r, round, []chain.ID{id}, true)
		}}
		all = append(all, &loop{name: name, steps: []step{fetch}, deadline: deadline, next: []string{"approve", "stick", "notify"}})
	}
	for _, l := range all {
		l.wake = make(chan struct{}, 1)
	}
	return all
}

// fetched are the chains that have a loop to fetch.
func (d *Daemon) fetched() []chain.ID {
	if len(d.Chains) > 0 {
		return d.Chains
	}
	return []chain.ID{chain.BTC, chain.LTC, chain.DOGE, chain.BCH}
}

// repeat makes passes of a loop until stop is done.
func (d *Daemon) repeat(stop, ctx context.Context, r *online.Relay, l *loop, all []*loop) {
	for stop.Err() == nil {
		if d.pass(stop, ctx, r, l) {
			wake(all, l.next)
		}
		if l.name == "report" {
			d.report()
		}
		d.rest(stop, l)
	}
}

// wake ends the rest of loops that have something to do.
func wake(all []*loop, names []string) {
	for _, name := range names {
		for _, l := range all {
			if l.name != name {
				continue
			}
			select {
			case l.wake <- struct{}{}:
			default:
			}
		}
	}
}

// rest waits for the next pass: for a period, more or less, so that relays
// that were started together drift apart, or until the loop is woken.
func (d *Daemon) rest(ctx context.Context, l *loop) {
	nap, end := context.WithCancel(ctx)
	defer end()
	go func() {
		select {
		case <-l.wake:
			end()
		case <-nap.Done():
		}
	}()
	_ = d.Sleep(nap, d.Period-d.Period/10+time.Duration(rand.Int64N(int64(d.Period/5)+1)))
}

// errLong is why a pass was cut short.
var errLong = errors.New("it took too long in one go; it goes on in the next pass")

// pass makes the steps of a loop once, and reports what they did. moved
// reports whether an item came into another state.
func (d *Daemon) pass(stop, ctx context.Context, r *online.Relay, l *loop) (moved bool) {
	begin := d.Now()
	d.board.began(l.name, begin)
	bounded, cancel := context.WithTimeout(ctx, l.deadline)
	defer cancel()
	for _, s := range l.steps {
		if stop.Err() != nil {
			break
		}
		round := Round{At: begin}
		err := s.do(bounded, r, &round)
		if ctx.Err() == nil && bounded.Err() != nil {
			err = errors.Join(fmt.Errorf("%w (%s)", errLong, l.deadline), err)
		}
		if stop.Err() == nil || err == nil { // what is cut short at the end of the program is no trouble
			d.trouble(s.name, err)
		}
		d.board.add(round)
		moved = moved || round.moved()
	}
	d.board.ended(l.name, d.Now())
	return moved
}
