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
	list, err := json.Marshal(ids)
	if err != nil {
		return err
	}
	said := fmt.Sprintf("%s at %s", by, j.now().UTC().Format(time.RFC3339))
	return j.change(ctx, "permit", func(t tx) error {
		_, err := t.ExecContext(ctx, `UPDATE items SET released = ?, retry_at = 0, tries = 0,
			reason = CASE WHEN code = ? THEN '' ELSE reason END, code = CASE WHEN code = ? THEN '' ELSE code END
			WHERE id IN ({list})`, words(said), string(RestoredCode), string(RestoredCode), string(list))
		return err
	})
}
