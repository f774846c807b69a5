// Package records keeps what a sandbox was told in one SQLite file: pending
// transactions, withdrawals, and copies of what its node forgets.
//
// Every change is one transaction, written through to the disk before it is
// acknowledged (WAL, synchronous FULL). The file is held exclusively: a
// second sandbox on it is told so with ErrLocked, and a killed one leaves no
// lock behind.
package records

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"path/filepath"

	"github.com/btcsuite/btcd/btcec/v2"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"coldkms/cmd/kms-sandbox/sandbox"
)

// ErrLocked says that another process has the file.
var ErrLocked = errors.New("in use by another sandbox")

// DB is a sandbox.Store.
type DB struct{ db *sql.DB }

var _ sandbox.Store = (*DB)(nil)

// schema is the first and so far only version; user_version says which.
const schema = `
CREATE TABLE pending (
	seq INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, chain TEXT NOT NULL, body TEXT NOT NULL,
	tx_id TEXT NOT NULL DEFAULT '', removed INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX waiting ON pending (chain, seq) WHERE tx_id = '' AND removed = 0;
CREATE TABLE withdrawal (
	id TEXT PRIMARY KEY, chain TEXT NOT NULL, pending TEXT NOT NULL, state TEXT NOT NULL, tx_id TEXT NOT NULL DEFAULT ''
) STRICT;
CREATE TABLE failure (seq INTEGER PRIMARY KEY, pending TEXT NOT NULL, error TEXT NOT NULL) STRICT;
CREATE TABLE sent (seq INTEGER PRIMARY KEY, chain TEXT NOT NULL, tx_id TEXT NOT NULL, raw BLOB NOT NULL, UNIQUE (chain, tx_id)) STRICT;
CREATE TABLE block (chain TEXT NOT NULL, height INTEGER NOT NULL, raw BLOB NOT NULL, PRIMARY KEY (chain, height)) STRICT, WITHOUT ROWID;
CREATE TABLE miner (key BLOB NOT NULL) STRICT;
PRAGMA user_version = 1;
`

const version = 1

// Open opens or makes the file at path.
func Open(ctx context.Context, path string) (*DB, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("records: %w", err)
	}
	dsn := url.URL{Scheme: "file", Path: filepath.ToSlash(path), RawQuery: url.Values{
		"_pragma": {"locking_mode(EXCLUSIVE)", "journal_mode(WAL)", "synchronous(FULL)"},
		"_txlock": {"immediate"},
	}.Encode()}
	db, err := sql.Open("sqlite", dsn.String())
	if err != nil {
		return nil, fmt.Errorf("records: %w", err)
	}
	db.SetMaxOpenConns(1) // one writer, and the lock is the connection's
	d := &DB{db}
	if err := d.prepare(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("records: %s: %w", path, err), db.Close())
	}
	return d, nil
}

// prepare takes the lock and makes the tables.
func (d *DB) prepare(ctx context.Context) error {
	return d.change(ctx, func(tx *sql.Tx) error {
		var have int
		if err := tx.QueryRowContext(ctx, "PRAGMA user_version").Scan(&have); err != nil {
			return err
		}
		switch have {
		case version:
			return nil
		case 0:
			_, err := tx.ExecContext(ctx, schema)
			return err
		}
		return fmt.Errorf("of version %d, this program reads %d", have, version)
	})
}

// change runs f in one transaction.
func (d *DB) change(ctx context.Context, f func(*sql.Tx) error) error {
	tx, err := d.db.BeginTx(ctx, nil)
	if err != nil {
		return lockedOr(err)
	}
	if err := f(tx); err != nil {
		return errors.Join(lockedOr(err), tx.Rollback())
	}
	return lockedOr(tx.Commit())
}

func lockedOr(err error) error {
	var e *sqlite.Error
	if errors.As(err, &e) && e.Code()&0xff == sqlite3.SQLITE_BUSY {
		return ErrLocked
	}
	return err
}

// Close closes the file.
func (d *DB) Close() error { return d.db.Close() }

// Miner returns the faucet's throw-away key, made at first use.
func (d *DB) Miner(ctx context.Context) (*btcec.PrivateKey, error) {
	var raw []byte
	err := d.change(ctx, func(tx *sql.Tx) error {
		err := tx.QueryRowContext(ctx, "SELECT key FROM miner").Scan(&raw)
		if !errors.Is(err, sql.ErrNoRows) {
			return err
		}
		raw = make([]byte, 32)
		if _, err := rand.Read(raw); err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, "INSERT INTO miner (key) VALUES (?)", raw)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("records: miner's key: %w", err)
	}
	key, _ := btcec.PrivKeyFromBytes(raw)
	return key, nil
}
