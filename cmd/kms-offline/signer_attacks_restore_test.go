//go:build linux

package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"coldkms/shared/bundle"
)

// restoreAttacks are about old files that come back, and commands that are cut
// short.
func restoreAttacks() []attack {
	return []attack{
		{"12-restore-killed", restoreKilled},
		{"12-restore-and-the-clock", restoreAndClock},
		{"12-without-ends-the-round", withoutEndsRound},
		{"12-ledger-of-another-user", ledgerOfAnotherUser},
		{"12-version-1-under-version-2", versionOneUnderTwo},
		{"12-interrupted-upgrade", interruptedUpgrade},
		{"12-torn-line-without-end", tornLineWithoutEnd},
		{"12-compare-without-signatures", compareNothing},
		{"13-quit-leaves-the-terminal", quitLeavesTerminal},
		{"12-old-mark-and-a-cut", oldMarkAndCut},
		{"12-ledger-of-a-moment-and-its-mark", momentPutBack},
		{"12-old-password-by-copy", oldPasswordByCopy},
		{"12-removed-key-by-copy", removedKeyByCopy},
	}
}

// diskCalls are those that change what is on a disk.
var diskCalls = [...]string{"write", "fsync", "renameat", "renameat2", "linkat", "unlinkat"}

// eachKill runs a command again and again, killed at its first call that
// changes something on the disk, at its second, and so on; before and after
// are called around each run, after with where it was killed.
func (p place) eachKill(before func(), after func(at string), args ...string) {
	p.t.Helper()
	strace, err := exec.LookPath("strace")
	if err != nil {
		p.t.Skip("strace is not installed")
	}
	killed := 0
	for _, call := range diskCalls {
		for n := 1; ; n++ {
			before()
			inject := fmt.Sprintf("inject=%s:signal=KILL:when=%d", call, n)
			cmd := exec.Command(strace, append([]string{"-f", "-o", os.DevNull, "-e", "trace=" + call, "-e", inject, p.program, "--path", p.path("w.kms"), "--password-file", p.path("pw")}, args...)...)
			cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
			out, _ := cmd.CombinedOutput()
			at := fmt.Sprintf("killed at %s %d", call, n)
			if cmd.ProcessState.Exited() {
				if code := cmd.ProcessState.ExitCode(); code != 0 {
					p.t.Skipf("%s: strace may not trace here, exit %d: %.300s", at, code, out)
				}
				break
			}
			killed++
			after(at)
		}
	}
	if killed < 5 {
		p.t.Errorf("%v was killed %d times only", args, killed)
	}
	fmt.Printf("%v: killed at %d calls\n", args[0], killed)
}

// wipe removes the wallet and all files beside it.
func (p place) wipe() {
	p.t.Helper()
	for _, pattern := range []string{"w.kms*", ".w.kms*"} {
		paths, _ := filepath.Glob(p.path(pattern))
		for _, path := range paths {
			if err := os.Remove(path); err != nil {
				p.t.Fatal(err)
			}
		}
	}
}

// Wherever a restore is cut short, no approval that was withdrawn after the
// copy was made counts again, and the same restore heals it.
func restoreKilled(t *testing.T) {
	o := newOffice(t)
	file, digest, _ := o.ready(1)
	copied := filepath.Join(t.TempDir(), "copy.kms")
	o.run(0, "backup", copied)
	o.answers(21, []string{"approve", file, "--operator", "bob", "--operator-password-file", o.path("bob")}, `or "no":`, "no")
	newest := o.files()
	for _, live := range []files{{}, {"w.kms": newest["w.kms"]}, newest} {
		o.eachKill(func() {
			o.wipe()
			o.put(live)
		}, func(at string) {
			o.neverYet(at, file, digest)
			o.run(0, "restore", copied)
			o.neverYet(at+", restored again", file, digest)
			o.run(0, "ledger", "verify")
		}, "restore", copied)
		o.neverYet("restored", file, digest)
	}
}

// neverYet fails if a batch is signed.
func (o office) neverYet(at, file, digest string) {
	o.t.Helper()
	cmd := o.command("--password-file", o.path("pw"), "sign", file, "--out", o.path("none"), "--approve", digest)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	out, _ := cmd.CombinedOutput()
	if code := cmd.ProcessState.ExitCode(); code != 20 && code != 10 {
		o.t.Errorf("%s: sign ends with %d: %s", at, code, out)
	}
	o.unsigned()
}

// The question about the clock comes before anything is in place.
func restoreAndClock(t *testing.T) {
	o := office{newPlace(t)}
	o.sleeper(72 * time.Hour)
	stick := office{o.place}
	stick.dir = t.TempDir()
	stick.put(o.files())
	copied := stick.path("w.kms")
	o.wipe()
	nothing := func() {
		t.Helper()
		if left, _ := filepath.Glob(o.path("w.kms*")); strings.Join(left, "") != o.path("w.kms.lock") {
			t.Errorf("in place: %v", left)
		}
	}
	o.says(20, "clock", "restore", copied)
	nothing()
	o.answers(21, []string{"restore", copied}, "clock right?", "n")
	nothing()
	o.answers(0, []string{"restore", copied}, "clock right?", "y")
	if book := o.run(0, "ledger", "export"); !strings.Contains(book, `"act":"restore"`) {
		t.Errorf("the ledger: %s", book)
	}
}

// An old mark allows no cut of the ledger, wherever it is cut.
func oldMarkAndCut(t *testing.T) {
	o := newOffice(t)
	old := o.files()
	file, digest, _ := o.ready(1)
	before := strings.Count(string(old["w.kms.ledger"]), "\n")
	o.answers(21, []string{"approve", file, "--operator", "bob", "--operator-password-file", o.path("bob")}, `or "no":`, "no")
	small := o.request("small.kmsreq", 3, []payout{{to: "a", value: 20_000, fee: 200}})
	other, _ := o.reviewed(small)
	o.run(0, "sign", small, "--out", o.path("out"), "--approve", other)
	lines := strings.SplitAfter(string(o.files()["w.kms.ledger"]), "\n")
	for n := before + 2; n < len(lines); n++ {
		o.put(files{"w.kms.ledger": []byte(strings.Join(lines[:n], "")), "w.kms.ledger.mark": old["w.kms.ledger.mark"]})
		o.says(20, "the mark beside it is an old one", "ledger", "verify")
		o.says(20, "the mark beside it is an old one", "sign", file, "--out", o.path("none"), "--approve", digest)
	}
}

// What remains: ledger and mark of one moment, put back together after a no,
// where the wallet was not written since. To the machine they are sound. Only
// their length and words tell, and a wallet that was written since.
func momentPutBack(t *testing.T) {
	o := newOffice(t)
	file, digest, _ := o.ready(1)
	moment := o.files()
	o.answers(21, []string{"approve", file, "--operator", "bob", "--operator-password-file", o.path("bob")}, `or "no":`, "no")
	noted := o.book()
	o.put(moment, "w.kms.ledger", "w.kms.ledger.mark")
	if now := o.book(); now.Lines >= noted.Lines || now.Words == noted.Words {
		t.Errorf("%+v is not told from %+v", now, noted)
	}
	o.run(0, "generatemanagedprivatekeybatch", "BTC", "1")
	o.put(moment, "w.kms.ledger", "w.kms.ledger.mark")
	o.says(20, "the ledger is an old copy", "sign", file, "--out", o.path("none"), "--approve", digest)
}

// A password that was changed does not come back with an old wallet.
func oldPasswordByCopy(t *testing.T) {
	o := newOffice(t)
	old, was := o.files(), o.path("pw")
	o.run(0, "changepassword", "--new-password-file", passwordFile(t, o.dir, "new", "another horse eats seven plums"))
	o.put(old, "w.kms")
	file := o.salary(1)
	for _, args := range [][]string{{"review", file}, {"sign", file, "--out", o.path("none")}, {"review", o.psbt("p.psbt")}} {
		o.says(20, "the password was changed", args...)
	}
	o.answers(0, []string{"ledger", "settle"}, "Type settle", "settle")
	o.reviewed(file)
	o.run(0, "changepassword", "--new-password-file", o.path("new"))
	if err := os.Rename(o.path("new"), was); err != nil {
		t.Fatal(err)
	}
	o.reviewed(file)
}

// Neither does a key that was removed.
func removedKeyByCopy(t *testing.T) {
	o := newOffice(t)
	o.run(0, "removewallet", deskKey, "--yes")
	o.copyPrevious()
	file := o.request("small.kmsreq", 3, []payout{{to: "a", value: 20_000, fee: 200}})
	o.says(20, "was removed", "review", file)
	o.says(20, "was removed", "sign", file, "--out", o.path("none"))
	o.answers(0, []string{"ledger", "settle"}, "Type settle", "settle")
	o.run(20, "review", file) // settle has taken it out again
}

// sign --without takes items out for good, also where nothing is signed: what
// operators approved of the whole batch signs neither the whole nor the rest.
func withoutEndsRound(t *testing.T) {
	o := newOffice(t)
	ids := func(salt int) (first, second string) {
		return fmt.Sprintf("%024x", 0x1000*salt), fmt.Sprintf("%024x", 0x1000*salt+1)
	}
	three := func(salt int) string {
		return o.request("three.kmsreq", salt, []payout{{to: "a", value: 60_000, fee: 200}, {to: "b", value: 61_000, fee: 200}, {to: "c", value: 62_000, fee: 200}})
	}
	for i, reviewedFirst := range []bool{false, true} {
		file := three(20 + i)
		first, second := ids(20 + i)
		digest, _ := o.reviewed(file)
		kept := o.approved(file, digest, "alice", "bob")
		if reviewedFirst {
			o.run(3, "review", file, "--without", first)
		}
		o.says(20, "", "sign", file, "--out", o.path("none"), "--approve", digest, "--without", first)
		for _, more := range [][]string{nil, {"--approval", kept[0], "--approval", kept[1]}} {
			o.says(20, "", append([]string{"sign", file, "--out", o.path("none"), "--approve", digest}, more...)...)
		}
		o.says(20, "", "sign", file, "--out", o.path("none"), "--approve", digest, "--without", second)
		o.says(20, "", "sign", file, "--out", o.path("none"), "--approve", digest)
	}

	// as the program says: approve what is left, and sign it
	file := three(30)
	first, _ := ids(30)
	digest, _ := o.reviewed(file)
	o.approved(file, digest, "alice", "bob")
	o.says(20, "alice, bob approved in an earlier round, which ended: items were left out", "sign", file, "--out", o.path("none"), "--approve", digest, "--without", first)
	o.run(3, "review", file)
	o.approved(file, digest, "alice", "bob")
	o.run(3, "sign", file, "--out", o.path("out"), "--approve", digest, "--without", first)

	// or: review, approve and sign, each without it
	file = three(31)
	first, _ = ids(31)
	o.run(3, "review", file, "--without", first)
	digest = o.digestOf(file)
	for _, name := range []string{"alice", "bob"} {
		o.run(0, "approve", file, "--operator", name, "--operator-password-file", o.path(name), "--digest", digest, "--without", first)
	}
	o.says(20, "", "sign", file, "--out", o.path("none"), "--approve", digest)
	o.run(3, "sign", file, "--out", o.path("out"), "--approve", digest, "--without", first)

	// what is left may need no operator: the round of the whole ends all the same
	file = o.request("two.kmsreq", 32, []payout{{to: "a", value: 60_000, fee: 200}, {to: "a", value: 1_000, fee: 200}})
	first, _ = ids(32)
	digest, _ = o.reviewed(file)
	o.approved(file, digest, "alice", "bob")
	o.says(20, "review it first", "sign", file, "--out", o.path("none"), "--approve", digest, "--without", first)
	o.says(20, "review it first", "sign", file, "--out", o.path("none"), "--approve", digest)
}

// digestOf returns the digest of a request.
func (o office) digestOf(file string) string {
	o.t.Helper()
	r, err := bundle.OpenRequest([]byte(readFile(o.t, file)))
	if err != nil {
		o.t.Fatal(err)
	}
	return r.Digest.String()
}

// Ctrl-\ (SIGQUIT) at a prompt for a password and in a session leaves the
// terminal as it was: it shows again what is typed.
func quitLeavesTerminal(t *testing.T) {
	o := newOffice(t)
	file := o.request("small.kmsreq", 3, []payout{{to: "a", value: 20_000, fee: 200}})
	for _, c := range []struct {
		args []string
		sees string
	}{
		{[]string{"ledger", "verify"}, "password"},
		{[]string{"--password-file", o.path("pw"), "operator", "add", "zed"}, "password of operator"},
		{[]string{"--password-file", o.path("pw"), "sign", file, "--out", o.path("none"), "--session"}, "The batch"},
	} {
		for _, quit := range []func(*person){
			func(at *person) { _ = at.cmd.Process.Signal(syscall.SIGQUIT) },
			func(at *person) { _ = at.cmd.Process.Signal(syscall.SIGABRT) },
		} {
			at := sit(t, o.command(c.args...))
			at.sees(c.sees)
			if at.echoes() {
				t.Errorf("%v: the terminal is in its usual mode meanwhile", c.args)
			}
			quit(at)
			if code := at.waits(); code <= 128 {
				t.Errorf("%v: exit %d", c.args, code)
			}
			if !at.echoes() {
				t.Errorf("%v: the terminal does not show what is typed", c.args)
			}
		}
	}
	at := sit(t, o.command("ledger", "verify"))
	at.sees("password")
	at.types("\x1c")
	if code := at.waits(); code != 128+int(syscall.SIGQUIT) || !at.echoes() {
		t.Errorf("Ctrl-\\: exit %d, echo %v", code, at.echoes())
	}
}

// A ledger that another user owns is refused, also for root: its owner can write
// to it.
func ledgerOfAnotherUser(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root can give a file away")
	}
	o := newOffice(t)
	for _, name := range []string{"w.kms", "w.kms.ledger", "w.kms.ledger.mark"} {
		if err := os.Chown(o.path(name), 12345, -1); err != nil {
			t.Fatal(err)
		}
		cmd := o.command("--password-file", o.path("pw"), "ledger", "verify")
		if out, err := cmd.CombinedOutput(); err == nil || !strings.Contains(string(out), "others may write to") {
			t.Errorf("%s: %v: %s", name, err, out)
		}
		if err := os.Chown(o.path(name), 0, -1); err != nil {
			t.Fatal(err)
		}
	}
	o.run(0, "ledger", "verify")
}

// A ledger of version 1 that is not the wallet's is named so: no upgrade helps.
func versionOneUnderTwo(t *testing.T) {
	o := newOffice(t)
	text, mark := rewritten(t, o.files()["w.kms.ledger"], func(map[string]any) bool { return true }, false)
	text, mark = rehashed([]byte(strings.ReplaceAll(string(text), `"version":2,`, ``)), mark)
	o.put(files{"w.kms.ledger": text, "w.kms.ledger.mark": mark})
	o.says(20, "not the one that this wallet began with", "ledger", "verify")
	o.says(20, "put the newest copy back", "review", o.salary(1))
}

// An upgrade that was killed, wherever, is completed by typing it again, and
// the program says so.
func interruptedUpgrade(t *testing.T) {
	o := office{newPlace(t)}
	for _, name := range []string{"w.kms", "w.kms.ledger", "w.kms.ledger.mark"} {
		o.put(files{name: []byte(readFile(t, filepath.Join("testdata", "ledger-v1", name)))})
	}
	before := o.files()
	var dialogue []string
	if made := time.Unix(1795795309, 0); time.Since(made) > maxJump { // of its last line
		dialogue = []string{"clock right?", "y"}
	}
	dialogue = append(dialogue, "Type upgrade", "upgrade")
	o.answers(0, []string{"ledger", "upgrade"}, dialogue...)
	after := o.files()
	o.put(files{"w.kms": before["w.kms"], "w.kms.ledger.mark": before["w.kms.ledger.mark"]})
	for _, args := range [][]string{{"ledger", "verify"}, {"backup", o.path("copy.kms")}} {
		o.says(20, "kms-offline ledger upgrade", args...)
	}
	if string(o.files()["w.kms.ledger"]) != string(after["w.kms.ledger"]) {
		t.Error("the ledger was changed")
	}
	o.answers(0, []string{"ledger", "upgrade"}, "Type upgrade", "upgrade")
	o.run(0, "ledger", "verify")
}

// A last line without end is refused before it is read into memory.
func tornLineWithoutEnd(t *testing.T) {
	o := newOffice(t)
	const size = 1_900_000_000
	if err := os.Truncate(o.path("w.kms.ledger"), size); err != nil { // zeros that take no room
		t.Fatal(err)
	}
	took := o.measure("ledger", "verify")
	if took.code != 20 || !strings.Contains(took.stderr, "has a line of more than") {
		t.Errorf("exit %d: %s", took.code, took.stderr)
	}
	if took.memory > 200<<20 {
		t.Errorf("it took %d bytes", took.memory)
	}
}

// Two results without any signature prove nothing.
func compareNothing(t *testing.T) {
	p := newPlace(t)
	request := p.request("none.kmsreq", 1, []payout{{to: "a", value: 20_000, fee: 200, foreign: true}})
	var results []string
	for _, out := range []string{"a", "b"} {
		p.run(20, "sign", request, "--out", p.path(out))
		found, err := filepath.Glob(p.path(out + "/*.kmsres"))
		if err != nil || len(found) != 1 {
			t.Fatal(found, err)
		}
		results = append(results, found[0])
	}
	cmd := p.command("compare", results[0], results[1])
	out, err := cmd.CombinedOutput()
	if err == nil || !strings.Contains(string(out), `"same": false`) || !strings.Contains(string(out), "neither of them has a signature") {
		t.Errorf("%v: %s", err, out)
	}
}
