package daemon

import (
	"context"
	"errors"
	"fmt"
	"time"

	"coldkms/online"
)

// Event is something that people want to hear of.
type Event struct {
	Event   string        `json:"event"` // alarm, late, completed, refused, rejected or failed
	At      time.Time     `json:"at"`    // when it is told
	Message string        `json:"message"`
	Item    online.Status `json:"item"`            // of an alarm: only its id, if it is about an item
	Alarm   *online.Alarm `json:"alarm,omitempty"` // of an alarm
}

// Teller tells somebody. An error means that it was not heard: it is told
// again in the next round. It may be told twice, after a crash or by two
// relays that share a journal.
type Teller interface {
	Tell(context.Context, Event) error
}

// How much is told in one round, and how often it is looked for what is late.
const (
	tellAtOnce = 100
	lateEvery  = time.Minute
)

// tell tells what came to an end, and what is late.
func (d *Daemon) tell(ctx context.Context, r *online.Relay, round *Round) error {
	if len(d.Tell) == 0 {
		return nil
	}
	if err := d.tellAlarms(ctx, r, round); err != nil {
		return err
	}
	ends, err := r.Untold(ctx, tellAtOnce)
	if err != nil {
		return err
	}
	for _, s := range ends {
		if err := d.telling(ctx, Event{Event: string(s.State), Item: s}, round); err != nil {
			return err
		}
		if err := r.Tell(ctx, s); err != nil {
			return err
		}
	}
	if d.LateAfter <= 0 || d.Now().Sub(d.lateLooked) < lateEvery {
		return nil
	}
	d.lateLooked = d.Now()
	late, err := r.Late(ctx, d.Now().Add(-d.LateAfter))
	if err != nil {
		return err
	}
	for _, s := range late {
		if err := d.telling(ctx, Event{Event: "late", Item: s}, round); err != nil {
			return err
		}
		if err := r.TellLate(ctx, s); err != nil {
			return err
		}
	}
	return nil
}

// tellAlarms tells of alarms that were raised, and of those whose cause went.
func (d *Daemon) tellAlarms(ctx context.Context, r *online.Relay, round *Round) error {
	alarms, err := r.UntoldAlarms(ctx, tellAtOnce)
	if err != nil {
		return err
	}
	for _, a := range alarms {
		if err := d.telling(ctx, Event{Event: "alarm", Item: online.Status{ID: a.Item}, Alarm: &a}, round); err != nil {
			return err
		}
		if err := r.AlarmTold(ctx, a); err != nil {
			return err
		}
	}
	return nil
}

// alarmWords is the message of an alarm.
func alarmWords(a online.Alarm) string {
	about := a.Item
	if about == "" {
		about = "the relay"
	}
	what := "alarm"
	if a.Healed != "" {
		what = "alarm whose cause is gone"
	}
	return fmt.Sprintf("%s %d about %s (%s): %s", what, a.ID, about, a.Code, a.Reason)
}

func (d *Daemon) telling(ctx context.Context, e Event, round *Round) error {
	e.At = d.Now().UTC()
	e.Message = fmt.Sprintf("%s is %s", e.Item.ID, e.Item.State)
	if e.Alarm != nil {
		e.Message = alarmWords(*e.Alarm)
	}
	if e.Event == "late" {
		e.Message += " since " + e.Item.Since
	}
	if e.Item.Reason != "" {
		e.Message += ": " + e.Item.Reason
	}
	var failed error
	for _, t := range d.Tell {
		failed = errors.Join(failed, t.Tell(ctx, e))
	}
	if failed == nil {
		round.Told++
	}
	return failed
}
