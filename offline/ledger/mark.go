package ledger

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
)

// mark says up to where the ledger was acknowledged.
type mark struct {
	N    uint64 `json:"n"`
	Head string `json:"head"`
	Copy bool   `json:"copy,omitempty"` // of a backup, which takes no line
	MAC  string `json:"mac,omitempty"`  // hex; none in version 1
}

func (o Owner) mark(n uint64, head string, isCopy bool) mark {
	code := o.sealMark(n, head, isCopy)
	return mark{N: n, Head: head, Copy: isCopy, MAC: hex.EncodeToString(code[:])}
}

// CopyMark returns the mark of a backup, given that of the ledger which is copied.
// Marks of version 1, which nothing authenticates, stay as they are.
func CopyMark(b []byte, owner Owner) ([]byte, error) {
	m, err := parseMark(b)
	switch {
	case err != nil:
		return nil, err
	case m.MAC == "":
		return b, nil
	case !m.sealed(owner):
		return nil, fmt.Errorf("%w: the mark beside it was not written by this wallet", ErrDamaged)
	}
	return json.Marshal(owner.mark(m.N, m.Head, true))
}

// sealed reports whether the owner wrote the mark.
func (m *mark) sealed(o Owner) bool {
	return hmac.Equal([]byte(m.MAC), []byte(o.mark(m.N, m.Head, m.Copy).MAC))
}

func loadMark(s Storage) (*mark, error) {
	b, err := s.LoadMark()
	if err != nil {
		return nil, fmt.Errorf("ledger: read mark: %w", err)
	}
	if len(b) == 0 {
		return nil, nil
	}
	return parseMark(b)
}

func parseMark(b []byte) (*mark, error) {
	var m mark
	if err := strictJSON(b, &m); err != nil || m.N == 0 {
		return nil, fmt.Errorf("%w: the mark beside it cannot be read", ErrDamaged)
	}
	return &m, nil
}

// moveMark has the mark name a line.
func (l *Ledger) moveMark(n uint64, head [sha256.Size]byte) error {
	m, err := json.Marshal(l.owner.mark(n, hex.EncodeToString(head[:]), false))
	if err != nil {
		return fmt.Errorf("encode mark: %w", err)
	}
	if err := l.storage.StoreMark(m); err != nil {
		return fmt.Errorf("write mark: %w", err)
	}
	l.marked = n
	return nil
}

// IsCopy reports whether the ledger is a backup: it is read, and takes no line.
func (l *Ledger) IsCopy() bool { return l.copied }

// Adopt has a backup be gone on with, as the ledger of the wallet in place.
func (l *Ledger) Adopt() error {
	l.copied = false
	return l.cut()
}

// cut takes off a torn last line.
func (l *Ledger) cut() error {
	if !l.torn {
		return nil
	}
	if err := l.storage.Truncate(l.size); err != nil {
		return fmt.Errorf("ledger: cut torn line: %w", err)
	}
	l.torn = false
	return nil
}
