package journal

import (
	"context"
	"database/sql"
	"fmt"
)

// migrations bring a journal from one version to the next. What was released
// is never changed; the version is SQLite's user_version.
var migrations = [...]string{
	`
CREATE TABLE requests (
	digest  BLOB PRIMARY KEY CHECK (length(digest) = 32),
	file    BLOB NOT NULL,
	created INTEGER NOT NULL,
	items   INTEGER NOT NULL,
	written INTEGER NOT NULL DEFAULT 0 -- the file was written somewhere, durably
) STRICT;

CREATE TABLE items (
	seq        INTEGER PRIMARY KEY AUTOINCREMENT,
	id         TEXT NOT NULL UNIQUE,
	chain      TEXT NOT NULL,
	network    INTEGER NOT NULL,
	pending    BLOB NOT NULL,
	content    BLOB NOT NULL CHECK (length(content) = 32),
	withdrawal TEXT NOT NULL,
	state      TEXT NOT NULL,
	request    BLOB REFERENCES requests (digest),
	code       TEXT NOT NULL DEFAULT '',
	reason     TEXT NOT NULL DEFAULT '',
	signed     BLOB,
	txid       TEXT NOT NULL DEFAULT '',
	created    INTEGER NOT NULL,
	updated    INTEGER NOT NULL,
	CHECK (state IN ('fetched', 'prepared', 'exported', 'signed', 'broadcast', 'completed', 'refused', 'rejected', 'failed')),
	CHECK (state NOT IN ('signed', 'broadcast', 'completed') OR signed IS NOT NULL),
	CHECK (state NOT IN ('fetched', 'prepared', 'exported', 'refused', 'rejected') OR signed IS NULL),
	CHECK ((signed IS NULL) = (txid = ''))
) STRICT;
CREATE INDEX items_by_state ON items (state, seq);
CREATE INDEX items_by_request ON items (request);

-- For one pending id at most one signed byte string ever leaves.
CREATE TRIGGER signed_once BEFORE UPDATE OF signed, txid ON items
WHEN OLD.signed IS NOT NULL AND (NEW.signed IS NOT OLD.signed OR NEW.txid IS NOT OLD.txid)
BEGIN SELECT RAISE(ABORT, 'signed bytes are set once'); END;

CREATE TRIGGER items_stay BEFORE DELETE ON items
BEGIN SELECT RAISE(ABORT, 'items are never deleted'); END;

CREATE TRIGGER items_same BEFORE UPDATE OF id, chain, network, pending, content, withdrawal ON items
BEGIN SELECT RAISE(ABORT, 'what Tatum asked for is never changed'); END;

CREATE TABLE previous (
	txid TEXT PRIMARY KEY,
	raw  BLOB NOT NULL
) STRICT;

CREATE TABLE results (
	digest   BLOB PRIMARY KEY CHECK (length(digest) = 32),
	request  BLOB NOT NULL REFERENCES requests (digest),
	file     BLOB NOT NULL,
	imported INTEGER NOT NULL
) STRICT;

CREATE TABLE peer (
	only       INTEGER PRIMARY KEY CHECK (only = 1),
	signer     BLOB NOT NULL CHECK (length(signer) = 32),
	watch      BLOB NOT NULL,
	head       BLOB,
	ledger_len INTEGER NOT NULL DEFAULT 0
) STRICT;
`,
}

func migrate(ctx context.Context, db *sql.DB) error {
	version, err := versionOf(ctx, db)
	if err != nil {
		return err
	}
	if version > len(migrations) {
		return fmt.Errorf("journal: it is of version %d, this program knows %d: a newer one wrote it", version, len(migrations))
	}
	for version < len(migrations) {
		if err := step(ctx, db, version); err != nil {
			return fmt.Errorf("journal: migration %d: %w", version+1, err)
		}
		version++
	}
	return nil
}

func versionOf(ctx context.Context, q interface {
	QueryRowContext(context.Context, string, ...any) *sql.Row
}) (int, error) {
	var version int
	if err := q.QueryRowContext(ctx, "PRAGMA user_version").Scan(&version); err != nil {
		return 0, fmt.Errorf("journal: version: %w", err)
	}
	return version, nil
}

func step(ctx context.Context, db *sql.DB, version int) error {
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }()
	now, err := versionOf(ctx, tx)
	if err != nil || now != version { // another process was faster
		return err
	}
	if _, err := tx.ExecContext(ctx, migrations[version]); err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, fmt.Sprintf("PRAGMA user_version = %d", version+1)); err != nil {
		return err
	}
	return tx.Commit()
}
