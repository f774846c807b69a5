package journal

import (
	"context"
	"fmt"
)

// Adopt records an item that another signer than the paired one signed,
// finished and verified, under the rules of Import: the very same bytes again
// change nothing, other bytes are ErrOtherBytes.
func (j *Journal) Adopt(ctx context.Context, s SignedItem) error {
	return j.change(ctx, "adopt", func(tx tx) error {
		if err := j.sign(ctx, tx, s); err != nil {
			return fmt.Errorf("item %s: %w", s.ID, err)
		}
		return nil
	})
}
