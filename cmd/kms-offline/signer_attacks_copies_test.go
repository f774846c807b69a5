package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"coldkms/shared/bundle"
)

// copyAttacks are about backups that are taken for the wallet in use, and about a
// wallet that appears where nobody looks for it.
func copyAttacks() []attack {
	return []attack{
		{"80-restore-names-its-files", restoreNames},
		{"80-nothing-is-written-into-a-backup", backupIsRead},
		{"80-backup-copied-by-hand", backupByHand},
		{"80-same-payment-says-what-differs", sameSaysWhatDiffers},
		{"80-what-the-password-can-do-is-a-line", passwordLeavesLines},
		{"80-what-is-missing-or-mistaken-is-named", mistakesNamed},
		{"80-hints-name-the-files-that-were-given", hintsNameFiles},
	}
}

// without runs the program without --path, in a home of its own.
func (o office) without(code int, home, text string, args ...string) {
	o.t.Helper()
	cmd := o.command(args...)
	cmd.Args = append([]string{o.program, "--password-file", o.path("pw")}, args...)
	cmd.Env = append(os.Environ(), "HOME="+home)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	var stderr strings.Builder
	cmd.Stderr = &stderr
	_ = cmd.Run()
	if got := cmd.ProcessState.ExitCode(); got != code || !strings.Contains(stderr.String(), text) {
		o.t.Errorf("%v: exit %d, want %d and %q: %s", args, got, code, text, stderr.String())
	}
}

// A restore names the file that it writes and the one that it moves; without --path
// it says so, and where there is nothing to restore it asks for no password.
func restoreNames(t *testing.T) {
	o := newOffice(t)
	copied, home := o.path("copy.kms"), t.TempDir()
	o.run(0, "backup", copied)
	made := filepath.Join(home, ".coldkms", "wallet.kms")
	o.without(0, home, made+", where no wallet was: --path was not given", "restore", copied)
	for range 2 {
		o.says(0, "the wallet that was there is "+o.path("w.kms.prev")+" now", "restore", copied)
	}

	empty := office{o.place}
	empty.dir = filepath.Join(t.TempDir(), "no", "folder")
	at := sit(t, empty.command("restore", o.path("nothing.kms")))
	if code := at.waits(); code != 1 || !strings.Contains(at.stderr.String(), "there is no file") {
		t.Errorf("exit %d: %s", code, at.stderr.String())
	}
	if _, err := os.Stat(empty.dir); err == nil {
		t.Error("a folder was made for nothing")
	}
}

// writers are commands that record something, or write the wallet.
func (o office) writers(file, digest string) [][]string {
	return [][]string{
		{"review", file}, {"sign", file, "--out", o.path("none"), "--approve", digest},
		{"approve", file, "--operator", "alice", "--operator-password-file", o.path("alice"), "--digest", digest},
		{"operator", "remove", "bob", "--yes"}, {"policy", "set", o.path("policy.json")},
		{"pair", o.path("relay.kmsid")},
		{"generatemanagedprivatekeybatch", "BTC", "1"}, {"backup", o.path("again.kms")},
	}
}

// A backup that is named with --path takes no line: two ledgers that go on from it
// would know nothing of each other's signatures.
func backupIsRead(t *testing.T) {
	o := newOffice(t)
	o.put(files{"policy.json": []byte(dayLimit)})
	file, digest, _ := o.ready(80)
	copied := o.path("copy.kms")
	o.run(0, "backup", copied)
	names := []string{copied, copied + ".ledger", copied + ".ledger.mark"}
	var before [][]byte
	for _, name := range names {
		before = append(before, []byte(readFile(t, name)))
	}
	on := func(args []string) []string { return append([]string{"--path", copied}, args...) }
	for _, args := range o.writers(file, digest) {
		o.says(20, "a copy is read, and never written to", on(args)...)
		o.says(20, "kms-offline --path NEW.kms restore "+copied, on(args)...)
	}
	for _, args := range [][]string{{"ledger", "verify"}, {"report"}, {"operator", "list"}, {"ledger", "list"}} {
		o.run(0, on(args)...)
	}
	for i, name := range names {
		if !bytes.Equal(before[i], []byte(readFile(t, name))) {
			t.Errorf("%s was changed", name)
		}
	}
	o.reviewed(file) // the wallet itself goes on
	there := office{o.place}
	there.dir = t.TempDir()
	there.put(files{"pw": []byte(readFile(t, o.path("pw")))})
	there.run(0, "restore", copied)
	there.reviewed(file)
}

// A backup that was copied over the wallet by hand says how it is gone on with, and a
// mark that says it is none was written by nobody.
func backupByHand(t *testing.T) {
	o := newOffice(t)
	file := o.salary(81)
	o.run(0, "backup", o.path("copy.kms"))
	for _, suffix := range []string{"", ".ledger", ".ledger.mark"} {
		o.put(files{"w.kms" + suffix: []byte(readFile(t, o.path("copy.kms"+suffix)))})
	}
	o.says(20, "kms-offline restore "+o.path("w.kms"), "review", file)
	mark := readFile(t, o.path("w.kms.ledger.mark"))
	o.put(files{"w.kms.ledger.mark": []byte(strings.Replace(mark, `"copy":true,`, "", 1))})
	o.says(20, "not written by this wallet", "review", file)
	o.put(files{"w.kms.ledger.mark": []byte(mark)})
	o.run(0, "restore", o.path("w.kms"))
	o.reviewed(file)
}

// Two payments that differ by less than a percent are not called the same.
func sameSaysWhatDiffers(t *testing.T) {
	p := newPlace(t)
	p.reviewAndSign(0, p.request("first.kmsreq", 82, []payout{{to: "a", value: 30_600, fee: 200}}))
	said := p.run(0, "review", p.request("again.kmsreq", 83, []payout{{to: "a", value: 30_700, fee: 200}}))
	if !strings.Contains(said, "which got 0.00030600 BTC (30600), within 1 % of it, on 20") ||
		strings.Contains(said, "which got the same") {
		t.Error(said)
	}
}

// Commands that are named work as they are printed: with the file and the folder
// that were given, quoted for a shell and escaped for a terminal.
func hintsNameFiles(t *testing.T) {
	o := newOffice(t)
	file := o.salary(84)
	spaced, hostile := o.path("the salaries.kmsreq"), o.path("red\x1b[31m'.kmsreq")
	for _, name := range []string{spaced, hostile} {
		o.put(files{filepath.Base(name): []byte(readFile(t, file))})
	}
	digest, _ := o.reviewed(file)
	sign := func(in string) []string { return []string{"sign", in, "--out", o.path("none"), "--approve", digest} }
	o.says(20, "kms-offline approve '"+spaced+"' --operator NAME --round ", sign(spaced)...)
	o.says(20, `red\u001b[31m'\''.kmsreq' --operator NAME --round `, sign(hostile)...)
	fresh := o.request("fresh.kmsreq", 85, []payout{{to: "a", value: 20_000, fee: 200}})
	o.says(20, "kms-offline review "+fresh, "sign", fresh, "--out", o.path("none"), "--approve", digest)
	gone := o.path("no where")
	o.says(1, "mkdir -p '"+gone+"'", "approve", file, "--operator", "alice", "--operator-password-file",
		o.path("alice"), "--digest", digest, "--out", gone+"/at all")

	ahead := o.path("ahead.kmsreq")
	r, err := bundle.OpenRequest([]byte(readFile(t, fresh)))
	if err != nil {
		t.Fatal(err)
	}
	r.LedgerHead = bytes.Repeat([]byte{9}, 32)
	sealed, err := bundle.SealRequest(r.Request, relayKey(1))
	if err != nil {
		t.Fatal(err)
	}
	o.put(files{filepath.Base(ahead): sealed.File})
	o.says(20, "kms-offline ledger accept "+ahead, "review", ahead)
}

// Whoever has the password can do all of this, and the ledger has a line about each.
func passwordLeavesLines(t *testing.T) {
	o := newOffice(t)
	o.put(files{"mallory": []byte("black cat\n"), "policy.json": []byte(dayLimit)})
	for _, c := range []struct {
		line string
		args []string
	}{
		{`"kind":"operator","act":"add"`, []string{"operator", "add", "mallory",
			"--operator-password-file", o.path("mallory")}},
		{`"kind":"operator","act":"remove"`, []string{"operator", "remove", "bob", "--yes"}},
		{`"kind":"policy"`, []string{"policy", "set", o.path("policy.json")}},
		{`"kind":"wallet","act":"show"`, []string{"getprivatekey", deskKey, "--yes-show-secrets"}},
		{`"kind":"wallet","act":"show"`, []string{"getmanagedwallet", deskKey, "--yes-show-secrets"}},
		{`"kind":"wallet","act":"show"`, []string{"export", "--yes-show-secrets"}},
		{`"kind":"wallet","act":"add"`, []string{"generatemanagedprivatekeybatch", "BTC", "1"}},
		{`"kind":"wallet","act":"unpair"`, []string{"unpair", relayKey(1).Public().Fingerprint(), "--yes"}},
		{`"kind":"wallet","act":"remove"`, []string{"removewallet", deskKey, "--yes"}},
	} {
		before := o.ledgerText()
		o.run(0, c.args...)
		if added := strings.TrimPrefix(o.ledgerText(), before); !strings.Contains(added, c.line) {
			t.Errorf("%v: the ledger got %q", c.args, added)
		}
	}
}

// A file that was mistaken for another is called what it is, and what can be named is
// named.
func mistakesNamed(t *testing.T) {
	o := newOffice(t)
	o.run(0, "watch", "--out", o.path("s.kmswatch"))
	o.says(22, "is the watch file of a signer", "pair", o.path("s.kmswatch"))
	o.says(22, "kms-online init names", "pair", o.salary(86))
	o.says(2, "kms-offline unpair "+relayKey(1).Public().Fingerprint()+" (", "unpair")
	for same, file := range map[bool]string{true: "payroll.json", false: "other.json"} {
		o.put(files{"other.json": []byte(dayLimit)})
		said := o.run(0, "policy", "set", o.path(file))
		if strings.Contains(said, `"changed": false`) != same {
			t.Errorf("the same policy: %v: %s", same, said)
		}
		o.policy("payroll.json", quorumPolicy)
	}
}
