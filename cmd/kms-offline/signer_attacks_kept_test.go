//go:build linux

package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/btcsuite/btcd/wire/v2"
	"github.com/creack/pty"

	"coldkms/shared/chain"
)

// keptAttacks are about a no that is kept, and payments that come back changed.
func keptAttacks() []attack {
	return []attack{
		{"31-damaged-decisions-are-none", damagedDecisions},
		{"31-left-with-a-no-and-asked-elsewhere", leftAndAskedElsewhere},
		{"31-rejected-comes-back-changed", rejectedChanged},
		{"31-last-word-unread", lastWordUnread},
	}
}

// later rejects the first of two payments and leaves; it returns the request,
// its digest, the file that has the decisions, and the id of the payment.
func (p purse) later() (request, digest, kept, id string) {
	p.t.Helper()
	request = p.two(fmt.Sprintf("two-%d.kmsreq", *p.salt))
	r := p.review(request, 0)
	digest, id = r.Digest, r.Items[0].ID
	p.answers(21, []string{"sign", request, "--out", p.path("none"), "--plain"}, "Sign 2 transactions?", "reject 1", "Sign 1 transaction?", "later")
	files, _ := filepath.Glob(p.path("w.kms.session-" + digest[:16]))
	if len(files) != 1 {
		p.t.Fatalf("kept: %v", files)
	}
	return request, digest, files[0], id
}

// Decisions that cannot be read whole are an error, and stay where they are
// until a person gives them up, which is on record.
func damagedDecisions(t *testing.T) {
	p := newPurse(t)
	passwordFile(t, p.dir, "alice", "the password of alice")
	office{p.place}.enrol("alice")
	request, digest, kept, _ := p.later()
	file, err := os.ReadFile(kept)
	if err != nil {
		t.Fatal(err)
	}
	damage := map[string]func() error{
		"a byte":     func() error { return os.WriteFile(kept, bytes.Replace(file, []byte("\n-."), []byte("\n.."), 1), 0o600) },
		"cut":        func() error { return os.WriteFile(kept, file[:100], 0o600) },
		"empty":      func() error { return os.WriteFile(kept, nil, 0o600) },
		"of another": func() error { return os.WriteFile(kept, append(bytes.Clone(file), '\n'), 0o600) },
		"a folder":   func() error { return os.Mkdir(kept, 0o700) },
		"huge":       func() error { return os.Truncate(kept, 3_000_000_000) },
	}
	for name, do := range damage {
		if name == "a folder" {
			_ = os.RemoveAll(kept)
		} else {
			_ = os.RemoveAll(kept)
			_ = os.WriteFile(kept, file, 0o600)
		}
		if err := do(); err != nil {
			t.Fatal(err)
		}
		const words = "what an earlier session decided about this batch is kept and cannot be read"
		for _, args := range [][]string{
			{"review", request},
			{"sign", request, "--out", p.path("none"), "--approve", digest},
			{"sign", request, "--out", p.path("none")},
			{"approve", request, "--operator", "alice", "--operator-password-file", p.path("alice"), "--digest", digest},
		} {
			office{p.place}.says(20, words, args...)
		}
		p.answers(20, []string{"sign", request, "--out", p.path("none"), "--plain"}, `type "discard"`, "yes")
		if _, err := os.Lstat(kept); err != nil {
			t.Fatalf("%s: it was removed", name)
		}
	}
	_ = os.RemoveAll(kept)
	_ = os.WriteFile(kept, file[:100], 0o600)
	p.answers(21, []string{"sign", request, "--out", p.path("none"), "--plain"}, `type "discard"`, "discard", "Sign 2 transactions?", "later")
	book, _ := os.ReadFile(p.path("w.kms.ledger"))
	if !strings.Contains(string(book), `"kind":"declined","act":"discard"`) {
		t.Error("the ledger does not say that decisions were discarded")
	}
	office{p.place}.says(20, "", "sign", request, "--out", p.path("none"), "--approve", digest)
	if got := p.notices(request); !strings.Contains(got, "decisions about this batch that could not be read were discarded on 20") {
		t.Errorf("notices: %s", got)
	}
}

// What was rejected before the person left binds in another request too, and
// where the file with the decisions was removed.
func leftAndAskedElsewhere(t *testing.T) {
	p := newPurse(t)
	request, digest, kept, id := p.later()
	p.comesBack(p.asked(request, "again.kmsreq", 0), id)
	if err := os.Remove(kept); err != nil {
		t.Fatal(err)
	}
	office{p.place}.says(20, "items were left out (ledger line", "sign", request, "--out", p.path("none"), "--approve", digest)
	p.comesBack(request, id)
}

// A payment that a person rejected is known again after every small change, and
// one that has nothing to do with it is not taken for it.
func rejectedChanged(t *testing.T) {
	p := newPurse(t)
	p.known()
	coin := p.earlier(out(coinValue, p.script))
	pays := func(prev *wire.MsgTx, values ...int64) spend {
		s := spend{prev: prev, keys: []chain.Key{single(deskKey)}}
		left := int64(coinValue - 1_000)
		for _, v := range values {
			s.outs, left = append(s.outs, out(v, payee(1))), left-v
		}
		s.outs = append(s.outs, out(left, p.script))
		return s
	}
	fresh := func() *wire.MsgTx { return p.earlier(out(coinValue, p.script)) }
	request := p.ask("first.kmsreq", pays(coin, 100_000), pays(fresh(), 7_000_000))
	p.answers(3, []string{"sign", request, "--out", p.path("out"), "--plain"}, "Sign 2 transactions?", "reject 1",
		"Sign 1 transaction?", "sign 1")
	swapped := pays(coin, 50_000)
	slices.Reverse(swapped.outs)
	for name, again := range map[string][]spend{
		"the same":             {pays(coin, 100_000)},
		"the same coin, less":  {pays(coin, 50_000)},
		"outputs swapped":      {swapped},
		"two outputs":          {pays(fresh(), 50_000, 50_000)},
		"another coin":         {pays(fresh(), 100_000)},
		"another coin, less":   {pays(fresh(), 99_001)},
		"another coin, more":   {pays(fresh(), 101_000)},
		"split over two items": {pays(fresh(), 30_000), pays(fresh(), 70_000)},
	} {
		for _, it := range p.review(p.ask("again.kmsreq", again...), 0).Items {
			if !slices.Contains(it.Codes, chain.FlagRejected) || it.Verdict != "flagged" {
				t.Errorf("%s: %s %v", name, it.Verdict, it.Codes)
			}
		}
	}
	p.noPlainYes(p.ask("again.kmsreq", pays(fresh(), 100_000)))
	// The first half is signed as an ordinary payment: with it the second is known.
	p.signs(p.ask("half.kmsreq", pays(fresh(), 40_000)))
	p.judged(p.ask("half.kmsreq", pays(fresh(), 60_000)), "flagged", chain.FlagRejected)
	for _, it := range p.review(p.ask("split.kmsreq", pays(fresh(), 30_000), pays(fresh(), 70_000)), 0).Items {
		if !slices.Contains(it.Codes, chain.FlagRejected) {
			t.Errorf("split after a half: %v", it.Codes)
		}
	}
	p.judged(p.ask("other.kmsreq", pays(fresh(), 2_000_000)), "ok")
	// Once it is signed, with the flag shown, it is not rejected any more.
	p.signs(p.ask("half.kmsreq", pays(fresh(), 60_000)))
	if r := p.review(p.ask("again.kmsreq", pays(fresh(), 100_001)), 0); slices.Contains(r.Items[0].Codes, chain.FlagRejected) {
		t.Errorf("signed, and still %v", r.Items[0].Codes)
	}
	// A batch that was declined is told also where it was made at another time.
	request = p.ask("declined.kmsreq", pays(fresh(), 300_000))
	p.answers(21, []string{"sign", request, "--out", p.path("none"), "--plain"}, "Sign 1 transaction?", "n")
	if got := p.notices(p.asked(request, "later.kmsreq", 0)); !strings.Contains(got, "declined in another batch") {
		t.Errorf("notices: %s", got)
	}
}

// Nothing is signed before the end of the last word was on the screen, nor on a
// terminal that has become too small to show anything.
func lastWordUnread(t *testing.T) {
	p := newPurse(t)
	var list []spend
	for i := range 24 {
		s := spend{in: []*wire.TxOut{out(1_000_000, p.script)}, outs: []*wire.TxOut{out(int64(20_000+i), payee(byte(i))), out(900_000, p.script)}, keys: []chain.Key{single(deskKey)}}
		if i%2 == 0 {
			s.chain, s.keys, s.in[0].PkScript, s.outs[1].PkScript = chain.BCH, []chain.Key{single(keyBCH)}, scriptsB()[0], scriptsB()[0]
			s.outs[0].PkScript = append(append([]byte{0x76, 0xa9, 20}, bytes.Repeat([]byte{byte(i)}, 20)...), 0x88, 0xac)
		}
		list = append(list, s)
	}
	p.setPolicy("", "")
	request := p.ask("many.kmsreq", list...)
	size := func(at *person, width, height uint16) {
		if err := pty.Setsize(at.master, &pty.Winsize{Rows: height, Cols: width}); err != nil {
			t.Fatal(err)
		}
	}
	at := sit(t, p.command("sign", request, "--out", p.path("none")))
	size(at, 60, 16)
	at.sees("password")
	at.types(deskPassword + "\r")
	at.sees("The batch")
	at.types("l")
	at.sees("shown 24: all")
	at.types("V")
	at.sees("Type ")
	at.types("24\r")
	at.sees("approved 24")
	at.types("s")
	if shown := at.sees("lines 1 to 13 of"); strings.Contains(shown, "to sign 24") {
		t.Errorf("asked on the first page: %s", shown)
	}
	at.types("sign 24\r") // s is no key there, its space is a page down
	at.sees("to sign 24")
	at.types("\x1b")
	at.sees("approved 24")
	at.types("s")
	at.sees("lines 1 to 13 of")
	at.types(" ")
	if shown := at.sees("to sign 24"); !strings.Contains(shown, "batch digest") || !strings.Contains(shown, "LOOK AT") {
		t.Errorf("flags and digest are not above the question: %s", shown)
	}
	size(at, 12, 3)
	at.types("sign 24\r")
	at.sees("too small")
	at.types("\rs 24\rsign 24\r")
	at.sees("too small")
	office{p.place}.unsigned()
	at.types("q")
	if code := at.waits(); code != 21 {
		t.Errorf("exit %d: %s", code, at.stderr.String())
	}
	office{p.place}.unsigned()
}
