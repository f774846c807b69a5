package journal

import "context"

// Extend makes a lease on all items that are still held with it as long as it
// was at first. What ran out is not taken back.
func (j *Journal) Extend(ctx context.Context, l Lease) error {
	return j.change(ctx, "extend", func(t tx) error {
		_, err := t.ExecContext(ctx, "UPDATE items SET held_until = {now} + ? WHERE holder = ? AND held_until > {now}", l.ttl.Milliseconds(), l.holder)
		return err
	})
}
