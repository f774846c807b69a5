package journal

import (
	"context"
	"fmt"
)

// Untold lists items that came to an end that nobody was told of yet, oldest
// first.
func (j *Journal) Untold(ctx context.Context, limit int) ([]Item, error) {
	query := "SELECT " + columns + " FROM items WHERE told <> state AND state IN ('completed', 'refused', 'rejected', 'failed') ORDER BY seq LIMIT ?"
	var items []Item
	err := j.read(ctx, func() error {
		rows, err := j.db.QueryContext(ctx, query, limit)
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
