package harden_test

import (
	"bytes"
	"fmt"
	"os"
	"strings"
	"testing"
	"unsafe"

	"coldkms/offline/harden"
)

func TestPagesKeepSecretsLocked(t *testing.T) {
	var p harden.Pages
	var kept [][]byte
	for i := range 3000 { // more than one chunk
		secret := bytes.Repeat([]byte{byte(i + 1)}, 100)
		k := p.Keep(secret)
		if bytes.ContainsFunc(secret, func(r rune) bool { return r != 0 }) {
			t.Fatal("the old place still has it")
		}
		kept = append(kept, k)
	}
	for i, k := range kept {
		if !bytes.Equal(k, bytes.Repeat([]byte{byte(i + 1)}, 100)) {
			t.Fatalf("secret %d was overwritten", i)
		}
	}
	if n := len(append(kept[0], 1)); n != 101 || kept[1][0] != 2 {
		t.Error("growing one secret reaches into the next")
	}
	locked, unlocked := p.Bytes()
	if locked+unlocked < 300_000 {
		t.Errorf("%d bytes locked, %d not", locked, unlocked)
	}
	if unlocked == 0 && !flagged(t, kept[0], "lo") {
		t.Error("the kernel does not know these pages as locked")
	}
	if !flagged(t, kept[0], "dd") {
		t.Error("the pages would be in a core file")
	}
	if len(p.Keep(nil)) != 0 {
		t.Error("nothing became something")
	}
}

// flagged looks a slice's mapping up in what the kernel says of this process
// (proc_pid_smaps(5)): lo is locked, dd not dumped.
func flagged(t *testing.T, b []byte, flag string) bool {
	t.Helper()
	smaps, err := os.ReadFile("/proc/self/smaps")
	if err != nil {
		t.Skip(err)
	}
	at := uintptr(unsafe.Pointer(&b[0]))
	inside := false
	for line := range strings.Lines(string(smaps)) {
		var from, to uintptr
		if n, _ := sscanRange(line, &from, &to); n {
			inside = from <= at && at < to
		}
		if inside && strings.HasPrefix(line, "VmFlags:") {
			return strings.Contains(line+" ", " "+flag+" ")
		}
	}
	return false
}

// sscanRange reads "from-to" at the start of a mapping's first line.
func sscanRange(line string, from, to *uintptr) (bool, error) {
	n, err := fmt.Sscanf(line, "%x-%x ", from, to)
	return n == 2, err
}
