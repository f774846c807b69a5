//go:build unix

package durable_test

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"coldkms/shared/durable"
	"coldkms/shared/durable/faultfs"
)

func read(t *testing.T, path string) string {
	t.Helper()
	b, err := durable.ReadFile(durable.OS{}, path, 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func put(t *testing.T, path, content string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

// names lists a folder, to see what was left behind.
func names(t *testing.T, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, e := range entries {
		out = append(out, e.Name())
	}
	return out
}

func TestReplaceKeepsOldOrNew(t *testing.T) {
	for _, mode := range []faultfs.Mode{faultfs.Once, faultfs.Short, faultfs.Crash} {
		dir := t.TempDir()
		path := filepath.Join(dir, "f")
		replace := func(f *faultfs.FS) error {
			return durable.Replace(f, path, []byte("new content"), 0o600, nil)
		}
		points, err := faultfs.Each(durable.OS{}, mode, syscall.EIO, replace, func(n int, f *faultfs.FS) {
			put(t, path, "old")
			err := replace(f)
			got := read(t, path)
			switch {
			case err == nil:
				t.Errorf("mode %d: operation %d (%s) failed and Replace did not", mode, n, f.Trace()[n-1])
			case errors.Is(err, durable.ErrUnsynced) && got != "new content":
				t.Errorf("mode %d: operation %d: unsynced, but the content is %q", mode, n, got)
			case err != nil && !errors.Is(err, durable.ErrUnsynced) && got != "old":
				t.Errorf("mode %d: operation %d: %v, and the content is %q", mode, n, err, got)
			}
			if left := names(t, dir); mode != faultfs.Crash && len(left) != 1 {
				t.Errorf("mode %d: operation %d left %v", mode, n, left)
			}
			if err := durable.Sweep(durable.OS{}, path); err != nil {
				t.Error(err)
			}
			if left := names(t, dir); len(left) != 1 {
				t.Errorf("mode %d: operation %d: after Sweep there is %v", mode, n, left)
			}
		})
		if err != nil || points < 9 {
			t.Fatalf("%d operations, %v", points, err)
		}
	}
}

// The order is what makes it durable; a file system that is not crashed by
// the test cannot show a missing sync, so the order itself is the promise.
func TestReplaceOrder(t *testing.T) {
	path := filepath.Join(t.TempDir(), "f")
	f := &faultfs.FS{Base: durable.OS{}}
	if err := durable.Replace(f, path, []byte("x"), 0o600, nil); err != nil {
		t.Fatal(err)
	}
	trace := f.Trace()
	at := -1
	for _, step := range []string{"open .f.tmp-0", "write .f.tmp-0", "sync .f.tmp-0", "close .f.tmp-0", "open .f.tmp-0",
		"read .f.tmp-0", "rename f", "syncdir " + filepath.Base(filepath.Dir(path))} {
		next := slices.Index(trace[at+1:], step)
		if next < 0 {
			t.Fatalf("%q is missing, or not in its place, in %q", step, trace)
		}
		at += 1 + next
	}
}

func TestReplaceVerifies(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "f")
	put(t, path, "old")
	no := errors.New("no")
	err := durable.Replace(durable.OS{}, path, []byte("new"), 0o600, func(b []byte) error {
		if string(b) != "new" {
			t.Errorf("verify got %q", b)
		}
		return no
	})
	if !errors.Is(err, no) || read(t, path) != "old" || len(names(t, dir)) != 1 {
		t.Errorf("%v; %q; %v", err, read(t, path), names(t, dir))
	}
}

// What another writer has not finished is his.
func TestReplaceLeavesOtherTemps(t *testing.T) {
	dir := t.TempDir()
	path, other := filepath.Join(dir, "f"), filepath.Join(dir, ".f.tmp-0")
	put(t, other, "theirs")
	if err := durable.Replace(durable.OS{}, path, []byte("ours"), 0o600, nil); err != nil {
		t.Fatal(err)
	}
	if read(t, path) != "ours" || read(t, other) != "theirs" {
		t.Errorf("%q, %q", read(t, path), read(t, other))
	}
	for n := range 100 {
		put(t, filepath.Join(dir, fmt.Sprintf(".f.tmp-%d", n)), "")
	}
	if err := durable.Replace(durable.OS{}, path, []byte("more"), 0o600, nil); err == nil || read(t, path) != "ours" {
		t.Errorf("%v; %q", err, read(t, path))
	}
}

// A disk that keeps something else than it was given is found before the
// rename.
type liar struct{ durable.OS }

type liarFile struct{ durable.File }

func (l liar) OpenFile(name string, flag int, perm fs.FileMode) (durable.File, error) {
	f, err := l.OS.OpenFile(name, flag, perm)
	return liarFile{f}, err
}

func (f liarFile) Write(b []byte) (int, error) {
	wrong := bytes.Clone(b)
	wrong[len(wrong)/2] ^= 1
	return f.File.Write(wrong)
}

func TestReplaceReadsBack(t *testing.T) {
	path := filepath.Join(t.TempDir(), "f")
	put(t, path, "old")
	if err := durable.Replace(liar{}, path, []byte("new"), 0o600, nil); err == nil || read(t, path) != "old" {
		t.Errorf("%v; %q", err, read(t, path))
	}
}

func TestReplaceMode(t *testing.T) {
	path := filepath.Join(t.TempDir(), "f")
	put(t, path, "old")
	if err := os.Chmod(path, 0o666); err != nil {
		t.Fatal(err)
	}
	if err := durable.Replace(durable.OS{}, path, []byte("new"), 0o600, nil); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
}

func TestReplaceRefusesLink(t *testing.T) {
	dir := t.TempDir()
	target, link := filepath.Join(dir, "target"), filepath.Join(dir, "link")
	put(t, target, "old")
	if err := os.Symlink(target, link); err != nil {
		t.Skip(err)
	}
	if err := durable.Replace(durable.OS{}, link, []byte("new"), 0o600, nil); !errors.Is(err, durable.ErrNotRegular) {
		t.Errorf("got %v", err)
	}
}

func TestCreate(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "f")
	create := func(f durable.FS, content string) error {
		return durable.Create(f, path, []byte(content), 0o600, nil)
	}
	if err := create(durable.OS{}, "one"); err != nil {
		t.Fatal(err)
	}
	if err := create(durable.OS{}, "one"); err != nil {
		t.Errorf("the same again: %v", err)
	}
	for _, other := range []string{"", "on", "two", "one more"} {
		if err := create(durable.OS{}, other); !errors.Is(err, durable.ErrExists) {
			t.Errorf("%q over %q: %v", other, "one", err)
		}
	}
	if read(t, path) != "one" || len(names(t, dir)) != 1 {
		t.Errorf("%q, %v", read(t, path), names(t, dir))
	}
}

// late hides a file until the rename, as if another process made it meanwhile.
type late struct{ durable.OS }

func (late) Lstat(string) (fs.FileInfo, error) { return nil, fs.ErrNotExist }

func TestCreateNeverOverwrites(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "f")
	put(t, path, "theirs")
	if err := durable.Create(late{}, path, []byte("ours"), 0o600, nil); !errors.Is(err, durable.ErrExists) {
		t.Errorf("got %v", err)
	}
	if read(t, path) != "theirs" || len(names(t, dir)) != 1 {
		t.Errorf("%q, %v", read(t, path), names(t, dir))
	}
}

func TestCreateFaults(t *testing.T) {
	for _, mode := range []faultfs.Mode{faultfs.Once, faultfs.Short, faultfs.Crash} {
		dir := t.TempDir()
		path := filepath.Join(dir, "f")
		create := func(f *faultfs.FS) error { return durable.Create(f, path, []byte("content"), 0o600, nil) }
		_, err := faultfs.Each(durable.OS{}, mode, nil, create, func(n int, f *faultfs.FS) {
			_ = os.Remove(path)
			err := create(f)
			b, missing := os.ReadFile(path)
			if missing == nil && string(b) != "content" {
				t.Errorf("operation %d: half-written %q", n, b)
			}
			if err == nil && missing != nil {
				t.Errorf("operation %d: reported as done, and it is not there", n)
			}
			if err := durable.Sweep(durable.OS{}, path); err != nil {
				t.Error(err)
			}
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

func TestReadFileRefuses(t *testing.T) {
	dir := t.TempDir()
	fifo := filepath.Join(dir, "fifo")
	if err := syscall.Mkfifo(fifo, 0o600); err != nil {
		t.Skip(err)
	}
	for path, word := range map[string]string{fifo: "named pipe", dir: "folder", "/dev/null": "device"} {
		_, err := durable.ReadFile(durable.OS{}, path, 10)
		if !errors.Is(err, durable.ErrNotRegular) || !strings.Contains(err.Error(), word) {
			t.Errorf("%s: %v", path, err)
		}
	}
	big := filepath.Join(dir, "big")
	put(t, big, "0123456789A")
	if _, err := durable.ReadFile(durable.OS{}, big, 10); !errors.Is(err, durable.ErrTooLarge) {
		t.Errorf("got %v", err)
	}
	if b, err := durable.ReadFile(durable.OS{}, big, 11); err != nil || string(b) != "0123456789A" {
		t.Errorf("%q, %v", b, err)
	}
	if _, err := durable.ReadFile(durable.OS{}, filepath.Join(dir, "none"), 1); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got %v", err)
	}
}

func TestRemove(t *testing.T) {
	path := filepath.Join(t.TempDir(), "f")
	put(t, path, "x")
	for range 2 { // the second time it is gone already
		if err := durable.Remove(durable.OS{}, path); err != nil {
			t.Error(err)
		}
	}
	if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
		t.Error("it is still there")
	}
}

func TestPermissions(t *testing.T) {
	dir := t.TempDir()
	for _, c := range []struct {
		mode fs.FileMode
		ok   bool
	}{
		{0o700, true}, {0o755, true}, {0o500, true}, {0o770, false}, {0o777, false}, {0o757, false},
		{0o777 | fs.ModeSticky, os.Geteuid() == 0}, // as /tmp, if it is root's
	} {
		sub := filepath.Join(dir, c.mode.String())
		if err := errors.Join(os.Mkdir(sub, 0o700), os.Chmod(sub, c.mode)); err != nil {
			t.Fatal(err)
		}
		for what, check := range map[string]func(durable.FS, string) error{"CheckDir": durable.CheckDir,
			"MakeDir": durable.MakeDir} {
			if err := check(durable.OS{}, sub); (err == nil) != c.ok || (err != nil && !errors.Is(err, durable.ErrInsecure)) {
				t.Errorf("%s of %v: %v", what, c.mode, err)
			}
		}
	}
	for mode, ok := range map[fs.FileMode]bool{0o600: true, 0o400: true, 0o644: true, 0o660: false, 0o602: false,
		0o666: false} {
		file := filepath.Join(dir, "f"+mode.String())
		put(t, file, "")
		if err := os.Chmod(file, mode); err != nil {
			t.Fatal(err)
		}
		if err := durable.CheckFile(durable.OS{}, file); (err == nil) != ok {
			t.Errorf("file %v: %v", mode, err)
		}
	}
}

func TestMakeDir(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a", "b")
	if err := durable.MakeDir(durable.OS{}, path); err != nil {
		t.Fatal(err)
	}
	for _, dir := range []string{path, filepath.Dir(path)} {
		if info, err := os.Stat(dir); err != nil || info.Mode().Perm() != 0o700 {
			t.Errorf("%s: %v, %v", dir, info.Mode(), err)
		}
	}
	file := filepath.Join(path, "f")
	put(t, file, "")
	if err := durable.MakeDir(durable.OS{}, file); err == nil {
		t.Error("a file passed for a folder")
	}
}
