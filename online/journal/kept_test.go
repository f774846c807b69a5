package journal

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"path/filepath"
	"testing"

	"modernc.org/sqlite"
)

// counting counts the statements that SQLite is made to read.
type counting struct {
	driver.Connector
	read *int
}

type countingConn struct {
	sqliteConn
	read *int
}

func (c counting) Connect(ctx context.Context) (driver.Conn, error) {
	conn, err := c.Connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	return countingConn{conn.(sqliteConn), c.read}, nil
}

func (c countingConn) PrepareContext(ctx context.Context, query string) (driver.Stmt, error) {
	*c.read++
	return c.sqliteConn.PrepareContext(ctx, query)
}

func TestKept(t *testing.T) {
	ctx := t.Context()
	open, err := sqlite.NewConnector(address(filepath.Join(t.TempDir(), "journal.db"), false))
	if err != nil {
		t.Fatal(err)
	}
	var read int
	db := sql.OpenDB(kept{counting{open, &read}})
	defer db.Close()
	db.SetMaxOpenConns(1)
	do := func(query string, args ...any) {
		t.Helper()
		if _, err := db.ExecContext(ctx, query, args...); err != nil {
			t.Fatal(err)
		}
	}
	do("CREATE TABLE n (i INTEGER PRIMARY KEY); CREATE TABLE m (i INTEGER)")
	read = 0
	for i := range 50 {
		do("INSERT INTO n (i) VALUES (?)", i)
		var sum int
		if err := db.QueryRowContext(ctx, "SELECT count(*) FROM n").Scan(&sum); err != nil || sum != i+1 {
			t.Fatal(sum, err)
		}
	}
	if read != 2 {
		t.Errorf("%d statements were read, want 2", read)
	}
	if _, err := db.ExecContext(ctx, "INSERT INTO n (i) VALUES (?)", 0); err == nil {
		t.Error("the same key twice")
	}
	do("INSERT INTO n (i) VALUES (?)", 100) // works after it failed
	do("ALTER TABLE n ADD COLUMN j INTEGER NOT NULL DEFAULT 7")
	do("INSERT INTO n (i) VALUES (?)", 101) // and on another schema
	keptNested(t, db)
}

// keptNested reads rows with a statement while rows of the same one are read.
func keptNested(t *testing.T, db *sql.DB) {
	tx, err := db.Begin()
	if err != nil {
		t.Fatal(err)
	}
	defer tx.Rollback()
	const query = "SELECT i FROM n WHERE i >= ? ORDER BY i"
	outer, err := tx.Query(query, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer outer.Close()
	n := 0
	for ; outer.Next(); n++ {
		var inner, at int
		if err := tx.QueryRow(query, 101).Scan(&inner); err != nil || inner != 101 {
			t.Fatal(inner, err)
		}
		if err := outer.Scan(&at); err != nil || n < 50 && at != n {
			t.Fatal(at, err)
		}
	}
	if n != 52 || outer.Err() != nil {
		t.Errorf("%d rows, want 52, %v", n, outer.Err())
	}
}
