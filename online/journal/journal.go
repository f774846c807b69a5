// Package journal remembers, on a database, what became of every pending
// transaction: SQLite in WAL mode with synchronous FULL, so that what a
// method has acknowledged survives a crash.
//
// An item moves through states by the one table in state.go; every change is
// one database transaction that checks the state it starts from. The
// database itself holds to the two promises that matter most: signed bytes
// are set once, and what Tatum asked for is never changed.
package journal

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"time"

	_ "modernc.org/sqlite" // the driver "sqlite"

	"coldkms/shared/bundle"
	"coldkms/shared/chain"
)

// Journal is an open journal. It is safe for concurrent use; one process at a
// time writes, which is the state directory's lock to ensure.
type Journal struct {
	db  *sql.DB
	now func() time.Time
}

// Item is one pending transaction with its history's last line.
type Item struct {
	ID         string
	Chain      chain.ID
	Network    chain.Network
	Pending    []byte // as received
	Content    [32]byte
	Withdrawal string // id of the withdrawal, "" for an ordinary transaction
	State      State
	Request    bundle.Digest // that it was last exported in
	Code       chain.Code
	Reason     string
	Signed     []byte // final transaction
	TxID       string // of Signed
	Updated    time.Time
}

// Open opens the journal at path, making one if there is none.
func Open(ctx context.Context, path string, now func() time.Time) (*Journal, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600) // SQLite gives its other files the same mode
	if err != nil {
		return nil, fmt.Errorf("journal: %w", err)
	}
	if err := f.Close(); err != nil {
		return nil, fmt.Errorf("journal: %w", err)
	}
	db, err := sql.Open("sqlite", address(path))
	if err != nil {
		return nil, fmt.Errorf("journal: %w", err)
	}
	db.SetMaxOpenConns(1)
	if err := migrate(ctx, db); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return &Journal{db: db, now: now}, nil
}

func address(path string) string {
	options := url.Values{
		"_pragma": {"busy_timeout(10000)", "journal_mode(WAL)", "synchronous(FULL)", "fullfsync(1)", "foreign_keys(1)", "trusted_schema(0)"},
		"_txlock": {"immediate"},
	}
	u := url.URL{Scheme: "file", Opaque: (&url.URL{Path: filepath.ToSlash(path)}).EscapedPath(), RawQuery: options.Encode()}
	return u.String()
}

// Close closes the journal.
func (j *Journal) Close() error { return j.db.Close() }

// Check has SQLite look through the whole file.
func (j *Journal) Check(ctx context.Context) error {
	var verdict string
	if err := j.db.QueryRowContext(ctx, "PRAGMA integrity_check(1)").Scan(&verdict); err != nil {
		return fmt.Errorf("journal: integrity check: %w", err)
	}
	if verdict != "ok" {
		return fmt.Errorf("journal: integrity check: %.200q", verdict)
	}
	return nil
}

// change runs one database transaction.
func (j *Journal) change(ctx context.Context, what string, f func(*sql.Tx) error) error {
	tx, err := j.db.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("journal: %s: %w", what, err)
	}
	defer func() { _ = tx.Rollback() }()
	if err := f(tx); err != nil {
		return fmt.Errorf("journal: %s: %w", what, err)
	}
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("journal: %s: %w", what, err)
	}
	return nil
}
