//go:build linux

package main

import (
	"bytes"
	"encoding/json"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/btcsuite/btcd/wire/v2"
	"github.com/creack/pty"

	"coldkms/cmd/internal/cli"
	"coldkms/offline/hd"
	"coldkms/offline/hd/hdtest"
	"coldkms/shared/chain"
)

// usedAttacks are about what people who only read the screen took for true.
func usedAttacks() []attack {
	return []attack{
		{"40-carried-approvals-are-counted", carriedCounted},
		{"40-declined-with-this-very-batch", declinedHere},
		{"40-all-refused-is-shown-and-asked", allRefusedAsked},
		{"40-line-by-line-draws-nothing", lineDrawsNothing},
		{"40-interrupted-line-by-line-is-later", interruptedIsLater},
		{"40-length-after-the-review", lengthAfterReview},
		{"40-secrets-unasked", secretsUnasked},
		{"40-removed-unasked", removedUnasked},
		{"40-backups-that-never-were", backupsThatNeverWere},
		{"40-released-and-spent-again", releasedAndSpentAgain},
		{"40-copy-of-before-a-policy", copyOfBeforePolicy},
		{"40-same-secret-twice", sameSecretTwice},
		{"40-hint-names-what-is-left-out", hintNamesLeftOut},
	}
}

// dialogue runs a command on a terminal and returns what each question stood
// under.
func (p place) dialogue(code int, args []string, dialogue ...string) (shown []string, at *person) {
	p.t.Helper()
	at = sit(p.t, p.command(args...))
	at.sees("password")
	at.types(deskPassword + "\r")
	for i := 0; i < len(dialogue); i += 2 {
		shown = append(shown, at.sees(dialogue[i]))
		at.types(dialogue[i+1])
	}
	if got := at.waits(); got != code {
		p.t.Errorf("%v: exit %d, want %d: %s", args, got, code, at.stderr.String())
	}
	return shown, at
}

// Approvals that are carried count in what stands above the question too.
func carriedCounted(t *testing.T) {
	o := newOffice(t)
	file := o.salary(80)
	digest, _ := o.reviewed(file)
	there := o.elsewhere()
	kept := there.approved(file, digest, "alice", "bob")
	shown, _ := o.dialogue(21, []string{"sign", file, "--out", o.path("none"), "--plain", "--approval", kept[0], "--approval", kept[1]}, "Sign 2 transactions?", "n\r")
	if !strings.Contains(shown[0], "so far 2 (") {
		t.Errorf("two approve, and it says:\n%s", shown[0])
	}
}

// What was declined with this batch was not declined in another.
func declinedHere(t *testing.T) {
	p := newPurse(t)
	request := p.two("two.kmsreq")
	p.answers(21, []string{"sign", request, "--out", p.path("none"), "--plain"}, "Sign 2 transactions?", "n")
	p.answers(3, []string{"sign", request, "--out", p.path("out"), "--plain"}, "Sign 2 transactions?", "reject 1", "Sign 1 transaction?", "y")
	if got := p.notices(request); strings.Contains(got, "another batch") || !strings.Contains(got, "1 of 2 transactions was declined with this batch, last on 20") {
		t.Errorf("notices: %s", got)
	}
}

// A batch of refused items only is shown, and its result is written only after a
// person agreed.
func allRefusedAsked(t *testing.T) {
	o := office{newPlace(t)}
	file := o.request("refused.kmsreq", 81, []payout{{to: "a", value: 60_000, fee: 200, foreign: true}, {to: "b", value: 61_000, fee: 200, foreign: true}})
	for _, answer := range []string{"\r", "n\r"} {
		shown, at := o.dialogue(21, []string{"sign", file, "--out", o.path("none")}, "Tell the relay that all 2 are refused? [y/N]", answer)
		if !strings.Contains(shown[0], "REFUSED") || !strings.Contains(at.stderr.String(), "no result was written") {
			t.Errorf("shown: %s\nsaid: %s", shown[0], at.stderr.String())
		}
		o.unsigned()
	}
	o.dialogue(20, []string{"sign", file, "--out", o.path("out")}, "[y/N]", "y\r")
	if results, _ := filepath.Glob(o.path("out/*.kmsres")); len(results) != 1 {
		t.Errorf("results: %v", results)
	}
	for _, more := range [][]string{nil, {"--approve", o.reviewedAs(20, file).Digest}} {
		cmd := o.command(append([]string{"--password-file", o.path("pw"), "sign", file, "--out", o.path("out")}, more...)...)
		cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
		var stderr strings.Builder
		cmd.Stderr = &stderr
		if _ = cmd.Run(); cmd.ProcessState.ExitCode() != 20 || !strings.Contains(stderr.String(), "REFUSED") {
			t.Errorf("%v: exit %d, %s", more, cmd.ProcessState.ExitCode(), stderr.String())
		}
	}
}

// Nothing is drawn over where questions are asked line by line.
func lineDrawsNothing(t *testing.T) {
	p := newPurse(t)
	request := p.two("two.kmsreq")
	said := p.command("sign", request, "--out", p.path("out"), "--plain").Args
	at := sit(t, exec.Command("/bin/sh", append([]string{"-c", `exec "$@" 2>/dev/tty`, "sh"}, said...)...))
	at.sees("password")
	at.types(deskPassword + "\r")
	at.sees("Sign 2 transactions?")
	at.types("y\r")
	if got := at.waits(); got != 0 {
		t.Fatalf("exit %d", got)
	}
	if at.screen.escapes > 0 {
		t.Errorf("%d control sequences", at.screen.escapes)
	}
	if progressDrawn(t, "dumb") || progressDrawn(t, "") || !progressDrawn(t, "vt100") {
		t.Error("progress is drawn by what TERM says")
	}
}

// Ctrl-C at a question is later, as in the session on the screen: what was
// rejected is kept.
func interruptedIsLater(t *testing.T) {
	p := newPurse(t)
	request := p.two("two.kmsreq")
	_, at := p.dialogue(21, []string{"sign", request, "--out", p.path("none"), "--plain"}, "Sign 2 transactions?", "reject 1\r", "Sign 1 transaction?", "\x03")
	if got := at.stderr.String(); !strings.Contains(got, "left without an answer: nothing was signed") || !strings.Contains(got, "what was decided is kept") {
		t.Errorf("said: %s", got)
	}
	p.dialogue(21, []string{"sign", request, "--out", p.path("none"), "--plain"}, "Take it up?", "y\r", "Sign 1 transaction?", "\x03")
}

// The length that a review states holds afterwards: it can be noted.
func lengthAfterReview(t *testing.T) {
	o := office{newPlace(t)}
	file := o.salary(82)
	r := o.reviewedAs(0, file)
	if book := o.book(); r.Ledger.Lines != book.Lines {
		t.Errorf("the review says %d lines, there are %d", r.Ledger.Lines, book.Lines)
	}
	o.says(0, "the ledger has "+decimal(r.Ledger.Lines+1)+" lines now, head words: ", "review", file)
}

type reviewedAs struct {
	Digest string
	Ledger struct{ Lines int }
	Items  []struct{ ID, Verdict, Standing string }
}

func (o office) reviewedAs(code int, file string) (r reviewedAs) {
	o.t.Helper()
	if err := json.Unmarshal([]byte(o.run(code, "review", file)), &r); err != nil {
		o.t.Fatal(err)
	}
	return r
}

// progressDrawn reports whether progress is drawn over on such a terminal.
func progressDrawn(t *testing.T, kind string) bool {
	t.Helper()
	master, slave, err := pty.Open()
	if err != nil {
		t.Fatal(err)
	}
	defer master.Close()
	defer slave.Close()
	return (&app{Streams: cli.Streams{Err: slave}}).progressOn(kind).to != nil
}

// Without a terminal no secret is shown, and nothing is recorded, unless a flag
// says that it may be.
func secretsUnasked(t *testing.T) {
	o := office{newPlace(t)}
	lines := o.book().Lines
	for _, args := range [][]string{{"export"}, {"getprivatekey", deskKey}, {"getmanagedwallet", deskKey}} {
		if got := o.run(2, args...); got != "" {
			t.Errorf("%v: shown: %s", args, got)
		}
		o.says(2, "--yes-show-secrets", args...)
		if got := o.book().Lines; got != lines {
			t.Errorf("%v: %d lines, want %d", args, got, lines)
		}
		if got := o.run(0, append(args, "--yes-show-secrets")...); !strings.Contains(got, "privateKey") {
			t.Errorf("%v: %s", args, got)
		}
		if lines++; o.book().Lines != lines {
			t.Errorf("%v: not recorded", args)
		}
	}
}

// An entry is removed only after a yes.
func removedUnasked(t *testing.T) {
	o := office{newPlace(t)}
	o.says(2, "--yes", "removewallet", deskKey)
	o.answers(21, []string{"removewallet", deskKey}, "Go on? [y/N]", "")
	if !o.has(deskKey) {
		t.Fatal("removed unasked")
	}
	o.answers(0, []string{"removewallet", deskKey}, "Go on? [y/N]", "y")
	if o.has(deskKey) {
		t.Error("not removed")
	}
}

// A backup that failed is on record as one, and one that could not begin is
// not on record.
func backupsThatNeverWere(t *testing.T) {
	o := office{newPlace(t)}
	lines := o.book().Lines
	o.says(1, "mkdir -p", "backup", o.path("no/such/copy.kms"))
	if got := o.book().Lines; got != lines {
		t.Errorf("%d lines, want %d", got, lines)
	}
	o.says(1, "/proc", "backup", "/proc/copy.kms") // nothing can be written there
	if got := o.book().Lines; got != lines {
		t.Errorf("%d lines, want %d", got, lines)
	}
	full := t.TempDir()
	if err := syscall.Mount("none", full, "tmpfs", 0, "size=4k"); err != nil {
		t.Skipf("mount: %v", err)
	}
	t.Cleanup(func() { _ = syscall.Unmount(full, 0) })
	o.says(1, "space", "backup", filepath.Join(full, "copy.kms"))
	if got := o.ledgerText(); strings.Count(got, `"act":"backup"`) != 1 || strings.Count(got, `"act":"backup-failed"`) != 1 {
		t.Errorf("the ledger has: %s", got)
	}
	o.run(0, "backup", o.path("copy.kms"))
	if got := o.ledgerText(); strings.Count(got, `"act":"backup"`) != 2 || strings.Count(got, `"act":"backup-failed"`) != 1 {
		t.Errorf("the ledger has: %s", got)
	}
}

// What spends an outpoint that a person released is said to replace what was
// signed, and no plain yes signs it. The refusal before names the command.
func releasedAndSpentAgain(t *testing.T) {
	p := newPurse(t)
	p.known()
	coin := p.earlier(out(coinValue, p.script))
	pays := func(value int64) spend {
		return spend{prev: coin, outs: []*wire.TxOut{out(value, payee(1)), out(coinValue-value-1_000, p.script)}, keys: []chain.Key{single(deskKey)}}
	}
	first := p.ask("first.kmsreq", pays(300_000))
	p.signs(first)
	other := p.ask("other.kmsreq", pays(700_000))
	r := p.judged(other, "refused", chain.AlreadySpent)
	if !strings.Contains(strings.Join(r.Items[0].Reasons, " "), "kms-offline ledger release") {
		t.Errorf("the refusal names no command: %q", r.Items[0].Reasons)
	}
	shown, _ := p.dialogue(0, []string{"ledger", "release", p.review(first, 0).Items[0].ID}, "Type release to record that:", "release\r")
	if !strings.Contains(shown[0], "that the new payment spends one of these") {
		t.Errorf("what prevents two payments is not said: %s", shown[0])
	}
	p.judged(other, "flagged", chain.FlagReplaces)
	p.noPlainYes(other)
}

// A copy of before a policy was set says, when it is put back, that nothing is
// signed and what to type.
func copyOfBeforePolicy(t *testing.T) {
	o := office{newPlace(t)}
	o.run(0, "backup", o.path("copy.kms"))
	o.policy("later.json", `{"version": 1, "chains": [{"chain": "BTC", "network": "testnet"}]}`)
	o.says(0, "kms-offline policy set FILE", "restore", o.path("copy.kms"))
}

// A secret that the wallet has already is said to be there, with every id.
func sameSecretTwice(t *testing.T) {
	o := office{newPlace(t)}
	stores := func(coin, network string, c chain.ID, n chain.Network) string {
		wif, err := hd.EncodeWIF(bytes.Repeat([]byte{7}, 32), true, hdtest.Coin(chain.Coin{Chain: c, Network: n}))
		if err != nil {
			t.Fatal(err)
		}
		at := sit(t, o.command("--password-file", o.path("pw"), "storemanagedprivatekey", coin, network))
		at.sees("private key")
		at.types(string(wif) + "\r")
		if got := at.waits(); got != 0 {
			t.Fatalf("exit %d: %s", got, at.stderr.String())
		}
		var reply struct{ SignatureID string }
		if err := json.Unmarshal(at.stdout.Bytes(), &reply); err != nil {
			t.Fatal(err)
		}
		if got := at.stderr.String(); !strings.Contains(got, deskKey) || !strings.Contains(got, "warning: "+reply.SignatureID) {
			t.Errorf("%s: %s", coin, got)
		}
		return at.stderr.String() + reply.SignatureID
	}
	said := stores("BTC", "--testnet", chain.BTC, chain.Testnet)
	second := said[len(said)-len(deskKey):]
	if !strings.Contains(said, "the wallet has the same secret, of BTC testnet, under "+deskKey+" too") {
		t.Errorf("said: %s", said)
	}
	if said := stores("DOGE", "--testnet=false", chain.DOGE, chain.Mainnet); !strings.Contains(said, second) {
		t.Errorf("%s holds the key too, and is not named: %s", second, said)
	}
}

// A hint has the flags that make the batch the same one.
func hintNamesLeftOut(t *testing.T) {
	o := office{newPlace(t)}
	file := o.salary(83)
	r := o.reviewedAs(0, file)
	id := r.Items[0].ID
	o.says(20, "kms-offline review "+file+" --without "+id, "sign", file, "--out", o.path("none"), "--approve", r.Digest, "--without", id)
	if r.Items[0].Standing != "noted" || r.Items[0].Verdict != "flagged" {
		t.Errorf("%+v", r.Items[0])
	}
}
