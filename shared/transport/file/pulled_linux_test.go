package file_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"coldkms/shared/durable"
	"coldkms/shared/transport/file"
)

// fatFuse can rename without overwriting neither in one step nor by hard links.
type fatFuse struct{ durable.FS }

func (fatFuse) RenameNew(string, string) error { return &os.LinkError{Op: "link", Err: syscall.EPERM} }

func TestWithoutRenameNew(t *testing.T) {
	m := file.Media{FS: fatFuse{durable.OS{}}, Dir: t.TempDir()}
	if _, err := m.Put("a.kmsres", content(10)); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if _, err := m.Aside("a.kmsres", "done", ""); err != nil {
			t.Fatal(err)
		}
		if _, err := m.Put("a.kmsres", content(10)); err != nil {
			t.Fatal(err)
		}
	}
	if got := names(t, filepath.Join(m.Dir, "done")); got != "a-2.kmsres a.kmsres" {
		t.Error(got)
	}
}

// leaving is a stick that is unmounted at one step; an empty folder stays.
type leaving struct {
	durable.FS
	dir, at string
}

func (l leaving) step(name string) {
	if name == l.at {
		_ = os.Rename(l.dir, l.dir+".stick")
		_ = os.Mkdir(l.dir, 0o700)
	}
}

func (l leaving) OpenFile(name string, flag int, perm fs.FileMode) (durable.File, error) {
	l.step("open")
	return l.FS.OpenFile(name, flag, perm)
}

func (l leaving) RenameNew(from, to string) error {
	l.step("rename")
	return l.FS.RenameNew(from, to)
}

func (l leaving) SyncDir(name string) error {
	l.step("syncdir")
	return l.FS.SyncDir(name)
}

// What an unmounted stick leaves behind is a folder that takes everything.
func TestUnmountedMeanwhile(t *testing.T) {
	for _, at := range []string{"rename", "syncdir"} {
		dir := filepath.Join(t.TempDir(), "stick")
		if err := os.Mkdir(dir, 0o700); err != nil {
			t.Fatal(err)
		}
		m := file.Media{FS: leaving{durable.OS{}, dir, at}, Dir: dir}
		if w, err := m.Put("a.kmsres", content(10)); !errors.Is(err, file.ErrGone) {
			t.Errorf("unmounted at %s: %+v, %v", at, w, err)
		}
	}
}

// moved is a folder that is on another device whenever it is looked at.
type moved struct {
	durable.FS
	device *uint64
}

type onDevice struct {
	fs.FileInfo
	device uint64
}

func (o onDevice) Sys() any { return &syscall.Stat_t{Dev: o.device} }

func (m moved) Stat(name string) (fs.FileInfo, error) {
	info, err := m.FS.Stat(name)
	*m.device++
	return onDevice{info, *m.device}, err
}

func TestAnotherStickMeanwhile(t *testing.T) {
	m := file.Media{FS: moved{durable.OS{}, new(uint64)}, Dir: t.TempDir()}
	if _, err := m.Put("a.kmsres", content(10)); !errors.Is(err, file.ErrGone) {
		t.Error(err)
	}
}

// A stick that is gone answers in several ways at once.
func TestGoneComesFirst(t *testing.T) {
	for _, says := range []error{syscall.EIO, syscall.ENOTCONN, syscall.ECONNABORTED, syscall.ENODEV, syscall.EREMOTEIO,
		syscall.EUCLEAN} {
		err := file.Reading(errors.Join(syscall.EROFS, says, syscall.ENOSPC))
		if !errors.Is(err, file.ErrGone) || errors.Is(err, file.ErrReadOnly) {
			t.Errorf("%v: %v", says, err)
		}
	}
	if err := file.Reading(syscall.EACCES); !errors.Is(err, file.ErrNotYours) {
		t.Error(err)
	}
	if file.Reading(nil) != nil {
		t.Error("an error of nothing")
	}
}

// What is pulled out during an hour's review leaves a folder behind that is on
// the disk of the machine.
func TestMediumHolds(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "not", "there", "yet")
	here := file.MediumOf(durable.OS{}, dir)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := here.Holds(durable.OS{}, dir); err != nil {
		t.Error(err)
	}
	other := moved{durable.OS{}, new(uint64)}
	if err := file.MediumOf(other, dir).Holds(other, dir); !errors.Is(err, file.ErrGone) {
		t.Errorf("another device: %v", err)
	}
	if err := file.MediumOf(other, dir).Holds(other, t.TempDir()); err != nil {
		t.Errorf("another folder: %v", err)
	}
}
