package main

import (
	"bytes"
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/btcsuite/btcd/chainhash/v2"
	library "github.com/btcsuite/btcd/psbt/v2"
	"github.com/btcsuite/btcd/txscript/v2"
	"github.com/btcsuite/btcd/wire/v2"

	"coldkms/shared/psbt/psbttest"
)

// quorumPolicy asks for two operators above 50,000 satoshi a batch.
const quorumPolicy = `{"version": 1, "name": "payroll", "chains": [{"chain": "BTC", "network": "testnet", "quorum": [{"per": "batch", "above": 50000, "operators": 2}]}]}`

// office is a place with the operators alice and bob, of whom a policy wants
// both.
type office struct{ place }

func newOffice(t *testing.T) office {
	t.Helper()
	o := office{newPlace(t)}
	for _, name := range []string{"alice", "bob", "carol"} {
		passwordFile(t, o.dir, name, "the password of "+name)
	}
	o.enrol("alice")
	o.enrol("bob")
	o.policy("payroll.json", quorumPolicy)
	return o
}

func (o office) enrol(name string) {
	o.t.Helper()
	o.run(0, "operator", "add", name, "--operator-password-file", o.path(name))
}

// policy sets a policy.
func (o office) policy(name, text string) {
	o.t.Helper()
	if err := os.WriteFile(o.path(name), []byte(text), 0o600); err != nil {
		o.t.Fatal(err)
	}
	o.run(0, "policy", "set", o.path(name))
}

// salary is a request that two operators must approve.
func (o office) salary(salt int) string {
	return o.request("salary.kmsreq", salt, []payout{{to: "a", value: 60_000, fee: 200}, {to: "b", value: 61_000, fee: 200}})
}

// reviewed reviews a file and returns its batch digest and round.
func (o office) reviewed(file string) (digest, round string) {
	o.t.Helper()
	var r struct{ Digest, Round string }
	if err := json.Unmarshal([]byte(o.run(0, "review", file)), &r); err != nil {
		o.t.Fatal(err)
	}
	return r.Digest, r.Round
}

// approved has operators approve a reviewed batch, and returns the files in
// which their approvals would be carried.
func (o office) approved(file, digest string, names ...string) (kept []string) {
	o.t.Helper()
	for _, name := range names {
		var r struct{ Approval string }
		out := o.run(0, "approve", file, "--operator", name, "--operator-password-file", o.path(name), "--digest", digest, "--out", o.path("stick"))
		if err := json.Unmarshal([]byte(out), &r); err != nil {
			o.t.Fatal(err)
		}
		kept = append(kept, r.Approval)
	}
	return kept
}

// ready is a batch that alice and bob have approved, and their approvals.
func (o office) ready(salt int) (file, digest string, kept []string) {
	o.t.Helper()
	file = o.salary(salt)
	digest, _ = o.reviewed(file)
	return file, digest, o.approved(file, digest, "alice", "bob")
}

// says runs a command that must fail so, and whose stderr must say something.
// It signs nothing.
func (o office) says(code int, text string, args ...string) {
	o.t.Helper()
	cmd := o.command(append([]string{"--password-file", o.path("pw"), "--json"}, args...)...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	var stderr strings.Builder
	cmd.Stderr = &stderr
	_ = cmd.Run()
	if got := cmd.ProcessState.ExitCode(); got != code || !strings.Contains(o.placeless(stderr.String()), text) {
		o.t.Errorf("%v: exit %d, want %d and %q: %s", args, got, code, text, stderr.String())
	}
	o.unsigned()
}

// placeless returns a text in which commands do not name the wallet's path.
func (o office) placeless(text string) string {
	return strings.ReplaceAll(text, "kms-offline --path "+o.path("w.kms")+" ", "kms-offline ")
}

// unsigned fails if something was written where results go.
func (o office) unsigned() {
	o.t.Helper()
	if results, _ := filepath.Glob(o.path("none/*")); len(results) > 0 {
		o.t.Errorf("something was written: %v", results)
	}
}

// neverSigned tries the batch with all approvals that were kept, in every way.
func (o office) neverSigned(file, digest string, kept []string) {
	o.t.Helper()
	for range 2 {
		for _, more := range [][]string{nil, {"--approval", kept[0], "--approval", kept[1]}} {
			args := append([]string{"sign", file, "--out", o.path("none"), "--approve", digest}, more...)
			o.says(20, "", args...)
		}
		o.reviewed(file) // opens a new round: nothing of the old one counts in it
	}
	o.says(20, "round", "sign", file, "--out", o.path("none"), "--approve", digest, "--approval", kept[0])
	o.says(20, "0 of 2", "sign", file, "--out", o.path("none"), "--approve", digest)
}

// answers runs a command on a terminal and answers its questions, in order.
func (o office) answers(code int, args []string, dialogue ...string) *person {
	o.t.Helper()
	at := sit(o.t, o.command(args...))
	at.sees("password")
	at.types(deskPassword + "\r")
	for i := 0; i < len(dialogue); i += 2 {
		at.sees(dialogue[i])
		at.types(dialogue[i+1] + "\r")
	}
	if got := at.waits(); got != code {
		o.t.Errorf("%v: exit %d, want %d: %s", args, got, code, at.stderr.String())
	}
	return at
}

// files are those of the wallet, with their content.
type files map[string][]byte

func (o office) files() files {
	o.t.Helper()
	f := files{}
	for _, name := range []string{"w.kms", "w.kms.ledger", "w.kms.ledger.mark"} {
		b, err := os.ReadFile(o.path(name))
		if err != nil {
			o.t.Fatal(err)
		}
		f[name] = b
	}
	return f
}

// put writes some of the files back.
func (o office) put(f files, names ...string) {
	o.t.Helper()
	if len(names) == 0 {
		names = slices.Collect(maps.Keys(f))
	}
	for _, name := range names {
		if err := os.WriteFile(o.path(name), f[name], 0o600); err != nil {
			o.t.Fatal(err)
		}
	}
}

// copyPrevious is cp w.kms.prev w.kms.
func (o office) copyPrevious() {
	o.t.Helper()
	b, err := os.ReadFile(o.path("w.kms.prev"))
	if err != nil {
		o.t.Fatal(err)
	}
	o.put(files{"w.kms": b})
}

// psbt writes a PSBT that pays from the key of the place.
func (o office) psbt(name string) string {
	o.t.Helper()
	prev, msg := wire.NewMsgTx(2), wire.NewMsgTx(2)
	prev.AddTxIn(&wire.TxIn{PreviousOutPoint: wire.OutPoint{Hash: chainhash.Hash{6}}})
	prev.AddTxOut(wire.NewTxOut(100_000, o.script))
	id := prev.TxHash()
	msg.AddTxIn(wire.NewTxIn(wire.NewOutPoint(&id, 0), nil, nil))
	msg.AddTxOut(wire.NewTxOut(40_000, append([]byte{txscript.OP_0, 20}, id[:20]...)))
	msg.AddTxOut(wire.NewTxOut(59_000, o.script))
	p, err := library.NewFromUnsignedTx(msg)
	if err != nil {
		o.t.Fatal(err)
	}
	p.Inputs[0].NonWitnessUtxo, p.Inputs[0].WitnessUtxo = prev, wire.NewTxOut(100_000, o.script)
	if err := os.WriteFile(o.path(name), psbttest.Write(p), 0o600); err != nil {
		o.t.Fatal(err)
	}
	return o.path(name)
}

// rewritten is a ledger as somebody writes it who has no password: lines are
// dropped, numbers, links and hashes all fit, the codes are kept or left out.
func rewritten(t *testing.T, ledger []byte, keep func(map[string]any) bool, codes bool) (text, mark []byte) {
	t.Helper()
	head, n := strings.Repeat("0", 64), 0
	for raw := range bytes.Lines(ledger) {
		fields := bytes.SplitN(bytes.TrimSuffix(raw, []byte("\n")), []byte(" "), 3)
		var line map[string]any
		if err := json.Unmarshal(fields[2], &line); err != nil {
			t.Fatal(err)
		}
		if !keep(line) {
			continue
		}
		n++
		body := relinked(t, fields[2], n, head)
		version := "v1"
		if codes {
			version = "v2"
		}
		head = hexSHA256("coldkms ledger " + version + "\n" + body)
		text = append(text, head...)
		if codes {
			text = append(append(text, ' '), fields[1]...)
		}
		text = append(append(text, ' '), body...)
		text = append(text, '\n')
	}
	return text, []byte(`{"n":` + decimal(n) + `,"head":"` + head + `"}`)
}
