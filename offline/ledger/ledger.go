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
)

// Errors of a ledger that cannot be trusted.
var (
	ErrDamaged  = errors.New("ledger is damaged")
	ErrRollback = errors.New("ledger is older than what was acknowledged")
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
	now     func() time.Time
	head    [sha256.Size]byte
	n       uint64
	memory
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
	return &Ledger{storage: s, now: now, memory: newMemory()}
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
	if mark == nil && !setUp { // a wallet is written after its ledger and mark
		return nil, fmt.Errorf("%w: the mark beside it is missing", ErrRollback)
	}
	seen := setUp && (mark == nil || mark.N == 1) // an interrupted set-up has nothing to remember
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

// replay checks one line and remembers it.
func (l *Ledger) replay(raw []byte) error {
	line, sum, err := parseLine(raw)
	if err != nil {
		return err
	}
	if line.N != l.n+1 || line.Prev != l.Head() {
		return errors.New("it does not follow the line before")
	}
	return l.take(line, sum)
}

// Append records lines with one durable write, then moves the mark. When it
// returns nil they survive a crash; after an error nothing may be signed.
func (l *Ledger) Append(lines ...Line) error {
	stamped, sums, text, err := l.stamp(lines)
	if err != nil {
		return fmt.Errorf("ledger: encode: %w", err)
	}
	if err := l.storage.Append(text); err != nil {
		return fmt.Errorf("ledger: write: %w", err)
	}
	last := len(lines) - 1
	m, err := json.Marshal(mark{N: stamped[last].N, Head: hex.EncodeToString(sums[last][:])})
	if err != nil {
		return fmt.Errorf("ledger: encode mark: %w", err)
	}
	if err := l.storage.StoreMark(m); err != nil {
		return fmt.Errorf("ledger: write mark: %w", err)
	}
	for i, line := range stamped {
		if err := l.take(line, sums[i]); err != nil {
			return fmt.Errorf("ledger: %w", err)
		}
	}
	return nil
}

// stamp numbers, chains and encodes lines. A line that could not be read back
// is an error before anything is written.
func (l *Ledger) stamp(lines []Line) (stamped []Line, sums [][sha256.Size]byte, text []byte, err error) {
	if len(lines) == 0 {
		return nil, nil, nil, errors.New("no lines")
	}
	n, head, clock, now := l.n, l.head, l.clock, l.now().UTC()
	var out bytes.Buffer
	for _, line := range lines {
		if clock = max(clock, now.Unix()); line.Kind == KindClock {
			clock = now.Unix()
		}
		n++
		line.N, line.Prev, line.Time, line.Clock = n, hex.EncodeToString(head[:]), now.Format(time.RFC3339), clock
		line.clean()
		body, err := json.Marshal(line)
		if err != nil {
			return nil, nil, nil, err
		}
		head = hashLine(body)
		raw := fmt.Appendf(nil, "%x %s", head, body)
		back, _, err := parseLine(raw)
		if err == nil {
			err = l.admits(back)
		}
		if err != nil {
			return nil, nil, nil, err
		}
		out.Write(raw)
		out.WriteByte('\n')
		stamped, sums = append(stamped, line), append(sums, head)
	}
	return stamped, sums, out.Bytes(), nil
}

// take makes a line part of what is remembered.
func (l *Ledger) take(line Line, sum [sha256.Size]byte) error {
	if err := l.remember(line, sum); err != nil {
		return err
	}
	l.n, l.head = line.N, sum
	return nil
}

// Now is the ledger's own clock in Unix seconds: the machine's, but never
// before the last line. Limits go by it, so that turning the machine's clock
// back frees nothing.
func (l *Ledger) Now() int64 { return max(l.clock, l.now().Unix()) }

// Head is the hash of the last line in hex; 64 zeros before the first.
func (l *Ledger) Head() string { return hex.EncodeToString(l.head[:]) }

// HeadBytes is the hash of the last line.
func (l *Ledger) HeadBytes() []byte { return bytes.Clone(l.head[:]) }

// Len is the number of lines.
func (l *Ledger) Len() uint64 { return l.n }

// Export checks the lines once more and gives the JSON of each, without its
// hash. The slice is only good during the call.
func (l *Ledger) Export(each func(body []byte) error) error {
	log, err := l.storage.Load()
	if err != nil {
		return fmt.Errorf("ledger: read: %w", err)
	}
	fresh := newLedger(l.storage, l.now)
	for raw := range bytes.Lines(log) {
		raw = bytes.TrimSuffix(raw, []byte("\n"))
		if err := fresh.replay(raw); err != nil {
			return fmt.Errorf("%w: line %d: %v", ErrDamaged, fresh.n+1, err)
		}
		if err := each(raw[2*sha256.Size+1:]); err != nil {
			return err
		}
	}
	if fresh.head != l.head {
		return fmt.Errorf("%w: it was changed while it was open", ErrDamaged)
	}
	return nil
}
