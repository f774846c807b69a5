package journal

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"coldkms/shared/bundle"
	"coldkms/shared/chain"
)

// A Request that was exported cannot be called back: it may lie on any stick.
// But one that holds an item that is not wanted any more is void: nobody
// places it again, and what else it holds goes into a new one.

// unwanted is the condition of an item that must not be signed, or not again
// without a person's decision.
const unwanted = "(state IN ('refused', 'rejected', 'failed') OR withheld <> '')"

// Reasons to withhold an item that the journal itself knows.
const (
	Vetoed   chain.Code = "four-eye-refused" // the approval service says no: it may say yes later
	Dropping chain.Code = "dropping"         // a person rejected it, and Tatum was asked to drop it
	Unwanted chain.Code = "reject-pending"   // a person wants it rejected, and that has not worked yet
)

// Withhold keeps an item from the signer and the network until Unwithhold; code
// says why. An earlier reason stays, unless it is a veto, which is on record by
// itself, or one of over.
func (j *Journal) Withhold(ctx context.Context, id string, code chain.Code, over ...chain.Code) error {
	return j.change(ctx, "withhold", func(t tx) error {
		for _, before := range append(over, Vetoed, "") {
			if _, err := t.ExecContext(ctx, "UPDATE items SET withheld = ? WHERE id = ? AND withheld = ?", words(string(code)), id, string(before)); err != nil {
				return err
			}
		}
		return nil
	})
}

// Unwithhold lets an item go on again, if it was withheld for one of these
// reasons. A veto stands.
func (j *Journal) Unwithhold(ctx context.Context, id string, reasons ...chain.Code) error {
	return j.change(ctx, "unwithhold", func(t tx) error {
		for _, code := range reasons {
			if _, err := t.ExecContext(ctx, "UPDATE items SET withheld = "+unlessVetoed+" WHERE id = ? AND withheld = ?", id, string(code)); err != nil {
				return err
			}
		}
		return nil
	})
}

// unlessVetoed is what an item is withheld for where no other reason is left.
const unlessVetoed = "CASE WHEN EXISTS (SELECT 1 FROM vetoes v WHERE v.id = items.id) THEN 'four-eye-refused' ELSE '' END"

// Voided is a Request that became void.
type Voided struct {
	Digest bundle.Digest
	Why    string
}

// Recall makes every open Request void that holds an item that is not wanted
// any more, lists those, and takes what else is in void ones back to
// prepared. So does what was vetoed: it is asked about again.
func (j *Journal) Recall(ctx context.Context) ([]Voided, error) {
	if found, err := j.recallable(ctx); err != nil || !found {
		return nil, err
	}
	var list []Voided
	err := j.change(ctx, "recall", func(t tx) error {
		list = nil
		rows, err := t.QueryContext(ctx, spoiled)
		if err != nil {
			return err
		}
		if list, err = scanVoided(rows); err != nil {
			return err
		}
		for _, v := range list {
			if _, err := t.ExecContext(ctx, "UPDATE requests SET void = ? WHERE digest = ?", words(v.Why), v.Digest[:]); err != nil {
				return err
			}
		}
		_, err = t.ExecContext(ctx, "UPDATE items SET state = 'prepared', updated = ? WHERE "+stranded, j.now().Unix())
		return err
	})
	return list, err
}

// spoiled lists open Requests that hold something unwanted, and what.
const spoiled = `SELECT r.digest, (SELECT min(i.id || ' is ' || CASE WHEN i.withheld <> '' THEN i.withheld ELSE i.state END)
		FROM request_items h JOIN items i ON i.id = h.id WHERE h.request = r.digest AND ` + unwanted + `) AS why
	FROM (SELECT DISTINCT request FROM items WHERE state = 'exported') o JOIN requests r ON r.digest = o.request WHERE r.void = ''
	AND EXISTS (SELECT 1 FROM request_items h JOIN items i ON i.id = h.id WHERE h.request = r.digest AND ` + unwanted + `)`

// stranded is the condition of an item that may be wanted and whose Request is void.
const stranded = `state = 'exported' AND withheld IN ('', 'four-eye-refused') AND held_until <= {now} AND request IN (SELECT digest FROM requests WHERE void <> '')`

// recallable reports whether Recall has anything to do.
func (j *Journal) recallable(ctx context.Context) (found bool, err error) {
	err = j.read(ctx, func() error {
		return j.db.QueryRowContext(ctx, "SELECT EXISTS (SELECT 1 FROM ("+spoiled+") AS s) OR EXISTS (SELECT 1 FROM items WHERE "+stranded+")").Scan(&found)
	})
	if err != nil {
		return false, fmt.Errorf("journal: recall: %w", err)
	}
	return found, nil
}

func scanVoided(rows *sql.Rows) ([]Voided, error) {
	return scanRows(rows, func(rows *sql.Rows) (v Voided, err error) {
		return v, rows.Scan((*digestColumn)(&v.Digest), &v.Why)
	})
}

// Void makes one Request void.
func (j *Journal) Void(ctx context.Context, v Voided) error {
	return j.change(ctx, "void", func(t tx) error {
		_, err := t.ExecContext(ctx, "UPDATE requests SET void = ? WHERE digest = ? AND void = ''", words(v.Why), v.Digest[:])
		return err
	})
}

// WhyVoid returns why a Request is void, "" for one that is not, or that this
// journal did not make.
func (j *Journal) WhyVoid(ctx context.Context, digest bundle.Digest) (why string, err error) {
	err = j.read(ctx, func() error {
		return j.db.QueryRowContext(ctx, "SELECT void FROM requests WHERE digest = ?", digest[:]).Scan(&why)
	})
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return "", fmt.Errorf("journal: request %.16s: %w", digest, err)
	}
	return why, nil
}
