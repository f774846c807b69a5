package journal

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"coldkms/shared/bundle"
	"coldkms/shared/chain"
)

// ErrOtherBytes is returned where signed bytes, or the content asked for,
// differ from what the journal holds. It is never to be passed over.
var ErrOtherBytes = errors.New("other bytes than the journal holds for this item")

// ErrNoItem is returned for an id that the journal does not know.
var ErrNoItem = errors.New("no such item in the journal")

// Seen says how an incoming item compares with the journal.
type Seen uint8

// What Add can find.
const (
	Unknown Seen = iota
	New          // added now
	Same         // known, and asks for the same
	Changed      // known, and asks for something else: the journal's stays
)

// Add puts in what Tatum asks for, as fetched, in one transaction. Of each
// item ID, Chain, Network, Pending, Content and Withdrawal are read.
func (j *Journal) Add(ctx context.Context, items []Item) ([]Seen, error) {
	seen := make([]Seen, len(items))
	err := j.change(ctx, "add", func(tx *sql.Tx) error {
		insert, err := tx.PrepareContext(ctx, `INSERT INTO items (id, chain, network, pending, content, withdrawal, state, created, updated)
			VALUES (?, ?, ?, ?, ?, ?, 'fetched', ?, ?) ON CONFLICT (id) DO NOTHING`)
		if err != nil {
			return err
		}
		defer insert.Close()
		now := j.now().Unix()
		for i, it := range items {
			done, err := insert.ExecContext(ctx, it.ID, string(it.Chain), it.Network, it.Pending, it.Content[:], it.Withdrawal, now, now)
			if err != nil {
				return err
			}
			if n, _ := done.RowsAffected(); n == 1 {
				seen[i] = New
				continue
			}
			if seen[i], err = compare(ctx, tx, it); err != nil {
				return err
			}
		}
		return nil
	})
	return seen, err
}

func compare(ctx context.Context, tx *sql.Tx, it Item) (Seen, error) {
	var content []byte
	var network chain.Network
	if err := tx.QueryRowContext(ctx, "SELECT content, network FROM items WHERE id = ?", it.ID).Scan(&content, &network); err != nil {
		return Unknown, err
	}
	if bytes.Equal(content, it.Content[:]) && network == it.Network {
		return Same, nil
	}
	return Changed, nil
}

// Filter chooses items. Empty fields choose all.
type Filter struct {
	States  []State
	IDs     []string
	Network chain.Network
	Max     int
}

// Items lists items, oldest first.
func (j *Journal) Items(ctx context.Context, f Filter) ([]Item, error) {
	query, args := f.query()
	rows, err := j.db.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, fmt.Errorf("journal: items: %w", err)
	}
	defer rows.Close()
	var items []Item
	for rows.Next() {
		it, err := scan(rows)
		if err != nil {
			return nil, fmt.Errorf("journal: items: %w", err)
		}
		items = append(items, it)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("journal: items: %w", err)
	}
	return items, nil
}

// Item gives one item, or ErrNoItem.
func (j *Journal) Item(ctx context.Context, id string) (Item, error) {
	items, err := j.Items(ctx, Filter{IDs: []string{id}})
	if err == nil && len(items) == 0 {
		err = fmt.Errorf("journal: %.80q: %w", id, ErrNoItem)
	}
	if err != nil {
		return Item{}, err
	}
	return items[0], nil
}

func (f Filter) query() (string, []any) {
	var where []string
	var args []any
	in := func(column string, list any) { // one parameter, however long the list
		b, _ := json.Marshal(list)
		where, args = append(where, column+" IN (SELECT value FROM json_each(?))"), append(args, string(b))
	}
	if len(f.States) > 0 {
		in("state", f.States)
	}
	if len(f.IDs) > 0 {
		in("id", f.IDs)
	}
	if f.Network != chain.UnknownNetwork {
		where, args = append(where, "network = ?"), append(args, f.Network)
	}
	query := "SELECT id, chain, network, pending, content, withdrawal, state, request, code, reason, signed, txid, updated FROM items"
	if len(where) > 0 {
		query += " WHERE " + strings.Join(where, " AND ")
	}
	query += " ORDER BY seq"
	if f.Max > 0 {
		query, args = query+" LIMIT ?", append(args, f.Max)
	}
	return query, args
}

func scan(rows *sql.Rows) (Item, error) {
	var it Item
	var content, request []byte
	var updated int64
	err := rows.Scan(&it.ID, &it.Chain, &it.Network, &it.Pending, &content, &it.Withdrawal, &it.State, &request, &it.Code, &it.Reason, &it.Signed, &it.TxID, &updated)
	if err != nil {
		return Item{}, err
	}
	it.Content = [32]byte(content)
	if len(request) == len(bundle.Digest{}) {
		it.Request = bundle.Digest(request)
	}
	it.Updated = time.Unix(updated, 0).UTC()
	return it, nil
}

// Move is one item's step from one state to another.
type Move struct {
	ID       string
	From, To State
	Code     chain.Code // why, for a state that is no progress
	Reason   string
}

// Move makes steps, all or none. An item that is not in the state it should
// come from is ErrState.
func (j *Journal) Move(ctx context.Context, moves ...Move) error {
	return j.change(ctx, "move", func(tx *sql.Tx) error {
		stmt, err := tx.PrepareContext(ctx, "UPDATE items SET state = ?, code = ?, reason = ?, updated = ? WHERE id = ? AND state = ?")
		if err != nil {
			return err
		}
		defer stmt.Close()
		for _, m := range moves {
			if !Allowed(m.From, m.To) || m.To == Exported || (m.To == Signed && m.From != Failed) {
				return notAllowed(m.ID, m.From, m.To) // those two have methods of their own
			}
			if err := one(stmt.ExecContext(ctx, string(m.To), string(m.Code), m.Reason, j.now().Unix(), m.ID, string(m.From))); err != nil {
				return fmt.Errorf("item %s to %s: %w", m.ID, m.To, err)
			}
		}
		return nil
	})
}

// one makes ErrState of an update that met no row.
func one(done sql.Result, err error) error {
	if err != nil {
		return err
	}
	if n, err := done.RowsAffected(); err != nil || n != 1 {
		return errors.Join(ErrState, err)
	}
	return nil
}

// Note records why an item stays where it is.
func (j *Journal) Note(ctx context.Context, id string, code chain.Code, reason string) error {
	return j.change(ctx, "note", func(tx *sql.Tx) error {
		return one(tx.ExecContext(ctx, "UPDATE items SET code = ?, reason = ?, updated = ? WHERE id = ?", string(code), reason, j.now().Unix(), id))
	})
}
