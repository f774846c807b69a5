package journal

import (
	"context"
	"fmt"
)

// Replace puts what Tatum asks for now in the place of what it asked for before, which
// does not read, and has the item start anew. It reports false, and changes nothing,
// where that is not what the journal has any more, somebody holds the item, or anything
// was ever made of it. Of now the fields are read that Add reads.
func (j *Journal) Replace(ctx context.Context, was, now Item) (done bool, err error) {
	err = j.change(ctx, "replace", func(t tx) error {
		at := j.now().Unix()
		result, err := t.ExecContext(ctx, `UPDATE items SET chain = ?, network = ?, pending = ?, content = ?, withdrawal = ?,
			account = ?, seen_by = ?, state = 'fetched', code = '', reason = '', trouble = '', offered = '',
			offered_withdrawal = '', accepted = '', updated = ?, since = ?, tries = 0, retry_at = 0
			WHERE id = ? AND content = ? AND state IN ('fetched', 'refused') AND signed IS NULL AND request IS NULL
			AND COALESCE(length(prepared), 0) = 0
			AND NOT EXISTS (SELECT 1 FROM request_items r WHERE r.id = items.id) AND `+free,
			string(now.Chain), now.Network, now.Pending, now.Content[:], now.Withdrawal, now.Account, now.SeenBy,
			at, at, was.ID, was.Content[:])
		if err != nil {
			return err
		}
		n, err := result.RowsAffected()
		done = n == 1
		return err
	})
	if err != nil {
		return false, fmt.Errorf("item %s: %w", was.ID, err)
	}
	return done, nil
}
