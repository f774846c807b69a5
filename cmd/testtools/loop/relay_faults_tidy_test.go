//go:build unix

package loop

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"coldkms/cmd/testtools/relaytest"
)

// tidyFaults are about what lies on a stick that no daemon looks after.
func tidyFaults() []fault {
	return []fault{
		{"92a-void-and-finished-requests-leave-the-stick", tidiedStick},
		{"92b-an-alarm-that-was-closed-already", closedAlready},
		{"92c-a-ledger-that-went-back", ledgerWentBack},
		{"98g-a-void-request-under-the-name-of-another", voidUnderLiveName},
		{"98h-what-was-answered-leaves-the-stick", answeredLeaves},
		{"98f-psbts-of-what-is-rejected-leave-the-stick", tidiedPSBTs},
	}
}

func tidiedStick(t *testing.T) {
	h := newTeller(t)
	usb := t.TempDir()
	requests := func(sub string) int {
		found, _ := filepath.Glob(filepath.Join(usb, sub, "*.kmsreq"))
		return len(found)
	}
	want := func(open, done, void int) {
		t.Helper()
		if o, d, v := requests("."), requests("done"), requests("void"); o != open || d != done || v != void {
			t.Errorf("%d requests wait, %d are done, %d void, want %d, %d, %d", o, d, v, open, done, void)
		}
	}
	strange := filepath.Join(usb, "strange.kmsreq")
	h.pay(nil, 1, 2)
	h.run(0, "fetch")
	h.run(0, "export", "--out", usb)
	if err := os.WriteFile(strange, []byte("another's"), 0o600); err != nil {
		t.Fatal(err)
	}
	want(2, 0, 0)
	h.run(0, "reject", relaytest.ID(1), "--why", "a mistake")
	words := h.says(0, "export", "--out", usb) // of the other one
	if !strings.Contains(words, "must not be signed any more (item "+relaytest.ID(1)) &&
		!strings.Contains(words, "must not be signed any more ("+relaytest.ID(1)) {
		t.Error(words)
	}
	want(2, 0, 1)
	if reasons, _ := filepath.Glob(filepath.Join(usb, "void", "*.reason.txt")); len(reasons) != 1 {
		t.Errorf("%v", reasons)
	}
	if err := os.Remove(strange); err != nil {
		t.Fatal(err)
	}
	h.sign(usb)
	if words := h.says(0, "import", usb); !strings.Contains(words, "has its result; it is in ") {
		t.Error(words)
	}
	want(0, 1, 1)
	h.run(0, "broadcast")
	h.wants(2, "completed", "")

	// A journal that lost what it wrote takes nothing away.
	backup := filepath.Join(h.dir, "backup")
	h.run(0, "backup", backup)
	h.pay(nil, 3)
	h.run(0, "fetch")
	h.run(0, "export", "--out", usb)
	h.restores(backup)
	h.run(0, "export", "--out", usb)
	want(1, 1, 1)
}

// Somebody else has closed an alarm before. That stays, and nobody is told otherwise.
func closedAlready(t *testing.T) {
	h := newTeller(t)
	h.signed(nil, 1, 2)
	h.server.Change(relaytest.ID(1), "index", 7)
	h.run(3, "broadcast")
	h.run(0, "acknowledge", "1", "--why", "the first word")
	words := h.says(3, "acknowledge", "1", "2", "--why", "the second word")
	if !strings.Contains(words, "alarm 1 was closed already, at 20") || !strings.Contains(words, "(the first word)") {
		t.Error(words)
	}
	if !strings.Contains(words, `"closedBefore": [`) || strings.Contains(words, "alarm 2 was") {
		t.Error(words)
	}
	if all := string(h.run(0, "alarms", "--all", "--json")); !strings.Contains(all, `"why": "the first word"`) {
		t.Error(all)
	}
}

// A result of a signer that has forgotten what it signed before.
func ledgerWentBack(t *testing.T) {
	h := newTeller(t)
	h.signed(nil, 1)
	h.signed(nil, 2)
	h.signer.Lines = 0
	usb := t.TempDir()
	h.pay(nil, 3)
	h.run(0, "fetch")
	h.run(0, "export", "--out", usb)
	h.sign(usb)
	for range 2 {
		h.run(3, "import", usb)
		h.alarms("ledger-rolled-back")
	}
	h.run(0, "acknowledge", "1", "--why", "it came late")
	h.run(0, "import", usb)
	h.alarms("")
}

// PSBTs on a stick whose items are rejected must not be signed any more, as little as
// requests.
func tidiedPSBTs(t *testing.T) {
	h := newTeller(t)
	usb := t.TempDir()
	want := func(open, done, void int) {
		t.Helper()
		for sub, n := range map[string]int{".": open, "done": done, "void": void} {
			if found, _ := filepath.Glob(filepath.Join(usb, sub, "*.psbt")); len(found) != n {
				t.Errorf("%s: %v, want %d", sub, found, n)
			}
		}
	}
	h.pay(nil, 1, 2)
	h.run(0, "fetch")
	h.run(0, "export", "--psbt", "--out", usb)
	strange := []byte("psbt\xffanother's")
	if err := os.WriteFile(filepath.Join(usb, "strange.psbt"), strange, 0o600); err != nil {
		t.Fatal(err)
	}
	want(3, 0, 0)
	h.run(0, "reject", relaytest.ID(1), "--why", "a mistake")
	words := h.says(0, "export", "--psbt", "--out", usb)
	if !strings.Contains(words, "must not be signed any more ("+relaytest.ID(1)) {
		t.Error(words)
	}
	want(2, 0, 1)
	reasons, _ := filepath.Glob(filepath.Join(usb, "void", "*.reason.txt"))
	if len(reasons) != 1 {
		t.Errorf("%v", reasons)
	}
	other := t.TempDir()
	h.run(0, "export", "--again", "--out", other)
	h.sign(other)
	h.run(0, "import", other)
	h.run(0, "export", "--psbt", "--out", usb)
	want(1, 1, 1)
}

// requestsIn counts the requests that lie in a folder of a stick.
func requestsIn(usb, sub string) int {
	found, _ := filepath.Glob(filepath.Join(usb, sub, "*.kmsreq"))
	return len(found)
}

// The contents of a request that is void, under the name of one that is not: the
// export takes them away and writes what belongs there.
func voidUnderLiveName(t *testing.T) {
	h := newTeller(t)
	usb := t.TempDir()
	h.pay(nil, 1, 2)
	h.run(0, "fetch")
	h.run(0, "export", "--out", usb)
	first, _ := filepath.Glob(filepath.Join(usb, "*.kmsreq"))
	void, err := os.ReadFile(first[0])
	if err != nil {
		t.Fatal(err)
	}
	h.run(0, "reject", relaytest.ID(1), "--why", "a mistake")
	h.run(0, "export", "--out", usb)
	live, _ := filepath.Glob(filepath.Join(usb, "*.kmsreq"))
	if len(live) != 1 {
		t.Fatal(live)
	}
	good, err := os.ReadFile(live[0])
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := os.WriteFile(live[0], void, 0o600); err != nil {
			t.Fatal(err)
		}
		words := h.says(0, "export", "--out", usb)
		if !strings.Contains(words, "must not be signed any more") {
			t.Error(words)
		}
		if b, err := os.ReadFile(live[0]); err != nil || !bytes.Equal(b, good) {
			t.Errorf("what lies there is not the request: %v", err)
		}
	}
}

// What has its result leaves the stick, also where the result came another way, and
// what was put into another request leaves it too.
func answeredLeaves(t *testing.T) {
	h := newTeller(t)
	usb, other := t.TempDir(), t.TempDir()
	h.pay(nil, 1)
	h.run(0, "fetch")
	h.run(0, "export", "--out", usb)
	h.run(0, "export", "--out", other)
	h.sign(other)
	h.run(0, "import", other)
	h.pay(nil, 2)
	h.run(0, "fetch")
	h.run(0, "export", "--again", "--out", usb)
	if open, done := requestsIn(usb, "."), requestsIn(usb, "done"); open != 1 || done != 1 {
		t.Errorf("%d open, %d done", open, done)
	}
	h.pay(nil, 3)
	h.run(0, "fetch")
	h.run(0, "export", "--again", "--out", usb)
	if open := requestsIn(usb, "."); open != 1 {
		t.Errorf("%d open", open)
	}
	_ = os.RemoveAll(filepath.Join(usb, "done"))
	h.sign(usb)
	h.run(0, "import", usb)
	h.run(0, "export", "--again", "--out", usb)
	if open := requestsIn(usb, "."); open != 0 {
		t.Errorf("%d open", open)
	}
}
