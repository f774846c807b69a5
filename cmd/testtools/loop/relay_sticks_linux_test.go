//go:build unix

package loop

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"coldkms/cmd/testtools/relaytest"
	"coldkms/cmd/testtools/sticks"
	"coldkms/shared/bundle"
	"coldkms/shared/transport/file"
)

// system runs a command of the system, or skips the test where it cannot.
func system(t *testing.T, args ...string) {
	t.Helper()
	if out, err := exec.Command(args[0], args[1:]...).CombinedOutput(); err != nil {
		fmt.Printf("relay fault: %s: SKIPPED, this machine refuses %s: %v %.200s\n", t.Name(), strings.Join(args, " "), err, out)
		t.Skipf("%v: %v %s", args, err, out)
	}
}

// stickRelay is a relay with a real stick.
type stickRelay struct {
	*plainRelay
	*sticks.Stick
	drop string // the folder on it
}

func onRealStick(t *testing.T, kind sticks.Kind) stickRelay {
	t.Helper()
	s := sticks.New(t, kind)
	r := stickRelay{newStick(t, 1), s, filepath.Join(s.Dir, "coldkms")}
	if err := os.Mkdir(r.drop, 0o700); err != nil {
		t.Fatal(err)
	}
	return r
}

// onEachStick runs a test on every file system that this machine has.
func onEachStick(t *testing.T, test func(stickRelay)) {
	for _, kind := range sticks.Kinds() {
		t.Run(kind.Name, func(t *testing.T) { test(onRealStick(t, kind)) })
	}
}

// realSticks takes a payment over real file systems with the daemon: one that
// is full, then pulled out under the daemon, then there again.
func realSticks(t *testing.T) { onEachStick(t, stickRelay.carries) }

func (r stickRelay) carries() {
	filler := r.fillStick()
	got := r.run("daemon", "--runOnce", "--drop", r.drop)
	if all, _ := r.requests(r.drop); len(all) == 0 && !strings.Contains(got.out, "the stick is full") {
		r.Errorf("a full stick: %s%s", got.out, got.err)
	}
	r.remove(filler)
	r.run("daemon", "--runOnce", "--drop", r.drop)
	all, requests := r.requests(r.drop)
	if len(all) != 1 {
		r.Fatalf("%d requests are on the stick", len(all))
	}
	for n := range 1000 {
		r.write(filepath.Join(r.drop, fmt.Sprintf("junk-%04d.kmsres", n)), []byte("junk"))
	}
	r.Pull()
	if got := r.run("daemon", "--runOnce", "--drop", r.drop); !strings.Contains(got.out, `"away"`) {
		r.Errorf("away: %s", got.out)
	}
	r.Plug()
	r.write(filepath.Join(r.drop, "a.kmsres"), r.signer.Sign(requests[0], nil))
	r.run("daemon", "--runOnce", "--drop", r.drop)
	if got := r.states(); got[relaytest.ID(1)] != "completed" {
		r.Errorf("%v", got)
	}
}

// fillStick leaves no room on the stick, and returns the file that took it.
func (r stickRelay) fillStick() string {
	filler := filepath.Join(r.Dir, "filler")
	_ = exec.Command("dd", "if=/dev/zero", "of="+filler, "bs=4096").Run() // until it is full
	return filler
}

func (r stickRelay) remove(filler string) {
	r.Helper()
	if err := os.Remove(filler); err != nil {
		r.Fatal(err)
	}
}

// says checks that a command failed over the stick, and says what to do.
func (r stickRelay) says(got ran, words string) {
	r.Helper()
	if got.code != 1 || !strings.Contains(got.err, words) || !strings.Contains(got.err, "run the same command again") || strings.Contains(got.err, "disk of the state directory") {
		r.Errorf("want %q: exit code %d, %s", words, got.code, got.err)
	}
}

// fullAndProtected types the commands with a full stick, and with one that is
// mounted read-only, from which results are taken all the same.
func fullAndProtected(t *testing.T) { onEachStick(t, stickRelay.isFullAndProtected) }

func (r stickRelay) isFullAndProtected() {
	r.must("fetch")
	filler := r.fillStick()
	if got := r.run("export", "--out", r.drop); got.code == 0 { // NTFS has room for a small file beside its name
		r.whole(got)
	} else {
		r.says(got, "the stick is full")
	}
	r.remove(filler)
	req := r.whole(r.must("export", "--out", r.drop))
	r.write(filepath.Join(r.drop, "a.kmsres"), r.signer.Sign(req, nil))
	r.pay(2)
	r.must("fetch")
	r.Protect()
	r.says(r.run("export", "--out", r.drop), "the stick is write-protected")
	r.must("import", r.drop)
	if got := r.states(); got[relaytest.ID(1)] != "signed" || got[relaytest.ID(2)] != "exported" {
		r.Errorf("%v", got)
	}
	r.Plug()
	r.whole(r.must("export", "--out", r.drop))
}

// whole reads the request that an export says is written. Nothing else on the
// stick is half a file.
func (r stickRelay) whole(exported ran) bundle.SealedRequest {
	r.Helper()
	var made struct{ Request string }
	if err := json.Unmarshal([]byte(exported.out), &made); err != nil || made.Request == "" {
		r.Fatalf("%v: %s", err, exported.out)
	}
	written, err := os.ReadFile(made.Request)
	if err != nil {
		r.Fatalf("it is said to be written: %v", err)
	}
	req, err := bundle.OpenRequest(written)
	if err != nil {
		r.Fatal(err)
	}
	r.requests(r.drop)
	return req
}

// pulledOut pulls the stick out, and takes its device away, at every moment of
// an export, and while a result is read. Nothing is believed written that is
// not on the stick, no payment is lost, and the same command goes on.
func pulledOut(t *testing.T) { onEachStick(t, stickRelay.isPulledOut) }

func (r stickRelay) isPulledOut() {
	payment, met := 1, 0
	for _, way := range []struct {
		name string
		do   func()
	}{{"pulled", r.Pull}, {"broken", r.Break}} {
		for _, moment := range append(sticks.Writing(), sticks.Reading()) {
			r.pay(payment)
			r.must("fetch")
			if r.exportPulled(way.name, moment, way.do) {
				met++
			}
			req := r.whole(r.must("export", "--out", r.drop))
			if len(req.Items) != 1 || req.Items[0].ID != relaytest.ID(payment) {
				r.Errorf("%s when %s: the request holds %v", way.name, moment.Name, req.Items)
			}
			r.keep(fmt.Sprintf("a-%d.kmsres", payment), r.signer.Sign(req, nil))
			r.importPulled(way.name, payment, way.do)
			payment++
		}
	}
	if met < 6 {
		r.Errorf("only %d moments came", met)
	}
}

// keep writes a file that is still on the stick when the device breaks.
func (r stickRelay) keep(name string, b []byte) {
	r.Helper()
	if _, err := file.On(r.drop).Put(name, b); err != nil {
		r.Fatal(err)
	}
}

// exportPulled loses the stick while a request is written.
func (r stickRelay) exportPulled(way string, moment sticks.Moment, lose func()) (met bool) {
	r.Helper()
	got := sticks.At(r, r.command("--testnet", "--json", "export", "--out", r.drop), r.drop, moment, lose)
	r.Logf("%s when %s: met %v, exit code %d, %s", way, moment.Name, got.Met, got.Code, got.Err)
	r.Plug()
	if end := (ran{got.Code, got.Out, got.Err}); got.Code == 0 {
		r.whole(end)
	} else {
		r.says(end, "the stick was pulled out")
	}
	r.requests(r.drop)
	return got.Met
}

// importPulled loses the stick while results are read.
func (r stickRelay) importPulled(way string, payment int, lose func()) {
	r.Helper()
	id := relaytest.ID(payment)
	got := sticks.At(r, r.command("--testnet", "--json", "import", r.drop), r.drop, sticks.Reading(), lose)
	r.Logf("%s when read: met %v, exit code %d, %s", way, got.Met, got.Code, got.Err)
	switch state := r.states()[id]; {
	case got.Code == 0 && state != "signed" && !strings.Contains(got.Err, "no *.kmsres"):
		r.Errorf("%s: import says %s%s, and the item is %s", way, got.Out, got.Err, state)
	case got.Code != 0:
		r.says(ran{got.Code, got.Out, got.Err}, "the stick was pulled out")
	}
	r.Plug()
	r.must("import", r.drop)
	if state := r.states()[id]; state != "signed" {
		r.Errorf("%s: after the same import again it is %s", way, state)
	}
}
