//go:build linux

package main

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os/exec"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/creack/pty"
	"golang.org/x/sys/unix"
)

// deskAttacks are about the keys of a session: what a person did not mean, and
// what no person pressed.
func deskAttacks() []attack {
	return []attack{
		{"60-keys-move-on-and-undo-undoes-the-last", keysMoveOn},
		{"60-sequences-and-pastes-are-no-keys", sequencesAreNoKeys},
		{"60-approved-only-when-seen-whole", approvedSeenWhole},
		{"60-quorum-goes-through-a-thousand", quorumGoesThroughAThousand},
		{"60-quorum-asks-again", quorumAsksAgain},
		{"60-a-person-reads-words", personReadsWords},
		{"60-random-keys-sign-what-was-shown", randomKeys},
	}
}

// session is a session about some payments, at its list.
func (p place) session(list []payout) (at *person, request string) {
	p.t.Helper()
	request = p.request("desk.kmsreq", 60, list)
	at = sit(p.t, p.command("sign", request, "--out", p.path("out"), "--session"))
	at.sees("password")
	at.types(deskPassword + "\r")
	at.sees("The batch")
	at.types("l")
	at.sees("by attention")
	return at, request
}

// signs types the last word, and returns the ids of what was signed.
func (at *person) signs(n int) (ids []string) {
	at.t.Helper()
	at.types("s")
	at.sees(fmt.Sprintf("to sign %d transaction", n))
	at.types(fmt.Sprintf("sign %d\r", n))
	at.waits()
	var said struct{ Signed []struct{ ID string } }
	if err := json.Unmarshal(at.stdout.Bytes(), &said); err != nil {
		at.t.Fatalf("%v: %q", err, at.stdout.String())
	}
	for _, s := range said.Signed {
		ids = append(ids, s.ID)
	}
	return ids
}

func someone(n int) []payout {
	list := make([]payout, n)
	for i := range list {
		list[i] = payout{to: fmt.Sprint("somebody-", i), value: int64(30_000 + i), fee: 200}
	}
	return list
}

// A rejected payment came back, and an approved one stayed, because u undid
// what was at the cursor; "r a" on one rejected before approved it.
func keysMoveOn(t *testing.T) {
	at, _ := newPlace(t).session(someone(4))
	at.types("r")
	at.sees("1 rejected (u undoes)")
	at.types("a")
	at.sees("2 approved (u undoes)")
	at.types("u")
	at.sees("undone: 2 is undecided again, not approved")
	at.types("k")
	at.sees(">-    1")
	at.types("r")
	at.sees("1 is rejected already")
	at.types("r")
	at.sees("2 rejected (u undoes)")
	at.types("\raa")
	at.sees("the end of the list")
	at.types("a")
	at.sees("nothing was decided")
	if ids := at.signs(2); strings.Join(ids, " ") != itemID(60, 2)+" "+itemID(60, 3) {
		t.Errorf("signed: %v", ids)
	}
}

// The answer of a terminal to a question about its colours, and pasted text,
// approved everything.
func sequencesAreNoKeys(t *testing.T) {
	at, _ := newPlace(t).session(someone(3))
	if !at.screen.marksPasted {
		t.Error("the terminal is not asked to mark pasted text")
	}
	for _, sent := range []string{
		"\x1b]11;rgb:AAAA/RRRR/VVVV\x07", "\x1b]11;rgb:AAAA/aaaa/rrrr\x1b\\", "\x1bP>|A(R)a\x1b\\", "\x1b_A\x1b\\",
		"\x1b[?64;1;2;6;9;15;16;17;18;21;22;28;29A", "\x1b[[A", "\x1b[27;5;65~", "\x1b[MAAA", "\x1bO5A", "\xc2\x9b1A",
	} {
		for _, part := range strings.SplitAfter(sent, ";") { // in several reads
			at.types(part)
			at.sees("? keys")
		}
		if shown := at.sees("? keys"); !strings.Contains(shown, "approved 0  rejected 0  undecided 3") {
			t.Fatalf("%q acted as keys:\n%s", sent, shown)
		}
	}
	at.types("\x1b[200~ARVs\rq\x1b[201~A")
	if shown := at.sees("pasted text is ignored"); !strings.Contains(shown, "approved 0  rejected 0") {
		t.Errorf("pasted text acted as keys:\n%s", shown)
	}
	at.types("\x1b]0;A")
	at.sees("Ctrl-X ends it")
	at.types("A\x18")
	at.sees("? keys")
	at.types("j")
	if shown := at.sees(">.    2"); !strings.Contains(shown, "approved 0") {
		t.Errorf("a text that does not end acted as keys:\n%s", shown)
	}
	at.types("\x03")
	if code := at.waits(); code != 21 || at.screen.marksPasted || len(at.screen.strange) > 0 {
		t.Errorf("exit %d, pasted text still marked: %v, sent %q", code, at.screen.marksPasted, at.screen.strange)
	}
}

// What does not fit on the screen is read to its end before it is approved.
func approvedSeenWhole(t *testing.T) {
	list := someone(2)
	list[0].data = []byte(strings.Repeat("long ", 15))
	at, _ := newPlace(t).session(list)
	if err := pty.Setsize(at.master, &pty.Winsize{Rows: 16, Cols: 60}); err != nil {
		t.Fatal(err)
	}
	at.sees("all o~")
	at.types("a")
	if shown := at.sees("not approved"); !strings.Contains(shown, "The item, undecided") {
		t.Errorf("it is not shown:\n%s", shown)
	}
	at.types("a")
	at.sees("not approved")
	at.types("a")
	at.sees("1 approved (u undoes)")
	at.types("\x03")
	at.waits()
}

// A thousand items were 14,307 lines to the people of a quorum, an answer that
// was not understood ended the program, and the shell got the password that
// was typed next.
func quorumGoesThroughAThousand(t *testing.T) {
	o := newOffice(t)
	o.policy("payroll.json", `{"version": 1, "name": "payroll", "chains": [{"chain": "BTC", "network": "testnet",`+
		` "quorum": [{"per": "batch", "above": 50000, "operators": 2}]}]}`)
	list := someone(1000)
	list[123].fee = 20_000 // the one to look at
	file := o.request("thousand.kmsreq", 61, list)
	at := o.operator("alice", file)
	at.sees("1000 items: 0 refused, 1 to look at")
	at.types("1")
	at.sees("[124 of 1000]")
	at.types("qs")
	at.sees("Type 1000 to approve 1000 transactions as alice")
	at.types("yes\r?\r")
	at.sees("that was not it")
	at.types("1000\r")
	at.approves("alice")

	at = o.operator("bob", file)
	at.sees("1000 items: 0 refused, 1 to look at")
	at.types("1r")
	at.sees("124 rejected (u undoes)")
	at.types("s")
	at.sees("1 rejected by you")
	at.types("y\r")
	at.approves("bob")
	if said := at.stderr.String(); !strings.Contains(said, "1 item is taken out of the batch") {
		t.Errorf("it says: %s", said)
	}
	digest := o.reviewedAs(3, file).Digest
	o.says(20, "1 of 2 (bob)", "sign", file, "--out", o.path("none"), "--approve", digest)
	at = o.operator("alice", file)
	at.sees("1000 items: 1 refused")
	at.types("s")
	at.sees("Type y to approve 999 transactions as alice")
	at.types("y\r")
	at.approves("alice")
	digest = o.reviewedAs(3, file).Digest
	said := o.run(3, "sign", file, "--out", o.path("out"), "--approve", digest)
	if strings.Count(said, `"txId"`) != 999 || !strings.Contains(said, itemID(61, 123)) {
		t.Errorf("%d signed", strings.Count(said, `"txId"`))
	}
}

// operator opens a batch to approve it.
func (o office) operator(name, file string, more ...string) *person {
	o.t.Helper()
	at := sit(o.t, o.command(append([]string{"approve", file, "--operator", name}, more...)...))
	at.sees("password")
	at.types(deskPassword + "\r")
	return at
}

// approves types an operator's password.
func (p *person) approves(name string) {
	p.t.Helper()
	p.sees("the password of operator " + name)
	p.types("the password of " + name + "\r")
	if code := p.waits(); code != 0 {
		p.t.Fatalf("%s: exit %d: %s", name, code, p.stderr.String())
	}
}

// Line by line too, what is no answer is asked again, and a password that is
// typed at the wrong moment goes neither into the approval nor to the shell.
func quorumAsksAgain(t *testing.T) {
	o := newOffice(t)
	file := o.salary(62)
	at := o.operator("alice", file)
	const question = `To approve 2 transactions as alice type "approve 2", or "no":`
	at.sees(question)
	for _, other := range []string{"?", "y", "approve", "approve 1", "a password", "sign 2"} {
		at.types(other + "\r")
		at.sees(question + " " + other)
		for shown := ""; !strings.HasSuffix(strings.TrimSpace(shown), question); {
			shown = at.sees(question)
		}
	}
	at.types("reject 2\r")
	at.sees(`To approve 1 transaction as alice type "approve 1", or "no":`)
	at.types("undo\r")
	at.sees("2 is undecided again")
	at.types("later\r")
	if code := at.waits(); code != 21 {
		t.Errorf("exit %d: %s", code, at.stderr.String())
	}
	at = o.operator("alice", file)
	at.sees(question)
	at.types("no\rthe password of alice\r")
	if code := at.waits(); code != 21 {
		t.Errorf("exit %d: %s", code, at.stderr.String())
	}
	at.leavesNothing()
}

// leavesNothing fails if typed input is left in the terminal for the next reader,
// such as the shell.
func (p *person) leavesNothing() {
	p.t.Helper()
	n, err := unix.IoctlGetInt(int(p.slave.Fd()), unix.TIOCINQ)
	if err != nil || n > 0 {
		p.t.Errorf("%d bytes are left for the shell (%v)", n, err)
	}
}

// After 995 signatures a person got thousands of lines of JSON.
func personReadsWords(t *testing.T) {
	p := newPlace(t)
	request := p.request("words.kmsreq", 63, someone(30))
	onTerminal := func(args ...string) *person {
		args = append([]string{"-c", `exec "$@" >/dev/tty 2>/dev/tty`, "sh"}, p.command(args...).Args...)
		return sit(t, exec.Command("/bin/sh", args...))
	}
	at := onTerminal("sign", request, "--out", p.path("out"))
	at.sees("password")
	at.types(deskPassword + "\r")
	at.sees("The batch")
	at.types("2r")
	at.sees("rejected (u undoes)")
	at.types("sy\r")
	at.sees("to sign 29")
	at.types("y\r")
	at.waits()
	shown := at.screen.String()
	for _, want := range []string{"signed 29 of 30 transactions", "pays out 0.",
		"not signed: refused-by-person 1", "result: ", "ledger: ", "head words: "} {
		if !strings.Contains(shown, want) {
			t.Errorf("it does not say %q:\n%s", want, shown)
		}
	}
	if strings.Contains(shown, "pays out 0.00000000") {
		t.Errorf("nothing is said to be paid:\n%s", shown)
	}
	if strings.Contains(shown, "txId") {
		t.Errorf("a person is shown JSON:\n%s", shown)
	}
	at = onTerminal("sign", request, "--out", p.path("json"), "--json", "--plain")
	at.sees("password")
	at.types(deskPassword + "\r")
	at.sees("Sign ")
	at.types("sign 30\r")
	at.waits()
	if shown := at.screen.String(); !strings.Contains(shown, `"txId"`) && !strings.Contains(shown, `"ledger"`) ||
		strings.Contains(shown, "signed 30 of") {
		t.Errorf("--json shows:\n%s", shown)
	}
}

// Random keys, sizes, pastes and answers of a terminal: what is signed is what
// the screen showed as not rejected.
func randomKeys(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	rnd := rand.New(rand.NewPCG(seed, 0))
	const items = 10
	at, _ := newPlace(t).session(someone(items))
	keys := []string{
		"a",
		"r",
		"u",
		"j",
		"k",
		"r",
		"a",
		"\r",
		"n",
		"p",
		" ",
		"l",
		"t",
		"T",
		"1",
		"3",
		"A",
		"R",
		"\x1b[A",
		"\x1b[B",
		"G",
		"g",
		"o",
		"/noted\r",
	}
	noise := []string{
		"\x1b]11;rgb:AAAA/RRRR/aaaa\x07",
		"\x1bP>|ARa\x1b\\",
		"\x1b[200~ARVyra\r\x1b[201~",
		"\x1b[MAra",
		"\x1b[?1;2A",
	}
	var sent []string
	for range 50 {
		what := keys[rnd.IntN(len(keys))]
		switch rnd.IntN(12) {
		case 0:
			size := pty.Winsize{Rows: uint16(10 + rnd.IntN(15)), Cols: uint16(40 + rnd.IntN(41))}
			if err := pty.Setsize(at.master, &size); err != nil {
				t.Fatal(err)
			}
		case 1, 2:
			what = noise[rnd.IntN(len(noise))]
		}
		sent = append(sent, what)
		at.types(what)
		at.sees("")
	}
	if err := pty.Setsize(at.master, &pty.Winsize{Rows: rows, Cols: columns}); err != nil {
		t.Fatal(err)
	}
	time.Sleep(1200 * time.Millisecond) // it looks at the size each second
	for _, key := range []string{"\x1b", "l", "l"} {
		at.types(key)
		time.Sleep(300 * time.Millisecond)
	}
	shown := at.sees(fmt.Sprintf("shown %d: all", items))
	var want []string
	for _, m := range regexp.MustCompile(`(?m)^[> ]([-+.]) +(\d+) (?:noted|ok|look) `).FindAllStringSubmatch(shown, -1) {
		if n, _ := strconv.Atoi(m[2]); m[1] != "-" {
			want = append(want, itemID(60, n-1))
		}
	}
	rejected := regexp.MustCompile(`rejected (\d+)`).FindStringSubmatch(shown)
	if n, _ := strconv.Atoi(rejected[1]); n+len(want) != items {
		t.Fatalf("seed %d, %q: the list shows %d of %d:\n%s", seed, sent, len(want), items, shown)
	}
	if len(want) == 0 {
		at.types("\x03")
		at.waits()
		return
	}
	got := at.signs(len(want))
	slices.Sort(want)
	slices.Sort(got)
	if !slices.Equal(got, want) {
		t.Errorf("seed %d, %q: signed %v, shown %v", seed, sent, got, want)
	}
}
