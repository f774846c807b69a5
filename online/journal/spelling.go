package journal

import (
	"context"
	"fmt"
	"strings"
)

// Tatum writes pending ids in small letters. An id in others names the same payment
// there, so it is not taken. An older version took it: such an item is one of twins.

// SameID is why an item is withheld whose pending id was taken in another letter case,
// too.
const SameID = "same-id"

// Misspelt reports whether a pending id is not in small letters.
func Misspelt(id string) bool { return id != strings.ToLower(id) }

// spellings tells whether the journal has any misspelt ids.
type spellings bool

func spelled(ctx context.Context, t tx) (spellings, error) {
	var some bool
	err := t.QueryRowContext(ctx, "SELECT EXISTS (SELECT 1 FROM items WHERE twin = 1)").Scan(&some)
	return spellings(some), err
}

// hold withholds a new item of which a misspelt one may have been signed.
func (s spellings) hold(ctx context.Context, t tx, id string) error {
	if !s {
		return nil
	}
	_, err := t.ExecContext(ctx, `UPDATE items SET withheld = '`+SameID+`',
		beside = CASE WHEN withheld = '' THEN '' ELSE ' ' || withheld || ' ' END
		WHERE id = ? AND EXISTS (SELECT 1 FROM items o WHERE o.twin = 1 AND lower(o.id) = items.id
			AND (o.signed IS NOT NULL OR EXISTS (SELECT 1 FROM request_items r WHERE r.id = o.id)))`, id)
	return err
}

// OtherSpellings lists the items whose misspelt ids name the payment of id.
func (j *Journal) OtherSpellings(ctx context.Context, id string) ([]Item, error) {
	ids, err := j.texts(ctx, "SELECT id FROM items WHERE lower(id) = ? AND twin = 1", id)
	if err != nil {
		return nil, fmt.Errorf("journal: spellings: %w", err)
	}
	if len(ids) == 0 {
		return nil, nil
	}
	return j.Items(ctx, Filter{IDs: ids})
}
