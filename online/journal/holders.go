package journal

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Holder is a process that works, or worked, with a journal.
type Holder struct {
	Owner string // what its leases are known by
	Name  string // in words for people: its machine, folder and process
}

// forgotten is after how long without a sign of life a holder's name is dropped.
const forgotten = 365 * 24 * time.Hour

// Enter records who works with the journal from now on, and gives back what is
// held by owners that gone reports to be gone for certain.
func (j *Journal) Enter(ctx context.Context, h Holder, gone func(owner string) bool) error {
	var holders []string
	var name string
	err := j.read(ctx, func() (err error) {
		if err = j.db.QueryRowContext(ctx, "SELECT COALESCE((SELECT name FROM holders WHERE owner = ?), '')", h.Owner).Scan(&name); err == nil {
			holders, err = j.holding(ctx)
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("journal: enter: %w", err)
	}
	answers := make(map[string]bool)
	holders = slices.DeleteFunc(holders, func(holder string) bool {
		owner := ownerOf(holder)
		if _, asked := answers[owner]; !asked {
			answers[owner] = gone(owner)
		}
		return !answers[owner]
	})
	if len(holders) == 0 && name == h.Name { // then nothing is written
		return nil
	}
	return j.change(ctx, "enter", func(t tx) error {
		for _, holder := range holders {
			if err := t.release(ctx, holder); err != nil {
				return err
			}
		}
		if _, err := t.ExecContext(ctx, "DELETE FROM holders WHERE since < {now} - ?", int64(forgotten/time.Millisecond)); err != nil {
			return err
		}
		_, err := t.ExecContext(ctx, `INSERT INTO holders (owner, name, since) VALUES (?, ?, {now})
			ON CONFLICT (owner) DO UPDATE SET name = excluded.name, since = excluded.since`, h.Owner, words(h.Name))
		return err
	})
}

// Probe writes to the journal that owner works with it, and returns why that
// cannot be done now. Unlike any other change it waits for nothing: it ends with
// ctx.
func (j *Journal) Probe(ctx context.Context, owner string) error {
	err := j.once(ctx, func(t tx) error {
		_, err := t.ExecContext(ctx, "UPDATE holders SET since = {now} WHERE owner = ?", owner)
		return err
	})
	if err != nil && j.shared {
		err = away(err)
	}
	if err != nil {
		return fmt.Errorf("journal: probe: %w", err)
	}
	return nil
}

// holding lists the leases that hold an item, or did when they ran out.
func (j *Journal) holding(ctx context.Context) ([]string, error) {
	rows, err := j.db.QueryContext(ctx, "SELECT DISTINCT holder FROM items WHERE held_until > 0 AND holder > ''")
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var list []string
	for rows.Next() {
		var holder string
		if err := rows.Scan(&holder); err != nil {
			return nil, err
		}
		list = append(list, holder)
	}
	return list, rows.Err()
}

// ownerOf returns who made a lease.
func ownerOf(holder string) string {
	owner, _, _ := strings.Cut(holder, "/")
	return owner
}

// Held is an item that somebody holds.
type Held struct {
	ID    string
	Owner string    // what the lease is known by
	By    string    // in words for people
	Until time.Time // by the database's clock
}

// Held lists, oldest first and not more than a thousand, items that f chooses
// and that others than owner hold now.
func (j *Journal) Held(ctx context.Context, owner string, f Filter) ([]Held, error) {
	prefix := owner + "/"
	where, args := f.where("NOT "+free+" AND substr(holder, 1, ?) <> ?", true)
	args = append([]any{len(prefix), prefix}, args...)
	var list []Held
	err := j.read(ctx, func() error {
		names, err := j.holders(ctx)
		if err != nil {
			return err
		}
		rows, err := j.db.QueryContext(ctx, "WITH held AS MATERIALIZED (SELECT seq FROM items WHERE held_until > 0 AND holder > '') "+
			"SELECT id, holder, held_until FROM items"+where+" AND seq IN (SELECT seq FROM held) ORDER BY seq LIMIT 1000", args...)
		if err != nil {
			return err
		}
		list, err = scanHeld(rows, names)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("journal: held: %w", err)
	}
	return list, nil
}

// holders returns names for people, by owner.
func (j *Journal) holders(ctx context.Context) (map[string]string, error) {
	rows, err := j.db.QueryContext(ctx, "SELECT owner, name FROM holders")
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	names := make(map[string]string)
	for rows.Next() {
		var owner, name string
		if err := rows.Scan(&owner, &name); err != nil {
			return nil, err
		}
		names[owner] = name
	}
	return names, rows.Err()
}

func scanHeld(rows *sql.Rows, names map[string]string) ([]Held, error) {
	defer rows.Close()
	var list []Held
	for rows.Next() {
		var h Held
		var holder string
		var until int64
		if err := rows.Scan(&h.ID, &holder, &until); err != nil {
			return nil, err
		}
		h.Owner = ownerOf(holder)
		h.By = h.Owner
		if name := names[h.By]; name != "" {
			h.By = name
		}
		h.Until = time.UnixMilli(until).UTC()
		list = append(list, h)
	}
	return list, rows.Err()
}
