package online

import (
	"context"
	"maps"
	"slices"
	"time"

	"coldkms/online/journal"
	"coldkms/shared/chain"
)

// Alarm is something that a person must look at. It stays open until a person
// has dealt with it, whatever becomes of the item meanwhile.
type Alarm struct {
	ID           int64      `json:"alarm"`
	Item         string     `json:"id,omitempty"` // pending id; absent: it concerns the relay as a whole
	Code         chain.Code `json:"code"`
	Reason       string     `json:"reason"`
	Raised       string     `json:"raised"`           // RFC 3339, as all times here
	Seen         string     `json:"seen"`             // when its cause was last found
	Healed       string     `json:"healed,omitempty"` // when its cause was found to be gone
	Acknowledged string     `json:"acknowledged,omitempty"`
	By           string     `json:"by,omitempty"`
	Why          string     `json:"why,omitempty"`
}

// Open reports whether nobody has dealt with it yet.
func (a Alarm) Open() bool { return a.Acknowledged == "" }

// Alarms lists the open alarms, oldest first, or all of them.
func (r *Relay) Alarms(ctx context.Context, all bool) ([]Alarm, error) {
	return r.alarms(ctx, journal.AlarmFilter{All: all})
}

// AlarmsOf lists all alarms about these items, open or not, oldest first.
func (r *Relay) AlarmsOf(ctx context.Context, ids []string) ([]Alarm, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	return r.alarms(ctx, journal.AlarmFilter{All: true, Items: ids})
}

// HasAlarm reports whether an alarm is open of any item that a watch covers:
// those that are named, or else all of its network, and of the relay as a whole.
func (r *Relay) HasAlarm(ctx context.Context, o WatchOptions) (bool, error) {
	open, err := r.alarmsBy(ctx, journal.AlarmFilter{Items: o.IDs})
	if whole := len(open[""]) > 0 && len(o.IDs) == 0; err != nil || whole {
		return whole, err
	}
	delete(open, "")
	if len(open) == 0 {
		return false, nil
	}
	return r.journal.Any(ctx, journal.Filter{IDs: slices.Collect(maps.Keys(open)), Network: o.Network})
}

// UntoldAlarms lists alarms whose event did not go out yet, oldest first.
func (r *Relay) UntoldAlarms(ctx context.Context, limit int) ([]Alarm, error) {
	return r.alarms(ctx, journal.AlarmFilter{Untold: true, Max: limit})
}

// UntoldAlarm reads one of those again; known is false where it is told by now.
func (r *Relay) UntoldAlarm(ctx context.Context, id int64) (a Alarm, known bool, err error) {
	list, err := r.alarms(ctx, journal.AlarmFilter{Untold: true, ID: id})
	if err != nil || len(list) == 0 {
		return Alarm{}, false, err
	}
	return list[0], true, nil
}

// AlarmTold records that the event of an alarm went out. One that has changed
// since is told again.
func (r *Relay) AlarmTold(ctx context.Context, a Alarm) error {
	told := journal.Alarm{ID: a.ID}
	if a.Healed != "" {
		var err error
		if told.Healed, err = time.Parse(time.RFC3339, a.Healed); err != nil {
			return err
		}
	}
	return r.journal.AlarmTold(ctx, told)
}

// Acknowledge closes alarms in the name of a person. It returns those that were
// closed before, and keep who closed them and why.
func (r *Relay) Acknowledge(ctx context.Context, ids []int64, by, why string) (before []Alarm, err error) {
	list, err := r.journal.Acknowledge(ctx, ids, by, why)
	return alarmsOf(list), err
}

func (r *Relay) alarms(ctx context.Context, f journal.AlarmFilter) ([]Alarm, error) {
	found, err := r.journal.Alarms(ctx, f)
	if err != nil {
		return nil, err
	}
	return alarmsOf(found), nil
}

func alarmsOf(found []journal.Alarm) []Alarm {
	list := make([]Alarm, len(found))
	for i, a := range found {
		list[i] = Alarm{
			ID: a.ID, Item: a.Item, Code: a.Code, Reason: a.Reason, Raised: when(a.Raised), Seen: when(a.Seen),
			Healed: when(a.Healed), Acknowledged: when(a.Closed), By: a.Closer, Why: a.Why,
		}
	}
	return list
}

// RestoredNotice says when the journal was restored, and from which backup, until
// a person has acknowledged that; "" otherwise.
func (r *Relay) RestoredNotice(ctx context.Context) (string, error) {
	list, err := r.journal.Alarms(ctx, journal.AlarmFilter{Codes: []chain.Code{CodeRestored}})
	if err != nil || len(list) == 0 {
		return "", err
	}
	return list[0].Reason, nil
}

// when formats a time, "" for none.
func when(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}

// alarm makes the alarm that goes with a problem of an item.
func (p Problem) alarm(evidence string) *journal.Raise {
	return &journal.Raise{Item: p.ID, Code: p.Code, Evidence: evidence, Reason: p.Reason}
}

// alarmed returns the codes of open alarms by item.
func (r *Relay) alarmed(ctx context.Context) (map[string][]chain.Code, error) {
	return r.alarmsBy(ctx, journal.AlarmFilter{})
}

// lasting returns, by item, the codes of alarms whose cause was not found to be
// gone. What a person has acknowledged is among them: an acknowledgement ends with
// the occurrence that it was for.
func (r *Relay) lasting(ctx context.Context, items []journal.Item) (map[string][]chain.Code, error) {
	if len(items) == 0 {
		return nil, nil
	}
	return r.alarmsBy(ctx, journal.AlarmFilter{Lasting: true, Items: idsOf(items)})
}

func (r *Relay) alarmsBy(ctx context.Context, f journal.AlarmFilter) (map[string][]chain.Code, error) {
	found, err := r.journal.Alarms(ctx, f)
	if err != nil {
		return nil, err
	}
	of := make(map[string][]chain.Code, len(found))
	for _, a := range found {
		of[a.Item] = append(of[a.Item], a.Code)
	}
	return of, nil
}
