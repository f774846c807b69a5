// Package journal remembers, on a database, what became of every pending
// transaction: SQLite in WAL mode with synchronous FULL, or PostgreSQL where
// several relays share the work. What a method has acknowledged survives a
// crash.
//
// An item moves through states by the one table in state.go; every change is
// one database transaction that checks the state it starts from, and that
// whoever makes it holds the item (lease.go). The database itself holds to
// the two promises that matter most: signed bytes are set once, and what
// Tatum asked for is never changed once it was proven or in a request.
package journal

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"coldkms/shared/bundle"
	"coldkms/shared/chain"
)

// Journal is an open journal. It is safe for concurrent use, by several
// processes too.
type Journal struct {
	db     database
	d      dialect
	shared bool // on PostgreSQL: connections come and go
	alone  bool // on SQLite: no other process may have it open
	made   bool // it must be there already
	now    func() time.Time
	pause  func(context.Context, time.Duration) error
	group  group

	commits    atomic.Int64 // since it was opened
	statements atomic.Int64
	hearing    atomic.Bool // it is known that events are reported
}

// Item is one pending transaction with its history's last line.
type Item struct {
	ID          string
	Chain       chain.ID
	Network     chain.Network
	Pending     []byte // as received
	Content     [32]byte
	Withdrawal  string // id of the withdrawal, "" for an ordinary transaction
	State       State
	Request     bundle.Digest // that it was last exported in
	Code        chain.Code
	Reason      string
	Signed      []byte // final transaction
	TxID        string // of Signed
	Depth       int64  // confirmations when it was last looked for; -1 when it was not found
	Created     time.Time
	Updated     time.Time
	Since       time.Time    // when it came into its state
	Account     string       // name of the API key that fetched it, "" for the only one
	Told        string       // what was last told about it: a state, or anything else
	Withheld    chain.Code   // why it must not go to the signer, or to the network, "" if it may
	Beside      []chain.Code // other reasons for that, see Marks
	Tries       int          // in its state, in a row, that came to nothing
	Handed      time.Time    // when its bytes were first handed to the network, whatever came of it; zero: never
	HandedKnown bool         // that is on record: an older version kept none, and its journal supposes it
	Outstanding time.Time    // until when the network is watched for it though nobody wants it signed; zero: it is not
	Offered     Offer        // what Tatum was last seen to have in its place; zero: the very same
	Accepted    string       // Digest of the Offer in spite of which a person had it sent, "" if nobody did
	SeenBy      string       // fingerprint of the API key under which Tatum was last seen to have it, "" if that is not on record
	Trouble     string       // the last one with the network, where Reason says more than that
	Prepared    []byte       // what was proven, as it is exported; nil: nothing is, or by an older version
	Released    string       // who has said, and when, that it is to be paid though the journal was restored; "": nobody
	Healed      time.Time    // when it last went on from failed; zero: it never did
	FailedFor   chain.Code   // what it was failed for then

	seq int64
}

// Open opens the journal at a path, or at a postgres:// address, making one
// if there is none.
func Open(ctx context.Context, where string, now func() time.Time) (*Journal, error) {
	return ready(ctx, &Journal{now: now, shared: IsAddress(where)}, where)
}

// ErrMissing is returned by OpenMade where there is no journal, or one in which
// nothing was ever made.
var ErrMissing = errors.New("the journal is missing")

// OpenMade opens a journal that Open or Restore has made, and makes none: a
// journal that was lost must not be taken for one that has nothing to do.
func OpenMade(ctx context.Context, where string, now func() time.Time) (*Journal, error) {
	return ready(ctx, &Journal{now: now, shared: IsAddress(where), made: true}, where)
}

// OpenFull opens a journal on a disk that has no room for the memory that
// processes share when they use SQLite at once. It can be looked at.
func OpenFull(ctx context.Context, path string, now func() time.Time) (*Journal, error) {
	return ready(ctx, &Journal{now: now, alone: true, made: true}, path)
}

func ready(ctx context.Context, j *Journal, where string) (*Journal, error) {
	if err := j.connect(ctx, where); err != nil {
		return nil, err
	}
	if err := j.read(ctx, func() error { return j.migrate(ctx) }); err != nil {
		_ = j.db.Close()
		return nil, err
	}
	return j, nil
}

// connect opens a database without a look at what is in it.
func (j *Journal) connect(ctx context.Context, where string) error {
	j.pause, j.group.turn = pause, make(chan struct{}, 1)
	j.db.statements = &j.statements
	open := openSQLite
	if j.shared {
		open = openPostgres
	}
	return open(ctx, j, where)
}

// pause waits for d or until ctx is done.
func pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}

// Statements returns how many statements the database was given since the
// journal was opened.
func (j *Journal) Statements() int64 { return j.statements.Load() }

// Close closes the journal.
func (j *Journal) Close() error { return j.db.Close() }

// maxQuickCheck is up to what size in bytes a journal is read whole by a check
// that is to be quick.
const maxQuickCheck = 64 << 20

// Check has SQLite look through the file, whatever its size if whole is set.
// PostgreSQL looks after its own: there it is asked whether it answers.
func (j *Journal) Check(ctx context.Context, whole bool) error {
	query := "SELECT 'ok'"
	if !j.shared {
		var size int64
		err := j.db.QueryRowContext(ctx, "SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()").Scan(&size)
		if err != nil {
			return fmt.Errorf("journal: integrity check: %w", err)
		}
		if whole || size <= maxQuickCheck {
			query = "PRAGMA integrity_check(1)"
		}
	}
	var verdict string
	err := j.read(ctx, func() error { return j.db.QueryRowContext(ctx, query).Scan(&verdict) })
	if err != nil {
		return fmt.Errorf("journal: integrity check: %w", err)
	}
	if verdict != "ok" {
		return fmt.Errorf("journal: integrity check: %.200q", verdict)
	}
	return nil
}

// change runs one database transaction. f may run more than once.
func (j *Journal) change(ctx context.Context, what string, f func(tx) error) error {
	err := j.commit(ctx, f)
	if err != nil {
		return fmt.Errorf("journal: %s: %w", what, err)
	}
	return nil
}

// commit leaves a token in each transaction on PostgreSQL. Where the reply to
// a COMMIT was lost, the next try finds the token, waiting for a server that
// is still at it, and knows that all is done; or it does not, and nothing is.
func (j *Journal) commit(ctx context.Context, f func(tx) error) error {
	if !j.shared {
		return j.once(ctx, f)
	}
	if j.commits.Add(1)%pruneEvery == 0 {
		if err := j.prune(ctx); err != nil {
			return err
		}
	}
	token := rand.Text()
	return j.read(ctx, func() error {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), maxChange) // begun, it ends one way or the other
		defer cancel()
		return j.once(ctx, func(t tx) error {
			done, err := t.ExecContext(ctx, "INSERT INTO commits (token, at) VALUES (?, {now}) ON CONFLICT (token) DO NOTHING", token)
			if err != nil {
				return err
			}
			if n, err := done.RowsAffected(); err != nil || n == 0 {
				return err
			}
			return f(t)
		})
	})
}

func (j *Journal) once(ctx context.Context, f func(tx) error) error {
	t, err := j.db.begin(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = t.Rollback() }()
	if err := j.guard(ctx, t); err != nil {
		return err
	}
	if err := f(t); err != nil {
		return err
	}
	return t.Commit()
}

// pruneEvery is after how many changes tokens that nobody waits for are
// dropped.
const pruneEvery = 10_000

// patience is how long a database that is away, such as for a restart, is
// waited for, and maxChange how long one transaction may take.
const (
	patience  = time.Minute
	maxChange = 2 * time.Minute
	firstWait = 20 * time.Millisecond
	maxWait   = time.Second
)

// read runs f, and again where the connection was lost or two transactions
// met. f must not have changed anything then.
func (j *Journal) read(ctx context.Context, f func() error) error {
	wait, waited := firstWait, time.Duration(0)
	for {
		err := f()
		if err == nil || !j.shared || !passes(err) {
			return err
		}
		if waited >= patience || j.pause(ctx, wait) != nil {
			return away(err)
		}
		waited += wait
		wait = min(2*wait, maxWait)
	}
}
