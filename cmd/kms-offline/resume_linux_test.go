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

// cutShort is a batch of three writes that alice and bob have approved, and
// whose signing is killed after the first. The approvals' files are kept.
func (o office) cutShort(salt int) (file, digest string, kept []string) {
	o.t.Helper()
	const items = 1100
	for try := range 20 {
		list := make([]payout, items)
		for i := range list {
			list[i] = payout{to: fmt.Sprintf("payee-%d", i%50), value: int64(20_000 + i), fee: 200}
		}
		file = o.request(fmt.Sprintf("cut%d.kmsreq", try), salt+try, list)
		digest, _ = o.reviewed(file)
		kept = o.approved(file, digest, "alice", "bob")
		if signed := o.killed(file, digest); signed < items {
			o.unsigned()
			o.t.Logf("killed with %d of %d items on record", signed, items)
			return file, digest, kept
		}
		_ = os.RemoveAll(o.path("none"))
	}
	o.t.Fatal("no kill came between two writes: nothing was tested; run it again on a machine that does less")
	return "", "", nil
}

// killed signs, kills the program (SIGKILL) once the ledger has signatures, and
// returns how many of them it has.
func (o office) killed(file, digest string) int {
	o.t.Helper()
	mark := `"kind":"signed","request":"` + digest + `"`
	cmd := o.command("--password-file", o.path("pw"), "sign", file, "--out", o.path("none"), "--approve", digest)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	killWhen(o.t, cmd, func() bool { return strings.Contains(o.ledgerText(), mark) })
	return strings.Count(o.ledgerText(), mark)
}

// killWhen runs a program and kills it (SIGKILL) as soon as something is so. It
// may have ended before.
func killWhen(t *testing.T, cmd *exec.Cmd, is func() bool) {
	t.Helper()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	for !is() {
		select {
		case <-ended:
			return
		case <-time.After(time.Millisecond):
		}
	}
	_ = cmd.Process.Kill()
	<-ended
}

// Killed between two writes, a batch is signed to its end under the approvals
// that it had: the same command again asks nobody. They are used up then.
func killedBetweenChunks(t *testing.T) {
	o := newOffice(t)
	file, digest, kept := o.cutShort(1000)
	args := []string{"sign", file, "--approve", digest, "--approval", kept[0], "--out"}
	o.run(0, append(args, o.path("out"))...)
	results, err := filepath.Glob(o.path("out/*.kmsres"))
	if err != nil || len(results) != 1 {
		t.Fatal(results, err)
	}
	result, err := bundle.OpenResult([]byte(readFile(t, results[0])))
	if err != nil || len(result.Operators) != 2 {
		t.Errorf("%d operators (%v)", len(result.Operators), err)
	}
	if signed, codes := o.signedBy(file, results[0]); signed != len(result.Outcomes) || len(codes) > 0 {
		t.Errorf("%d of %d signed, %v", signed, len(result.Outcomes), codes)
	}
	o.run(0, "sign", file, "--out", o.path("again"), "--approve", digest) // all of it was signed: no approval is counted
	o.says(20, "round", append(args, o.path("none"))...)
	o.run(0, "ledger", "verify")
}

// Once anything else is on record, whatever it is, the approvals count no more.
func killedAndChanged(t *testing.T) {
	o := newOffice(t)
	file, digest, kept := o.cutShort(2000)
	all := o.files()
	small := o.request("small.kmsreq", 3, []payout{{to: "a", value: 20_000, fee: 200}})
	for name, change := range map[string]func(){
		"operator": func() { o.enrol("carol") },
		"policy there and back": func() {
			o.policy("other.json", strings.Replace(quorumPolicy, "50000", "50001", 1))
			o.policy("payroll.json", quorumPolicy)
		},
		"other batch": func() { o.reviewed(small) },
		"backup":      func() { o.run(0, "backup", o.path("backup.kms")) },
		"a no":        func() { o.answers(21, []string{"sign", file, "--out", o.path("none"), "--plain"}, "Sign 1100", "n") },
	} {
		o.put(all)
		change()
		o.says(20, "", "sign", file, "--out", o.path("none"), "--approve", digest)
		o.says(20, "", "sign", file, "--out", o.path("none"), "--approve", digest, "--approval", kept[0], "--approval", kept[1])
		o.reviewed(file)
		o.says(20, "0 of 2", "sign", file, "--out", o.path("none"), "--approve", digest)
		if t.Failed() {
			t.Fatal(name)
		}
	}
	o.put(all)
	o.reviewed(file) // of itself changes nothing
	o.run(0, "sign", file, "--out", o.path("out"), "--approve", digest)
}
