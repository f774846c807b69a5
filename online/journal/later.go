package journal

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"coldkms/shared/chain"
)

// Later is an item that is left alone until a time, after a try in vain.
type Later struct {
	ID    string
	Code  chain.Code
	Until time.Time
}

// Later lists what a filter chooses that is not due yet at f.Due, oldest first.
func (j *Journal) Later(ctx context.Context, f Filter) ([]Later, error) {
	due := f.Due
	f.Due = time.Time{}
	condition := fmt.Sprintf("(retry_at > %d AND retry_at <= %d)", due.UnixMilli(), due.Add(MaxDelay).UnixMilli())
	with, args := f.chosen(condition, "")
	query := with + "SELECT id, code, retry_at FROM items WHERE seq IN (SELECT seq FROM chosen) ORDER BY seq"
	var list []Later
	err := j.read(ctx, func() error {
		rows, err := j.db.QueryContext(ctx, query, args...)
		if err != nil {
			return err
		}
		list, err = scanLater(rows)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("journal: items for later: %w", err)
	}
	return list, nil
}

func scanLater(rows *sql.Rows) (list []Later, err error) {
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var l Later
		var until int64
		if err := rows.Scan(&l.ID, &l.Code, &until); err != nil {
			return nil, err
		}
		l.Until = time.UnixMilli(until).UTC()
		list = append(list, l)
	}
	return list, rows.Err()
}
