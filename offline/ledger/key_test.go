package ledger

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
)

// unkeyed is the text of a ledger of version 1 with these lines.
func unkeyed(t *testing.T, lines ...Line) *disk {
	t.Helper()
	d := &disk{}
	head := strings.Repeat("0", 2*sha256.Size)
	for i, line := range lines {
		line.N, line.Prev, line.Time, line.Clock = uint64(i+1), head, "2026-11-23T10:00:00Z", clock().Unix()
		body, err := json.Marshal(line)
		if err != nil {
			t.Fatal(err)
		}
		head = fmt.Sprintf("%x", hashLine(lineTagV1, body))
		d.log = fmt.Appendf(d.log, "%s %s\n", head, body)
	}
	d.mark = fmt.Appendf(nil, `{"n":%d,"head":"%s"}`, len(lines), head)
	return d
}

// rechained writes lines as somebody does who has the disk and no password:
// every hash fits, the codes are those of another key, or kept.
func rechained(t *testing.T, d *disk, keep func(Line) bool, by func(sum [sha256.Size]byte, was string) string) *disk {
	t.Helper()
	out := &disk{}
	head, n := strings.Repeat("0", 2*sha256.Size), uint64(0)
	for raw := range bytes.Lines(d.log) {
		_, code, _, err := splitLine(bytes.TrimSuffix(raw, []byte("\n")))
		if err != nil {
			t.Fatal(err)
		}
		r, err := parseLine(bytes.TrimSuffix(raw, []byte("\n")))
		if err != nil {
			t.Fatal(err)
		}
		if !keep(r.line) {
			continue
		}
		n++
		r.line.N, r.line.Prev = n, head
		body, err := json.Marshal(r.line)
		if err != nil {
			t.Fatal(err)
		}
		sum := hashLine(lineTag, body)
		head = fmt.Sprintf("%x", sum)
		out.log = fmt.Appendf(out.log, "%s %s %s\n", head, by(sum, string(code)), body)
	}
	m, err := json.Marshal(owner(9).mark(n, head, false))
	if err != nil {
		t.Fatal(err)
	}
	out.mark = m
	return out
}

// A chain without its signed lines, whose hashes and mark all fit, is found.
func TestAForgedChainIsFound(t *testing.T) {
	m := filled(t)
	all := func(Line) bool { return true }
	unsigned := func(l Line) bool { return l.Kind != KindSigned }
	another := func(sum [sha256.Size]byte, _ string) string { return fmt.Sprintf("%x", owner(9).sealLine(sum)) }
	kept := func(_ [sha256.Size]byte, was string) string { return was }
	for name, bad := range map[string]*disk{
		"another key":                  rechained(t, m, all, another),
		"no signed lines, another key": rechained(t, m, unsigned, another),
		"no signed lines, codes kept":  rechained(t, m, unsigned, kept),
	} {
		if _, err := Open(bad, me(), clock); !errors.Is(err, ErrDamaged) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A ledger cut at a line, with a mark that somebody else wrote, is found.
func TestACutWithAForgedMarkIsFound(t *testing.T) {
	m := filled(t)
	cut := bytes.Join(bytes.SplitAfter(m.log, []byte("\n"))[:3], nil)
	last := bytes.Split(bytes.TrimSpace(cut), []byte("\n"))[2]
	forged := owner(9).mark(3, string(last[:hexSize]), false)
	plain := forged
	plain.MAC = ""
	for name, mk := range map[string]mark{"another key": forged, "no code": plain} {
		b, err := json.Marshal(mk)
		if err != nil {
			t.Fatal(err)
		}
		for _, open := range []func(*disk) error{
			func(d *disk) error { _, err := Open(d, me(), clock); return err },
			func(d *disk) error { _, err := OpenAny(d, me(), clock); return err },
		} {
			if err := open(&disk{log: cut, mark: b}); !errors.Is(err, ErrDamaged) {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
}

func TestUpgrade(t *testing.T) {
	genesis := Line{Kind: KindGenesis, Signer: me().signer}
	old := payment("a", 1, "x", 10)
	d := unkeyed(t, genesis, Line{Kind: KindReviewed, Request: "r", Policy: "p", Judged: "j"}, Line{Kind: KindApproved, Request: "r", Policy: "p", Judged: "j", Operators: []string{"ann"}}, old)
	if _, err := Open(d, me(), clock); !errors.Is(err, ErrVersion) {
		t.Fatalf("opened without an upgrade: %v", err)
	}
	before := bytes.Clone(d.log)
	l, err := OpenAny(d, me(), clock)
	if err != nil {
		t.Fatal(err)
	}
	if err := l.Upgrade(); err != nil {
		t.Fatal(err)
	}
	if !bytes.HasPrefix(d.log, before) {
		t.Error("lines were changed")
	}
	appendAll(t, l, Line{Kind: KindWallet, Act: ActAdd})
	l, err = Open(d, me(), clock)
	if err != nil {
		t.Fatal(err)
	}
	if _, ok := l.Signed("a"); !ok || l.Root() == l.Genesis() || l.Root() == "" {
		t.Error("what was signed is forgotten, or the upgrade is not the root")
	}
	if err := l.Upgrade(); err == nil {
		t.Error("upgraded twice")
	}

	// one changed bit of an old line breaks what the upgrade covers
	for i := range before {
		bad := &disk{log: bytes.Clone(d.log), mark: d.mark}
		bad.log[i] ^= 1
		if _, err := Open(bad, me(), clock); err == nil {
			t.Fatalf("byte %d changed and not noticed", i)
		}
	}
	// an old line after the upgrade
	tail := unkeyed(t, genesis)
	bad := &disk{log: append(bytes.Clone(d.log), tail.log...), mark: d.mark}
	if _, err := Open(bad, me(), clock); !errors.Is(err, ErrDamaged) {
		t.Errorf("a line without a code after the upgrade: %v", err)
	}
}

// An upgrade that was interrupted between its line and its mark is completed
// by doing it again, and by nothing else.
func TestInterruptedUpgrade(t *testing.T) {
	d := unkeyed(t, Line{Kind: KindGenesis, Signer: me().signer}, Line{Kind: KindWallet, Act: ActAdd})
	l, err := OpenAny(d, me(), clock)
	if err != nil {
		t.Fatal(err)
	}
	d.failMark = errors.New("power cut")
	if err := l.Upgrade(); err == nil {
		t.Fatal("no error")
	}
	d.failMark = nil
	if _, err := Open(d, me(), clock); !errors.Is(err, ErrVersion) { // which says to upgrade it
		t.Errorf("opened with the mark of version 1: %v", err)
	}
	l, err = OpenAny(d, me(), clock)
	if err != nil || !l.Keyed() {
		t.Fatalf("cannot be completed: %v", err)
	}
	appendAll(t, l, Line{Kind: KindWallet, Act: ActAdd})
	if _, err := Open(d, me(), clock); err != nil {
		t.Error(err)
	}
}

// A ledger of another signer is not upgraded into this one's.
func TestAnotherSignersLedger(t *testing.T) {
	d := unkeyed(t, Line{Kind: KindGenesis, Signer: owner(9).signer}, Line{Kind: KindWallet, Act: ActAdd})
	if _, err := OpenAny(d, me(), clock); !errors.Is(err, ErrDamaged) {
		t.Errorf("opened: %v", err)
	}
}

// A line that somebody without the wallet appends behind the mark is found.
func TestForgedLineBehindTheMark(t *testing.T) {
	m := filled(t)
	l, err := Open(m, me(), clock)
	if err != nil {
		t.Fatal(err)
	}
	body, err := json.Marshal(Line{N: l.Len() + 1, Prev: l.Head(), Time: "2026-11-23T10:00:00Z", Clock: l.Now(), Kind: KindWallet, Act: ActAdd})
	if err != nil {
		t.Fatal(err)
	}
	sum := hashLine(lineTag, body)
	for name, c := range map[string]struct {
		by   Owner
		want error
	}{"the wallet's": {me(), nil}, "another": {owner(9), ErrDamaged}} {
		log := fmt.Appendf(bytes.Clone(m.log), "%x %x %s\n", sum, c.by.sealLine(sum), body)
		if _, err := Open(&disk{log: log, mark: m.mark}, me(), clock); !errors.Is(err, c.want) {
			t.Errorf("with the key of %s: %v, want %v", name, err, c.want)
		}
	}
}

// An old mark, kept by somebody, allows no cut: the lines after it must be
// those of one Append.
func TestAnOldMark(t *testing.T) {
	d := &disk{}
	l, err := Create(d, me(), clock)
	if err != nil {
		t.Fatal(err)
	}
	var marks [][]byte
	var sizes []int
	for i := range 5 {
		marks, sizes = append(marks, bytes.Clone(d.mark)), append(sizes, len(d.log))
		appendAll(t, l, Line{Kind: KindWallet, Act: ActAdd, Items: i}, Line{Kind: KindWallet, Act: ActAdd, Items: i})
	}
	whole := bytes.Clone(d.log)
	for i, m := range marks {
		for end, c := range whole {
			if end < sizes[i] || c != '\n' {
				continue
			}
			after := bytes.Count(whole[sizes[i]:end+1], []byte("\n"))
			want := error(nil)
			if after > 2 { // more than one Append
				want = ErrRollback
			}
			cut := &disk{log: bytes.Clone(whole[:end+1]), mark: m}
			if _, err := Open(cut, me(), clock); !errors.Is(err, want) {
				t.Errorf("mark %d, %d lines after it: %v, want %v", i, after, err, want)
			}
		}
	}
}

// After a crash between lines and mark, the mark is moved before anything else
// is recorded, so that it is never behind by more.
func TestMarkAfterTwoCrashes(t *testing.T) {
	d := &disk{}
	if _, err := Create(d, me(), clock); err != nil {
		t.Fatal(err)
	}
	size := 0
	for i := range 3 {
		l, err := Open(d, me(), clock)
		if err != nil {
			t.Fatal(err)
		}
		d.failMark = errors.New("power cut")
		for range 2 { // nothing is recorded after an error
			if err := l.Append(Line{Kind: KindWallet, Act: ActAdd}); err == nil {
				t.Fatal("no error")
			}
		}
		d.failMark = nil
		if i > 0 && len(d.log) != size {
			t.Error("lines were written while the mark was behind")
		}
		size = len(d.log)
	}
}
