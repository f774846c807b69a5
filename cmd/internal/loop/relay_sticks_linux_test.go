package loop

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"coldkms/online/onlinetest"
)

// stickKind is a file system that sticks have, and how one is made and mounted.
type stickKind struct {
	name        string
	make, mount []string // the image, and the folder, are put behind them
}

// The kernel's exFAT, for exfat-fuse has no way to rename without overwriting.
var stickKinds = [...]stickKind{
	{"ext4", []string{"mkfs.ext4", "-q", "-F"}, []string{"mount", "-o", "loop"}},
	{"NTFS", []string{"mkfs.ntfs", "-q", "-F"}, []string{"ntfs-3g"}},
	{"exFAT", []string{"mkfs.exfat"}, []string{"mount", "-t", "exfat", "-o", "loop"}},
	{"FAT", []string{"mkfs.vfat"}, []string{"mount", "-t", "vfat", "-o", "loop"}},
}

// realSticks takes a payment over real file systems in images: one that is
// full, then pulled out under the daemon, then there again.
func realSticks(t *testing.T) {
	for _, k := range stickKinds {
		t.Run(k.name, k.carries)
	}
}

// system runs a command of the system, or skips the test where it cannot.
func system(t *testing.T, args ...string) {
	t.Helper()
	if out, err := exec.Command(args[0], args[1:]...).CombinedOutput(); err != nil {
		fmt.Printf("relay fault: %s: SKIPPED, this machine refuses %s: %v %.200s\n", t.Name(), strings.Join(args, " "), err, out)
		t.Skipf("%v: %v %s", args, err, out)
	}
}

func (k stickKind) carries(t *testing.T) {
	if os.Getuid() != 0 {
		fmt.Printf("relay fault: %s: SKIPPED, only root mounts\n", t.Name())
		t.Skip("only root mounts")
	}
	p := newStick(t, 1)
	image := filepath.Join(p.dir, "image")
	p.write(image, nil)
	if err := os.Truncate(image, 16<<20); err != nil {
		t.Fatal(err)
	}
	system(t, append(append([]string(nil), k.make...), image)...)
	mount := append(append([]string(nil), k.mount...), image, p.stick())
	system(t, mount...)
	t.Cleanup(func() { _ = exec.Command("umount", "-l", p.stick()).Run() })
	drop := filepath.Join(p.stick(), "coldkms")
	if err := os.Mkdir(drop, 0o700); err != nil {
		t.Fatal(err)
	}
	filler := filepath.Join(p.stick(), "filler")
	_ = exec.Command("dd", "if=/dev/zero", "of="+filler, "bs=4096").Run() // until it is full
	got := p.run("daemon", "--runOnce", "--drop", drop)
	if all, _ := p.requests(drop); len(all) == 0 && !strings.Contains(got.out, "full") {
		t.Errorf("a full stick: %s%s", got.out, got.err)
	}
	if err := os.Remove(filler); err != nil {
		t.Fatal(err)
	}
	p.run("daemon", "--runOnce", "--drop", drop)
	if all, _ := p.requests(drop); len(all) != 1 {
		t.Fatalf("%d requests are on the stick", len(all))
	}
	_, requests := p.requests(drop)
	for n := range 1000 {
		p.write(filepath.Join(drop, fmt.Sprintf("junk-%04d.kmsres", n)), []byte("junk"))
	}
	system(t, "umount", "-l", p.stick()) // pulled out
	if got := p.run("daemon", "--runOnce", "--drop", drop); !strings.Contains(got.out, `"away"`) {
		t.Errorf("away: %s", got.out)
	}
	system(t, "sleep", "1")
	system(t, mount...)
	p.write(filepath.Join(drop, "a.kmsres"), p.signer.Sign(requests[0], nil))
	p.run("daemon", "--runOnce", "--drop", drop)
	if got := p.states(); got[onlinetest.ID(1)] != "completed" {
		t.Errorf("%v", got)
	}
}
