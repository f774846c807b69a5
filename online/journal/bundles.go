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
// transaction, before the file is written anywhere. The approvals of its items are
// used up by that. known says that the very same Request was recorded before: its
// first file stays.
func (j *Journal) Export(ctx context.Context, r bundle.SealedRequest, l Lease) (known bool, err error) {
	err = j.change(ctx, "export", func(tx tx) error {
		done, err := tx.ExecContext(ctx, "INSERT INTO requests (digest, file, created, items) VALUES (?, ?, ?, ?) ON CONFLICT (digest) DO NOTHING", r.Digest[:], r.File, r.Created, len(r.Items))
		if err != nil {
			return err
		}
		n, err := done.RowsAffected()
		if err != nil {
			return err
		}
		known = n == 0
		fence, args := l.fence()
		stmt, err := tx.PrepareContext(ctx, "UPDATE items SET state = 'exported', request = ?, code = '', reason = '', updated = ? WHERE id = ? AND withheld = '' AND state IN ('prepared', 'exported')"+fence)
		if err != nil {
			return err
		}
		defer stmt.Close()
		hold, err := tx.PrepareContext(ctx, "INSERT INTO request_items (request, id) VALUES (?, ?) ON CONFLICT (request, id) DO NOTHING")
		if err != nil {
			return err
		}
		defer hold.Close()
		for _, it := range r.Items {
			if _, err := hold.ExecContext(ctx, r.Digest[:], it.ID); err != nil {
				return err
			}
			done, err := stmt.ExecContext(ctx, append([]any{r.Digest[:], j.now().Unix(), it.ID}, args...)...)
			if err := tx.met(ctx, done, err, it.ID, l); err != nil {
				return fmt.Errorf("item %s: %w", it.ID, err)
			}
		}
		return tx.useApprovals(ctx, r.Digest)
	})
	return known, err
}

// AdoptRequest records a Request that this journal made and lost, as it does
// when it is restored from a backup. Items that wait to be exported are known
// to have been in it.
func (j *Journal) AdoptRequest(ctx context.Context, r bundle.SealedRequest) error {
	return j.change(ctx, "adopt request", func(tx tx) error {
		_, err := tx.ExecContext(ctx, "INSERT INTO requests (digest, file, created, items, written) VALUES (?, ?, ?, ?, 1) ON CONFLICT (digest) DO NOTHING", r.Digest[:], r.File, r.Created, len(r.Items))
		if err != nil {
			return err
		}
		stmt, err := tx.PrepareContext(ctx, "UPDATE items SET request = ? WHERE id = ? AND request IS NULL AND state IN ('fetched', 'prepared')")
		if err != nil {
			return err
		}
		defer stmt.Close()
		hold, err := tx.PrepareContext(ctx, "INSERT INTO request_items (request, id) VALUES (?, ?) ON CONFLICT (request, id) DO NOTHING")
		if err != nil {
			return err
		}
		defer hold.Close()
		for _, it := range r.Items {
			if _, err := hold.ExecContext(ctx, r.Digest[:], it.ID); err != nil {
				return err
			}
			if _, err := stmt.ExecContext(ctx, r.Digest[:], it.ID); err != nil {
				return err
			}
		}
		return nil
	})
}

// ErrNoRequest is returned for a Request that this journal did not make.
var ErrNoRequest = errors.New("no such request in the journal")

// Request returns the file of a Request, or ErrNoRequest.
func (j *Journal) Request(ctx context.Context, digest bundle.Digest) ([]byte, error) {
	var file []byte
	err := j.read(ctx, func() error {
		return j.db.QueryRowContext(ctx, "SELECT file FROM requests WHERE digest = ?", digest[:]).Scan(&file)
	})
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
	Held    bool // somebody is at work with it now
}

// Waiting lists the Requests that wait for a Result, oldest first, without
// those that are void.
func (j *Journal) Waiting(ctx context.Context) ([]Waiting, error) {
	var list []Waiting
	err := j.read(ctx, func() error {
		rows, err := j.db.QueryContext(ctx, `WITH waiting AS MATERIALIZED (SELECT DISTINCT request FROM items WHERE state = 'exported' AND withheld = ''),
			held AS MATERIALIZED (SELECT DISTINCT request FROM items WHERE held_until > 0 AND holder > '' AND held_until > {now})
			SELECT digest, written, digest IN (SELECT request FROM held WHERE request IS NOT NULL)
			FROM requests WHERE void = '' AND digest IN (SELECT request FROM waiting) ORDER BY rowid + 0`)
		if err != nil {
			return err
		}
		list, err = scanWaiting(rows)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("journal: waiting requests: %w", err)
	}
	return list, nil
}

func scanWaiting(rows *sql.Rows) ([]Waiting, error) {
	return scanRows(rows, func(rows *sql.Rows) (w Waiting, err error) {
		return w, rows.Scan((*digestColumn)(&w.Digest), &w.Written, &w.Held)
	})
}

// Written records that a Request's file is where it was asked for.
func (j *Journal) Written(ctx context.Context, digest bundle.Digest) error {
	return j.change(ctx, "written", func(tx tx) error {
		_, err := tx.ExecContext(ctx, "UPDATE requests SET written = 1 WHERE digest = ?", digest[:])
		return err
	})
}

// HasResult reports whether a Result was imported before.
func (j *Journal) HasResult(ctx context.Context, digest bundle.Digest) (bool, error) {
	var n int
	err := j.read(ctx, func() error {
		return j.db.QueryRowContext(ctx, "SELECT count(*) FROM results WHERE digest = ?", digest[:]).Scan(&n)
	})
	if err != nil {
		return false, fmt.Errorf("journal: result %.16s: %w", digest, err)
	}
	return n > 0, nil
}

// SignedItem is an item that a Result signed, finished and verified.
type SignedItem struct {
	ID, TxID string
	Raw      []byte
	Alarm    *Raise // raised with it; may be nil
}

// RefusedItem is an item that a Result refused.
type RefusedItem struct {
	ID     string
	Code   chain.Code
	Reason string
}

// SignedLate is the code of an item whose signature came after the item was
// refused: a person decides.
const SignedLate chain.Code = "signed-after-refusal"

// SignedDropped is the code of an item whose signature came after a person had
// rejected it.
const SignedDropped chain.Code = "signed-after-drop"

// HeldAdvice says what a person can do about an item that is signed and not sent,
// with the commands. content is what retry wants named, "" if nothing.
func HeldAdvice(id, content string) string {
	retry := "kms-online retry " + id
	if content != "" {
		retry += " --content " + content
	}
	return "Who has a copy of the result can send it: destroy the request and the result. To give it up: kms-online reject " + id +
		" --why TEXT; to have it sent all the same: " + retry + ", then kms-online broadcast; kms-online acknowledge ALARM --why TEXT closes the alarm only"
}

// Import records a Result and what it brought, in one transaction. An item
// that has the very same bytes already stays as it is; other bytes are
// ErrOtherBytes, and nothing at all is recorded. Nor is it where an item
// moved on since it was looked at (ErrState), or is held (ErrLeased): look
// again.
func (j *Journal) Import(ctx context.Context, r bundle.SealedResult, signed []SignedItem, refused []RefusedItem) error {
	return j.change(ctx, "import", func(tx tx) error {
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
			done, err := tx.ExecContext(ctx, "UPDATE items SET state = 'refused', code = ?, reason = ?, updated = ? WHERE id = ? AND state = 'exported' AND request = ? AND held_until <= {now}",
				words(string(x.Code)), words(x.Reason), j.now().Unix(), x.ID, r.Request[:])
			if err := tx.met(ctx, done, err, x.ID, Lease{}); err != nil {
				return fmt.Errorf("item %s: %w", x.ID, err)
			}
		}
		return nil
	})
}

// sign sets the signed bytes of an item, once. They are always taken: a
// signature that is out in the world cannot be wished away. An item that was
// refused or rejected meanwhile becomes failed, with an alarm, for a person to
// decide.
func (j *Journal) sign(ctx context.Context, tx tx, s SignedItem) error {
	var have []byte
	var state State
	var offered Offer
	if err := tx.QueryRowContext(ctx, "SELECT signed, state, offered FROM items WHERE id = ? {locked}", s.ID).Scan(&have, &state, &offered.Digest); err != nil {
		return err
	}
	if have != nil {
		if !bytes.Equal(have, s.Raw) {
			return ErrOtherBytes
		}
		return nil
	}
	to, code, reason := Signed, chain.Code(""), ""
	if state == Refused {
		to, code, reason = Failed, SignedLate, "a valid signature came although it was refused; it is not sent. "+HeldAdvice(s.ID, offered.Content())
	}
	if state == Rejected {
		to, code, reason = Failed, SignedDropped, "a valid signature came although it was rejected; it is not sent. "+HeldAdvice(s.ID, "")
	}
	if !Allowed(state, to) {
		return ErrState
	}
	done, err := tx.ExecContext(ctx, "UPDATE items SET state = ?, signed = ?, txid = ?, code = ?, reason = ?, updated = ? WHERE id = ? AND state = ? AND signed IS NULL AND held_until <= {now}",
		string(to), s.Raw, s.TxID, string(code), reason, j.now().Unix(), s.ID, string(state))
	if err := tx.met(ctx, done, err, s.ID, Lease{}); err != nil {
		return err
	}
	if to == Failed {
		s.Alarm = &Raise{Item: s.ID, Code: code, Evidence: s.TxID, Reason: "ALARM: " + reason + " (transaction " + s.TxID + ")"}
	}
	if err := j.raise(ctx, tx, s.Alarm); err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, "INSERT INTO payers (txid, id) VALUES (?, ?) ON CONFLICT (txid) DO NOTHING", s.TxID, s.ID)
	return err
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

// Peer returns the paired signer, or ErrNoPeer.
func (j *Journal) Peer(ctx context.Context) (Peer, error) {
	var p Peer
	var signer []byte
	err := j.read(ctx, func() error {
		return j.db.QueryRowContext(ctx, "SELECT signer, watch, head, ledger_len FROM peer").Scan(&signer, &p.Watch, &p.Head, &p.LedgerLen)
	})
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
	return j.change(ctx, "pair", func(tx tx) error {
		done, err := tx.ExecContext(ctx, `INSERT INTO peer ("only", signer, watch) VALUES (1, ?, ?)
			ON CONFLICT ("only") DO UPDATE SET watch = excluded.watch WHERE peer.signer = excluded.signer`, w.Signer[:], w.File)
		if err != nil {
			return err
		}
		if n, err := done.RowsAffected(); err != nil || n != 1 {
			return errors.Join(ErrOtherPeer, err)
		}
		return nil
	})
}

// ErrOtherRelay is returned by Own where the journal is another relay's.
var ErrOtherRelay = errors.New("this journal belongs to another relay identity")

// Own has a journal belong to one relay identity for good. All relays that
// share it have that identity, so that each takes the Results of what any of
// them has exported.
func (j *Journal) Own(ctx context.Context, relay identity.Public) error {
	if first, has, err := j.Owner(ctx); err == nil && has && first == relay { // what is done already costs no write
		return nil
	}
	var first []byte
	err := j.change(ctx, "own", func(tx tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO relay ("only", identity) VALUES (1, ?) ON CONFLICT ("only") DO NOTHING`, relay[:])
		if err != nil {
			return err
		}
		return tx.QueryRowContext(ctx, "SELECT identity FROM relay").Scan(&first)
	})
	if err == nil && !bytes.Equal(first, relay[:]) && len(first) == len(relay) {
		err = fmt.Errorf("%w: its fingerprint is %s", ErrOtherRelay, identity.Public(first).Fingerprint())
	}
	return err
}

// Owner returns the relay identity that a journal belongs to, if it has one.
func (j *Journal) Owner(ctx context.Context) (relay identity.Public, has bool, err error) {
	var first []byte
	err = j.read(ctx, func() error { return j.db.QueryRowContext(ctx, "SELECT identity FROM relay").Scan(&first) })
	if errors.Is(err, sql.ErrNoRows) {
		return relay, false, nil
	}
	if err != nil || len(first) != len(relay) {
		return relay, false, fmt.Errorf("journal: owner: %w", err)
	}
	return identity.Public(first), true, nil
}
