package journal

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"slices"
	"time"

	"coldkms/shared/bundle"
)

// A backup is lines of JSON: a head, then each table's columns and rows, then
// an end with a hash over all lines before it, signed by the relay. It is the
// same for both databases, so a journal can move from one to the other.

// ErrBackup is returned for a file that is not a whole and genuine backup.
var ErrBackup = errors.New("not a usable backup")

// Bounds of a backup.
const (
	backupVersion   = 1
	maxBackupLine   = bundle.MaxFile/3*4 + 8<<20 // bytes: one row has at most one file of a request, in base64
	maxBackupPlain  = 64 << 10                   // bytes of a line that is no row
	maxBackupTables = 100
)

// BackupHead is the first line of a backup.
type BackupHead struct {
	Kind    string    `json:"coldkms"` // "backup"
	Version int       `json:"version"`
	Schema  int       `json:"schema"` // migrations that its tables have seen
	Relay   string    `json:"relay"`  // public key in hex
	Made    time.Time `json:"made"`
}

// backupEnd is its last line.
type backupEnd struct {
	End       bool             `json:"end"`
	Rows      map[string]int64 `json:"rows"`
	SHA256    string           `json:"sha256"`
	Signature string           `json:"signature"`
}

type backupTable struct {
	Table   string   `json:"table"`
	Columns []string `json:"columns"`
}

// Backup writes everything that the journal has, as it is at one moment, and
// returns the number of rows by table. sign signs the hash at the end. Others
// may work with the journal meanwhile.
func (j *Journal) Backup(ctx context.Context, w io.Writer, relay []byte, sign func(sum []byte) []byte) (map[string]int64, error) {
	rows := make(map[string]int64)
	b := bufio.NewWriterSize(w, 1<<20)
	sum := sha256.New()
	enc := json.NewEncoder(io.MultiWriter(b, sum))
	enc.SetEscapeHTML(false)
	err := j.snapshot(ctx, func(t tx) error {
		head := BackupHead{Kind: "backup", Version: backupVersion, Relay: hex.EncodeToString(relay), Made: j.now().UTC().Truncate(time.Second)}
		var err error
		if head.Schema, err = j.version(ctx, t.Tx.QueryRowContext); err != nil {
			return err
		}
		if err := enc.Encode(head); err != nil {
			return err
		}
		tables, err := t.tables(ctx)
		for i := 0; err == nil && i < len(tables); i++ {
			rows[tables[i]], err = t.dump(ctx, tables[i], enc)
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("journal: backup: %w", err)
	}
	all := sum.Sum(nil)
	end, err := json.Marshal(backupEnd{End: true, Rows: rows, SHA256: hex.EncodeToString(all), Signature: hex.EncodeToString(sign(all))})
	if err == nil {
		_, err = b.Write(append(end, '\n'))
	}
	return rows, errors.Join(err, b.Flush())
}

// snapshot runs f on the journal as it is at one moment, without changing it.
func (j *Journal) snapshot(ctx context.Context, f func(tx) error) error {
	options := sql.TxOptions{ReadOnly: true}
	if j.shared {
		options.Isolation = sql.LevelRepeatableRead
	}
	t, err := j.db.BeginTx(ctx, &options)
	if err != nil {
		return err
	}
	defer func() { _ = t.Rollback() }()
	return f(tx{Tx: t, d: j.d, statements: &j.statements})
}

// tables lists the tables that a backup has, in an order in which they can be
// filled.
func (t tx) tables(ctx context.Context) ([]string, error) {
	query := "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite%'"
	if t.d.numbered {
		query = "SELECT tablename FROM pg_tables WHERE schemaname = current_schema()"
	}
	list, err := t.strings(ctx, query)
	list = slices.DeleteFunc(list, func(name string) bool {
		return name == "version" || name == "commits" || name == "holders" || name == "requests"
	})
	slices.Sort(list)
	return append([]string{"requests"}, list...), err // others refer to it
}

func (t tx) strings(ctx context.Context, query string, args ...any) ([]string, error) {
	rows, err := t.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var list []string
	for rows.Next() {
		var s string
		if err := rows.Scan(&s); err != nil {
			return nil, err
		}
		list = append(list, s)
	}
	return list, rows.Err()
}

func (t tx) dump(ctx context.Context, table string, enc *json.Encoder) (n int64, err error) {
	what := "*"
	if table == "requests" && !t.d.numbered {
		what = "rowid, *" // there it is a column like others
	}
	rows, err := t.QueryContext(ctx, "SELECT "+what+` FROM "`+table+`" ORDER BY 1`)
	if err != nil {
		return 0, err
	}
	defer rows.Close()
	columns, err := rows.Columns()
	if err == nil {
		err = enc.Encode(backupTable{table, columns})
	}
	if err != nil {
		return 0, err
	}
	row, into := make([]any, len(columns)), make([]any, len(columns))
	for i := range row {
		into[i] = &row[i]
	}
	for rows.Next() {
		if err := rows.Scan(into...); err != nil {
			return n, err
		}
		line := make([]any, len(row))
		for i, v := range row {
			if line[i] = v; !isBytes(v) {
				continue
			}
			line[i] = backupBytes{v.([]byte)}
		}
		if err := enc.Encode(line); err != nil {
			return n, err
		}
		n++
	}
	return n, rows.Err()
}

func isBytes(v any) bool { _, is := v.([]byte); return is }

// backupBytes tells bytes from text.
type backupBytes struct {
	Bytes []byte `json:"b"`
}

// backupReader reads the lines of a backup and hashes them.
type backupReader struct {
	lines *lineReader
	sum   hash.Hash
	Head  BackupHead
	rows  map[string]int64
	table backupTable
}

func newBackupReader(r io.Reader) (*backupReader, error) {
	b := &backupReader{lines: &lineReader{in: bufio.NewReaderSize(r, maxBackupPlain)}, sum: sha256.New(), rows: make(map[string]int64)}
	if !b.lines.Scan() {
		return nil, b.cut("it is empty or damaged")
	}
	err := json.Unmarshal(b.lines.Bytes(), &b.Head)
	switch {
	case err != nil || b.Head.Kind != "backup":
		return nil, fmt.Errorf("%w: it does not begin like one", ErrBackup)
	case b.Head.Version != backupVersion || b.Head.Schema < 1 || b.Head.Schema > len(migrations):
		return nil, fmt.Errorf("%w: it is of format %d, schema %d: %w", ErrBackup, b.Head.Version, b.Head.Schema, ErrNewer)
	}
	b.hash()
	return b, nil
}

func (b *backupReader) hash() { b.sum.Write(b.lines.Bytes()); b.sum.Write([]byte{'\n'}) }

// next reads a row, or nil at the end, where verify is asked about the hash
// and its signature.
func (b *backupReader) next(verify func(sum, signature []byte) error) ([]any, error) {
	for b.lines.Scan() {
		line := b.lines.Bytes()
		if isRow(line) {
			b.hash()
			b.rows[b.table.Table]++
			return b.row(line)
		}
		var end backupEnd
		if json.Unmarshal(line, &end) == nil && end.End {
			return nil, b.end(end, verify)
		}
		b.table = backupTable{}
		if err := json.Unmarshal(line, &b.table); err != nil || len(b.rows) == maxBackupTables || !plainNames(append(b.table.Columns, b.table.Table)) {
			return nil, fmt.Errorf("%w: a line of it is damaged", ErrBackup)
		}
		b.hash()
		if _, twice := b.rows[b.table.Table]; twice {
			return nil, fmt.Errorf("%w: table %s twice", ErrBackup, b.table.Table)
		}
		b.rows[b.table.Table] = 0
	}
	return nil, b.cut("it ends too early")
}

// cut is why there is no further line. The end of the program says nothing
// about the backup.
func (b *backupReader) cut(what string) error {
	err := b.lines.Err()
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) || errors.Is(err, ErrBackup) {
		return err
	}
	return fmt.Errorf("%w: %s: %w", ErrBackup, what, errors.Join(err, io.ErrUnexpectedEOF))
}

func (b *backupReader) end(end backupEnd, verify func(sum, signature []byte) error) error {
	signature, err := hex.DecodeString(end.Signature)
	sum := b.sum.Sum(nil)
	switch {
	case err != nil || end.SHA256 != hex.EncodeToString(sum):
		return fmt.Errorf("%w: its hash is another: it was changed or damaged", ErrBackup)
	case b.lines.Scan():
		return fmt.Errorf("%w: it goes on after its end", ErrBackup)
	}
	for table, n := range end.Rows {
		if b.rows[table] != n {
			return fmt.Errorf("%w: %d rows of %s, it should have %d", ErrBackup, b.rows[table], table, n)
		}
	}
	if b.lines.Err() != nil {
		return b.cut("its end is damaged")
	}
	return verify(sum, signature)
}

// row decodes the values of a row.
func (b *backupReader) row(line []byte) ([]any, error) {
	fields, err := rawFields(line, len(b.table.Columns))
	if err != nil || len(fields) == 0 {
		return nil, fmt.Errorf("%w: a row of %.20q is damaged", ErrBackup, b.table.Table)
	}
	row := make([]any, len(fields))
	for i, field := range fields {
		var err error
		switch field[0] {
		case 'n':
		case '{':
			var v backupBytes
			err = json.Unmarshal(field, &v)
			row[i] = append([]byte{}, v.Bytes...)
		case '"':
			var v string
			err = json.Unmarshal(field, &v)
			row[i] = v
		default:
			var v int64
			err = json.Unmarshal(field, &v)
			row[i] = v
		}
		if err != nil {
			return nil, fmt.Errorf("%w: a row of %.20q is damaged", ErrBackup, b.table.Table)
		}
	}
	return row, nil
}

// rawFields takes an array of n elements apart. One of more is given up at the
// first that is too many.
func rawFields(line []byte, n int) ([]json.RawMessage, error) {
	dec := json.NewDecoder(bytes.NewReader(line))
	if _, err := dec.Token(); err != nil {
		return nil, err
	}
	fields := make([]json.RawMessage, n)
	for i := range fields {
		if err := dec.Decode(&fields[i]); err != nil {
			return nil, err
		}
	}
	if dec.More() {
		return nil, ErrBackup
	}
	_, err := dec.Token()
	if err == nil && dec.More() {
		err = ErrBackup
	}
	return fields, err
}

// plainNames reports whether all are names that need no care in a query.
func plainNames(names []string) bool {
	return !slices.ContainsFunc(names, func(s string) bool {
		return s == "" || len(s) > 40 || bytes.ContainsFunc([]byte(s), func(r rune) bool { return r != '_' && (r < 'a' || r > 'z') && (r < '0' || r > '9') })
	})
}

// VerifyBackup reads a whole backup, and returns its head and rows by table.
func VerifyBackup(r io.Reader, verify func(head BackupHead, sum, signature []byte) error) (BackupHead, map[string]int64, error) {
	b, err := newBackupReader(r)
	if err != nil {
		return BackupHead{}, nil, err
	}
	for {
		row, err := b.next(func(sum, signature []byte) error { return verify(b.Head, sum, signature) })
		if err != nil || row == nil {
			return b.Head, b.rows, err
		}
	}
}
