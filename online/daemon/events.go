package daemon

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"coldkms/online"
	"coldkms/online/journal"
)

// Event is something that people want to hear of.
type Event struct {
	Event   string        `json:"event"` // alarm, late, completed, refused, rejected, failed or healed
	At      time.Time     `json:"at"`    // when all of it was read from the journal
	Message string        `json:"message"`
	Item    online.Status `json:"item,omitzero"`   // absent where an alarm is about no item
	Alarm   *online.Alarm `json:"alarm,omitempty"` // of an alarm
}

// Teller tells somebody. An error means that it was not heard: it is told
// again later. It may be told twice, after a crash or by two relays that share
// a journal.
type Teller interface {
	Tell(context.Context, Event) error
}

// ErrUnwanted is returned by a Teller where the receiver refuses an event and
// will refuse it again.
var ErrUnwanted = errors.New("the receiver does not want it")

// How much is told in one pass, to how many at a time, and how often it is
// looked for what is late.
const (
	tellAtOnce  = 100
	alarmAtOnce = 1000
	tellers     = 8
	lateEvery   = time.Minute
)

// letter is an event on its way. What it says is read when it is sent: since it
// was found to be due, the item may have gone on.
type letter struct {
	id, kind string // under which the journal remembers that it was not heard
	read     func(context.Context) (message, error)
}

// message is an event as it is at one moment.
type message struct {
	Event
	still bool                        // it is to be told at all
	done  func(context.Context) error // records that it was told
}

// tell tells of alarms, of what came to an end, and of what is late: each event
// by itself, so that one that is not heard delays no other.
func (d *Daemon) tell(ctx context.Context, r *online.Relay, round *Round) error {
	if len(d.Tell) == 0 {
		return nil
	}
	letters, err := d.letters(ctx, r)
	if err != nil {
		return err
	}
	var mu sync.Mutex
	var failed error
	unheard := 0
	var g errgroup.Group
	g.SetLimit(tellers)
	for _, l := range letters {
		g.Go(func() error {
			if ctx.Err() != nil {
				return nil
			}
			heard, err := d.deliver(ctx, r, l)
			mu.Lock()
			defer mu.Unlock()
			if heard {
				round.Told++
			}
			if err != nil {
				unheard++
				failed = err
			}
			return nil
		})
	}
	_ = g.Wait()
	if unheard > 1 {
		return fmt.Errorf("%d events were not heard, the last one: %w", unheard, failed)
	}
	return failed
}

// deliver tells one event. One that is given up counts as told.
func (d *Daemon) deliver(ctx context.Context, r *online.Relay, l letter) (heard bool, err error) {
	at := d.Now().UTC()
	m, err := l.read(ctx)
	if err != nil || !m.still {
		return false, err
	}
	m.At = at
	err = d.telling(ctx, m.Event)
	if ctx.Err() != nil && err != nil {
		return false, nil
	}
	if err == nil {
		return true, errors.Join(m.done(ctx), r.Heard(ctx, l.id, l.kind))
	}
	dead, failed := r.Unheard(ctx, l.id, l.kind, err.Error(), errors.Is(err, ErrUnwanted))
	if dead {
		d.Log.Error("event is given up", "event", logEventGivenUp, "kind", m.Event.Event, "id", l.id, "error", err.Error())
		failed = errors.Join(failed, m.done(ctx))
	}
	return false, errors.Join(err, failed)
}

// letters gathers what is to be told now.
func (d *Daemon) letters(ctx context.Context, r *online.Relay) ([]letter, error) {
	all, err := d.untold(ctx, r)
	if err != nil {
		return nil, err
	}
	late, err := d.late(ctx, r)
	if err != nil {
		return nil, err
	}
	for _, s := range late {
		all = append(all, letter{s.ID, online.LateIn(s.State), func(ctx context.Context) (message, error) {
			now, still, err := r.Still(ctx, s)
			return message{Event{Event: "late", Item: now}, still, func(ctx context.Context) error { return r.TellLate(ctx, s) }}, err
		}})
	}
	if len(all) == 0 {
		return nil, nil
	}
	later, err := r.Later(ctx)
	return slices.DeleteFunc(all, func(l letter) bool { return later(l.id, l.kind) }), err
}

// untold gathers the alarms and the ends of items that are to be told.
func (d *Daemon) untold(ctx context.Context, r *online.Relay) (all []letter, err error) {
	if some, err := r.AnyUntold(ctx); err != nil || !some {
		return nil, err
	}
	alarms, err := r.UntoldAlarms(ctx, alarmAtOnce)
	if err != nil {
		return nil, err
	}
	for _, a := range alarms {
		all = append(all, letter{fmt.Sprintf("alarm %d", a.ID), "alarm", func(ctx context.Context) (message, error) {
			a, still, err := r.UntoldAlarm(ctx, a.ID)
			item, failed := aboutItem(ctx, r, a)
			return message{Event{Event: "alarm", Item: item, Alarm: &a}, still, func(ctx context.Context) error { return r.AlarmTold(ctx, a) }}, errors.Join(err, failed)
		}})
	}
	ends, err := r.Untold(ctx, tellAtOnce)
	if err != nil {
		return nil, err
	}
	for _, n := range ends {
		if n.Event == string(journal.Completed) && !d.Unwatched && !d.looked.Load() {
			continue // a look into the network comes first: it may have gone while nobody looked
		}
		all = append(all, letter{n.ID, n.Event, func(ctx context.Context) (message, error) {
			now, still, err := r.Still(ctx, n.Status)
			return message{Event{Event: n.Event, Item: now}, still,
				func(ctx context.Context) error { return r.Tell(ctx, n) }}, err
		}})
	}
	return all, nil
}

// aboutItem returns the item that an alarm is about, the zero value for none. The
// journal may not have it: then only its id is known.
func aboutItem(ctx context.Context, r *online.Relay, a online.Alarm) (online.Status, error) {
	if a.Item == "" {
		return online.Status{}, nil
	}
	list, err := r.Status(ctx, 0, a.Item)
	if errors.Is(err, journal.ErrNoItem) {
		return online.Status{ID: a.Item}, nil
	}
	if err != nil {
		return online.Status{}, err
	}
	return list[0], nil
}

// late lists what is late, every now and then.
func (d *Daemon) late(ctx context.Context, r *online.Relay) ([]online.Status, error) {
	if d.LateAfter <= 0 || d.Now().Sub(d.lateLooked) < lateEvery {
		return nil, nil
	}
	d.lateLooked = d.Now()
	return r.Late(ctx, d.Now().Add(-d.LateAfter))
}

// alarmWords is the message of an alarm.
func alarmWords(a online.Alarm) string {
	about := a.Item
	if about == "" {
		about = "the relay"
	}
	what := "alarm"
	switch {
	case !a.Open(): // a decision about the item ends its alarms, whatever became of their causes
		what = "alarm that " + a.By + " dealt with"
	case a.Healed != "":
		what = "alarm whose cause is gone"
	}
	return fmt.Sprintf("%s %d about %s (%s): %s", what, a.ID, about, a.Code, a.Reason)
}

func (d *Daemon) telling(ctx context.Context, e Event) error {
	e.Message = fmt.Sprintf("%s is %s", e.Item.ID, e.Item.State)
	if e.Alarm != nil {
		e.Message = alarmWords(*e.Alarm)
	}
	if e.Event == "late" {
		e.Message += " since " + e.Item.Since
	}
	if e.Item.Healed != "" && e.Alarm == nil {
		e.Message += fmt.Sprintf(", after it was failed (%s) until %s: do not have it paid anew",
			e.Item.Failed, e.Item.Healed)
	}
	if e.Item.Reason != "" && e.Alarm == nil {
		e.Message += ": " + e.Item.Reason
	}
	var failed error
	for _, t := range d.Tell {
		failed = errors.Join(failed, t.Tell(ctx, e))
	}
	return failed
}
