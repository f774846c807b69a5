// Package online is the relay: it fetches what Tatum wants signed, adds the
// previous transactions that prove it, carries Requests out and Results in,
// broadcasts and marks as complete. It holds no keys of coins, prints
// nothing and asks nothing; that is for cmd/kms-online.
//
// The path of a transaction is one file a step: fetch.go → export.go → (the
// signer) → import.go → broadcast.go. Each step may be killed anywhere and
// run again: what was acknowledged is in the journal, bytes are journaled
// before they leave, and the same bytes may leave any number of times.
package online

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"coldkms/online/approval"
	"coldkms/online/journal"
	"coldkms/online/prepare"
	"coldkms/online/tatum"
	"coldkms/shared/bundle"
	"coldkms/shared/chain"
	"coldkms/shared/durable"
	"coldkms/shared/identity"
)

// Errors about a whole step. What concerns one item is a Problem.
var (
	ErrNotInitialised = errors.New("this state directory has no relay in it")
	ErrNotBuilt       = errors.New("chain is not supported yet")
	ErrOtherSigner    = errors.New("result is by a signer that is not paired with this relay")
	ErrOtherRequest   = errors.New("result for a request that this relay did not make")
	ErrMismatch       = errors.New("result does not answer its request item by item")
	ErrTooLate        = errors.New("it is too late to reject it")
	ErrMayBePaid      = errors.New("it may be paid, or be paid yet")
	ErrPaidByOther    = errors.New("another id has its transaction")
	ErrSameWithdrawal = errors.New("one withdrawal is one payment")
	ErrNotDropped     = errors.New("it is at Tatum all the same")
	ErrNotThere       = errors.New("unknown to Tatum under this API key")
	ErrUnreadable     = errors.New("request in the journal cannot be read by this version")
)

// Codes of problems that only a relay has; the others are chain's.
const (
	CodeNetwork      chain.Code = "network"                   // no usable reply; the next run tries again
	CodeOtherTxID    chain.Code = "completed-with-other-txid" // Tatum says that something else completed it
	CodeUnknown      chain.Code = journal.OfferNone           // dropped there, or of another API key
	CodeNodeRefused  chain.Code = "node-refused"              // the network does not take the transaction
	CodeNotMarked    chain.Code = "not-marked"                // broadcast, but Tatum does not take the txid
	CodeOtherBytes   chain.Code = "other-bytes"               // other signed bytes than those in the journal
	CodeNotHere      chain.Code = "not-in-journal"            // an outcome for an item that a restored journal does not have
	CodeNotWaiting   chain.Code = "not-waiting"               // an outcome for an item that waits for none
	CodeJournalFault chain.Code = "journal-fault"             // the journal's bytes are not what they were
	CodeOtherRelay   chain.Code = "other-relay"               // another relay works with it now
	CodeSameTx       chain.Code = "same-transaction"          // it asks for the transaction that pays another id
	CodeInputsSpent  chain.Code = "inputs-spent"              // another transaction was found that spends what it spends
	CodeVetoed                  = journal.Vetoed              // the approval service says no
	CodeNoAnswer     chain.Code = "four-eye-no-answer"        // the approval service gives no usable answer
	CodeNotNamed     chain.Code = "four-eye-not-named"        // the journal was restored, and nobody has said since which approval service is asked
	CodeDisarmed     chain.Code = "disarmed"                  // signed, refused by the approval service, and dropped by a person
	CodeGivenUp      chain.Code = "given-up"                  // a person takes back that it was disarmed: it is held until they have seen what became of it
	CodeEvicted      chain.Code = "evicted"                   // it was with the network and is not any more
	CodeOtherKey     chain.Code = "other-api-key"             // fetched with an API key that is not here
	CodeStillListed  chain.Code = "rejected-but-listed"       // rejected or failed here, and Tatum still asks for it
	CodeOtherAnswer  chain.Code = "older-request"             // the signer's answer to a request that a newer one has replaced
	CodeUnseen       chain.Code = "not-seen"                  // sent, and the network was not seen to have it yet
	CodeParentDead   chain.Code = "parent-dead"               // what it spends is made by a transaction that can never confirm
	CodeReorganised  chain.Code = "reorganised"               // it was in a block and is not any more
	CodePaidDropped  chain.Code = "paid-but-cancelled"        // the network has it, and Tatum has dropped or cancelled it
	CodePaidRejected chain.Code = "paid-but-rejected"         // the network has it, though a person had given it up here
	CodePaidRefused  chain.Code = "paid-but-refused"          // the network has it, though the approval service or a person said no and it never left from here
	CodeUnclear      chain.Code = "withdrawal-unclear"        // paid, and how its withdrawal ended is not known
	CodeNotOpen      chain.Code = "withdrawal-not-open"       // signed, and Tatum does not have the withdrawal in progress
	CodePaidUnknown  chain.Code = "paid-unrecorded"           // the network has what a restored journal has as unsigned
	CodeRestored                = journal.RestoredCode        // the journal is a backup, and a person has not said yet that all of later is in
	CodeSameWithdraw chain.Code = "same-withdrawal"           // another pending id is for the same withdrawal
	CodeRolledBack   chain.Code = "ledger-rolled-back"        // a result has a shorter ledger than one before
	CodeSameID       chain.Code = journal.SameID              // the pending id differs from another one in letter case only
)

// Problem is what keeps one item from going on.
type Problem struct {
	ID     string     `json:"id"`
	Code   chain.Code `json:"code"`
	Reason string     `json:"reason"`

	evidence string // identifies the finding of one that is an alarm; "": it is none
}

// Relay is an opened state directory. Its exported fields may be set before
// the first step.
type Relay struct {
	Tatum    *tatum.Client    // for fetch, broadcast and reject; import reports refusals to it if it is there
	FourEye  *approval.Client // asked before anything is exported, and before it is sent; nil: nobody is
	FS       durable.FS
	Now      func() time.Time
	Sleep    func(context.Context, time.Duration) error
	Progress func(done, total int) // how far a long step is; may be nil

	Person string // who types, for the record of what was decided; "" if nobody does

	Lost func(bundle.Digest) [][]byte // files that may be a request which the journal lost; may be nil

	Account  string                   // name of Tatum's API key, "" for the only one: what it fetched is its own
	Accounts map[string]*tatum.Client // further API keys by name
	Depths   Depths                   // confirmations for each chain until which what was sent is watched; what is missing has a default
	Memory   *Memory                  // of earlier fetches, so that what did not change costs nothing; may be nil

	Full bool // set by Open: the disk of the state directory has no room, so that it can only be looked at

	families prepare.Families
	journal  *journal.Journal
	identity identity.Private
	lock     *durable.Lock
	owner    string        // who claims items
	commands string        // who does in commands of this folder, "" if that is not known; see daemonOf
	lease    time.Duration // for how long
}

// defaultLease is after how long another relay takes over what one that was
// killed had claimed. No item is worked with for longer at a time.
const defaultLease = 5 * time.Minute

// Names in the state directory.
const (
	keyFile      = "identity.key"
	identityFile = "relay.kmsid"
	journalFile  = "journal.db"
	lockFile     = "lock"        // of commands
	daemonFile   = "daemon.lock" // of the daemon
	ownerFile    = "owner"
)

// Options say how a state directory is opened.
type Options struct {
	Dir      string
	Database string // postgres:// address of a journal that relays share; "" is one of its own, in Dir
	Families prepare.Families
	FS       durable.FS
	Now      func() time.Time
	Read     bool          // only look: without the lock, so beside a process that works
	Daemon   bool          // under a lock of its own, so that commands work beside it
	Lease    time.Duration // 0: defaultLease
}

// journalAt is where the journal is.
func journalAt(dir, database string) string {
	if database != "" {
		return database
	}
	return filepath.Join(dir, journalFile)
}

// Open opens a state directory that Init or Restore made; one whose journal was
// lost since is journal.ErrMissing. Another process that has it
// open in the same role, as a command or as the daemon, is durable.ErrLocked.
// A command and the daemon work beside each other as relays do that share a
// journal: each claims the items that it works with.
func Open(ctx context.Context, o Options) (*Relay, error) {
	if o.Database != "" {
		if err := journal.CheckAddress(o.Database); err != nil {
			return nil, err
		}
	}
	key, err := readKey(o.FS, o.Dir)
	if err != nil {
		return nil, err
	}
	r := &Relay{families: o.Families, FS: o.FS, Now: o.Now, Sleep: tatum.Sleep, identity: key, lease: o.Lease}
	if r.lease <= 0 {
		r.lease = defaultLease
	}
	if !o.Read {
		if r.lock, err = takeRole(ctx, o); err != nil {
			return nil, err
		}
	}
	r.journal, err = journal.OpenMade(ctx, journalAt(o.Dir, o.Database), o.Now)
	if o.Read && o.Database == "" && journal.IsFull(err) {
		r.Full = true
		r.journal, err = journal.OpenFull(ctx, journalAt(o.Dir, ""), o.Now)
	}
	if err != nil {
		return nil, errors.Join(err, r.unlock())
	}
	r.Full = r.Full || o.Read && o.Database == "" && DiskFull(o.Dir) // a process beside this one has what is missing
	if err := r.settle(ctx, o); err != nil {
		return nil, errors.Join(err, r.Close())
	}
	return r, nil
}

// Another process that starts holds the lock of a role that is not its own for a
// moment, to see whether that role's process is gone (settle).
const (
	lockTries = 10
	lockPause = 50 * time.Millisecond
)

// takeRole takes the lock of a command or of the daemon, and writes into it who
// has it.
func takeRole(ctx context.Context, o Options) (*durable.Lock, error) {
	path, role := filepath.Join(o.Dir, lockFile), "command"
	if o.Daemon {
		path, role = filepath.Join(o.Dir, daemonFile), "daemon"
	}
	for try := 1; ; try++ {
		lock, err := durable.NewLock(path)
		if err == nil {
			host, _ := os.Hostname()
			_ = lock.Note(fmt.Sprintf("%s, process %d on %s, since %s", role, os.Getpid(), host, o.Now().UTC().Format(time.RFC3339))) // for people only
			return lock, nil
		}
		if !errors.Is(err, durable.ErrLocked) || try == lockTries || tatum.Sleep(ctx, lockPause) != nil {
			return nil, lockedBy(err, durable.LockNote(o.FS, path))
		}
	}
}

// lockedBy names who has a lock, where that is known.
func lockedBy(err error, who string) error {
	if who == "" || !errors.Is(err, durable.ErrLocked) {
		return err
	}
	return fmt.Errorf("%w: by the %.200q", err, who)
}

// settle makes sure that the journal is this relay's, and gives back what
// processes that are gone had claimed when they were killed.
func (r *Relay) settle(ctx context.Context, o Options) error {
	if o.Read {
		r.owner = rand.Text()
		if _, err := o.FS.Lstat(filepath.Join(o.Dir, ownerFile)); err == nil { // a look makes none
			r.commands, _ = ownerName(o.FS, o.Dir) // it only names who holds an item
		}
		return nil
	}
	if err := r.journal.Own(ctx, r.identity.Public()); err != nil {
		return err
	}
	command, err := ownerName(o.FS, o.Dir)
	if err != nil {
		return err
	}
	daemon := daemonOf(command)
	r.commands, r.owner = command, command
	other, otherLock := daemon, daemonFile
	if o.Daemon {
		r.owner, other, otherLock = daemon, command, lockFile
	}
	var held *durable.Lock // of the folder's other role, while its leases are taken away
	err = r.journal.Enter(ctx, journal.Holder{Owner: r.owner, Name: holderName(o.Dir)}, func(owner string) bool {
		switch {
		case owner == r.owner: // this process has the lock of its role
			return true
		case owner == other:
			if held == nil {
				held, _ = durable.NewLock(filepath.Join(o.Dir, otherLock))
			}
			return held != nil
		}
		return o.Database == "" // a journal in the folder has no users elsewhere
	})
	if held != nil {
		err = errors.Join(err, held.Close())
	}
	return err
}

// claim takes items that nobody else works with.
func (r *Relay) claim(ctx context.Context, f journal.Filter) (journal.Lease, []journal.Item, error) {
	return r.journal.Claim(ctx, r.owner, r.lease, f)
}

// held says of what f chooses which items others hold, and until when: they are
// not overlooked, and are free again at that time at the latest.
func (r *Relay) held(ctx context.Context, f journal.Filter) ([]Problem, error) {
	list, err := r.journal.Held(ctx, r.owner, f)
	if err != nil {
		return nil, err
	}
	problems := make([]Problem, len(list))
	for i, h := range list {
		problems[i] = Problem{ID: h.ID, Code: CodeOtherRelay, Reason: fmt.Sprintf("held by %s until %s, which works with it or was killed: run this again then, or start that relay", r.heldBy(h), h.Until.Format(time.RFC3339))}
	}
	return problems, nil
}

// release gives back what is not done with, also when the step is cut short.
func (r *Relay) release(ctx context.Context, l journal.Lease) error {
	return r.journal.Release(context.WithoutCancel(ctx), l)
}

// elsewhere reports whether a step came too late: another relay has the item, or
// took it further.
func elsewhere(err error) bool {
	return errors.Is(err, journal.ErrLeased) || errors.Is(err, journal.ErrState)
}

// note records a problem of an item, unless another relay has it now.
// later is how long it is left alone then; 0: as if nothing had been tried.
func (r *Relay) note(ctx context.Context, it journal.Item, l journal.Lease, code chain.Code, reason string, later time.Duration) error {
	err := r.journal.Note(context.WithoutCancel(ctx), journal.Note{ID: it.ID, State: it.State, Code: code, Reason: reason, Lease: l, Delay: later, Trouble: code == CodeNetwork && it.Signed != nil})
	if elsewhere(err) {
		return nil
	}
	return err
}

// noteWith records a problem of an item and raises the alarm that goes with
// it. The alarm is raised whoever has the item now. later is as for note.
func (r *Relay) noteWith(ctx context.Context, it journal.Item, l journal.Lease, p Problem, evidence string, later time.Duration) error {
	ctx = context.WithoutCancel(ctx)
	alarm := p.alarm(evidence)
	err := r.journal.Note(ctx, journal.Note{ID: it.ID, State: it.State, Code: p.Code, Reason: p.Reason, Lease: l, Delay: later, Alarm: alarm})
	if elsewhere(err) {
		return r.journal.Raise(ctx, *alarm)
	}
	return err
}

// Statements returns how many statements the journal's database was given.
func (r *Relay) Statements() int64 { return r.journal.Statements() }

// Close releases the state directory.
func (r *Relay) Close() error { return errors.Join(r.journal.Close(), r.unlock()) }

func (r *Relay) unlock() error {
	if r.lock == nil {
		return nil
	}
	return r.lock.Close()
}

// openOwn opens a Request from the journal, where it must be what was put in.
func (r *Relay) openOwn(ctx context.Context, digest bundle.Digest) (bundle.SealedRequest, error) {
	file, err := r.journal.Request(ctx, digest)
	if err != nil {
		return bundle.SealedRequest{}, err
	}
	req, err := bundle.OpenRequest(file)
	if err == nil && (req.Digest != digest || req.Relay != r.identity.Public()) {
		err = errors.New("it is another request")
	}
	if err != nil {
		return bundle.SealedRequest{}, fmt.Errorf("request %.16s: %w: %w", digest, ErrUnreadable, err)
	}
	return req, nil
}
