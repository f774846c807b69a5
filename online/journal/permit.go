package journal

import (
	"context"
	"encoding/json"
	"fmt"
	"time"
)

// Permit records who released these items, to be paid although the restored journal
// does not have what became of them. They are tried again at once.
func (j *Journal) Permit(ctx context.Context, by string, ids ...string) error {
	return j.change(ctx, "permit", func(t tx) error { return j.permit(ctx, t, by, ids) })
}

// PermitOf is Permit for those that choose returns, of the items that f chooses as they
// stand then: nothing changes them between.
func (j *Journal) PermitOf(
	ctx context.Context, by string, f Filter, choose func([]Item) ([]string, error),
) (ids []string, err error) {
	with, args := f.chosen("", "{locked}")
	query := with + "SELECT " + columns + " FROM items WHERE seq IN (SELECT seq FROM chosen) ORDER BY seq"
	err = j.change(ctx, "permit", func(t tx) error {
		rows, err := t.QueryContext(ctx, query, args...)
		if err != nil {
			return err
		}
		items, err := scanAll(rows)
		if err == nil {
			ids, err = choose(items)
		}
		if err != nil {
			return err
		}
		return j.permit(ctx, t, by, ids)
	})
	return ids, err
}

func (j *Journal) permit(ctx context.Context, t tx, by string, ids []string) error {
	list, err := json.Marshal(ids)
	if err != nil {
		return err
	}
	said := fmt.Sprintf("%s at %s", by, j.now().UTC().Format(time.RFC3339))
	_, err = t.ExecContext(ctx, `UPDATE items SET released = ?, retry_at = 0, tries = 0,
		reason = CASE WHEN code = ? THEN '' ELSE reason END, code = CASE WHEN code = ? THEN '' ELSE code END
		WHERE id IN ({list})`, words(said), string(RestoredCode), string(RestoredCode), string(list))
	return err
}
