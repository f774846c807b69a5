package journal

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"coldkms/shared/bundle"
)

// Verdict is what was said of an item.
type Verdict string

// Verdicts. A veto is kept on the item itself, as what it is withheld for.
const (
	Approved Verdict = "approved" // by the approval service
	Lifted   Verdict = "lifted"   // a person takes it upon himself: the service is not asked
)

// Approval is what the approval service, or a person, said of an item.
type Approval struct {
	ID         string
	Verdict    Verdict
	Statements []byte    // as the service made them
	Until      time.Time // when it is asked again; zero: never
	Reason     string
	Service    string // that said so; its own veto is taken back, and with Lifted everyone's
}

// Approve records what was said of an item, and takes back a veto.
func (j *Journal) Approve(ctx context.Context, a Approval) error {
	until := int64(0)
	if !a.Until.IsZero() {
		until = a.Until.Unix()
	}
	if a.Statements == nil {
		a.Statements = []byte{}
	}
	return j.together(ctx, "approve", func(t tx) error {
		_, err := t.ExecContext(ctx, `INSERT INTO approvals (id, verdict, statements, asked, expires, reason) VALUES (?, ?, ?, ?, ?, ?)
			ON CONFLICT (id) DO UPDATE SET verdict = excluded.verdict, statements = excluded.statements, asked = excluded.asked, expires = excluded.expires, reason = excluded.reason`,
			a.ID, string(a.Verdict), a.Statements, j.now().Unix(), until, words(a.Reason))
		if err == nil {
			_, err = t.ExecContext(ctx, "DELETE FROM vetoes WHERE id = ? AND (service = ? AND service <> '' OR ? = 'lifted')", a.ID, words(a.Service), string(a.Verdict))
		}
		if err == nil {
			_, err = t.ExecContext(ctx, "UPDATE items SET withheld = "+unlessVetoed+" WHERE id = ? AND withheld = ?", a.ID, string(Vetoed))
		}
		return err
	})
}

// useApprovals ends what the approval service said of the items of a Request: a yes
// is for one Request, and the service is asked again before the next one.
func (t tx) useApprovals(ctx context.Context, request bundle.Digest) error {
	_, err := t.ExecContext(ctx, "DELETE FROM approvals WHERE verdict = ? AND id IN "+
		"(SELECT id FROM request_items WHERE request = ?)", string(Approved), request[:])
	return err
}

// Veto records that an approval service says no to an item, which is withheld
// for that unless it has another reason to be already.
func (j *Journal) Veto(ctx context.Context, id, service string) error {
	return j.together(ctx, "veto", func(t tx) error {
		_, err := t.ExecContext(ctx, "DELETE FROM approvals WHERE id = ?", id)
		if err == nil {
			_, err = t.ExecContext(ctx, "INSERT INTO vetoes (id, service, at) VALUES (?, ?, ?) ON CONFLICT (id, service) DO NOTHING", id, words(service), j.now().Unix())
		}
		if err == nil {
			_, err = t.ExecContext(ctx, "UPDATE items SET withheld = ? WHERE id = ? AND withheld = ''", string(Vetoed), id)
		}
		return err
	})
}

// Vetoes lists the services whose no to an item stands.
func (j *Journal) Vetoes(ctx context.Context, id string) ([]string, error) {
	services, err := j.texts(ctx, "SELECT service FROM vetoes WHERE id = ? ORDER BY service", id)
	if err != nil {
		return nil, fmt.Errorf("journal: vetoes: %w", err)
	}
	return services, nil
}

// VetoesOf returns, by item, the services whose no stands.
func (j *Journal) VetoesOf(ctx context.Context, ids []string) (map[string][]string, error) {
	list, _ := json.Marshal(ids)
	all := make(map[string][]string)
	query := "SELECT id, service FROM vetoes WHERE id IN ({list}) ORDER BY id, service"
	err := j.list(ctx, query, []any{string(list)}, func(rows *sql.Rows) error {
		var id, service string
		err := rows.Scan(&id, &service)
		all[id] = append(all[id], service)
		return err
	})
	return all, err
}

// VetoesBut counts the items that go on and that other services than this one
// say no to.
func (j *Journal) VetoesBut(ctx context.Context, service string) (n int, err error) {
	err = j.read(ctx, func() error {
		return j.db.QueryRowContext(ctx, j.d.sql("SELECT count(*) FROM items WHERE id IN (SELECT id FROM vetoes WHERE service <> ?) AND state NOT IN ('completed', 'rejected')"), service).Scan(&n)
	})
	if err != nil {
		return 0, fmt.Errorf("journal: vetoes: %w", err)
	}
	return n, nil
}

// valid is the condition that what was said of an item still counts.
const valid = "(a.expires = 0 OR a.expires > ?)"

// Approvals returns what was said of the items that f chooses and still counts.
func (j *Journal) Approvals(ctx context.Context, f Filter) (map[string]Approval, error) {
	where, args := f.where("", len(f.IDs) > 0)
	query := "SELECT a.id, a.verdict, a.statements, a.expires, a.reason FROM approvals a WHERE " + valid + " AND a.id IN (SELECT id FROM items" + where + ")"
	args = append([]any{j.now().Unix()}, args...)
	all := make(map[string]Approval)
	err := j.list(ctx, query, args, func(rows *sql.Rows) error {
		var a Approval
		var until int64
		err := rows.Scan(&a.ID, &a.Verdict, &a.Statements, &until, &a.Reason)
		if until > 0 {
			a.Until = time.Unix(until, 0)
		}
		all[a.ID] = a
		return err
	})
	return all, err
}

// Unapproved lists the ids of the items that f chooses and of which nothing was
// said that still counts, oldest first.
func (j *Journal) Unapproved(ctx context.Context, f Filter) (ids []string, err error) {
	where, args := f.where("", len(f.IDs) > 0)
	query := "SELECT id FROM items" + where + " EXCEPT SELECT a.id FROM approvals a WHERE " + valid
	err = j.list(ctx, query, append(args, j.now().Unix()), func(rows *sql.Rows) error {
		var id string
		err := rows.Scan(&id)
		ids = append(ids, id)
		return err
	})
	return ids, err
}

// list runs a query and scans its rows.
func (j *Journal) list(ctx context.Context, query string, args []any, scan func(*sql.Rows) error) error {
	err := j.read(ctx, func() error {
		rows, err := j.db.QueryContext(ctx, j.d.sql(query), args...)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			if err := scan(rows); err != nil {
				return err
			}
		}
		return rows.Err()
	})
	if err != nil {
		return fmt.Errorf("journal: approvals: %w", err)
	}
	return nil
}

// Service returns the address and method of the approval service, "" if there
// is none.
func (j *Journal) Service(ctx context.Context) (url, method string, err error) {
	err = j.read(ctx, func() error {
		return j.db.QueryRowContext(ctx, "SELECT url, method FROM service").Scan(&url, &method)
	})
	if errors.Is(err, sql.ErrNoRows) {
		return "", "", nil
	}
	if err != nil {
		return "", "", fmt.Errorf("journal: service: %w", err)
	}
	return url, method, nil
}

// ServiceUnsaid reports whether the journal was restored, and nobody has said
// since which approval service is asked.
func (j *Journal) ServiceUnsaid(ctx context.Context) (unsaid bool, err error) {
	err = j.read(ctx, func() error {
		return j.db.QueryRowContext(ctx, "SELECT EXISTS (SELECT 1 FROM restores WHERE service = 0)").Scan(&unsaid)
	})
	if err != nil {
		return true, fmt.Errorf("journal: service: %w", err)
	}
	return unsaid, nil
}

// SetService sets the approval service, "" for none.
func (j *Journal) SetService(ctx context.Context, url, method string) error {
	return j.change(ctx, "service", func(t tx) error {
		_, err := t.ExecContext(ctx, "DELETE FROM service")
		if err == nil && url != "" {
			_, err = t.ExecContext(ctx, "INSERT INTO service VALUES (1, ?, ?)", url, method)
		}
		if err == nil {
			_, err = t.ExecContext(ctx, "UPDATE restores SET service = 1 WHERE service = 0")
		}
		return err
	})
}
