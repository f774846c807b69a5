//go:build unix

package loop

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"coldkms/shared/bundle"
)

// killedOften starts a command again and again, killing it a little later
// each time (SIGKILL), until it once ends by itself. It gives that run's
// output, and how often it was killed.
func (w *world) killedOften(make func() *exec.Cmd, later time.Duration, reply any) int {
	w.t.Helper()
	for kills := 0; ; kills++ {
		cmd := make()
		var stdout, stderr bytes.Buffer
		cmd.Stdout, cmd.Stderr = &stdout, &stderr
		if err := cmd.Start(); err != nil {
			w.t.Fatal(err)
		}
		killer := time.AfterFunc(time.Duration(kills)*later, func() { _ = cmd.Process.Kill() })
		_ = cmd.Wait()
		killer.Stop()
		switch code := cmd.ProcessState.ExitCode(); {
		case code < 0 && kills < 1000: // by our signal
		case code == 0:
			if err := json.Unmarshal(stdout.Bytes(), reply); err != nil {
				w.t.Fatalf("%v: %v: %q", cmd.Args, err, stdout.String())
			}
			return kills
		default:
			w.t.Fatalf("%v after %d kills: exit code %d\n%s%s", cmd.Args, kills, code, stdout.String(), stderr.String())
		}
	}
}

// Both programs are killed all along the way, at every step. They go on, and
// everything is paid once, with the txid that was signed first.
func TestKilledAtEveryStep(t *testing.T) {
	const items = 3
	w := newWorld(t)
	id := w.storeKey("cNnCNhgfdPymqPHPMs1WkXrKYSeqDB4QAVGaM5ra1sphbtNGBvaD")
	watch := w.pair()
	segwit := scriptsOf(t, entryOf(t, watch, id).PubKey)["P2WPKH"]
	for range items {
		w.pay(w.fund(id, segwit))
	}
	const quick, slow = 3 * time.Millisecond, 70 * time.Millisecond // the signer spends most of its time on the password
	kills := 0

	var fetched struct{ Problems []any }
	kills += w.killedOften(func() *exec.Cmd { return w.online("fetch") }, quick, &fetched)
	var exported struct {
		Request, Digest string
		Items           int
	}
	kills += w.killedOften(func() *exec.Cmd { return w.online("export", "--out", w.usb()) }, quick, &exported)
	if requests, _ := filepath.Glob(filepath.Join(w.usb(), "*.kmsreq")); len(requests) != 1 || exported.Items != items {
		t.Fatalf("%d requests on the stick, %d items exported, want 1 and %d", len(requests), exported.Items, items)
	}
	request := w.onUSB(exported.Request)
	var reviewed struct{ Digest string }
	kills += w.killedOften(func() *exec.Cmd { return w.offline("review", request) }, slow, &reviewed)
	var signed struct {
		Result string
		Signed []sentReply
	}
	kills += w.killedOften(func() *exec.Cmd { return w.offline("sign", request, "--out", w.usb(), "--approve", reviewed.Digest) }, slow, &signed)
	w.resultsAgree()
	var imported struct{ Problems []any }
	kills += w.killedOften(func() *exec.Cmd { return w.online("import", w.usb()) }, quick, &imported)
	var sent struct{ Problems []any }
	kills += w.killedOften(func() *exec.Cmd { return w.online("broadcast") }, quick, &sent)

	txids := make(map[string]string)
	for _, s := range signed.Signed {
		txids[s.ID] = s.TxID
	}
	if len(txids) != items {
		t.Fatalf("%d items signed, want %d", len(txids), items)
	}
	w.settled(txids)
	var status []struct{ ID, TxID, State string }
	w.run(w.online("status"), 0, &status)
	for _, s := range status {
		if s.State != "completed" || s.TxID != txids[s.ID] {
			t.Errorf("%s is %s with txid %s, want completed with %s", s.ID, s.State, s.TxID, txids[s.ID])
		}
	}
	fmt.Printf("kill -9: %d kills over six commands, %d of %d payments completed with the txid that was signed\n", kills, len(status), items)
	if kills < 30 {
		t.Errorf("only %d kills: the steps are too wide to prove anything", kills)
	}
}

// resultsAgree wants every result that ever came to the stick to carry the
// same signatures.
func (w *world) resultsAgree() {
	w.t.Helper()
	paths, err := filepath.Glob(filepath.Join(w.usb(), "*.kmsres"))
	if err != nil || len(paths) == 0 {
		w.t.Fatalf("no result on the stick (%v)", err)
	}
	first := make(map[string][][]byte)
	for _, path := range paths {
		b, err := os.ReadFile(path)
		if err != nil {
			w.t.Fatal(err)
		}
		result, err := bundle.OpenResult(b)
		if err != nil {
			w.t.Fatalf("%s is on the stick and not whole: %v", path, err)
		}
		for _, o := range result.Outcomes {
			before, seen := first[o.ID]
			if seen && fmt.Sprint(before) != fmt.Sprint(o.Signatures) {
				w.t.Errorf("%s was signed in two ways", o.ID)
			}
			first[o.ID] = o.Signatures
		}
	}
}
