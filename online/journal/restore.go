package journal

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
)

// ErrNotEmpty is returned by Restore where there is a journal already.
var ErrNotEmpty = errors.New("there is a journal already")

// Restore makes a journal from a backup, where there is none, in one
// transaction. Nothing is made if verify returns an error.
func Restore(ctx context.Context, where string, r io.Reader, now func() time.Time, verify func(head BackupHead, sum, signature []byte) error) (BackupHead, error) {
	b, err := newBackupReader(r)
	if err != nil {
		return BackupHead{}, err
	}
	j := &Journal{now: now, shared: IsAddress(where)}
	if err := j.connect(ctx, where); err != nil {
		return b.Head, err
	}
	err = j.once(ctx, func(t tx) error { return j.fill(ctx, t, b, verify) })
	if err == nil {
		err = j.Check(ctx, true)
	}
	if err := errors.Join(err, j.Close()); err != nil {
		return b.Head, fmt.Errorf("journal: restore: %w", err)
	}
	return b.Head, nil
}

// fill makes the tables as they were, puts the rows in, and brings all to this
// program's version.
func (j *Journal) fill(ctx context.Context, t tx, b *backupReader, verify func(head BackupHead, sum, signature []byte) error) error {
	if err := j.prepareVersion(ctx, t); err != nil {
		return err
	}
	if version, err := j.version(ctx, t.Tx.QueryRowContext); err != nil || version > 0 {
		return errors.Join(ErrNotEmpty, err)
	}
	if err := j.apply(ctx, t, 0, b.Head.Schema); err != nil {
		return err
	}
	tables, err := t.tables(ctx)
	if err != nil {
		return err
	}
	for {
		row, err := b.next(func(sum, signature []byte) error { return verify(b.Head, sum, signature) })
		if err != nil {
			return err
		}
		if row == nil {
			break
		}
		if !slices.Contains(tables, b.table.Table) {
			return fmt.Errorf("%w: no table is called %.40q", ErrBackup, b.table.Table)
		}
		if err := t.insert(ctx, b.table, row); err != nil {
			return fmt.Errorf("a row of %s: %w", b.table.Table, err)
		}
	}
	if err := j.apply(ctx, t, b.Head.Schema, len(migrations)); err != nil {
		return err
	}
	if err := t.sequences(ctx); err != nil {
		return err
	}
	if _, err := t.ExecContext(ctx, "UPDATE items SET holder = '', held_until = 0 WHERE held_until > 0"); err != nil {
		return err
	}
	// What could be signed when the backup was made may have been sent since.
	if _, err := t.ExecContext(ctx, "UPDATE items SET handed = ? WHERE handed = 0 AND (state IN ('prepared', 'exported', 'signed') OR state IN ('broadcast', 'failed') AND signed IS NOT NULL)", b.Head.Made.Unix()); err != nil {
		return err
	}
	_, err = t.ExecContext(ctx, "INSERT INTO restores (made, at) VALUES (?, ?)", b.Head.Made.Unix(), j.now().Unix())
	return err
}

func (t tx) insert(ctx context.Context, table backupTable, row []any) error {
	overriding := ""
	if t.d.numbered {
		overriding = "OVERRIDING SYSTEM VALUE "
	}
	query := fmt.Sprintf(`INSERT INTO "%s" ("%s") %sVALUES (?%s)`, table.Table, strings.Join(table.Columns, `", "`), overriding, strings.Repeat(", ?", len(row)-1))
	_, err := t.ExecContext(ctx, query, row...)
	return err
}

// sequences has PostgreSQL number new rows after those that came with a number.
func (t tx) sequences(ctx context.Context) error {
	if !t.d.numbered {
		return nil
	}
	columns, err := t.strings(ctx, "SELECT table_name || '.' || column_name FROM information_schema.columns WHERE table_schema = current_schema() AND is_identity = 'YES'")
	for _, c := range columns {
		table, column, _ := strings.Cut(c, ".")
		query := fmt.Sprintf(`SELECT setval(pg_get_serial_sequence('%[1]s', '%[2]s'), COALESCE(max("%[2]s"), 0) + 1, false) FROM "%[1]s"`, table, column)
		if err := t.QueryRowContext(ctx, query).Scan(new(int64)); err != nil {
			return err
		}
	}
	return err
}

// Restored returns when the backup was made that the journal was restored from
// last; the zero time if it never was.
func (j *Journal) Restored(ctx context.Context) (made time.Time, err error) {
	var at int64
	err = j.read(ctx, func() error {
		return j.db.QueryRowContext(ctx, "SELECT COALESCE(max(made), 0) FROM restores").Scan(&at)
	})
	if err != nil {
		return made, fmt.Errorf("journal: restored: %w", err)
	}
	return moment(at), nil
}

// Unrecorded returns when the backup was made from which this journal was
// restored so that it may lack what became of an item since; zero: it lacks
// nothing. An item that was journaled soon after a restore may be one that the
// lost journal had.
func (j *Journal) Unrecorded(ctx context.Context, it Item) (made time.Time, err error) {
	var at int64
	err = j.read(ctx, func() error {
		return j.db.QueryRowContext(ctx, j.d.sql("SELECT COALESCE(max(made), 0) FROM restores WHERE at + 86400 >= ?"), it.Created.Unix()).Scan(&at)
	})
	if err != nil {
		return made, fmt.Errorf("journal: restored: %w", err)
	}
	return moment(at), nil
}
