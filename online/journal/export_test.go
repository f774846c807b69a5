package journal

import (
	"context"
	"fmt"
)

// Settings shows what SQLite says of its own settings.
func (j *Journal) Settings(ctx context.Context) (string, error) {
	var mode string
	var sync, keys int
	for query, into := range map[string]any{"journal_mode": &mode, "synchronous": &sync, "foreign_keys": &keys} {
		if err := j.db.QueryRowContext(ctx, "PRAGMA "+query).Scan(into); err != nil {
			return "", err
		}
	}
	return fmt.Sprintf("%s %d %d", mode, sync, keys), nil
}
