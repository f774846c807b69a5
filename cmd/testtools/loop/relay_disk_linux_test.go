//go:build unix

package loop

import (
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"coldkms/cmd/testtools/relaytest"
)

// onSmallDisk returns a paired relay whose state directory is a disk of 2 MB.
func onSmallDisk(t *testing.T) *plainRelay {
	t.Helper()
	p := newPlainRelay(t, "", "")
	if err := os.Mkdir(p.state(), 0o700); err != nil {
		t.Fatal(err)
	}
	system(t, "mount", "-t", "tmpfs", "-o", "size=2m,mode=0700", "tmpfs", p.state())
	t.Cleanup(func() { _ = exec.Command("umount", "-l", p.state()).Run() })
	p.pair()
	return p
}

// diskFull fills the disk of the state directory between two steps, to the last
// byte. What was acknowledged is still there, status shows it, every command
// that has to write says what is wrong, and all goes on once there is room.
func diskFull(t *testing.T) {
	p := onSmallDisk(t)
	p.pay(1, 2)
	p.must("fetch")
	result := p.result(p.export(), nil)
	p.pay(3)
	free := p.fill()
	for _, args := range [][]string{{"fetch"}, {"import", result}, {"broadcast"}, {"watch"},
		{"export", "--out", t.TempDir()}, {"daemon", "--runOnce", "--drop", t.TempDir()},
		{"acknowledge", "1", "--why", "x"}, {"reject", relaytest.ID(3), "--why", "x"}} {
		p.full(args...)
	}
	if got := p.looksAtFull(); !strings.Contains(got.out, relaytest.ID(1)) {
		t.Errorf("status: %+v", got)
	}
	free()
	p.must("fetch")
	p.must("import", result)
	p.fill()
	p.full("broadcast")
	if n := len(p.server.Sent()); n != 0 {
		t.Errorf("%d were sent that could not be journaled", n)
	}
	free()
	p.must("broadcast")
	for id, want := range map[string]string{relaytest.ID(1): "completed", relaytest.ID(2): "completed", relaytest.ID(3): "prepared"} {
		if state := p.states()[id]; state != want {
			t.Errorf("%s is %s", id, state)
		}
	}
}

// looksAtFull runs every command that only looks: each says that the disk is full.
func (p *plainRelay) looksAtFull() (status ran) {
	p.Helper()
	for _, args := range [][]string{{"alarms"}, {"letters"}, {"report"}, {"checkconfig"},
		{"backup", filepath.Join(p.TempDir(), "backup")}, {"status", "--totals"}, {"status", "--all"}} {
		status = p.run(args...)
		full := "disk of the state directory " + p.state() + " is full"
		if status.code != 0 || !strings.Contains(status.err, full) {
			p.Errorf("%v: %+v", args, status)
		}
	}
	return status
}

// fill leaves not a byte on the disk of the state directory, and returns what
// makes room again.
func (p *plainRelay) fill() (free func()) {
	p.Helper()
	path := filepath.Join(p.state(), "ballast")
	f, err := os.Create(path)
	if err != nil {
		p.Fatal(err)
	}
	defer f.Close()
	for size := 1 << 16; size > 0; {
		if n, err := f.Write(make([]byte, size)); err != nil && n == 0 {
			size /= 2
		}
	}
	return func() {
		if err := os.Remove(path); err != nil {
			p.Fatal(err)
		}
	}
}

// full runs a command that must say that the disk is full.
func (p *plainRelay) full(args ...string) {
	p.Helper()
	got := p.run(args...)
	full := "disk of the state directory " + p.state() + " is full: "
	if got.code != 1 || !strings.Contains(got.err, full) || !strings.Contains(got.err, "free some space") {
		p.Errorf("%s on a full disk: %+v", args[0], got)
	}
}

// readyOnFullDisk has a daemon that is not ready while its disk is full.
func readyOnFullDisk(t *testing.T) {
	p := onSmallDisk(t)
	_, get := p.listening()
	ready := func(want int) func() bool {
		return func() bool { code, _ := get("readyz"); return code == want }
	}
	p.eventually("it is ready", ready(200))
	free := p.fill()
	p.eventually("it is not ready", ready(503))
	p.looksAtFull()
	free()
	p.eventually("it is ready again", ready(200))
}

// fullAfter fills the disk of the state directory when a call of this kind comes,
// which takes effect, and returns what makes room again.
func (p *plainRelay) fullAfter(call string) (free func()) {
	free = func() { p.Error("no such call came: " + call) }
	var once sync.Once
	p.server.Fault(func(_ http.ResponseWriter, r *http.Request) bool {
		if strings.HasPrefix(r.Method+" "+r.URL.Path, call) {
			once.Do(func() { free = p.fill() })
		}
		return false
	})
	return func() { free() }
}

// fullAfterItIsDone has the disk full after Tatum has dropped an item, or the network
// has its bytes: the words say so, and the same command goes on once there is room.
func fullAfterItIsDone(t *testing.T) {
	p := onSmallDisk(t)
	p.pay(1, 2)
	p.must("fetch")
	p.must("import", p.result(p.export("--max", "1"), nil))
	for _, x := range []struct {
		call, want string
		args       []string
	}{
		{"DELETE /v3/kms/", "Tatum has dropped it", []string{"reject", relaytest.ID(2), "--why", "x"}},
		{"POST /v3/bitcoin/broadcast", "its bytes were handed to the network", []string{"broadcast"}},
	} {
		free := p.fullAfter(x.call)
		got := p.run(x.args...)
		if got.code != 1 || !strings.Contains(got.err, x.want) ||
			!strings.Contains(got.err, "could not be noted here") ||
			!strings.Contains(got.err, "run the same command again") {
			t.Errorf("%s: %+v", x.args[0], got)
		}
		for _, lie := range []string{"nothing was changed", "was not done", "(13)"} {
			if strings.Contains(got.err, lie) {
				t.Errorf("%s says %q: %s", x.args[0], lie, got.err)
			}
		}
		free()
		p.server.Fault(nil)
		p.must(x.args...)
	}
	if got := p.states(); got[relaytest.ID(1)] != "completed" || got[relaytest.ID(2)] != "rejected" ||
		len(p.server.Sent()) != 1 {
		t.Errorf("%v, sent %d times", got, len(p.server.Sent()))
	}
}
