package journal

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"coldkms/shared/chain"
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
	// What was open then may have been signed and paid since, and what was signed may
	// have been dropped at Tatum: it waits for a look.
	if _, err := t.ExecContext(ctx, "UPDATE items SET withheld = ? WHERE state IN ('fetched', 'prepared', 'exported', 'signed') AND withheld IN ('', ?)", string(RestoredCode), string(Vetoed)); err != nil {
		return err
	}
	at := j.now()
	if err := t.watchUnwanted(ctx, at); err != nil {
		return err
	}
	if _, err := t.ExecContext(ctx, "INSERT INTO restores (made, at, service) VALUES (?, ?, 0)", b.Head.Made.Unix(), at.Unix()); err != nil {
		return err
	}
	return j.raise(ctx, t, &Raise{Code: RestoredCode, Evidence: at.UTC().Format(time.RFC3339), Reason: Restoration{b.Head.Made, at}.String() +
		": what happened between is not on record, and payments may have been sent that this journal does not know " +
		"of, or refused by an approval service. kms-online fetch; then import every result that the signer " +
		"wrote since then; then broadcast, with --external-url URL or --external-url none: nothing is sent " +
		"before you have said which approval service is asked, and nothing of before the restore " +
		"before you have released it: kms-online release lists that. Acknowledge this when all of " +
		"them are in"})
}

// watchUnwanted has the network watched for what was not wanted, or refused, when
// the backup was made: it may have been taken up again and paid since. What a
// person released was about another journal.
func (t tx) watchUnwanted(ctx context.Context, at time.Time) error {
	if _, err := t.ExecContext(ctx, "UPDATE items SET released = '' WHERE released <> ''"); err != nil {
		return err
	}
	_, err := t.ExecContext(ctx, `UPDATE items SET outstanding = ?, retry_at = 0, tries = 0
		WHERE signed IS NULL AND (state = 'refused'
		OR state IN ('fetched', 'prepared', 'exported') AND withheld NOT IN ('', ?))`,
		at.Add(OutstandingFor).Unix(), string(RestoredCode))
	return err
}

// RestoredCode is the code of the alarm that Restore raises, and of what is
// withheld until somebody has looked whether it was paid since the backup.
const RestoredCode chain.Code = "restored"

// Restoration is when a journal was restored, and when the backup was made.
type Restoration struct{ Made, At time.Time }

// String says both times.
func (r Restoration) String() string {
	return fmt.Sprintf("this journal was restored at %s from a backup of %s", r.At.UTC().Format(time.RFC3339), r.Made.UTC().Format(time.RFC3339))
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

// Idle reports whether the journal never had anything to do.
func (j *Journal) Idle(ctx context.Context) (idle bool, err error) {
	err = j.read(ctx, func() error {
		return j.db.QueryRowContext(ctx, "SELECT NOT EXISTS (SELECT 1 FROM items) AND NOT EXISTS (SELECT 1 FROM requests) AND NOT EXISTS (SELECT 1 FROM results) AND NOT EXISTS (SELECT 1 FROM restores)").Scan(&idle)
	})
	if err != nil {
		return false, fmt.Errorf("journal: %w", err)
	}
	return idle, nil
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

// Restorations lists the restorations of the journal, oldest first.
func (j *Journal) Restorations(ctx context.Context) (list []Restoration, err error) {
	err = j.list(ctx, "SELECT made, at FROM restores ORDER BY at, made", nil, func(rows *sql.Rows) error {
		var made, at int64
		err := rows.Scan(&made, &at)
		list = append(list, Restoration{moment(made), moment(at)})
		return err
	})
	return list, err
}

// restoredAt returns when the journal was restored last, in seconds since 1970; 0:
// never.
func (t tx) restoredAt(ctx context.Context) (at int64, err error) {
	err = t.QueryRowContext(ctx, "SELECT COALESCE(max(at), 0) FROM restores").Scan(&at)
	return at, err
}

// doubt is the code for which an item is withheld that comes now: it may be one
// that the lost journal had. "": it cannot.
func doubt(it Item, restored int64) chain.Code {
	if restored == 0 || restored+int64(skew/time.Second) < idTime(it) {
		return ""
	}
	return RestoredCode
}

// Unrecorded returns the restorations because of which this journal may lack what
// became of an item: those that it was in the backup of, and those after which
// its pending id was not made for certain. The lost journal may have had any
// other item, whenever this one learnt of it.
func Unrecorded(all []Restoration, it Item) (list []Restoration) {
	made := idTime(it)
	for _, r := range all {
		if at := max(r.At.Unix(), r.Made.Unix()); it.Created.Unix() <= at || made <= at+int64(skew/time.Second) {
			list = append(list, r)
		}
	}
	return list
}

// skew is by how much the clocks may differ of this machine and of whoever makes
// pending ids.
const skew = 24 * time.Hour

// idTime returns when a pending id was made, in seconds since 1970: its first
// eight hex digits, as of every id of Tatum's database. It is 0 where they cannot
// be that time.
func idTime(it Item) int64 {
	if len(it.ID) != 24 {
		return 0
	}
	at, err := strconv.ParseInt(it.ID[:8], 16, 64)
	if err != nil || at > it.Created.Add(skew).Unix() {
		return 0
	}
	return at
}
