package journal

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"coldkms/shared/bundle"
)

// Received is a Result as it was imported.
type Received struct {
	File []byte
	At   time.Time
}

// Results returns the Results that answered a Request, oldest first.
func (j *Journal) Results(ctx context.Context, request bundle.Digest) ([]Received, error) {
	var list []Received
	err := j.read(ctx, func() error {
		rows, err := j.db.QueryContext(ctx, "SELECT file, imported FROM results WHERE request = ? ORDER BY imported, digest", request[:])
		if err != nil {
			return err
		}
		list, err = scanReceived(rows)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("journal: results of %.16s: %w", request, err)
	}
	return list, nil
}

func scanReceived(rows *sql.Rows) ([]Received, error) {
	defer rows.Close()
	var list []Received
	for rows.Next() {
		var r Received
		var at int64
		if err := rows.Scan(&r.File, &at); err != nil {
			return nil, err
		}
		r.At = time.Unix(at, 0).UTC()
		list = append(list, r)
	}
	return list, rows.Err()
}
