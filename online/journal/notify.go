package journal

import (
	"context"
	"encoding/json"
	"fmt"

	"coldkms/shared/chain"
)

// HealedEvent is the event of an item that was reported as failed and goes on.
const HealedEvent = "healed"

// ended chooses the items whose end has not been reported yet, and those that go on
// though they were reported as failed.
const ended = "told <> state AND (state IN ('completed', 'refused', 'rejected', 'failed') OR told = 'failed')"

// eventOf is Event, in SQL.
const eventOf = "CASE WHEN items.told = 'failed' AND items.state IN ('signed', 'broadcast') " +
	"THEN '" + HealedEvent + "' ELSE items.state END"

// Event returns the event to report about an item that Untold lists.
func (it Item) Event() string {
	if it.Told == string(Failed) && (it.State == Signed || it.State == Broadcast) {
		return HealedEvent
	}
	return string(it.State)
}

// AnyUntold reports whether the event of an alarm or of an item did not go out yet,
// whenever its next try is.
func (j *Journal) AnyUntold(ctx context.Context) (some bool, err error) {
	err = j.read(ctx, func() error {
		// in order, or PostgreSQL reads all items
		return j.db.QueryRowContext(ctx, "SELECT EXISTS (SELECT 1 FROM alarms WHERE told = 0) OR "+
			"(SELECT seq FROM items {untold} WHERE "+ended+" ORDER BY seq LIMIT 1) IS NOT NULL").Scan(&some)
	})
	if err != nil {
		return false, fmt.Errorf("journal: untold: %w", err)
	}
	return some, nil
}

// Untold lists, oldest first, the items whose end has not been reported yet, or that
// go on though they were reported as failed. It leaves out those whose next try to
// report is later, and completed items that are noted under one of the codes, or have an
// alarm with one whose cause lasts.
func (j *Journal) Untold(ctx context.Context, limit int, but ...chain.Code) ([]Item, error) {
	query := "SELECT " + columns + " FROM items {untold} WHERE " + ended + " " +
		"AND NOT EXISTS (SELECT 1 FROM letters l WHERE l.id = items.id AND l.event = " + eventOf +
		" AND l.retry_at > ? AND l.retry_at <= ?) " +
		"AND NOT (state = 'completed' AND (code IN ({list}) OR EXISTS (SELECT 1 FROM alarms a " +
		"WHERE a.item = items.id AND a.healed = 0 AND a.code IN ({list})))) ORDER BY seq LIMIT ?"
	now := j.now()
	codes, err := json.Marshal(append([]chain.Code{}, but...))
	if err != nil {
		return nil, err
	}
	var items []Item
	err = j.read(ctx, func() error {
		rows, err := j.db.QueryContext(ctx, j.d.sql(query), now.UnixMilli(), now.Add(MaxDelay).UnixMilli(),
			string(codes), string(codes), limit)
		if err != nil {
			return err
		}
		items, err = scanAll(rows)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("journal: untold: %w", err)
	}
	return items, nil
}

// Tell records what was told about an item: its state, or anything else. It
// is recorded after it was told, so that after a crash it is told again.
func (j *Journal) Tell(ctx context.Context, id, what string) error {
	return j.change(ctx, "tell", func(t tx) error {
		_, err := t.ExecContext(ctx, "UPDATE items SET told = ? WHERE id = ?", what, id)
		return err
	})
}

// StartEvents records, once, that events are reported from now on. Unless history is
// set, earlier ends of items and closed alarms count as reported then. It returns how
// many ends that were.
func (j *Journal) StartEvents(ctx context.Context, history bool) (skipped int64, err error) {
	if j.hearing.Load() {
		return 0, nil
	}
	var known bool
	err = j.read(ctx, func() error {
		return j.db.QueryRowContext(ctx, "SELECT EXISTS (SELECT 1 FROM hearing)").Scan(&known)
	})
	if err != nil || known {
		j.hearing.Store(known)
		return 0, err
	}
	err = j.change(ctx, "start events", func(t tx) error {
		skipped = 0
		done, err := t.ExecContext(ctx, "INSERT INTO hearing (what, since) VALUES ('events', ?) "+
			"ON CONFLICT (what) DO NOTHING", j.now().Unix())
		if err != nil {
			return err
		}
		if n, err := done.RowsAffected(); err != nil || n == 0 || history {
			return err
		}
		if _, err := t.ExecContext(ctx, "UPDATE alarms SET told = 1 WHERE told = 0 AND closed > 0"); err != nil {
			return err
		}
		done, err = t.ExecContext(ctx, "UPDATE items SET told = state WHERE "+ended)
		if err == nil {
			skipped, err = done.RowsAffected()
		}
		return err
	})
	if err == nil {
		j.hearing.Store(true)
	}
	return skipped, err
}
