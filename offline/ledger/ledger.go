// Package ledger is the signer's memory: an append-only record of everything
// that it reviewed, signed or refused. A line is on the disk before any
// signature that it records leaves the machine.
//
// A line is the hash of its JSON in hex, a space, the JSON and a line feed:
//
//	4f0c…e1 {"n":7,"prev":"9a31…","time":"2026-11-23T10:15:00Z","kind":"signed",…}
//
// Each JSON holds the hash of the line before, so no line can be changed,
// taken out or put in without breaking the chain. A second file remembers the
// last line that was acknowledged: a ledger that does not contain it was cut
// or rolled back, and nothing is signed with it.
package ledger

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"coldkms/shared/bundle"
	"coldkms/shared/chain"
)

// Errors of a ledger that cannot be trusted.
var (
	ErrDamaged  = errors.New("ledger is damaged")
	ErrRollback = errors.New("ledger is older than what was acknowledged")
)

// The kinds of line.
const (
	KindGenesis  = "genesis"
	KindReviewed = "reviewed"
	KindSigned   = "signed"
	KindRefused  = "refused"
	KindDeclined = "declined" // by the person
)

// Line is one record. Fields that a kind does not use are left out.
type Line struct {
	N        uint64     `json:"n"` // 1, 2, 3, …
	Prev     string     `json:"prev"`
	Time     string     `json:"time"` // RFC 3339, the machine's clock: for people only
	Kind     string     `json:"kind"`
	Signer   string     `json:"signer,omitempty"`  // genesis: fingerprint
	Request  string     `json:"request,omitempty"` // batch digest
	Policy   string     `json:"policy,omitempty"`  // hash of the policy in force
	Judged   string     `json:"judged,omitempty"`  // reviewed: digest of what was shown of each item, and of its verdict
	Items    int        `json:"items,omitempty"`
	ID       string     `json:"id,omitempty"` // pending id
	Chain    chain.ID   `json:"chain,omitempty"`
	Network  string     `json:"network,omitempty"`
	Content  string     `json:"content,omitempty"` // digest of what was signed
	TxID     string     `json:"txId,omitempty"`
	Spent    []string   `json:"spent,omitempty"` // outpoints
	Paid     []Payment  `json:"paid,omitempty"`  // outputs that are not change
	Fee      *int64     `json:"fee,omitempty"`   // smallest units
	Code     chain.Code `json:"code,omitempty"`
	Reason   string     `json:"reason,omitempty"`
	Approval string     `json:"approval,omitempty"` // how the person agreed: "typed" or "digest"
}

// Payment is one output as the ledger remembers it.
type Payment struct {
	To    string `json:"to"` // address, or the script in hex where there is none
	Value int64  `json:"value"`
}

// Storage is where a ledger lives.
type Storage interface {
	Load() ([]byte, error)       // all lines; none if there is no file yet
	Append(lines []byte) error   // durable when it returns nil; after an error nothing more is accepted
	Truncate(size int64) error   // durable
	LoadMark() ([]byte, error)   // the acknowledged mark; none if there is none yet
	StoreMark(mark []byte) error // durable, atomic
}

// Ledger is an open ledger. It is not safe for concurrent use.
type Ledger struct {
	storage Storage
	now     func() time.Time
	head    [sha256.Size]byte
	genesis string
	n       uint64
	signer  string
	signed  map[string][32]byte // pending id → content
	spent   map[string][32]byte // outpoint → content
	review  map[string]string   // batch digest → policy hash it was reviewed under
	heads   map[[32]byte]bool   // every head this ledger ever had
}

// Create starts a ledger for the signer with this fingerprint. One that holds
// nothing but its first line (a set-up that was interrupted) is replaced; any
// other is an error.
func Create(s Storage, signer string, now func() time.Time) (*Ledger, error) {
	l, err := load(s, now, true)
	if err != nil {
		return nil, err
	}
	if l.n > 1 {
		return nil, fmt.Errorf("ledger: %w: it holds %d lines of another wallet", ErrDamaged, l.n)
	}
	if l.n == 1 {
		if err := s.Truncate(0); err != nil {
			return nil, fmt.Errorf("ledger: %w", err)
		}
		l = newLedger(s, now)
	}
	return l, l.Append(Line{Kind: KindGenesis, Signer: signer})
}

// Open reads and checks a ledger, line by line, from its first.
func Open(s Storage, signer string, now func() time.Time) (*Ledger, error) {
	l, err := load(s, now, false)
	if err != nil {
		return nil, err
	}
	if l.n == 0 {
		return nil, fmt.Errorf("%w: it is missing or empty", ErrRollback)
	}
	if l.signer != signer {
		return nil, fmt.Errorf("%w: it belongs to signer %.40q", ErrDamaged, l.signer)
	}
	return l, nil
}

func newLedger(s Storage, now func() time.Time) *Ledger {
	return &Ledger{storage: s, now: now, signed: map[string][32]byte{}, spent: map[string][32]byte{}, review: map[string]string{}, heads: map[[32]byte]bool{}}
}

// load replays the log. A last line without its line feed was never
// acknowledged if the mark lies before it; it is cut off. Anything else that
// does not fit is damage. setUp says that a ledger is to be started.
func load(s Storage, now func() time.Time, setUp bool) (*Ledger, error) {
	log, err := s.Load()
	if err != nil {
		return nil, fmt.Errorf("ledger: read: %w", err)
	}
	mark, err := loadMark(s)
	if err != nil {
		return nil, err
	}
	l := newLedger(s, now)
	seen := mark == nil || (setUp && mark.N == 1) // an interrupted set-up has nothing to remember
	offset := 0
	for offset < len(log) {
		end := bytes.IndexByte(log[offset:], '\n')
		if end < 0 {
			break
		}
		if err := l.replay(log[offset : offset+end]); err != nil {
			return nil, fmt.Errorf("%w: line %d at byte %d: %v", ErrDamaged, l.n+1, offset, err)
		}
		seen = seen || (l.n == mark.N && l.Head() == mark.Head)
		offset += end + 1
	}
	if mark == nil && l.n > 1 {
		return nil, fmt.Errorf("%w: the mark beside it is missing", ErrRollback)
	}
	if !seen {
		return nil, fmt.Errorf("%w: line %d (%.16s…) was acknowledged and is not in it", ErrRollback, mark.N, mark.Head)
	}
	if offset < len(log) {
		if err := s.Truncate(int64(offset)); err != nil {
			return nil, fmt.Errorf("ledger: cut torn line: %w", err)
		}
	}
	return l, nil
}

// mark says up to where the ledger was acknowledged.
type mark struct {
	N    uint64 `json:"n"`
	Head string `json:"head"`
}

func loadMark(s Storage) (*mark, error) {
	b, err := s.LoadMark()
	if err != nil {
		return nil, fmt.Errorf("ledger: read mark: %w", err)
	}
	if len(b) == 0 {
		return nil, nil
	}
	var m mark
	if err := strictJSON(b, &m); err != nil || m.N == 0 {
		return nil, fmt.Errorf("%w: the mark beside it cannot be read", ErrDamaged)
	}
	return &m, nil
}

func strictJSON(b []byte, v any) error {
	dec := json.NewDecoder(bytes.NewReader(b))
	dec.DisallowUnknownFields()
	if err := dec.Decode(v); err != nil {
		return err
	}
	again, err := json.Marshal(v)
	if err != nil {
		return err
	}
	if !bytes.Equal(b, again) {
		return errors.New("not in its one encoding")
	}
	return nil
}

// replay checks one line and remembers it.
func (l *Ledger) replay(raw []byte) error {
	if len(raw) < 2*sha256.Size+1 || raw[2*sha256.Size] != ' ' {
		return errors.New("not a line of a ledger")
	}
	body := raw[2*sha256.Size+1:]
	sum := hashLine(body)
	if string(raw[:2*sha256.Size]) != hex.EncodeToString(sum[:]) {
		return errors.New("its hash does not fit")
	}
	var line Line
	if err := strictJSON(body, &line); err != nil {
		return err
	}
	if line.N != l.n+1 || line.Prev != l.Head() {
		return errors.New("it does not follow the line before")
	}
	return l.remember(line, sum)
}

func (l *Ledger) remember(line Line, sum [sha256.Size]byte) error {
	switch line.Kind {
	case KindGenesis:
		if line.N != 1 {
			return errors.New("a first line in the middle")
		}
		l.signer, l.genesis = line.Signer, hex.EncodeToString(sum[:])
	case KindReviewed:
		l.review[line.Request] = line.Policy + " " + line.Judged
	case KindSigned:
		digest, err := bundle.ParseDigest(line.Content)
		if err != nil {
			return err
		}
		l.signed[line.ID] = digest
		for _, op := range line.Spent {
			l.spent[op] = digest
		}
	case KindDeclined:
		delete(l.review, line.Request) // a no takes the review back
	case KindRefused:
	default:
		return fmt.Errorf("kind %.20q is not known to this version", line.Kind)
	}
	l.n, l.head = line.N, sum
	l.heads[sum] = true
	return nil
}

const lineTag = "coldkms ledger v1\n"

func hashLine(body []byte) [sha256.Size]byte {
	return sha256.Sum256(append([]byte(lineTag), body...))
}

// Append records lines with one durable write, then moves the mark. When it
// returns nil they survive a crash; after an error nothing may be signed.
func (l *Ledger) Append(lines ...Line) error {
	next := *l // numbers and head only move once the lines are on the disk
	var out bytes.Buffer
	stamp := l.now().UTC().Format(time.RFC3339)
	sums := make([][sha256.Size]byte, len(lines))
	for i := range lines {
		lines[i].N, lines[i].Prev, lines[i].Time = next.n+1, next.Head(), stamp
		body, err := json.Marshal(lines[i])
		if err != nil {
			return fmt.Errorf("ledger: encode: %w", err)
		}
		sums[i] = hashLine(body)
		next.n, next.head = lines[i].N, sums[i]
		fmt.Fprintf(&out, "%x %s\n", sums[i], body)
	}
	if err := l.storage.Append(out.Bytes()); err != nil {
		return fmt.Errorf("ledger: write: %w", err)
	}
	m, err := json.Marshal(mark{N: next.n, Head: next.Head()})
	if err != nil {
		return fmt.Errorf("ledger: encode mark: %w", err)
	}
	if err := l.storage.StoreMark(m); err != nil {
		return fmt.Errorf("ledger: write mark: %w", err)
	}
	for i, line := range lines {
		if err := l.remember(line, sums[i]); err != nil {
			return fmt.Errorf("ledger: %w", err)
		}
	}
	return nil
}

// Head is the hash of the last line in hex; 64 zeros before the first.
func (l *Ledger) Head() string { return hex.EncodeToString(l.head[:]) }

// HeadBytes is the hash of the last line.
func (l *Ledger) HeadBytes() []byte { return bytes.Clone(l.head[:]) }

// Len is the number of lines.
func (l *Ledger) Len() uint64 { return l.n }

// Signed implements policy.History.
func (l *Ledger) Signed(id string) ([32]byte, bool) {
	content, ok := l.signed[id]
	return content, ok
}

// Spender implements policy.History.
func (l *Ledger) Spender(outpoint string) ([32]byte, bool) {
	content, ok := l.spent[outpoint]
	return content, ok
}

// Genesis is the hash of the first line in hex: a wallet remembers it, so that
// it never works with the memory of another.
func (l *Ledger) Genesis() string { return l.genesis }

// Had says whether this was once the head of this ledger.
func (l *Ledger) Had(head []byte) bool {
	return len(head) == sha256.Size && l.heads[[sha256.Size]byte(head)]
}

// Reviewed says whether a batch was reviewed last under this policy with
// exactly this judgement, and not declined since.
func (l *Ledger) Reviewed(batch bundle.Digest, policy, judged string) bool {
	under, ok := l.review[batch.String()]
	return ok && under == policy+" "+judged
}
