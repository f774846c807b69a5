package journal

import (
	"context"

	"coldkms/shared/chain"
)

// Hand records that the bytes of an item are about to be handed to the
// network: whatever comes of it, they may have arrived. An item that is
// withheld is ErrState, and must not be sent.
func (j *Journal) Hand(ctx context.Context, id string, l Lease) error {
	return j.together(ctx, "hand", func(t tx) error {
		fence, args := l.fence()
		args = append([]any{j.now().Unix(), id}, args...)
		done, err := t.ExecContext(ctx, "UPDATE items SET handed = CASE WHEN handed_known = 0 THEN ? ELSE handed END, handed_known = 1 WHERE id = ? AND state IN ('signed', 'broadcast', 'completed') AND withheld = ''"+fence, args...)
		return t.met(ctx, done, err, id, l)
	})
}

// Accept records that a person has a signed item sent in spite of what it was
// held for, or of nothing any more.
func (j *Journal) Accept(ctx context.Context, id string, code chain.Code) error {
	return j.change(ctx, "accept", func(t tx) error {
		_, err := t.ExecContext(ctx, "UPDATE items SET accepted = ? WHERE id = ?", string(code), id)
		return err
	})
}
