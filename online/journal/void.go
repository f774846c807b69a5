package journal

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"

	"coldkms/shared/bundle"
	"coldkms/shared/chain"
)

// A Request that was exported cannot be called back: it may lie on any stick.
// But one that holds an item that is not wanted any more is void: nobody
// places it again, and what else it holds goes into a new one.

// unwanted is the condition of an item that must not be signed, or not again
// without a person's decision.
const unwanted = "(state IN ('refused', 'rejected', 'failed') OR withheld <> '')"

// whatsWrong is the state, or else the reason to withhold it, by which an item i
// is unwanted.
const whatsWrong = "CASE WHEN i.state IN ('refused', 'rejected', 'failed') THEN i.state ELSE i.withheld END"

// Reasons to withhold an item that the journal itself knows.
const (
	Vetoed   chain.Code = "four-eye-refused" // the approval service says no: it may say yes later
	Dropping chain.Code = "dropping"         // a person rejected it, and Tatum was asked to drop it
	Unwanted chain.Code = "reject-pending"   // a person wants it rejected, and that has not worked yet
)

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
const spoiled = `SELECT r.digest, (SELECT min(i.id || ' ' || ` + whatsWrong + `)
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
		err = rows.Scan((*digestColumn)(&v.Digest), &v.Why)
		v.Why = voidWords(v.Why)
		return v, err
	})
}

// Void makes one Request void.
func (j *Journal) Void(ctx context.Context, v Voided) error {
	return j.change(ctx, "void", func(t tx) error {
		_, err := t.ExecContext(ctx, "UPDATE requests SET void = ? WHERE digest = ? AND void = ''", words(v.Why), v.Digest[:])
		return err
	})
}

// voidWords makes words of an item's id and of what is wrong with it.
func voidWords(found string) string {
	id, code, _ := strings.Cut(found, " ")
	words := map[string]string{
		string(Rejected): "was rejected", string(Refused): "was refused", string(Failed): "has failed",
		string(Dropping): "is being rejected", string(Unwanted): "is to be rejected", string(Vetoed): "was refused by the approval service",
		string(chain.ContentChanged): "came back from Tatum with other content", "unknown-at-tatum": "is not known to Tatum any more",
		string(RestoredCode): "waits until it is known whether it was paid since the backup", "paid-unrecorded": "was paid since the backup",
		"completed-with-other-txid": "was completed with another transaction, as Tatum says",
	}[code]
	if words == "" {
		words = "is withheld (" + code + ")"
	}
	return id + " " + words
}

// Fate is what became of a Request.
type Fate struct {
	Void          string // why it must not be signed any more, "" if it may
	Answered      bool   // a Result of it was imported
	Items, Signed int    // how many items it holds, and how many of those have their signature, whatever brought it
}

// fate selects what became of one Request. It is void if it was found to be, if
// nothing answered it and it holds something unwanted, or if what answered it signed
// something that was given up. The last two are those of which no item waits any more,
// so that Recall, which looks at what is open, finds nothing to take back.
const fate = `WITH held AS (SELECT i.id, i.state, i.withheld, i.code,
		CASE WHEN i.signed IS NULL THEN 0 ELSE 1 END AS done
		FROM request_items h JOIN items i ON i.id = h.id WHERE h.request = ?)
	SELECT r.void, EXISTS (SELECT 1 FROM results s WHERE s.request = r.digest), (SELECT count(*) FROM held),
		(SELECT COALESCE(sum(done), 0) FROM held),
		COALESCE((SELECT min(i.id || ' ' || ` + whatsWrong + `) FROM held i WHERE ` + unwanted + `), ''),
		COALESCE((SELECT min(i.id || ' ' || i.state) FROM held i WHERE i.state = 'failed'
			AND i.code IN ('signed-after-drop', 'signed-after-refusal', 'disarmed')), '')
	FROM requests r WHERE r.digest = ?`

// FateOf returns what became of a Request; known is false for one that this journal
// did not make.
func (j *Journal) FateOf(ctx context.Context, digest bundle.Digest) (f Fate, known bool, err error) {
	var unwanted, givenUp string
	err = j.read(ctx, func() error {
		return j.db.QueryRowContext(ctx, j.d.sql(fate), digest[:], digest[:]).
			Scan(&f.Void, &f.Answered, &f.Items, &f.Signed, &unwanted, &givenUp)
	})
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return Fate{}, false, fmt.Errorf("journal: request %.16s: %w", digest, err)
	}
	found := givenUp
	if !f.Answered && unwanted != "" {
		found = unwanted
	}
	if f.Void == "" && found != "" {
		f.Void = voidWords(found)
	}
	return f, err == nil, nil
}
