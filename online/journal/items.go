package journal

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
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
	Twin         // another id than one that is known, in letter case only: not added
)

// Add puts in what Tatum asks for, as fetched, in one transaction. Of each
// item ID, Chain, Network, Pending, Content, Withdrawal, Account and SeenBy are read.
func (j *Journal) Add(ctx context.Context, items []Item) ([]Seen, error) {
	seen := make([]Seen, len(items))
	err := j.change(ctx, "add", func(tx tx) error {
		insert, err := tx.PrepareContext(ctx, `INSERT INTO items (id, chain, network, pending, content, withdrawal, account, seen_by, state, created, updated, since, withheld)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?, 'fetched', ?, ?, ?, ?) ON CONFLICT DO NOTHING`)
		if err != nil {
			return err
		}
		defer insert.Close()
		restored, err := tx.restoredAt(ctx)
		if err != nil {
			return err
		}
		others, err := spelled(ctx, tx)
		if err != nil {
			return err
		}
		now := j.now().Unix()
		for i, it := range items {
			if Misspelt(it.ID) {
				seen[i] = Twin
				continue
			}
			it.Created = time.Unix(now, 0)
			done, err := insert.ExecContext(ctx, it.ID, string(it.Chain), it.Network, it.Pending, it.Content[:], it.Withdrawal, it.Account, it.SeenBy, now, now, now, string(doubt(it, restored)))
			if err != nil {
				return err
			}
			if n, _ := done.RowsAffected(); n == 1 {
				seen[i] = New
				if err := others.hold(ctx, tx, it.ID); err != nil {
					return err
				}
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

func compare(ctx context.Context, tx tx, it Item) (Seen, error) {
	var content []byte
	var network chain.Network
	var seenBy string
	err := tx.QueryRowContext(ctx, "SELECT content, network, seen_by FROM items WHERE id = ?", it.ID).Scan(&content, &network, &seenBy)
	switch {
	case err == nil && seenBy != it.SeenBy && it.SeenBy != "":
		_, err = tx.ExecContext(ctx, "UPDATE items SET seen_by = ? WHERE id = ?", it.SeenBy, it.ID)
	}
	if err != nil {
		return Unknown, err
	}
	if bytes.Equal(content, it.Content[:]) && network == it.Network {
		return Same, nil
	}
	return Changed, nil
}

// LatePrefix is before the state in what is remembered of an item that was told
// as late.
const LatePrefix = "late: "

// Filter chooses items. Empty fields choose all.
type Filter struct {
	States  []State
	Chains  []chain.ID
	IDs     []string
	Network chain.Network
	Max     int
	After   int64   // only those that come after this place
	Account *string // only what this API key fetched
	Codes   []chain.Code

	SeenBy     string  // only what Tatum was seen to have under the API key with this fingerprint
	ButAccount *string // only what another API key than this fetched

	Before time.Time // only those that came into their state before then, and were not told as late in it
	Since  time.Time // only those that came into their state then or later

	Wanted   bool         // only what may go to the signer
	Withheld []chain.Code // only what is withheld for one of these; with Wanted: that, too
	Due      time.Time    // only those whose time to be tried again has come by then; zero: all
	Fresh    bool         // only those that were not tried in vain in their state

	Unsettled   bool // only what was sent and is not as deep in the chain as is demanded
	Outstanding bool // only what nobody wants signed, and may be signed and sent all the same
	Unreleased  bool // only what no person has released
}

// MaxDelay is the longest time before an item or an event is tried again.
const MaxDelay = 6 * time.Hour

// Items lists items, oldest first.
func (j *Journal) Items(ctx context.Context, f Filter) ([]Item, error) {
	with, args := f.chosen("", "")
	query := with + "SELECT " + columns + " FROM items WHERE seq IN (SELECT seq FROM chosen) ORDER BY seq"
	var items []Item
	err := j.read(ctx, func() error {
		rows, err := j.db.QueryContext(ctx, query, args...)
		if err != nil {
			return err
		}
		items, err = scanAll(rows)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("journal: items: %w", err)
	}
	return items, nil
}

// Item returns one item, or ErrNoItem.
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

// chosen returns the common table expression "chosen" with the places of the
// items that f chooses, oldest first and at most f.Max, with one more
// condition, and what locks them. Of each state the oldest are found by an
// index, so that neither finished items nor those of other states are read.
func (f Filter) chosen(condition, lock string) (string, []any) {
	limit := ""
	if f.Max > 0 {
		limit = fmt.Sprintf(" LIMIT %d", f.Max)
	}
	order := "seq"
	if !f.Since.IsZero() {
		order = "seq + 0" // few by their own index, then sorted; not all in order
	}
	parts := []Filter{f}
	unindexed := len(f.IDs) > 0 || !f.Since.IsZero()
	if !unindexed && len(f.States) > 1 {
		parts = nil
		for _, s := range slices.Compact(slices.Sorted(slices.Values(f.States))) {
			one := f
			one.States = []State{s}
			parts = append(parts, one)
		}
	}
	var with, union strings.Builder
	var args []any
	for i, p := range parts {
		where, more := p.where(condition, unindexed)
		args = append(args, more...)
		fmt.Fprintf(&with, "part%d AS MATERIALIZED (SELECT seq FROM %s%s ORDER BY %s%s %s), ", i, f.from(), where, order, limit, lock)
		if i > 0 {
			union.WriteString(" UNION ALL ")
		}
		fmt.Fprintf(&union, "SELECT seq FROM part%d", i)
	}
	return "WITH " + with.String() + "chosen AS MATERIALIZED (SELECT seq FROM (" + union.String() + ") AS parts ORDER BY seq" + limit + ") ", args
}

// from is the table, with the index by which SQLite is to look.
func (f Filter) from() string {
	if f.Unsettled && len(f.IDs) == 0 && len(f.States) == 0 {
		return "items {unsettled}"
	}
	if f.Outstanding && len(f.IDs) == 0 {
		return "items {outstanding}"
	}
	return "items"
}

// where makes the condition of a query, with one more that is given. unindexed
// keeps the index over states out: there is a better one.
func (f Filter) where(condition string, unindexed bool) (string, []any) {
	var all []string
	var args []any
	if condition != "" {
		all = append(all, condition)
	}
	in := func(column string, list any) { // one parameter, however long the list
		b, _ := json.Marshal(list)
		all, args = append(all, column+" IN ({list})"), append(args, string(b))
	}
	if len(f.IDs) > 0 {
		in("id", f.IDs)
	}
	if len(f.States) > 0 {
		column := "state"
		if unindexed {
			column = "state || ''"
		}
		all = append(all, column+" IN (?"+strings.Repeat(", ?", len(f.States)-1)+")")
		for _, s := range f.States {
			args = append(args, string(s))
		}
	}
	if len(f.Chains) > 0 {
		in("chain", f.Chains)
	}
	if len(f.Codes) > 0 {
		in("code", f.Codes)
	}
	if !f.Before.IsZero() {
		all, args = append(all, "since < ? AND told <> '"+LatePrefix+"' || state"), append(args, f.Before.Unix())
	}
	if !f.Since.IsZero() {
		all, args = append(all, "since >= ?"), append(args, f.Since.Unix())
	}
	if f.Network != chain.UnknownNetwork {
		all, args = append(all, "network = ?"), append(args, f.Network)
	}
	if f.After > 0 {
		all, args = append(all, "seq > ?"), append(args, f.After)
	}
	if f.Unsettled { // in the words of the index items_unsettled
		all = append(all, "settled = 0 AND state IN ('broadcast', 'completed')")
	}
	if f.Outstanding { // in the words of the index items_outstanding
		all = append(all, "outstanding > 0 AND signed IS NULL")
	}
	if f.Unreleased {
		all = append(all, "released = ''")
	}
	if f.SeenBy != "" {
		all, args = append(all, "seen_by = ?"), append(args, f.SeenBy)
	}
	if f.ButAccount != nil {
		all, args = append(all, "account <> ?"), append(args, *f.ButAccount)
	}
	if f.Account != nil {
		all, args = append(all, "account = ?"), append(args, *f.Account)
	}
	if held, of := f.withheld(); held != "" {
		all, args = append(all, held), append(args, of...)
	}
	if !f.Due.IsZero() { // one too far ahead is of a clock that was wrong
		all, args = append(all, "(retry_at <= ? OR retry_at > ?)"), append(args, f.Due.UnixMilli(), f.Due.Add(MaxDelay).UnixMilli())
	}
	if f.Fresh {
		all = append(all, "tries = 0")
	}
	if len(all) == 0 {
		return "", nil
	}
	return " WHERE " + strings.Join(all, " AND "), args
}

// withheld returns the condition on why items are withheld, and its arguments; ""
// if there is none.
func (f Filter) withheld() (condition string, args []any) {
	reasons := f.Withheld
	if f.Wanted {
		reasons = append([]chain.Code{""}, reasons...)
	}
	if len(reasons) == 0 {
		return "", nil
	}
	list, _ := json.Marshal(reasons)
	condition, args = "withheld IN ({list})", []any{string(list)}
	if f.Wanted {
		return condition, args
	}
	for _, code := range reasons { // or for it among others
		condition, args = condition+" OR beside LIKE ?", append(args, "% "+string(code)+" %")
	}
	return "(" + condition + ")", args
}

const columns = "seq, id, chain, network, pending, content, withdrawal, state, request, code, reason, signed, txid, depth, created, updated, since, account, told, withheld, tries, handed, handed_known, accepted, outstanding, offered, offered_withdrawal, seen_by, trouble, prepared, released, healed, failed_for, beside"

func scanAll(rows *sql.Rows) ([]Item, error) { return scanRows(rows, scan) }

func scan(rows *sql.Rows) (Item, error) {
	var it Item
	var content, request []byte
	var created, updated, since, handed, recorded, outstanding, healed int64
	var beside string
	err := rows.Scan(&it.seq, &it.ID, &it.Chain, &it.Network, &it.Pending, &content, &it.Withdrawal, &it.State, &request, &it.Code, &it.Reason, &it.Signed, &it.TxID, &it.Depth, &created, &updated, &since, &it.Account, &it.Told, &it.Withheld, &it.Tries, &handed, &recorded, &it.Accepted, &outstanding, &it.Offered.Digest, &it.Offered.Withdrawal, &it.SeenBy, &it.Trouble, &it.Prepared, &it.Released, &healed, &it.FailedFor, &beside)
	if err != nil {
		return Item{}, err
	}
	if len(content) != len(it.Content) {
		return Item{}, fmt.Errorf("item %.80q has a content hash of %d bytes", it.ID, len(content))
	}
	it.Content, it.Beside = [32]byte(content), besideOf(beside)
	if len(request) == len(bundle.Digest{}) {
		it.Request = bundle.Digest(request)
	}
	it.Handed, it.HandedKnown, it.Outstanding, it.Healed = moment(handed), recorded != 0, moment(outstanding), moment(healed)
	it.Created, it.Updated = time.Unix(created, 0).UTC(), time.Unix(updated, 0).UTC()
	if it.Since = time.Unix(since, 0).UTC(); since == 0 {
		it.Since = it.Created
	}
	return it, nil
}

// After returns the place of an item in the order of Items, for Filter.After.
func (it Item) After() int64 { return it.seq }

// Move is one item's step from one state to another.
type Move struct {
	ID       string
	From, To State
	Code     chain.Code // why, for a state that is no progress
	Reason   string
	Lease    Lease  // that the item was claimed with, if it was
	Prepared []byte // what was proven, for one that is prepared now
	Alarm    *Raise // raised in the same transaction; may be nil
	Also     *Raise // another one; may be nil
	Decided  Decision
}

// Move makes steps, all or none. An item that is not in the state it should
// come from is ErrState, one that is not held ErrLeased.
func (j *Journal) Move(ctx context.Context, moves ...Move) error {
	return j.together(ctx, "move", func(tx tx) error {
		for _, m := range moves {
			if err := j.move(ctx, tx, m); err != nil {
				return err
			}
		}
		return nil
	})
}

// hasMethod reports whether a change of state is made by a method of its own.
func (m Move) hasMethod() bool {
	return m.To == Exported || m.To == Signed && m.From != Failed || m.To == Failed && (m.From == Refused || m.From == Rejected)
}

func (j *Journal) move(ctx context.Context, tx tx, m Move) error {
	if !Allowed(m.From, m.To) || m.hasMethod() {
		return notAllowed(m.ID, m.From, m.To)
	}
	fence, args := m.Lease.fence()
	form := ""
	args = append([]any{m.ID, string(m.From)}, args...)
	if m.From == Fetched || m.To == Fetched {
		form, args = ", prepared = ?", append([]any{m.Prepared}, args...)
	}
	if m.From == Failed {
		form, args = form+", healed = ?, failed_for = code", append([]any{j.now().Unix()}, args...)
	}
	now := j.now().Unix()
	args = append([]any{string(m.To), words(string(m.Code)), words(m.Reason), now, now}, args...)
	done, err := tx.ExecContext(ctx, "UPDATE items SET state = ?, code = ?, reason = ?, trouble = '', "+
		"updated = ?, since = ?, tries = 0, retry_at = 0"+form+" WHERE id = ? AND state = ?"+fence, args...)
	if err := tx.met(ctx, done, err, m.ID, m.Lease); err != nil {
		return fmt.Errorf("item %s to %s: %w", m.ID, m.To, err)
	}
	if m.To == Rejected {
		if err := j.leaveOutstanding(ctx, tx, m.ID); err != nil {
			return err
		}
	}
	for _, alarm := range []*Raise{m.Alarm, m.Also} {
		if err := j.raise(ctx, tx, alarm); err != nil {
			return fmt.Errorf("alarm about item %s: %w", m.ID, err)
		}
	}
	if m.Decided.By == "" {
		return nil
	}
	if err := j.settle(ctx, tx, m.ID, m.Decided); err != nil {
		return fmt.Errorf("alarms about item %s: %w", m.ID, err)
	}
	return nil
}

// Note says why an item stays where it is.
type Note struct {
	ID     string
	State  State // that it is in
	Code   chain.Code
	Reason string
	Lease  Lease
	Delay  time.Duration // before it is tried again, one more time in vain; 0: nothing was tried
	Alarm  *Raise        // raised in the same transaction; may be nil

	Trouble bool // it passes by itself, so that it replaces no reason but one of the same code
}

// set returns the assignments of a Note, with its code and reason twice where
// they may have to stand beside others.
func (n Note) set() (string, []any) {
	code, reason := words(string(n.Code)), words(n.Reason)
	if !n.Trouble {
		return "code = ?, reason = ?, trouble = ''", []any{code, reason}
	}
	const free = "CASE WHEN code = '' OR code = ? THEN "
	return "trouble = " + free + "'' ELSE ? END, reason = " + free + "? ELSE reason END, code = " + free + "? ELSE code END",
		[]any{code, reason, code, reason, code, code}
}

// Note records why an item stays where it is, under the conditions of Move.
func (j *Journal) Note(ctx context.Context, n Note) error {
	return j.together(ctx, "note", func(tx tx) error {
		fence, args := n.Lease.fence()
		later := ""
		args = append([]any{n.ID, string(n.State)}, args...)
		if n.Delay > 0 {
			later, args = ", tries = tries + 1, retry_at = ?", append([]any{j.now().Add(min(n.Delay, MaxDelay)).UnixMilli()}, args...)
		}
		set, reasons := n.set()
		args = append(append(reasons, j.now().Unix()), args...)
		done, err := tx.ExecContext(ctx, "UPDATE items SET "+set+", updated = ?"+later+" WHERE id = ? AND state = ?"+fence, args...)
		if err := tx.met(ctx, done, err, n.ID, n.Lease); err != nil {
			return fmt.Errorf("item %s: %w", n.ID, err)
		}
		return j.raise(ctx, tx, n.Alarm)
	})
}

// Sight is what a look at the network found of an item's transaction.
type Sight struct {
	ID      string
	Lease   Lease
	Depth   int64         // confirmations; -1: it was not found
	Settled bool          // it is not looked at any more
	Later   time.Duration // before it is looked at again, MaxDelay at most; 0: at any time
}

// Sighted records what a look found.
func (j *Journal) Sighted(ctx context.Context, s Sight) error {
	return j.together(ctx, "sighted", func(tx tx) error {
		fence, args := s.Lease.fence()
		mark, at := 0, int64(0)
		if s.Settled {
			mark = 1
		}
		if s.Later > 0 {
			at = j.now().Add(min(s.Later, MaxDelay)).UnixMilli()
		}
		done, err := tx.ExecContext(ctx, "UPDATE items SET depth = ?, settled = ?, retry_at = ? WHERE id = ?"+fence, append([]any{s.Depth, mark, at, s.ID}, args...)...)
		return tx.met(ctx, done, err, s.ID, s.Lease)
	})
}
