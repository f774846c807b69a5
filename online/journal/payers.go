package journal

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"strings"

	"coldkms/shared/chain"
)

// Payer returns the item that a transaction pays: of several that ask for the
// very same one, the first that was signed.
func (j *Journal) Payer(ctx context.Context, txid string) (id string, err error) {
	err = j.read(ctx, func() error {
		return j.db.QueryRowContext(ctx, j.d.sql("SELECT id FROM payers WHERE txid = ?"), txid).Scan(&id)
	})
	if err != nil {
		return "", fmt.Errorf("journal: payer of %.64s: %w", txid, err)
	}
	return id, nil
}

// PayersOf returns, by txid, the items that transactions pay.
func (j *Journal) PayersOf(ctx context.Context, txids []string) (map[string]string, error) {
	list, _ := json.Marshal(txids)
	all := make(map[string]string, len(txids))
	query := "SELECT txid, id FROM payers WHERE txid IN ({list})"
	err := j.list(ctx, query, []any{string(list)}, func(rows *sql.Rows) error {
		var txid, id string
		err := rows.Scan(&txid, &id)
		all[txid] = id
		return err
	})
	return all, err
}

// TakePayer has a transaction pay the item id in the place of another one that
// was given up, failed with one of these codes, and never handed to the network.
// It is ErrState where that is not so.
func (j *Journal) TakePayer(ctx context.Context, txid, from, id string, codes ...chain.Code) error {
	list, _ := json.Marshal(codes)
	return j.together(ctx, "payer", func(t tx) error {
		done, err := t.ExecContext(ctx, "UPDATE payers SET id = ? WHERE txid = ? AND id = ? AND EXISTS (SELECT 1 FROM items WHERE items.id = ? AND state = 'failed' AND handed = 0 AND handed_known = 0 AND code IN ({list}))", id, txid, from, from, string(list))
		if err != nil {
			return err
		}
		if n, err := done.RowsAffected(); err != nil || n == 1 {
			return err
		}
		return fmt.Errorf("%s is not given up, or may have been sent: %w", from, ErrState)
	})
}

// Payers lists the items whose own transactions have these txids.
func (j *Journal) Payers(ctx context.Context, txids []string) ([]string, error) {
	list, _ := json.Marshal(txids)
	ids, err := j.texts(ctx, "SELECT id FROM payers WHERE txid IN ({list})", string(list))
	if err != nil {
		return nil, fmt.Errorf("journal: payers: %w", err)
	}
	return ids, nil
}

// ClaimWithdrawal records which item pays a withdrawal, before anything is
// sent for it: the first that asks, for good. It returns that one.
func (j *Journal) ClaimWithdrawal(ctx context.Context, withdrawal, id string) (owner string, err error) {
	err = j.together(ctx, "withdrawal", func(t tx) error {
		if _, err := t.ExecContext(ctx, "INSERT INTO withdrawals (withdrawal, id) VALUES (?, ?) ON CONFLICT (withdrawal) DO NOTHING", oneCase(withdrawal), id); err != nil {
			return err
		}
		return t.QueryRowContext(ctx, "SELECT id FROM withdrawals WHERE withdrawal = ?", oneCase(withdrawal)).Scan(&owner)
	})
	return owner, err
}

// SameWithdrawal lists the items that are for a withdrawal, as they came or as
// Tatum has them by now, and that no person has rejected, oldest first. What has a
// misspelt id and is not signed is none of them.
func (j *Journal) SameWithdrawal(ctx context.Context, withdrawal string) ([]string, error) {
	ids, err := j.texts(ctx, `SELECT id FROM (
			SELECT id, seq FROM items WHERE lower(withdrawal) = ? AND withdrawal <> ''
				AND state <> 'rejected' AND NOT (twin = 1 AND signed IS NULL)
			UNION SELECT id, seq FROM items WHERE lower(offered_withdrawal) = ? AND offered_withdrawal <> ''
				AND state <> 'rejected' AND NOT (twin = 1 AND signed IS NULL)
		) AS same ORDER BY seq LIMIT 16`, oneCase(withdrawal), oneCase(withdrawal))
	if err != nil {
		return nil, fmt.Errorf("journal: items of a withdrawal: %w", err)
	}
	return ids, nil
}

// oneCase writes the id of a withdrawal in lower case: ids that differ in letter
// case only are one.
func oneCase(withdrawal string) string { return strings.ToLower(words(withdrawal)) }

// texts reads one column of text.
func (j *Journal) texts(ctx context.Context, query string, args ...any) ([]string, error) {
	var all []string
	err := j.read(ctx, func() error {
		all = nil
		rows, err := j.db.QueryContext(ctx, j.d.sql(query), args...)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var s string
			if err := rows.Scan(&s); err != nil {
				return err
			}
			all = append(all, s)
		}
		return rows.Err()
	})
	return all, err
}
