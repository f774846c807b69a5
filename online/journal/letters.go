package journal

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"coldkms/shared/chain"
)

// Letter is an event that was told and not heard.
type Letter struct {
	ID     string // of an item, or of an alarm
	Event  string
	Tries  int
	Retry  time.Time // not before
	Dead   bool      // it is not told again by itself
	Reason string    // what came of the last try
}

// Back-off of events: twice as long each time. One that the receiver refuses is
// given up soon, one that does not reach him after some days.
const (
	firstRetell  = 10 * time.Second
	longRetell   = time.Hour
	refusedTries = 10
	unheardTries = 100
)

// Unheard records that an event was not heard, refused by the receiver or not.
// It reports whether the event is given up.
func (j *Journal) Unheard(ctx context.Context, id, event, reason string, refused bool) (dead bool, err error) {
	err = j.change(ctx, "letter", func(t tx) error {
		var tries int
		err := t.QueryRowContext(ctx, "SELECT tries FROM letters WHERE id = ? AND event = ?", id, event).Scan(&tries)
		if err != nil && !errors.Is(err, sql.ErrNoRows) {
			return err
		}
		later := min(firstRetell<<min(tries, 20), longRetell)
		tries++
		dead = refused && tries >= refusedTries || tries >= unheardTries
		gone := 0
		if dead {
			gone = 1
		}
		_, err = t.ExecContext(ctx, `INSERT INTO letters (id, event, tries, retry_at, dead, reason) VALUES (?, ?, ?, ?, ?, ?)
			ON CONFLICT (id, event) DO UPDATE SET tries = excluded.tries, retry_at = excluded.retry_at, dead = excluded.dead, reason = excluded.reason`,
			id, event, tries, j.now().Add(later).UnixMilli(), gone, words(reason))
		return err
	})
	return dead, err
}

// Heard forgets an event that was heard.
func (j *Journal) Heard(ctx context.Context, id, event string) error {
	return j.change(ctx, "letter", func(t tx) error {
		_, err := t.ExecContext(ctx, "DELETE FROM letters WHERE id = ? AND event = ?", id, event)
		return err
	})
}

// Letters lists the events that were not heard, those that were given up or the
// others.
func (j *Journal) Letters(ctx context.Context, dead bool) (letters []Letter, err error) {
	want := 0
	if dead {
		want = 1
	}
	err = j.list(ctx, "SELECT id, event, tries, retry_at, reason FROM letters WHERE dead = ? ORDER BY id, event", []any{want}, func(rows *sql.Rows) error {
		l := Letter{Dead: dead}
		var retry int64
		err := rows.Scan(&l.ID, &l.Event, &l.Tries, &retry, &l.Reason)
		l.Retry = time.UnixMilli(retry)
		letters = append(letters, l)
		return err
	})
	return letters, err
}

// Resend has the events that were given up told again, and counts them.
func (j *Journal) Resend(ctx context.Context) (n int64, err error) {
	err = j.change(ctx, "resend", func(t tx) error {
		for _, query := range []string{
			"UPDATE items SET told = CASE WHEN told = '" + HealedEvent + "' THEN 'failed' ELSE '' END WHERE EXISTS (SELECT 1 FROM letters l WHERE l.dead = 1 AND l.id = items.id AND (l.event = items.state OR l.event = items.told))",
			"UPDATE alarms SET told = 0 WHERE EXISTS (SELECT 1 FROM letters l WHERE l.dead = 1 AND l.event = 'alarm' AND l.id = 'alarm ' || CAST(alarms.seq AS TEXT))",
		} {
			if _, err := t.ExecContext(ctx, query); err != nil {
				return err
			}
		}
		done, err := t.ExecContext(ctx, "DELETE FROM letters WHERE dead = 1")
		if err == nil {
			n, err = done.RowsAffected()
		}
		return err
	})
	return n, err
}

// Notices are what people have to hear of.
type Notices struct {
	Alarms  map[chain.Code]int // that nobody has dealt with
	Waiting int                // events that were not delivered yet, tried or not
	Dead    int                // events that were given up
}

// notices counts alarms by code, and events. What waits are ends of items and
// alarms that nobody was told of, and late items of which nobody could be. A
// daemon that is given a receiver for the first time may have any number of
// finished items to tell of: they are counted up to a bound.
const notices = `SELECT 'alarm' AS kind, code, count(*) FROM alarms WHERE closed = 0 GROUP BY code
	UNION ALL SELECT 'dead', '', count(*) FROM letters WHERE dead = 1
	UNION ALL SELECT 'waiting', '', count(*) FROM alarms WHERE told = 0
	UNION ALL SELECT 'waiting', '', count(*) FROM letters l JOIN items i ON i.id = l.id AND l.event = '` + LatePrefix + `' || i.state WHERE l.dead = 0
	UNION ALL SELECT 'waiting', '', count(*) FROM (SELECT 1 FROM items {untold}
		WHERE ` + ended + ` LIMIT 1000) AS untold` // as DAEMON.md says

// Notices counts what people have to hear of.
func (j *Journal) Notices(ctx context.Context) (n Notices, err error) {
	err = j.read(ctx, func() error {
		rows, err := j.db.QueryContext(ctx, notices)
		if err != nil {
			return err
		}
		defer rows.Close()
		n = Notices{Alarms: make(map[chain.Code]int)}
		for rows.Next() {
			if err := n.scan(rows); err != nil {
				return err
			}
		}
		return rows.Err()
	})
	if err != nil {
		return n, fmt.Errorf("journal: notices: %w", err)
	}
	return n, nil
}

func (n *Notices) scan(rows *sql.Rows) error {
	var kind string
	var code chain.Code
	var count int
	if err := rows.Scan(&kind, &code, &count); err != nil {
		return err
	}
	switch kind {
	case "alarm":
		n.Alarms[code] = count
	case "dead":
		n.Dead = count
	default:
		n.Waiting += count
	}
	return nil
}
