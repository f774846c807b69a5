// Package ledger is the signer's memory: an append-only record of everything
// that it reviewed, signed or refused. A line is on the disk before any
// signature that it records leaves the machine.
//
// A line is the hash of its JSON in hex, an authentication code in hex, the
// JSON and a line feed:
//
//	4f0c…e1 77ab…09 {"n":7,"prev":"9a31…","time":"2026-11-23T10:15:00Z",…}
//
// Each JSON holds the hash of the line before, so no line can be changed,
// removed or inserted without breaking the chain. The code is an HMAC of the
// hash under a key of the wallet, so that only the wallet can write a chain. A
// second file, the mark, names the last line that was acknowledged, under the
// same key: a ledger that does not contain it was cut or rolled back, and
// nothing is signed with it.
//
// Lines of version 1 had no code. Upgrade appends a line whose code covers all
// of them; until then Open returns ErrVersion.
package ledger

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// Errors of a ledger that cannot be trusted.
var (
	ErrDamaged  = errors.New("ledger is damaged")
	ErrRollback = errors.New("ledger is older than what was acknowledged")
	ErrVersion  = errors.New("ledger is of version 1, whose lines anyone can write")
)

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
	owner   Owner
	now     func() time.Time
	head    [sha256.Size]byte
	n       uint64
	marked  uint64 // line that the mark names
	copied  bool   // the mark says that this is a backup
	torn    bool   // there is more than the whole lines,
	size    int64  // which have so many bytes
	failed  error  // why nothing more is recorded
	memory
}

// Create starts the ledger of a new wallet. One that holds nothing but its
// first line (a set-up that was interrupted) is replaced; any other is an
// error.
func Create(s Storage, owner Owner, now func() time.Time) (*Ledger, error) {
	log, err := s.Load()
	if err != nil {
		return nil, fmt.Errorf("ledger: read: %w", err)
	}
	if n := bytes.Count(log, []byte("\n")); n > 1 {
		return nil, fmt.Errorf("ledger: %w: it holds %d lines of another wallet", ErrDamaged, n)
	}
	m, err := loadMark(s)
	if err == nil && m != nil && m.N > 1 {
		err = fmt.Errorf("%w: line %d was acknowledged and is not in it", ErrRollback, m.N)
	}
	if err != nil {
		return nil, err
	}
	if len(log) > 0 {
		if err := s.Truncate(0); err != nil {
			return nil, fmt.Errorf("ledger: %w", err)
		}
	}
	l := newLedger(s, owner, now)
	return l, l.Append(Line{Kind: KindGenesis, Signer: owner.signer, Version: Version})
}

// Open reads a ledger and checks every line. It returns ErrVersion for one
// that was not upgraded.
func Open(s Storage, owner Owner, now func() time.Time) (*Ledger, error) {
	l, err := load(s, owner, now, false)
	if err == nil && !l.keyed {
		err = ErrVersion
	}
	if err != nil {
		return nil, err
	}
	return l, nil
}

// OpenAny is Open for a ledger of any version. It is for upgrading.
func OpenAny(s Storage, owner Owner, now func() time.Time) (*Ledger, error) {
	return load(s, owner, now, true)
}

// Upgrade appends the line from which on lines are authenticated. Reviews and
// approvals of version 1 count no longer.
func (l *Ledger) Upgrade() error {
	if l.keyed {
		return errors.New("ledger: it is of the newest version already")
	}
	return l.Append(Line{Kind: KindUpgraded, Signer: l.owner.signer, Version: Version})
}

// Keyed reports whether new lines of this ledger are authenticated.
func (l *Ledger) Keyed() bool { return l.keyed }

// SignerOf returns the signer that the first line of a ledger names, and whether
// that line can be read. Nothing authenticates it: it is for words.
func SignerOf(s Storage) (fingerprint string, ok bool) {
	log, err := s.Load()
	if err != nil {
		return "", false
	}
	raw, _, whole := bytes.Cut(log, []byte("\n"))
	if !whole {
		return "", false
	}
	r, err := parseLine(raw)
	return r.line.Signer, err == nil && r.line.Kind == KindGenesis
}

func newLedger(s Storage, owner Owner, now func() time.Time) *Ledger {
	return &Ledger{storage: s, owner: owner, now: now, memory: newMemory()}
}

// load replays the log. A last line without its line feed was never
// acknowledged if the mark lies before it; it is cut off. Anything else that
// does not fit is damage. old accepts what a ledger of version 1 leaves
// unauthenticated: its lines, and its mark.
func load(s Storage, owner Owner, now func() time.Time, old bool) (*Ledger, error) {
	log, err := s.Load()
	if err != nil {
		return nil, fmt.Errorf("ledger: read: %w", err)
	}
	m, err := loadMark(s)
	switch {
	case err != nil:
		return nil, err
	case len(log) == 0:
		return nil, fmt.Errorf("%w: it is missing or empty", ErrRollback)
	case m == nil: // a wallet is written after its ledger and mark
		return nil, fmt.Errorf("%w: the mark beside it is missing", ErrRollback)
	}
	l := newLedger(s, owner, now)
	rest, seen, atMost, err := l.replayAll(log, m)
	switch {
	case err != nil:
		return nil, err
	case l.n > 0 && l.signer != owner.signer:
		return nil, fmt.Errorf("%w: it belongs to signer %.40q", ErrDamaged, l.signer)
	case !seen:
		return nil, fmt.Errorf("%w: line %d (%.16s…) was acknowledged and is not in it", ErrRollback, m.N, m.Head)
	case !old && l.keyed && m.MAC == "" && m.N < l.root && l.n == l.root:
		return nil, fmt.Errorf("%w: its upgrade was interrupted", ErrVersion)
	case l.keyed && !m.sealed(owner) && !(old && m.MAC == "" && m.N < l.root):
		return nil, fmt.Errorf("%w: the mark beside it was not written by this wallet", ErrDamaged)
	case l.n > atMost:
		return nil, fmt.Errorf("%w: the mark beside it is an old one: it names line %d of %d, and the lines after it were not written at once", ErrRollback, m.N, l.n)
	}
	l.marked, l.copied, l.torn = m.N, m.Copy, rest < len(log)
	l.size = int64(rest)
	if l.copied {
		return l, nil
	}
	return l, l.cut()
}

// replayAll replays all whole lines, and returns where the rest begins and, if
// the marked line is among them, the last line that the mark may lack: only
// one Append can be without its mark.
func (l *Ledger) replayAll(log []byte, m *mark) (rest int, seen bool, atMost uint64, err error) {
	for rest < len(log) {
		end := bytes.IndexByte(log[rest:], '\n')
		if end < 0 {
			break
		}
		r, err := l.replay(log[rest : rest+end])
		if err != nil {
			return rest, seen, atMost, fmt.Errorf("%w: line %d at byte %d: %v", ErrDamaged, l.n+1, rest, err)
		}
		if seen && l.n == m.N+1 || !l.keyed {
			atMost = max(l.n, r.line.Until)
		}
		if l.n == m.N && l.Head() == m.Head {
			seen, atMost = true, l.n
		}
		rest += end + 1
	}
	return rest, seen, atMost, nil
}

// replay checks one line and remembers it.
func (l *Ledger) replay(raw []byte) (record, error) {
	r, err := parseLine(raw)
	if err != nil {
		return record{}, err
	}
	if r.line.N != l.n+1 || r.line.Prev != l.Head() {
		return record{}, errors.New("it does not follow the line before")
	}
	if err := l.authentic(r); err != nil {
		return record{}, err
	}
	return r, l.take(r)
}

// authentic reports whether the owner wrote a line, or whether the line is one
// of those before the upgrade, which its code covers.
func (l *Ledger) authentic(r record) error {
	if !r.keyed {
		if l.keyed {
			return errors.New("it has no authentication code, and lines before it have one")
		}
		return nil
	}
	if want := l.owner.sealLine(r.sum); !hmac.Equal(r.code[:], want[:]) {
		return errors.New("its authentication code does not fit: this wallet did not write it")
	}
	return nil
}

// Append records lines with one durable write, then moves the mark. When it
// returns nil they survive a crash; after an error nothing may be signed, and
// nothing more is recorded.
func (l *Ledger) Append(lines ...Line) error {
	if l.failed != nil {
		return fmt.Errorf("ledger: an earlier write failed: %w", l.failed)
	}
	if l.copied {
		return ErrCopy
	}
	records, text, err := l.stamp(lines)
	if err != nil {
		return fmt.Errorf("ledger: encode: %w", err)
	}
	if l.failed = l.write(records, text); l.failed != nil {
		return fmt.Errorf("ledger: %w", l.failed)
	}
	return nil
}

// write writes lines and their mark. A mark that a crash left behind is moved
// first: it is behind by one Append at most.
func (l *Ledger) write(records []record, text []byte) error {
	if l.marked < l.n {
		if err := l.moveMark(l.n, l.head); err != nil {
			return err
		}
	}
	if err := l.storage.Append(text); err != nil {
		return fmt.Errorf("write: %w", err)
	}
	last := records[len(records)-1]
	if err := l.moveMark(last.line.N, last.sum); err != nil {
		return err
	}
	for _, r := range records {
		if err := l.take(r); err != nil {
			return err
		}
	}
	return nil
}

// stamp numbers, chains, authenticates and encodes lines. A line that could
// not be read back is an error before anything is written.
func (l *Ledger) stamp(lines []Line) (records []record, text []byte, err error) {
	if len(lines) == 0 {
		return nil, nil, errors.New("no lines")
	}
	n, head, clock, now := l.n, l.head, l.clock, l.now().UTC()
	var out bytes.Buffer
	for _, line := range lines {
		if clock = max(clock, now.Unix()); line.Kind == KindClock {
			clock = now.Unix()
		}
		n++
		if len(lines) > 1 {
			line.Until = l.n + uint64(len(lines))
		}
		line.N, line.Prev, line.Time, line.Clock = n, hex.EncodeToString(head[:]), now.Format(time.RFC3339), clock
		line.clean()
		body, err := json.Marshal(line)
		if err != nil {
			return nil, nil, err
		}
		head = hashLine(lineTag, body)
		code := l.owner.sealLine(head)
		raw := fmt.Appendf(nil, "%x %x %s", head, code, body)
		r, err := parseLine(raw)
		if err == nil {
			err = l.admits(r)
		}
		if err == nil && len(raw) > maxLine {
			err = fmt.Errorf("a line of %d bytes, at most %d", len(raw), maxLine)
		}
		if err != nil {
			return nil, nil, err
		}
		out.Write(raw)
		out.WriteByte('\n')
		records = append(records, r)
	}
	return records, out.Bytes(), nil
}

// take makes a line part of what is remembered.
func (l *Ledger) take(r record) error {
	if err := l.remember(r); err != nil {
		return err
	}
	l.n, l.head = r.line.N, r.sum
	return nil
}

// Now is the ledger's own clock in Unix seconds: the machine's, but never
// before the last line. Limits go by it, so that turning the machine's clock
// back frees nothing.
func (l *Ledger) Now() int64 { return max(l.clock, l.now().Unix()) }

// Clock is the time of the last line by the ledger's own clock, in Unix seconds.
func (l *Ledger) Clock() int64 { return l.clock }

// Ahead returns how far the last line is dated after the machine's clock; it is
// negative or 0 where that is later.
func (l *Ledger) Ahead() time.Duration {
	return time.Duration(l.clock-l.now().Unix()) * time.Second
}

// Head returns the hash of the last line in hex; 64 zeros before the first.
func (l *Ledger) Head() string { return hex.EncodeToString(l.head[:]) }

// HeadBytes is the hash of the last line.
func (l *Ledger) HeadBytes() []byte { return bytes.Clone(l.head[:]) }

// Len is the number of lines.
func (l *Ledger) Len() uint64 { return l.n }

// Export checks the lines once more and passes the JSON of each to each. The
// slice is valid during the call only.
func (l *Ledger) Export(each func(body []byte) error) error {
	return l.again(func(_ Line, raw []byte) error {
		_, _, body, err := splitLine(raw)
		if err != nil {
			return err
		}
		return each(body)
	})
}

// Lines checks the lines once more and passes each to each.
func (l *Ledger) Lines(each func(Line) error) error {
	return l.again(func(line Line, _ []byte) error { return each(line) })
}

// again replays the ledger from its beginning.
func (l *Ledger) again(each func(line Line, raw []byte) error) error {
	log, err := l.storage.Load()
	if err != nil {
		return fmt.Errorf("ledger: read: %w", err)
	}
	fresh := newLedger(l.storage, l.owner, l.now)
	for raw := range bytes.Lines(log) {
		raw = bytes.TrimSuffix(raw, []byte("\n"))
		r, err := fresh.replay(raw)
		if err != nil {
			return fmt.Errorf("%w: line %d: %v", ErrDamaged, fresh.n+1, err)
		}
		if err := each(r.line, raw); err != nil {
			return err
		}
	}
	if fresh.head != l.head {
		return fmt.Errorf("%w: it was changed while it was open", ErrDamaged)
	}
	return nil
}
