package journal

import (
	"database/sql"
	"fmt"

	"coldkms/shared/bundle"
)

// scanRows reads all rows and closes them.
func scanRows[T any](rows *sql.Rows, one func(*sql.Rows) (T, error)) ([]T, error) {
	defer rows.Close()
	var list []T
	for rows.Next() {
		v, err := one(rows)
		if err != nil {
			return nil, err
		}
		list = append(list, v)
	}
	return list, rows.Err()
}

// digestColumn scans the digest of a Request.
type digestColumn bundle.Digest

// Scan implements sql.Scanner.
func (d *digestColumn) Scan(v any) error {
	b, _ := v.([]byte)
	if len(b) != len(d) {
		return fmt.Errorf("a digest of %d bytes", len(b))
	}
	copy(d[:], b)
	return nil
}
