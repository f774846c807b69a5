package journal

import (
	"context"
	"database/sql"
	"fmt"
)

// noUnsigned marks an item of which no transaction can be made.
const noUnsigned = "-"

// Unhashed lists items that were exported and of which nobody has computed the
// txid without signatures, oldest first.
func (j *Journal) Unhashed(ctx context.Context, limit int) (items []Item, err error) {
	err = j.read(ctx, func() error {
		rows, err := j.db.QueryContext(ctx, "SELECT "+columns+" FROM items {unhashed} WHERE request IS NOT NULL AND unsigned = '' ORDER BY seq LIMIT ?", limit)
		if err != nil {
			return err
		}
		items, err = scanAll(rows)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("journal: unhashed: %w", err)
	}
	return items, nil
}

// Hash records the txids without signatures of items, "" where there is none.
func (j *Journal) Hash(ctx context.Context, unsigned map[string]string) error {
	return j.change(ctx, "hash", func(t tx) error {
		for id, txid := range unsigned {
			if txid == "" {
				txid = noUnsigned
			}
			if _, err := t.ExecContext(ctx, "UPDATE items SET unsigned = ? WHERE id = ?", txid, id); err != nil {
				return err
			}
		}
		return nil
	})
}

// AskedFor lists the ids of the items that ask for a transaction, by its txid
// without signatures, of those that Hash was called for.
func (j *Journal) AskedFor(ctx context.Context, unsigned string) (ids []string, err error) {
	err = j.list(ctx, "SELECT id FROM items WHERE unsigned = ? AND unsigned <> '' ORDER BY seq", []any{unsigned}, func(rows *sql.Rows) error {
		var id string
		err := rows.Scan(&id)
		ids = append(ids, id)
		return err
	})
	return ids, err
}
