package journal

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"coldkms/shared/chain"
)

// Alarm is something that a person must look at. It is a record of its own:
// no later state of the item wipes it, and only a person closes it.
type Alarm struct {
	ID     int64
	Item   string // pending id, "" for the relay as a whole
	Code   chain.Code
	Reason string
	Raised time.Time
	Seen   time.Time // when its cause was last found
	Healed time.Time // when its cause was found to be gone; zero: it was not
	Closed time.Time // when a person dealt with it; zero: nobody did
	Closer string    // who did
	Why    string    // in that person's words
}

// Raise is a finding to raise an alarm for. Evidence identifies the finding,
// such as the txid that was seen: an alarm that was closed is raised again
// only for other evidence, or after its cause had gone. One with Beside set is
// recorded as closed while another alarm about the item is open: a person looks at
// the item once.
type Raise struct {
	Item     string
	Code     chain.Code
	Evidence string
	Reason   string
	Beside   bool
}

// Raise raises an alarm. There is at most one open alarm for each item and
// code: the same finding updates that one. Other evidence is an alarm with a number
// of its own, so that nobody acknowledges what came after they looked; the one
// before is closed by it.
func (j *Journal) Raise(ctx context.Context, r Raise) error {
	return j.together(ctx, "alarm", func(t tx) error { return j.raise(ctx, t, &r) })
}

func (j *Journal) raise(ctx context.Context, t tx, r *Raise) error {
	if r == nil {
		return nil
	}
	if r.Beside {
		return j.raiseBeside(ctx, t, *r)
	}
	now, item, code, evidence := j.now().Unix(), words(r.Item), words(string(r.Code)), words(r.Evidence)
	var seq, healed, closed int64
	var known string
	err := t.QueryRowContext(ctx, "SELECT seq, healed, closed, evidence FROM alarms WHERE item = ? AND code = ? ORDER BY seq DESC LIMIT 1", item, code).Scan(&seq, &healed, &closed, &known)
	switch {
	case err != nil && !errors.Is(err, sql.ErrNoRows):
		return err
	case err == nil && closed == 0 && known == evidence: // a cause that was gone and came back is told again
		_, err = t.ExecContext(ctx, "UPDATE alarms SET seen = ?, reason = ?, told = CASE WHEN healed > 0 THEN 0 ELSE told END, healed = 0 WHERE seq = ?", now, words(r.Reason), seq)
	case err == nil && closed == 0:
		_, err = t.ExecContext(ctx, "UPDATE alarms SET closed = ?, closer = ?, why = ? WHERE seq = ?",
			now, byItself, "other evidence came: see the next alarm about it", seq)
		if err == nil {
			err = insertAlarm(ctx, t, item, code, evidence, words(r.Reason), now)
		}
	case err == nil && healed == 0 && known == evidence: // a person has seen this very finding
		_, err = t.ExecContext(ctx, "UPDATE alarms SET seen = ? WHERE seq = ?", now, seq)
	default:
		err = insertAlarm(ctx, t, item, code, evidence, words(r.Reason), now)
	}
	return err
}

// raiseBeside raises an alarm, and closes it at once while another one about the item
// is open. Raised again after that one was closed, it is open.
func (j *Journal) raiseBeside(ctx context.Context, t tx, r Raise) error {
	others := 0
	item, code := words(r.Item), words(string(r.Code))
	err := t.QueryRowContext(ctx, "SELECT count(*) FROM alarms WHERE item = ? AND code <> ? AND closed = 0",
		item, code).Scan(&others)
	if err != nil {
		return err
	}
	r.Beside = false
	if others == 0 {
		return j.raise(ctx, t, &r)
	}
	r.Evidence += " beside"
	if err := j.raise(ctx, t, &r); err != nil {
		return err
	}
	_, err = t.ExecContext(ctx, "UPDATE alarms SET closed = ?, closer = ?, why = ?, told = 1 "+
		"WHERE item = ? AND code = ? AND closed = 0",
		j.now().Unix(), byItself, "another alarm about it was open", item, code)
	return err
}

// byItself is the closer of an alarm that no person has to look at.
const byItself = "kms-online"

// ByItself reports whether no person closed an alarm.
func (a Alarm) ByItself() bool { return a.Closer == byItself }

func insertAlarm(ctx context.Context, t tx, item, code, evidence, reason string, now int64) error {
	_, err := t.ExecContext(ctx, "INSERT INTO alarms (item, code, evidence, reason, raised, seen) VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING", item, code, evidence, reason, now, now)
	return err
}

// Heal records that the cause of an alarm is gone. The alarm stays open, says
// so, and is told once more. One that was closed may be raised again.
func (j *Journal) Heal(ctx context.Context, item string, code chain.Code, reason string) error {
	return j.together(ctx, "alarm", func(t tx) error {
		_, err := t.ExecContext(ctx, `UPDATE alarms SET healed = ?, told = CASE WHEN closed = 0 THEN 0 ELSE told END,
			reason = CASE WHEN closed = 0 THEN ? ELSE reason END WHERE item = ? AND code = ? AND healed = 0`, j.now().Unix(), words(reason), item, string(code))
		return err
	})
}

// HealEvidence is Heal for an alarm that was raised for this very evidence.
func (j *Journal) HealEvidence(ctx context.Context, item string, code chain.Code, evidence, reason string) error {
	return j.together(ctx, "alarm", func(t tx) error {
		_, err := t.ExecContext(ctx, `UPDATE alarms SET healed = ?, told = CASE WHEN closed = 0 THEN 0 ELSE told END,
			reason = CASE WHEN closed = 0 THEN ? ELSE reason END WHERE item = ? AND code = ? AND lower(evidence) = lower(?) AND healed = 0`,
			j.now().Unix(), words(reason), item, string(code), evidence)
		return err
	})
}

// AlarmFilter chooses alarms. Empty fields choose all that are open.
type AlarmFilter struct {
	All     bool // closed ones, too
	Items   []string
	Codes   []chain.Code
	Untold  bool       // only those whose event did not go out yet, closed ones too
	Lasting bool       // those whose cause was not found to be gone, closed ones too
	Lasts   chain.Code // only those with this code whose cause was not found to be gone, closed ones too
	ID      int64      // only this one, with the above; 0: any
	Max     int
}

// Alarms lists alarms, oldest first.
func (j *Journal) Alarms(ctx context.Context, f AlarmFilter) ([]Alarm, error) {
	query := "SELECT seq, item, code, reason, raised, seen, healed, closed, closer, why FROM alarms WHERE "
	var args []any
	switch {
	case f.Untold:
		query += "told = 0"
	case f.Lasting:
		query += "healed = 0"
	case f.Lasts != "":
		query, args = query+"healed = 0 AND code = ?", append(args, string(f.Lasts))
	case f.All:
		query += "1 = 1"
	default:
		query += "closed = 0"
	}
	if len(f.Items) > 0 {
		list, _ := json.Marshal(f.Items)
		query, args = query+" AND item IN ({list})", append(args, string(list))
	}
	if len(f.Codes) > 0 {
		list, _ := json.Marshal(f.Codes)
		query, args = query+" AND code IN ({list})", append(args, string(list))
	}
	if f.ID > 0 {
		query, args = query+" AND seq = ?", append(args, f.ID)
	}
	query += " ORDER BY seq"
	if f.Max > 0 {
		query, args = query+" LIMIT ?", append(args, f.Max)
	}
	var all []Alarm
	err := j.read(ctx, func() error {
		rows, err := j.db.QueryContext(ctx, query, args...)
		if err != nil {
			return err
		}
		all, err = scanAlarms(rows)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("journal: alarms: %w", err)
	}
	return all, nil
}

func scanAlarms(rows *sql.Rows) ([]Alarm, error) {
	return scanRows(rows, func(rows *sql.Rows) (a Alarm, err error) {
		var raised, seen, healed, closed int64
		err = rows.Scan(&a.ID, &a.Item, &a.Code, &a.Reason, &raised, &seen, &healed, &closed, &a.Closer, &a.Why)
		a.Raised, a.Seen, a.Healed, a.Closed = moment(raised), moment(seen), moment(healed), moment(closed)
		return a, err
	})
}

// moment is the time of a column in which 0 means never.
func moment(seconds int64) time.Time {
	if seconds == 0 {
		return time.Time{}
	}
	return time.Unix(seconds, 0).UTC()
}

// Dealt returns how a person dealt with the alarm that was raised last about an item
// for this very evidence, the zero Decision if nobody did, and whether its cause lasts.
func (j *Journal) Dealt(ctx context.Context, item string, code chain.Code, evidence string) (d Decision, lasts bool, err error) {
	var known string
	var closed, healed int64
	err = j.read(ctx, func() error {
		return j.db.QueryRowContext(ctx, j.d.sql("SELECT closer, why, evidence, closed, healed FROM alarms WHERE item = ? AND code = ? ORDER BY seq DESC LIMIT 1"), item, string(code)).
			Scan(&d.By, &d.Why, &known, &closed, &healed)
	})
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return Decision{}, false, fmt.Errorf("journal: alarms: %w", err)
	}
	if err != nil || closed == 0 || known != words(evidence) {
		return Decision{}, false, nil
	}
	return d, healed == 0, nil
}

// ErrNoAlarm is returned for the id of an alarm that does not exist.
var ErrNoAlarm = errors.New("no such alarm")

// Acknowledge closes alarms, or none where one does not exist. One that is closed
// already stays as it is: those are returned.
func (j *Journal) Acknowledge(ctx context.Context, ids []int64, closer, why string) (before []Alarm, err error) {
	err = j.change(ctx, "acknowledge", func(t tx) error {
		before = nil
		for _, id := range ids {
			a := Alarm{ID: id}
			var closed int64
			err := t.QueryRowContext(ctx, "SELECT item, code, closed, closer, why FROM alarms WHERE seq = ?", id).
				Scan(&a.Item, &a.Code, &closed, &a.Closer, &a.Why)
			switch {
			case errors.Is(err, sql.ErrNoRows):
				return fmt.Errorf("%w: %d", ErrNoAlarm, id)
			case err != nil:
				return err
			case closed > 0:
				a.Closed = moment(closed)
				before = append(before, a)
				continue
			}
			_, err = t.ExecContext(ctx, "UPDATE alarms SET closed = ?, closer = ?, why = ? WHERE seq = ? AND closed = 0",
				j.now().Unix(), words(closer), words(why), id)
			if err != nil {
				return err
			}
		}
		return nil
	})
	return before, err
}

// Decision is what a person decided about an item, which closes its alarms.
type Decision struct {
	By  string // who; "" for no decision
	Why string // the command, and the reason that was given with it
}

// Decide closes the alarms about an item that a person decided about by a
// command that has nothing else to do.
func (j *Journal) Decide(ctx context.Context, item string, d Decision) error {
	return j.change(ctx, "alarms", func(t tx) error { return j.settle(ctx, t, item, d) })
}

// settle closes the alarms about an item that a person decided about by another
// command, and has done with those that were closed before. What that command tries may
// bring the same finding again: then it is a new alarm.
func (j *Journal) settle(ctx context.Context, t tx, item string, d Decision) error {
	now := j.now().Unix()
	_, err := t.ExecContext(ctx, "UPDATE alarms SET closed = ?, closer = ?, why = ? WHERE item = ? AND closed = 0",
		now, words(d.By), words(d.Why), item)
	if err != nil {
		return err
	}
	_, err = t.ExecContext(ctx, "UPDATE alarms SET healed = ? WHERE item = ? AND healed = 0", now, item)
	return err
}

// AlarmTold records that the event of an alarm went out, as it was then.
func (j *Journal) AlarmTold(ctx context.Context, a Alarm) error {
	return j.together(ctx, "alarm", func(t tx) error {
		healed := int64(0)
		if !a.Healed.IsZero() {
			healed = a.Healed.Unix()
		}
		_, err := t.ExecContext(ctx, "UPDATE alarms SET told = 1 WHERE seq = ? AND healed = ?", a.ID, healed)
		return err
	})
}
