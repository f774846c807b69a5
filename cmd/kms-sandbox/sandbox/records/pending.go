package records

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"

	"coldkms/cmd/kms-sandbox/sandbox"
	"coldkms/shared/chain"
)

// AddPending stores a pending transaction, with its withdrawal if it is one.
func (d *DB) AddPending(ctx context.Context, p sandbox.Pending, w *sandbox.Withdrawal) error {
	body, err := json.Marshal(p)
	if err != nil {
		return fmt.Errorf("records: %w", err)
	}
	return d.change(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, "INSERT INTO pending (id, chain, body) VALUES (?, ?, ?)", p.ID, p.Chain, string(body))
		if err != nil || w == nil {
			return err
		}
		_, err = tx.ExecContext(ctx, "INSERT INTO withdrawal (id, chain, pending, state) VALUES (?, ?, ?, ?)",
			w.ID, w.Chain, w.PendingID, w.State)
		return err
	})
}

// Pending returns one that was not removed.
func (d *DB) Pending(ctx context.Context, id string) (sandbox.Pending, error) {
	p, err := scan(d.db.QueryRowContext(ctx, "SELECT body, tx_id FROM pending WHERE id = ? AND removed = 0", id))
	if errors.Is(err, sql.ErrNoRows) {
		err = sandbox.ErrNotFound
	}
	return p, err
}

// ListPending returns those that wait, oldest first.
func (d *DB) ListPending(ctx context.Context, id chain.ID) ([]sandbox.Pending, error) {
	rows, err := d.db.QueryContext(ctx, "SELECT body, tx_id FROM pending WHERE chain = ? AND tx_id = '' AND removed = 0 ORDER BY seq", id)
	if err != nil {
		return nil, fmt.Errorf("records: %w", err)
	}
	defer rows.Close()
	var list []sandbox.Pending
	for rows.Next() {
		p, err := scan(rows)
		if err != nil {
			return nil, err
		}
		list = append(list, p)
	}
	return list, rows.Err()
}

func scan(row interface{ Scan(...any) error }) (sandbox.Pending, error) {
	var body, txID string
	var p sandbox.Pending
	if err := row.Scan(&body, &txID); err != nil {
		return p, fmt.Errorf("records: %w", err)
	}
	if err := json.Unmarshal([]byte(body), &p); err != nil {
		return p, fmt.Errorf("records: %w", err)
	}
	p.TxID = txID
	return p, nil
}

// Complete notes the transaction of a pending one, once.
func (d *DB) Complete(ctx context.Context, id, txID string) error {
	return d.change(ctx, func(tx *sql.Tx) error {
		var have string
		err := tx.QueryRowContext(ctx, "SELECT tx_id FROM pending WHERE id = ? AND removed = 0", id).Scan(&have)
		switch {
		case errors.Is(err, sql.ErrNoRows):
			return sandbox.ErrNotFound
		case err != nil:
			return err
		case have == txID:
			return nil
		case have != "":
			return sandbox.ErrOtherTx
		}
		_, err = tx.ExecContext(ctx, "UPDATE pending SET tx_id = ? WHERE id = ?", txID, id)
		return err
	})
}

// Remove drops a pending transaction.
func (d *DB) Remove(ctx context.Context, id string) error {
	return d.one(ctx, "UPDATE pending SET removed = 1 WHERE id = ? AND removed = 0", id)
}

// one runs a change that must concern one record.
func (d *DB) one(ctx context.Context, query string, args ...any) error {
	return d.change(ctx, func(tx *sql.Tx) error {
		result, err := tx.ExecContext(ctx, query, args...)
		if err != nil {
			return err
		}
		if n, err := result.RowsAffected(); err != nil || n == 1 {
			return err
		}
		return sandbox.ErrNotFound
	})
}

// Withdrawal returns one.
func (d *DB) Withdrawal(ctx context.Context, id string) (sandbox.Withdrawal, error) {
	var w sandbox.Withdrawal
	err := d.db.QueryRowContext(ctx, "SELECT id, chain, pending, state, tx_id FROM withdrawal WHERE id = ?", id).
		Scan(&w.ID, &w.Chain, &w.PendingID, &w.State, &w.TxID)
	if errors.Is(err, sql.ErrNoRows) {
		err = sandbox.ErrNotFound
	}
	return w, err
}

// ListWithdrawals lists those of a chain, newest first.
func (d *DB) ListWithdrawals(ctx context.Context, id chain.ID, skip, count int) ([]sandbox.Withdrawal, error) {
	rows, err := d.db.QueryContext(ctx, "SELECT id, chain, pending, state, tx_id FROM withdrawal WHERE chain = ? ORDER BY rowid DESC LIMIT ? OFFSET ?", id, count, skip)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	list := []sandbox.Withdrawal{}
	for rows.Next() {
		var w sandbox.Withdrawal
		if err := rows.Scan(&w.ID, &w.Chain, &w.PendingID, &w.State, &w.TxID); err != nil {
			return nil, err
		}
		list = append(list, w)
	}
	return list, rows.Err()
}

// EndWithdrawal notes how a withdrawal ended.
func (d *DB) EndWithdrawal(ctx context.Context, id string, state sandbox.WithdrawalState, txID string) error {
	return d.one(ctx, "UPDATE withdrawal SET state = ?, tx_id = ? WHERE id = ?", state, txID, id)
}

// shownFailures is how many failures are listed.
const shownFailures = 100

// AddFailures stores what a key management system reports.
func (d *DB) AddFailures(ctx context.Context, list []sandbox.Failure) error {
	return d.change(ctx, func(tx *sql.Tx) error {
		for _, f := range list {
			if _, err := tx.ExecContext(ctx, "INSERT INTO failure (pending, error) VALUES (?, ?)", f.PendingID, f.Error); err != nil {
				return err
			}
		}
		return nil
	})
}

// Failures returns the newest ones.
func (d *DB) Failures(ctx context.Context) ([]sandbox.Failure, error) {
	rows, err := d.db.QueryContext(ctx, "SELECT pending, error FROM failure ORDER BY seq DESC LIMIT ?", shownFailures)
	if err != nil {
		return nil, fmt.Errorf("records: %w", err)
	}
	defer rows.Close()
	var list []sandbox.Failure
	for rows.Next() {
		var f sandbox.Failure
		if err := rows.Scan(&f.PendingID, &f.Error); err != nil {
			return nil, fmt.Errorf("records: %w", err)
		}
		list = append(list, f)
	}
	return list, rows.Err()
}
