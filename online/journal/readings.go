package journal

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
)

// Reading is how far the list of an address was read, newest first, for an item.
type Reading struct {
	Top    string   `json:"top"`    // txid that came first then: what is before it is new
	Last   string   `json:"last"`   // txid that was read last
	Next   int      `json:"next"`   // how many were read
	Left   []string `json:"left"`   // txids that are looked for and were not found yet
	Rivals []string `json:"rivals"` // txids of what uses up the same
}

// Reading returns how far a list was read, nil if it is to be read from its
// beginning.
func (j *Journal) Reading(ctx context.Context, id, address string) (*Reading, error) {
	var text string
	err := j.read(ctx, func() error {
		return j.db.QueryRowContext(ctx, j.d.sql("SELECT state FROM readings WHERE id = ? AND address = ?"),
			id, words(address)).Scan(&text)
	})
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("journal: readings: %w", err)
	}
	r := new(Reading)
	if json.Unmarshal([]byte(text), r) != nil || r.Top == "" || r.Last == "" || r.Next < 1 {
		return nil, nil
	}
	return r, nil
}

// KeepReading records how far a list was read, or forgets it where r is nil.
func (j *Journal) KeepReading(ctx context.Context, id, address string, r *Reading) error {
	text, err := json.Marshal(r)
	if err != nil {
		return err
	}
	return j.change(ctx, "reading", func(t tx) error {
		if r == nil {
			_, err := t.ExecContext(ctx, "DELETE FROM readings WHERE id = ? AND address = ?", id, words(address))
			return err
		}
		_, err := t.ExecContext(ctx, "INSERT INTO readings (id, address, state) VALUES (?, ?, ?) "+
			"ON CONFLICT (id, address) DO UPDATE SET state = excluded.state",
			id, words(address), string(text))
		return err
	})
}
