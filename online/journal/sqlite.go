package journal

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"

	"modernc.org/sqlite" // the driver "sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

func openSQLite(_ context.Context, j *Journal, path string) error {
	if err := j.findFile(path); err != nil {
		return fmt.Errorf("journal: %w", err)
	}
	driver, err := sqlite.NewConnector(address(path, j.alone))
	if err != nil {
		return fmt.Errorf("journal: %w", err)
	}
	j.db.DB = sql.OpenDB(kept{driver})
	j.db.SetMaxOpenConns(1)
	j.d = sqliteDialect()
	j.db.d = j.d
	return nil
}

// findFile makes the journal's file, or makes sure that it is there: SQLite
// drops the log of one that is empty.
func (j *Journal) findFile(path string) error {
	if j.made {
		info, err := os.Stat(path)
		if errors.Is(err, fs.ErrNotExist) || err == nil && info.Size() == 0 {
			return fmt.Errorf("%w: %s", ErrMissing, path)
		}
		return err
	}
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600) // SQLite gives its other files the same mode
	if err != nil {
		return err
	}
	return f.Close()
}

// IsDamaged reports whether the journal's file cannot be read as one.
func IsDamaged(err error) bool {
	var said *sqlite.Error
	if !errors.As(err, &said) {
		return false
	}
	code := said.Code() & 0xff
	return code == sqlite3.SQLITE_CORRUPT || code == sqlite3.SQLITE_NOTADB
}

// IsFull reports whether a change was not made because the disk is full, or does
// not work.
func IsFull(err error) bool {
	var said *sqlite.Error
	if !errors.As(err, &said) {
		return false
	}
	code := said.Code() & 0xff
	return code == sqlite3.SQLITE_FULL || code == sqlite3.SQLITE_IOERR || code == sqlite3.SQLITE_CANTOPEN
}

// NoRoom reports whether a change was not made because the disk is full.
func NoRoom(err error) bool {
	var said *sqlite.Error
	return errors.As(err, &said) && said.Code()&0xff == sqlite3.SQLITE_FULL
}

func address(path string, alone bool) string {
	mode := "journal_mode(WAL)"
	if alone { // then the index of the log is in this process's memory; the mode is what the file says
		mode = "locking_mode(EXCLUSIVE)"
	}
	options := url.Values{
		"_pragma": {"busy_timeout(10000)", mode, "synchronous(FULL)", "fullfsync(1)", "foreign_keys(1)", "trusted_schema(0)"},
		"_txlock": {"immediate"},
	}
	u := url.URL{Scheme: "file", Opaque: (&url.URL{Path: filepath.ToSlash(path)}).EscapedPath(), RawQuery: options.Encode()}
	return u.String()
}
