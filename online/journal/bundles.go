package journal

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"

	"coldkms/shared/bundle"
	"coldkms/shared/chain"
	"coldkms/shared/identity"
)

// Export records a Request and moves its items to exported, in one
// transaction, before the file is written anywhere.
func (j *Journal) Export(ctx context.Context, r bundle.SealedRequest) error {
	return j.change(ctx, "export", func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, "INSERT INTO requests (digest, file, created, items) VALUES (?, ?, ?, ?)", r.Digest[:], r.File, r.Created, len(r.Items))
		if err != nil {
			return err
		}
		stmt, err := tx.PrepareContext(ctx, "UPDATE items SET state = 'exported', request = ?, code = '', reason = '', updated = ? WHERE id = ? AND state IN ('prepared', 'exported')")
		if err != nil {
			return err
		}
		defer stmt.Close()
		for _, it := range r.Items {
			if err := one(stmt.ExecContext(ctx, r.Digest[:], j.now().Unix(), it.ID)); err != nil {
				return fmt.Errorf("item %s: %w", it.ID, err)
			}
		}
		return nil
	})
}

// ErrNoRequest is returned for a Request that this journal did not make.
var ErrNoRequest = errors.New("no such request in the journal")

// Request gives the file of a Request, or ErrNoRequest.
func (j *Journal) Request(ctx context.Context, digest bundle.Digest) ([]byte, error) {
	var file []byte
	err := j.db.QueryRowContext(ctx, "SELECT file FROM requests WHERE digest = ?", digest[:]).Scan(&file)
	if errors.Is(err, sql.ErrNoRows) {
		err = ErrNoRequest
	}
	if err != nil {
		return nil, fmt.Errorf("journal: request %.16s: %w", digest, err)
	}
	return file, nil
}

// Waiting is a Request that still has an item without an outcome.
type Waiting struct {
	Digest  bundle.Digest
	Written bool // its file was written at least once
}

// Waiting lists the Requests that wait for a Result, oldest first.
func (j *Journal) Waiting(ctx context.Context) ([]Waiting, error) {
	rows, err := j.db.QueryContext(ctx, `SELECT digest, written FROM requests
		WHERE EXISTS (SELECT 1 FROM items WHERE items.request = digest AND state = 'exported') ORDER BY rowid`)
	if err != nil {
		return nil, fmt.Errorf("journal: waiting requests: %w", err)
	}
	defer rows.Close()
	var list []Waiting
	for rows.Next() {
		var digest []byte
		var w Waiting
		if err := rows.Scan(&digest, &w.Written); err != nil {
			return nil, fmt.Errorf("journal: waiting requests: %w", err)
		}
		w.Digest = bundle.Digest(digest)
		list = append(list, w)
	}
	return list, rows.Err()
}

// Written records that a Request's file is where it was asked for.
func (j *Journal) Written(ctx context.Context, digest bundle.Digest) error {
	return j.change(ctx, "written", func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, "UPDATE requests SET written = 1 WHERE digest = ?", digest[:])
		return err
	})
}

// HasResult says whether a Result was imported before.
func (j *Journal) HasResult(ctx context.Context, digest bundle.Digest) (bool, error) {
	var n int
	if err := j.db.QueryRowContext(ctx, "SELECT count(*) FROM results WHERE digest = ?", digest[:]).Scan(&n); err != nil {
		return false, fmt.Errorf("journal: result %.16s: %w", digest, err)
	}
	return n > 0, nil
}

// SignedItem is an item that a Result signed, finished and verified.
type SignedItem struct {
	ID, TxID string
	Raw      []byte
}

// RefusedItem is an item that a Result refused.
type RefusedItem struct {
	ID     string
	Code   chain.Code
	Reason string
}

// Import records a Result and what it brought, in one transaction. An item
// that has the very same bytes already stays as it is; other bytes are
// ErrOtherBytes, and nothing at all is recorded.
func (j *Journal) Import(ctx context.Context, r bundle.SealedResult, signed []SignedItem, refused []RefusedItem) error {
	return j.change(ctx, "import", func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, "INSERT INTO results (digest, request, file, imported) VALUES (?, ?, ?, ?) ON CONFLICT (digest) DO NOTHING",
			r.Digest[:], r.Request[:], r.File, j.now().Unix())
		if err != nil {
			return err
		}
		// The ledger only grows: what was seen of it last stays if less comes now.
		_, err = tx.ExecContext(ctx, "UPDATE peer SET head = ?, ledger_len = ? WHERE ledger_len < ?", r.LedgerHead, int64(r.LedgerLen), int64(r.LedgerLen))
		if err != nil {
			return err
		}
		for _, s := range signed {
			if err := j.sign(ctx, tx, s); err != nil {
				return fmt.Errorf("item %s: %w", s.ID, err)
			}
		}
		for _, x := range refused {
			err := one(tx.ExecContext(ctx, "UPDATE items SET state = 'refused', code = ?, reason = ?, updated = ? WHERE id = ? AND state = 'exported'",
				string(x.Code), x.Reason, j.now().Unix(), x.ID))
			if err != nil {
				return fmt.Errorf("item %s: %w", x.ID, err)
			}
		}
		return nil
	})
}

func (j *Journal) sign(ctx context.Context, tx *sql.Tx, s SignedItem) error {
	var have []byte
	if err := tx.QueryRowContext(ctx, "SELECT signed FROM items WHERE id = ?", s.ID).Scan(&have); err != nil {
		return err
	}
	if have != nil {
		if !bytes.Equal(have, s.Raw) {
			return ErrOtherBytes
		}
		return nil
	}
	return one(tx.ExecContext(ctx, "UPDATE items SET state = 'signed', signed = ?, txid = ?, code = '', reason = '', updated = ? WHERE id = ? AND state = 'exported'",
		s.Raw, s.TxID, j.now().Unix(), s.ID))
}

// Peer is the paired signer and what was last seen of it.
type Peer struct {
	Signer    identity.Public
	Watch     []byte // its watch file
	Head      []byte // of its ledger, nil before the first Result
	LedgerLen uint64
}

// ErrNoPeer is returned before a signer is paired.
var ErrNoPeer = errors.New("no signer is paired with this relay")

// Peer gives the paired signer, or ErrNoPeer.
func (j *Journal) Peer(ctx context.Context) (Peer, error) {
	var p Peer
	var signer []byte
	err := j.db.QueryRowContext(ctx, "SELECT signer, watch, head, ledger_len FROM peer").Scan(&signer, &p.Watch, &p.Head, &p.LedgerLen)
	if errors.Is(err, sql.ErrNoRows) {
		return Peer{}, ErrNoPeer
	}
	if err != nil {
		return Peer{}, fmt.Errorf("journal: peer: %w", err)
	}
	p.Signer = identity.Public(signer)
	return p, nil
}

// ErrOtherPeer is returned by Pair where another signer is paired already.
var ErrOtherPeer = errors.New("another signer is paired with this relay")

// Pair accepts a signer, or a newer watch file of the one that is paired.
func (j *Journal) Pair(ctx context.Context, w bundle.SealedWatch) error {
	return j.change(ctx, "pair", func(tx *sql.Tx) error {
		done, err := tx.ExecContext(ctx, `INSERT INTO peer (only, signer, watch) VALUES (1, ?, ?)
			ON CONFLICT (only) DO UPDATE SET watch = excluded.watch WHERE signer = excluded.signer`, w.Signer[:], w.File)
		if err != nil {
			return err
		}
		if n, err := done.RowsAffected(); err != nil || n != 1 {
			return errors.Join(ErrOtherPeer, err)
		}
		return nil
	})
}
