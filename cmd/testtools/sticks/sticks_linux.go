// Package sticks makes real file systems in images for tests: mounts them,
// fills them, mounts them read-only, and pulls them out in the middle of a
// write. Where the kernel has no driver for one, a driver in user space stands
// in; where there is neither, the test is skipped, and says so.
package sticks

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// Kind is a file system that sticks have.
type Kind struct {
	Name   string
	format []string // the image is put behind it
	mounts []driver // the first that works is taken
}

// driver mounts a file system. The device and the folder are put behind it.
type driver struct {
	command []string
	loop    bool // it needs a loop device
}

// Kinds are those that are tried. There is no FAT through FUSE: fusefat forgets
// what was synced when it is killed, and hangs in a folder of 1,000 files.
func Kinds() []Kind {
	kernel := func(name string) driver { return driver{[]string{"mount", "-t", name}, true} }
	return []Kind{
		{"ext4", []string{"mkfs.ext4", "-q", "-F"}, []driver{kernel("ext4")}},
		{"NTFS", []string{"mkfs.ntfs", "-q", "-F"}, []driver{{[]string{"ntfs-3g"}, false}}},
		{"exFAT", []string{"mkfs.exfat"}, []driver{kernel("exfat"), {[]string{"mount.exfat-fuse"}, true}}},
		{"FAT", []string{"mkfs.vfat"}, []driver{kernel("vfat")}},
	}
}

// Stick is an image with a file system, mounted at Dir while it is in.
type Stick struct {
	t      testing.TB
	kind   Kind
	Dir    string
	image  string
	device string // the loop device, "" where there is none
	driver driver
}

// New makes a stick of 16 MiB and puts it in.
func New(t testing.TB, kind Kind) *Stick {
	t.Helper()
	if os.Getuid() != 0 {
		skip(t, "only root mounts")
	}
	base := t.TempDir()
	s := &Stick{t: t, kind: kind, Dir: filepath.Join(base, "stick"), image: filepath.Join(base, "image")}
	if err := os.Mkdir(s.Dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(s.image, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(s.image, 16<<20); err != nil {
		t.Fatal(err)
	}
	if said, err := system(append(append([]string(nil), kind.format...), s.image)...); err != nil {
		skip(t, said)
	}
	t.Cleanup(s.out)
	var all []string
	for _, s.driver = range kind.mounts {
		said, err := s.mount()
		if err == nil {
			return s
		}
		s.out()
		all = append(all, said)
	}
	skip(t, "this kernel mounts no "+kind.Name+" here: "+strings.Join(all, "; "))
	return nil
}

// skip says aloud that this machine cannot run a test.
func skip(t testing.TB, why string) {
	t.Helper()
	fmt.Printf("stick: %s: SKIPPED: %.300s\n", t.Name(), why)
	t.Skip(why)
}

func system(args ...string) (said string, err error) {
	out, err := exec.Command(args[0], args[1:]...).CombinedOutput()
	if err != nil {
		return fmt.Sprintf("%s: %v %s", strings.Join(args, " "), err, strings.TrimSpace(string(out))), err
	}
	return strings.TrimSpace(string(out)), nil
}

// mount puts the stick in. Options come behind the driver's own.
func (s *Stick) mount(options ...string) (said string, err error) {
	what := s.image
	if s.driver.loop {
		if said, err := system("losetup", "--find", "--show", s.image); err != nil {
			return said, err
		} else {
			s.device, what = said, said
		}
	}
	said, err = system(append(append(append([]string(nil), s.driver.command...), options...), what, s.Dir)...)
	for n := 0; err == nil && !s.mounted() && n < 500; n++ { // some drivers go on before they have mounted
		time.Sleep(10 * time.Millisecond)
	}
	if err == nil && !s.mounted() {
		return "it does not mount", os.ErrDeadlineExceeded
	}
	return said, err
}

// mounted reports whether another file system is at Dir than around it.
func (s *Stick) mounted() bool {
	var here, around unix.Stat_t
	return unix.Stat(s.Dir, &here) == nil && unix.Stat(filepath.Dir(s.Dir), &around) == nil && here.Dev != around.Dev
}

// Plug puts the stick in again.
func (s *Stick) Plug() {
	s.t.Helper()
	s.out()
	if said, err := s.mount(); err != nil {
		s.t.Fatal(said)
	}
}

// Protect takes the stick out and puts it in write-protected.
func (s *Stick) Protect() {
	s.t.Helper()
	s.out()
	if said, err := s.mount("-o", "ro"); err != nil {
		s.t.Fatal(said)
	}
}

// Pull takes the stick out with a lazy unmount: what is open can still be
// written, and the folder is another one from then on.
func (s *Stick) Pull() {
	for unix.Unmount(s.Dir, unix.MNT_DETACH) == nil {
	}
}

// out takes the stick out for good.
func (s *Stick) out() {
	s.Pull()
	s.detach()
}

// Break takes the device away under a mounted file system: every operation
// fails from then on, and what was not synced is lost.
func (s *Stick) Break() {
	s.t.Helper()
	if pid := s.process(); pid != 0 {
		if err := unix.Kill(pid, unix.SIGKILL); err != nil {
			s.t.Fatal(err)
		}
		return
	}
	d, err := os.Open(s.Dir)
	if err != nil {
		s.t.Fatal(err)
	}
	defer d.Close()
	const shutdown, withoutLog = 0x8004587d, 2 // FS_IOC_SHUTDOWN
	if err := unix.IoctlSetPointerInt(int(d.Fd()), shutdown, withoutLog); err != nil {
		s.t.Fatal(err)
	}
}

// detach waits until neither a driver nor a loop device holds the image.
func (s *Stick) detach() {
	for n := 0; s.process() != 0 && n < 500; n++ {
		time.Sleep(10 * time.Millisecond)
	}
	if s.device == "" {
		return
	}
	_, _ = system("losetup", "--detach", s.device)
	for n := 0; n < 500; n++ {
		if out, err := system("losetup", "--associated", s.image); err == nil && out == "" {
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	s.device = ""
}

// process returns the driver in user space that serves Dir, 0 if there is none.
func (s *Stick) process() int {
	list, _ := filepath.Glob("/proc/[0-9]*/cmdline")
	for _, path := range list {
		line, err := os.ReadFile(path)
		args := strings.Split(strings.TrimRight(string(line), "\x00"), "\x00")
		if err != nil || len(args) < 3 || filepath.Base(args[0]) != filepath.Base(s.driver.command[0]) ||
			args[len(args)-1] != s.Dir {
			continue
		}
		pid, _ := strconv.Atoi(filepath.Base(filepath.Dir(path)))
		return pid
	}
	return 0
}
