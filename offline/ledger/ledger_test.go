package ledger

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"coldkms/shared/bundle"
	"coldkms/shared/chain"
	"coldkms/shared/identity"
)

// disk is a Storage that can fail and can be looked into.
type disk struct {
	log, mark            []byte
	failAppend, failMark error
}

func (m *disk) Load() ([]byte, error) { return bytes.Clone(m.log), nil }
func (m *disk) Append(b []byte) error {
	if m.failAppend != nil {
		m.log = append(m.log, b[:len(b)/2]...) // torn
		return m.failAppend
	}
	m.log = append(m.log, b...)
	return nil
}
func (m *disk) Truncate(n int64) error    { m.log = m.log[:n]; return nil }
func (m *disk) LoadMark() ([]byte, error) { return bytes.Clone(m.mark), nil }
func (m *disk) StoreMark(b []byte) error {
	if m.failMark != nil {
		return m.failMark
	}
	m.mark = bytes.Clone(b)
	return nil
}

// owner is the wallet number n.
func owner(n byte) Owner {
	id, err := identity.FromSeed(bytes.Repeat([]byte{n}, identity.SeedSize))
	if err != nil {
		panic(err)
	}
	return OwnerOf(id)
}

func nonce(n int) string { return fmt.Sprintf("%032x", n) }

func me() Owner { return owner(2) }

func clock() time.Time { return time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC) }

func filled(t *testing.T) *disk {
	t.Helper()
	m := &disk{}
	l, err := Create(m, me(), clock)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 5 {
		fee := chain.NewAmount(100)
		err := l.Append(
			Line{Kind: KindReviewed, Request: fmt.Sprint("r", i), Round: nonce(i), Items: 1},
			Line{Kind: KindSigned, ID: fmt.Sprint("id", i), Content: bundle.Digest{byte(i)}.String(), Spent: []string{fmt.Sprint("op", i)}, Fee: &fee},
		)
		if err != nil {
			t.Fatal(err)
		}
	}
	return m
}

func TestReopenRemembers(t *testing.T) {
	m := filled(t)
	l, err := Open(m, me(), clock)
	if err != nil {
		t.Fatal(err)
	}
	if content, ok := l.Signed("id3"); !ok || content != (bundle.Digest{3}) {
		t.Error("the signed id is forgotten")
	}
	if content, ok := l.Spender("op4"); !ok || content != (bundle.Digest{4}) {
		t.Error("the spent outpoint is forgotten")
	}
	if l.Len() != 11 {
		t.Errorf("%d lines, want 11", l.Len())
	}
	if _, err := Open(m, owner(3), clock); !errors.Is(err, ErrDamaged) {
		t.Errorf("another signer's ledger opens: %v", err)
	}
}

func TestEveryFlippedBitIsFound(t *testing.T) {
	m := filled(t)
	for bit := range len(m.log) * 8 {
		bad := &disk{log: bytes.Clone(m.log), mark: m.mark}
		bad.log[bit/8] ^= 1 << (bit % 8)
		if _, err := Open(bad, me(), clock); err == nil {
			t.Fatalf("bit %d of byte %d (%q) flipped and not noticed", bit%8, bit/8, m.log[bit/8])
		}
	}
	for bit := range len(m.mark) * 8 {
		bad := &disk{log: m.log, mark: bytes.Clone(m.mark)}
		bad.mark[bit/8] ^= 1 << (bit % 8)
		if _, err := Open(bad, me(), clock); err == nil {
			t.Fatalf("bit %d of the mark flipped and not noticed", bit)
		}
	}
}

func TestEveryCutIsFound(t *testing.T) {
	m := filled(t)
	for n := range len(m.log) {
		bad := &disk{log: bytes.Clone(m.log[:n]), mark: m.mark}
		if _, err := Open(bad, me(), clock); !errors.Is(err, ErrRollback) {
			t.Fatalf("cut to %d of %d bytes: %v", n, len(m.log), err)
		}
	}
}

func TestLinesTakenOutSwappedOrDoubledAreFound(t *testing.T) {
	m := filled(t)
	lines := strings.SplitAfter(strings.TrimSuffix(string(m.log), "\n"), "\n")
	lines[len(lines)-1] += "\n"
	for i := range len(lines) - 1 {
		out := append(append([]string{}, lines[:i]...), lines[i+1:]...)
		doubled := append(append(append([]string{}, lines[:i]...), lines[i]), lines[i:]...)
		swapped := append([]string{}, lines...)
		swapped[i], swapped[i+1] = swapped[i+1], swapped[i]
		for name, bad := range map[string][]string{"taken out": out, "doubled": doubled, "swapped": swapped} {
			if _, err := Open(&disk{log: []byte(strings.Join(bad, "")), mark: m.mark}, me(), clock); err == nil {
				t.Errorf("line %d %s and not noticed", i+1, name)
			}
		}
	}
}

// A write that tore before it was acknowledged is cut off; what was
// acknowledged stays.
func TestTornTailIsCutOnlyBehindTheMark(t *testing.T) {
	m := filled(t)
	l, err := Open(m, me(), clock)
	if err != nil {
		t.Fatal(err)
	}
	whole := len(m.log)
	m.failAppend = errors.New("disk full")
	if err := l.Append(Line{Kind: KindReviewed, Request: "torn"}); err == nil {
		t.Fatal("a failed write was acknowledged")
	}
	m.failAppend = nil
	l, err = Open(m, me(), clock)
	if err != nil {
		t.Fatal(err)
	}
	if len(m.log) != whole || l.Len() != 11 {
		t.Errorf("%d bytes and %d lines after recovery, want %d and 11", len(m.log), l.Len(), whole)
	}
}

// Lines on the disk whose mark was not written are kept: they may say more
// than what left, never less.
func TestLinesBehindTheMarkAreKept(t *testing.T) {
	m := filled(t)
	l, err := Open(m, me(), clock)
	if err != nil {
		t.Fatal(err)
	}
	m.failMark = errors.New("pulled the plug")
	if err := l.Append(Line{Kind: KindReviewed, Request: "late", Round: nonce(77)}); err == nil {
		t.Fatal("a missing mark was acknowledged")
	}
	m.failMark = nil
	if l, err = Open(m, me(), clock); err != nil || l.Len() != 12 {
		t.Errorf("reopened with %v lines: %v", l.Len(), err)
	}
}

func TestCreateNeverReplacesAMemory(t *testing.T) {
	if _, err := Create(filled(t), me(), clock); !errors.Is(err, ErrDamaged) {
		t.Errorf("a ledger with lines was replaced: %v", err)
	}
	m := &disk{}
	if _, err := Create(m, me(), clock); err != nil {
		t.Fatal(err)
	}
	if _, err := Create(m, owner(4), clock); err != nil {
		t.Errorf("an interrupted set-up cannot be repeated: %v", err)
	}
	if _, err := Open(m, owner(4), clock); err != nil {
		t.Error(err)
	}
}

// Without its mark a ledger could be cut back unnoticed.
func TestMissingMarkIsRefused(t *testing.T) {
	m := filled(t)
	m.mark = nil
	if _, err := Open(m, me(), clock); !errors.Is(err, ErrRollback) {
		t.Errorf("a ledger without its mark opens: %v", err)
	}
}

func TestDeclineTakesTheReviewBack(t *testing.T) {
	m := filled(t)
	l, err := Open(m, me(), clock)
	if err != nil {
		t.Fatal(err)
	}
	d := bundle.Digest{9}
	if err := l.Append(Line{Kind: KindReviewed, Request: d.String(), Judged: "j", Round: drawn(l, nonce(78))}); err != nil {
		t.Fatal(err)
	}
	if !l.Reviewed(d, "", "j") || l.Reviewed(d, "", "other") || l.Reviewed(d, "p", "j") {
		t.Error("a review counts for another judgement, or not for its own")
	}
	if err := l.Append(Line{Kind: KindDeclined, Request: d.String()}); err != nil {
		t.Fatal(err)
	}
	if l.Reviewed(d, "", "j") {
		t.Error("a declined batch is still approved by its digest")
	}
}

// A backup is read, and takes no line before it is adopted. What its mark says is
// authenticated.
func TestACopyTakesNoLine(t *testing.T) {
	m := filled(t)
	mark, err := CopyMark(m.mark, me())
	if err != nil {
		t.Fatal(err)
	}
	copied := &disk{log: append(bytes.Clone(m.log), "torn"...), mark: mark}
	l, err := Open(copied, me(), clock)
	if err != nil || !l.IsCopy() || l.Len() != 11 {
		t.Fatalf("%v: copy %v, %d lines", err, l.IsCopy(), l.Len())
	}
	if err := l.Append(Line{Kind: KindClock}); !errors.Is(err, ErrCopy) || len(copied.log) != len(m.log)+4 {
		t.Errorf("the copy was written to: %v", err)
	}
	if err := l.Adopt(); err != nil {
		t.Fatal(err)
	}
	if err := l.Append(Line{Kind: KindClock}); err != nil {
		t.Error(err)
	}
	if l, err = Open(copied, me(), clock); err != nil || l.IsCopy() || l.Len() != 12 {
		t.Errorf("adopted: %v", err)
	}
	for _, forged := range []*disk{
		{log: m.log, mark: bytes.Replace(mark, []byte(`"copy":true,`), nil, 1)},
		{log: m.log, mark: bytes.Replace(m.mark, []byte(`"mac"`), []byte(`"copy":true,"mac"`), 1)},
	} {
		if _, err := Open(forged, me(), clock); !errors.Is(err, ErrDamaged) {
			t.Errorf("a mark that nobody wrote: %v", err)
		}
	}
	if _, err := CopyMark(m.mark, owner(3)); !errors.Is(err, ErrDamaged) {
		t.Errorf("another wallet's mark: %v", err)
	}
}
