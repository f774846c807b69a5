package journal

import (
	"context"
	"fmt"
)

// HealedEvent is the event of an item that was told as failed and goes on.
const HealedEvent = "healed"

// ended chooses what came to an end that nobody was told of yet, and what goes on
// though it was told as failed.
const ended = "told <> state AND (state IN ('completed', 'refused', 'rejected', 'failed') OR told = 'failed')"

// eventOf is Event, in SQL.
const eventOf = "CASE WHEN items.told = 'failed' AND items.state IN ('signed', 'broadcast') THEN '" + HealedEvent + "' ELSE items.state END"

// Event returns what is to be told of an item that Untold lists.
func (it Item) Event() string {
	if it.Told == string(Failed) && (it.State == Signed || it.State == Broadcast) {
		return HealedEvent
	}
	return string(it.State)
}

// Untold lists items that came to an end that nobody was told of yet, or go on
// though they were told as failed, and whose event is not to be told again later
// only, oldest first.
func (j *Journal) Untold(ctx context.Context, limit int) ([]Item, error) {
	query := "SELECT " + columns + " FROM items {untold} WHERE " + ended + " " +
		"AND NOT EXISTS (SELECT 1 FROM letters l WHERE l.id = items.id AND l.event = " + eventOf + " AND l.retry_at > ? AND l.retry_at <= ?) ORDER BY seq LIMIT ?"
	now := j.now()
	var items []Item
	err := j.read(ctx, func() error {
		rows, err := j.db.QueryContext(ctx, j.d.sql(query), now.UnixMilli(), now.Add(MaxDelay).UnixMilli(), limit)
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
