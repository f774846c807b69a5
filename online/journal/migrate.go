package journal

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
)

// ErrNewer is returned for a journal that a newer version of this program has.
var ErrNewer = errors.New("a newer version of this program wrote it")

// migrate brings the journal to this program's version, under a lock, so that
// of two relays that start at once one waits for the other.
func (j *Journal) migrate(ctx context.Context) error {
	version, err := j.version(ctx, j.db.QueryRowContext)
	switch {
	case j.made && (err == nil && version == 0 || isNoTable(err)):
		return fmt.Errorf("journal: %w", ErrMissing)
	case j.made && err != nil:
		return fmt.Errorf("journal: %w", err)
	case err != nil:
		version = 0 // there is none yet
	}
	if version < len(migrations) {
		err = j.once(ctx, func(t tx) error { return j.steps(ctx, t) })
		if err == nil {
			version, err = j.version(ctx, j.db.QueryRowContext)
		}
	}
	if err == nil && version > len(migrations) {
		err = fmt.Errorf("it is of version %d, this program knows %d: %w", version, len(migrations), ErrNewer)
	}
	if err != nil {
		return fmt.Errorf("journal: migration: %w", err)
	}
	return j.prune(ctx)
}

type queryRow func(context.Context, string, ...any) *sql.Row

func (j *Journal) version(ctx context.Context, query queryRow) (version int, err error) {
	text := "PRAGMA user_version"
	if j.shared {
		text = "SELECT version FROM version"
	}
	if err := query(ctx, text).Scan(&version); err != nil {
		return 0, fmt.Errorf("version: %w", err)
	}
	return version, nil
}

// migrationLock is the advisory lock of PostgreSQL that migrations take.
const migrationLock = 0x636f6c646b6d73 // "coldkms"

func (j *Journal) steps(ctx context.Context, t tx) error {
	if err := j.prepareVersion(ctx, t); err != nil {
		return err
	}
	version, err := j.version(ctx, t.Tx.QueryRowContext)
	if err != nil || version >= len(migrations) { // another process was faster
		return err
	}
	return j.apply(ctx, t, version, len(migrations))
}

// prepareVersion has others that migrate wait, and makes room for the version.
func (j *Journal) prepareVersion(ctx context.Context, t tx) error {
	if !j.shared {
		return nil
	}
	for _, query := range []string{
		fmt.Sprintf("SELECT pg_advisory_xact_lock(%d)", migrationLock),
		"CREATE TABLE IF NOT EXISTS version (version BIGINT NOT NULL)",
		"INSERT INTO version SELECT 0 WHERE NOT EXISTS (SELECT 1 FROM version)",
	} {
		if _, err := t.Tx.ExecContext(ctx, query); err != nil {
			return err
		}
	}
	return nil
}

// apply brings tables from one version to another.
func (j *Journal) apply(ctx context.Context, t tx, from, to int) error {
	for i, m := range migrations[from:to] {
		guards := m.sqlite
		if j.shared {
			guards = m.postgres
		}
		if _, err := t.Tx.ExecContext(ctx, j.d.tables.Replace(m.tables)+guards); err != nil {
			return fmt.Errorf("to version %d: %w", from+i+1, err)
		}
	}
	set := "PRAGMA user_version = %d"
	if j.shared {
		set = "UPDATE version SET version = %d"
	}
	_, err := t.Tx.ExecContext(ctx, fmt.Sprintf(set, to))
	return err
}

// prune drops tokens that nobody waits for any more.
func (j *Journal) prune(ctx context.Context) error {
	if !j.shared {
		return nil
	}
	const day = 24 * 60 * 60 * 1000
	err := j.read(ctx, func() error {
		_, err := j.db.ExecContext(ctx, "DELETE FROM commits WHERE at < {now} - ?", day)
		return err
	})
	if err != nil {
		return fmt.Errorf("journal: %w", err)
	}
	return nil
}
