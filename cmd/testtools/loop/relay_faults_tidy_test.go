//go:build unix

package loop

import (
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
	if words := h.says(0, "import", usb); !strings.Contains(words, "has its result, and is in ") {
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
