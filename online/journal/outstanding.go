package journal

import (
	"context"
	"time"
)

// OutstandingFor is how long the network is watched for the transaction of an
// item that was rejected after it had been in a request, or was not wanted in a
// journal that was restored.
const OutstandingFor = 30 * 24 * time.Hour

// leaveOutstanding has a rejected item watched that was ever in a request: its
// signature may exist, or be made yet.
func (j *Journal) leaveOutstanding(ctx context.Context, t tx, id string) error {
	_, err := t.ExecContext(ctx, "UPDATE items SET outstanding = ?, retry_at = 0, tries = 0 WHERE id = ? AND EXISTS (SELECT 1 FROM request_items WHERE request_items.id = items.id)",
		j.now().Add(OutstandingFor).Unix(), id)
	return err
}

// Settle ends that watch.
func (j *Journal) Settle(ctx context.Context, id string) error {
	return j.change(ctx, "settle", func(t tx) error {
		if _, err := t.ExecContext(ctx, "DELETE FROM looks WHERE id = ?", id); err != nil {
			return err
		}
		_, err := t.ExecContext(ctx, "UPDATE items SET outstanding = 0 WHERE id = ? AND outstanding > 0", id)
		return err
	})
}
