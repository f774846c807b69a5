package journal

import (
	"context"
	"fmt"
	"time"
)

// About names what else than the item itself Looked notes evidence about, such as its
// record at Tatum. No pending id has a space.
func About(id, what string) string { return id + " " + what }

// Looked notes that evidence about an item was found, and returns when the same
// was first found. Other evidence, or a clock that was set back, begins anew.
func (j *Journal) Looked(ctx context.Context, id, evidence string) (first time.Time, err error) {
	var at int64
	err = j.change(ctx, "look", func(t tx) error {
		return t.QueryRowContext(ctx, `INSERT INTO looks (id, evidence, at) VALUES (?, ?, ?) ON CONFLICT (id) DO UPDATE SET evidence = excluded.evidence,
			at = CASE WHEN looks.evidence = excluded.evidence AND looks.at <= excluded.at THEN looks.at ELSE excluded.at END RETURNING at`,
			id, words(evidence), j.now().Unix()).Scan(&at)
	})
	return time.Unix(at, 0), err
}

// Unlooked forgets what was found about an item, if anything was.
func (j *Journal) Unlooked(ctx context.Context, id string) error {
	var looked bool
	err := j.read(ctx, func() error {
		return j.db.QueryRowContext(ctx, j.d.sql("SELECT EXISTS (SELECT 1 FROM looks WHERE id = ?)"), id).Scan(&looked)
	})
	if err != nil {
		return fmt.Errorf("journal: looks: %w", err)
	}
	if !looked {
		return nil
	}
	return j.change(ctx, "look", func(t tx) error {
		_, err := t.ExecContext(ctx, "DELETE FROM looks WHERE id = ?", id)
		return err
	})
}
