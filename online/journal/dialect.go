package journal

import (
	"context"
	"database/sql"
	"strconv"
	"strings"
	"sync/atomic"
	"unicode/utf8"
)

// dialect is where the two databases differ. Queries are written for SQLite,
// with ? for a parameter and words in braces for what is below.
type dialect struct {
	numbered bool              // parameters are $1, $2, …
	words    *strings.Replacer // {now}, {list}, {locked}, {free}
	tables   *strings.Replacer // of a migration's tables
}

func sqliteDialect() dialect {
	return dialect{
		words: strings.NewReplacer(
			"{now}", "CAST(unixepoch('subsec') * 1000 AS INTEGER)", // of the machine that has the file
			"{list}", "SELECT value FROM json_each(?)",
			"{locked}", "", // a transaction that writes is the only one
			"{free}", "",
			"{unsettled}", "INDEXED BY items_unsettled", // it has no figures by which it could choose
			"{outstanding}", "INDEXED BY items_outstanding",
			"{untold}", "INDEXED BY items_untold",
			"{unhashed}", "INDEXED BY items_unhashed",
		),
		tables: strings.NewReplacer(),
	}
}

func postgresDialect() dialect {
	return dialect{
		numbered: true,
		words: strings.NewReplacer(
			"{now}", "CAST(extract(epoch FROM clock_timestamp()) * 1000 AS BIGINT)", // of the server: the machines' clocks do not matter
			"{list}", "SELECT jsonb_array_elements_text(CAST(? AS JSONB))",
			"{locked}", "FOR UPDATE",
			"{free}", "FOR UPDATE SKIP LOCKED",
			"{unsettled}", "", "{outstanding}", "", "{untold}", "", "{unhashed}", "",
		),
		tables: strings.NewReplacer(
			"INTEGER PRIMARY KEY AUTOINCREMENT", "BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY",
			"CREATE TABLE requests (", "CREATE TABLE requests (\n\trowid BIGINT GENERATED ALWAYS AS IDENTITY,", // SQLite has it anyway
			"only       INTEGER PRIMARY KEY CHECK (only = 1)", `"only" BIGINT PRIMARY KEY CHECK ("only" = 1)`,
			"INTEGER", "BIGINT", "BLOB", "BYTEA", ") STRICT;", ");",
		),
	}
}

// sql translates a query.
func (d dialect) sql(query string) string {
	query = d.words.Replace(query)
	if !d.numbered {
		return query
	}
	var b strings.Builder
	n := 0
	for part := range strings.SplitSeq(query, "?") {
		if n > 0 {
			b.WriteString("$" + strconv.Itoa(n))
		}
		b.WriteString(part)
		n++
	}
	return b.String()
}

// words makes a text that both databases take: PostgreSQL has none with a
// zero byte or with bytes that are not UTF-8.
func words(s string) string {
	if utf8.ValidString(s) && !strings.ContainsRune(s, 0) {
		return s
	}
	return strings.ReplaceAll(strings.ToValidUTF8(s, "\uFFFD"), "\x00", "\uFFFD")
}

// database is a pool of connections that speaks the dialect and counts what
// is asked of it.
type database struct {
	*sql.DB
	d          dialect
	statements *atomic.Int64
}

func (b database) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	b.statements.Add(1)
	return b.DB.QueryContext(ctx, b.d.sql(query), args...)
}

func (b database) QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row {
	b.statements.Add(1)
	return b.DB.QueryRowContext(ctx, b.d.sql(query), args...)
}

func (b database) ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error) {
	b.statements.Add(1)
	return b.DB.ExecContext(ctx, b.d.sql(query), args...)
}

// begin starts a transaction at the isolation level that every query here is
// written for, whatever the server's default is.
func (b database) begin(ctx context.Context) (tx, error) {
	b.statements.Add(2) // with its end
	var options sql.TxOptions
	if b.d.numbered {
		options.Isolation = sql.LevelReadCommitted
	}
	t, err := b.BeginTx(ctx, &options)
	return tx{Tx: t, d: b.d, statements: b.statements}, err
}

// tx is a database transaction that speaks the dialect.
type tx struct {
	*sql.Tx
	d          dialect
	statements *atomic.Int64
	uncut      bool // its statements on SQLite run to their end
}

// bounds returns the context of a statement. SQLite ends a whole transaction with a
// statement that is cut short, and watching for that costs more than the statement.
func (t tx) bounds(ctx context.Context) context.Context {
	if t.uncut && !t.d.numbered {
		return context.WithoutCancel(ctx)
	}
	return ctx
}

func (t tx) ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error) {
	t.statements.Add(1)
	return t.Tx.ExecContext(t.bounds(ctx), t.d.sql(query), args...)
}

func (t tx) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	t.statements.Add(1)
	return t.Tx.QueryContext(t.bounds(ctx), t.d.sql(query), args...)
}

func (t tx) QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row {
	t.statements.Add(1)
	return t.Tx.QueryRowContext(t.bounds(ctx), t.d.sql(query), args...)
}

// PrepareContext prepares a statement that is executed many times.
func (t tx) PrepareContext(ctx context.Context, query string) (statement, error) {
	if t.d.numbered { // a pooler hands a named statement to whoever has the server's connection next
		return statement{t: t, query: query}, nil
	}
	stmt, err := t.Tx.PrepareContext(ctx, t.d.sql(query))
	return statement{t: t, query: query, prepared: stmt}, err
}

// statement is a statement that is executed many times, prepared where the
// database has that for a transaction.
type statement struct {
	t        tx
	query    string
	prepared *sql.Stmt // nil on PostgreSQL
}

func (s statement) ExecContext(ctx context.Context, args ...any) (sql.Result, error) {
	if s.prepared == nil {
		return s.t.ExecContext(ctx, s.query, args...)
	}
	s.t.statements.Add(1)
	return s.prepared.ExecContext(ctx, args...)
}

func (s statement) Close() error {
	if s.prepared == nil {
		return nil
	}
	return s.prepared.Close()
}
