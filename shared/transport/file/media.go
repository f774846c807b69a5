// Package file carries bytes over the gap as files on something that a person
// carries: a USB stick, a card, a disc, or a folder that stands for one.
//
// A file appears whole or not at all, under its final name only after it was
// read back, where the system allows it from the medium and not from memory.
// Nothing is overwritten (where a file system knows no such rename, as FAT
// through FUSE, the name was free a moment before). What goes wrong is named: a full stick, a
// write-protected one, one that was pulled out, one that returns other
// bytes. Links, pipes and devices that somebody put there are not followed and
// never waited for.
package file

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"coldkms/shared/durable"
)

// What can be wrong with a stick.
var (
	ErrFull     = errors.New("the stick is full")
	ErrReadOnly = errors.New("the stick is write-protected")
	ErrNotYours = errors.New("this user may not read it: look at its owner and mode")
	ErrGone     = errors.New("the stick was pulled out, or is broken")
	ErrTorn     = errors.New("the stick gives back other bytes than were written")
	ErrExists   = errors.New("there is a file of that name with other content")
)

// Media is a stick, by the folder on it that is used.
type Media struct {
	FS  durable.FS
	Dir string

	// Uncached reads a file past the system's memory, nil where that cannot
	// be had. direct reports whether it was.
	Uncached func(path string, limit int64) (data []byte, direct bool, err error)
}

// On returns the folder dir of this machine.
func On(dir string) Media { return Media{FS: durable.OS{}, Dir: dir, Uncached: uncached} }

// Of returns the folder that a path is in, reached through fsys.
func Of(fsys durable.FS, path string) Media {
	return Media{FS: fsys, Dir: filepath.Dir(path), Uncached: uncached}
}

// Present reports whether the folder is there, which it is not while the stick
// is away.
func (m Media) Present() bool {
	info, err := m.FS.Stat(m.Dir)
	return err == nil && info.IsDir()
}

// Written is what is known of a file that was put in place.
type Written struct {
	Path   string
	Before bool // it was there already, the same bytes
	Direct bool // read back from the medium; otherwise from the system's memory
}

// Put writes a file, which appears under its name when all of it was read
// back. Writing the same content again is not an error.
func (m Media) Put(name string, data []byte) (Written, error) {
	w := Written{Path: filepath.Join(m.Dir, name)}
	if err := CheckName(name); err != nil {
		return w, err
	}
	folder, err := m.FS.Stat(m.Dir)
	if err != nil || !folder.IsDir() {
		return w, fmt.Errorf("write %s: %w: there is no folder %s", name, ErrGone, m.Dir)
	}
	_, err = m.FS.Lstat(w.Path)
	if err == nil {
		w.Before = true
		w.Direct, err = m.same(w.Path, data, ErrExists)
		return w, named("write "+name, err)
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return w, named("write "+name, err)
	}
	if w.Direct, err = m.place(w.Path, data); err == nil {
		err = m.stayed(folder, w.Path)
	}
	if errors.Is(err, fs.ErrNotExist) { // what was there a moment ago
		err = fmt.Errorf("%w: %w", ErrGone, err)
	}
	return w, named("write "+name, err)
}

// stayed looks whether a file that was put in place is on the same medium as
// the folder was before: the empty folder that an unmounted stick leaves
// behind is synced without an error.
func (m Media) stayed(folder fs.FileInfo, path string) error {
	now, err := m.FS.Stat(m.Dir)
	if err == nil {
		_, err = m.FS.Lstat(path)
	}
	if err == nil && !sameMedium(folder, now) {
		err = fmt.Errorf("%w: another one is mounted at %s now", ErrGone, m.Dir)
	}
	return err
}

// place writes a temporary file, reads it back and gives it its name.
func (m Media) place(path string, data []byte) (direct bool, err error) {
	temp := filepath.Join(m.Dir, "."+filepath.Base(path)+".part")
	if _, err := m.FS.Lstat(temp); err == nil { // of a writer that was cut short
		if err := m.FS.Remove(temp); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return false, fmt.Errorf("a part of an earlier write cannot be removed: %w", err)
		}
	}
	if err := m.fill(temp, data); err != nil {
		return false, andThen(err, m.drop(temp))
	}
	if direct, err = m.same(temp, data, ErrTorn); err != nil {
		return direct, andThen(err, m.drop(temp))
	}
	if err := m.rename(temp, path); err != nil {
		if errors.Is(err, fs.ErrExist) {
			err = ErrExists
		}
		return direct, andThen(err, m.drop(temp))
	}
	return direct, m.FS.SyncDir(m.Dir)
}

// rename renames without overwriting. FAT and exFAT through FUSE know neither
// how to do so in one step nor hard links; there it is looked first whether
// the name is free.
func (m Media) rename(from, to string) error {
	err := m.FS.RenameNew(from, to)
	if !errors.Is(err, syscall.EPERM) && !errors.Is(err, syscall.EINVAL) && !errors.Is(err, syscall.ENOTSUP) &&
		!errors.Is(err, syscall.ENOSYS) {
		return err
	}
	switch _, missing := m.FS.Lstat(to); {
	case missing == nil:
		return fs.ErrExist
	case !errors.Is(missing, fs.ErrNotExist):
		return missing
	}
	return m.FS.Rename(from, to)
}

func (m Media) fill(path string, data []byte) error {
	f, err := m.FS.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, durable.PermFile)
	if err != nil {
		return err
	}
	n, err := f.Write(data)
	if err == nil && n < len(data) {
		err = io.ErrShortWrite
	}
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return fmt.Errorf("%d of %d bytes were taken, %d are missing: %w", n, len(data), len(data)-n, err)
	}
	return nil
}

// andThen adds to an error what went wrong after it, in one line.
func andThen(err, after error) error {
	if after == nil {
		return err
	}
	return fmt.Errorf("%w; %w", err, after)
}

// drop removes a temporary file, if there is one and the stick is still there.
func (m Media) drop(path string) error {
	if _, err := m.FS.Lstat(path); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err := m.FS.Remove(path); err != nil && m.Present() && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("and the part that was written stays there as %s: %w", filepath.Base(path), err)
	}
	return nil
}

// same compares a file with what it should be.
func (m Media) same(path string, data []byte, other error) (direct bool, err error) {
	var got []byte
	if m.Uncached != nil {
		got, direct, err = m.Uncached(path, int64(len(data)))
	} else {
		got, err = m.read(path, int64(len(data)))
	}
	switch {
	case errors.Is(err, durable.ErrTooLarge), err == nil && !bytes.Equal(got, data):
		return direct, fmt.Errorf("%w (%d bytes were written, %d came back, the first other one is byte %d)", other,
			len(data), len(got), differs(got, data))
	}
	return direct, err
}

// differs is the first byte that is another one.
func differs(a, b []byte) int {
	n := 0
	for n < len(a) && n < len(b) && a[n] == b[n] {
		n++
	}
	return n
}

// Get reads a file of at most limit bytes.
func (m Media) Get(name string, limit int64) ([]byte, error) {
	data, err := m.read(filepath.Join(m.Dir, name), limit)
	if err != nil {
		return nil, fmt.Errorf("read %q: %w", name, Reading(err))
	}
	return data, nil
}

// read opens what Lstat saw and nothing else: neither a link nor what somebody
// put in its place meanwhile is followed, and a pipe is not waited for.
func (m Media) read(path string, limit int64) ([]byte, error) {
	seen, err := m.FS.Lstat(path)
	if err != nil {
		return nil, err
	}
	if !seen.Mode().IsRegular() {
		return nil, fmt.Errorf("%w but a %s", durable.ErrNotRegular, durable.KindOf(seen.Mode()))
	}
	f, err := m.FS.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	data, err := readSeen(f, seen, limit)
	return data, errors.Join(err, f.Close())
}

func readSeen(f durable.File, seen fs.FileInfo, limit int64) ([]byte, error) {
	info, err := f.Stat()
	switch {
	case err != nil:
		return nil, err
	case !info.Mode().IsRegular() || !os.SameFile(info, seen):
		return nil, fmt.Errorf("%w: it was exchanged while it was opened", durable.ErrNotRegular)
	case info.Size() > limit:
		return nil, fmt.Errorf("%w: %d bytes, at most %d are read", durable.ErrTooLarge, info.Size(), limit)
	}
	data, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err == nil && int64(len(data)) > limit {
		err = fmt.Errorf("%w: more than %d bytes", durable.ErrTooLarge, limit)
	}
	return data, err
}

// Reading returns err, of something that was read from a stick, with what is
// wrong with the stick where that is known.
func Reading(err error) error {
	if errors.Is(err, fs.ErrPermission) {
		return fmt.Errorf("%w: %w", ErrNotYours, err)
	}
	if trouble := troubleIn(err); trouble != nil {
		return fmt.Errorf("%w: %w", trouble, err)
	}
	return err
}

// named puts what was done, and what is wrong with the stick, before an error.
func named(op string, err error) error {
	if err == nil {
		return nil
	}
	if trouble := troubleIn(err); trouble != nil && !errors.Is(err, trouble) {
		return fmt.Errorf("%s: %w: %w", op, trouble, err)
	}
	return fmt.Errorf("%s: %w", op, err)
}

// troubleIn returns what the system's error means for a stick, nil if it is
// none of that. A stick that was pulled out fails in several ways at once, such
// as read-only after an I/O error; that it is gone comes first.
func troubleIn(err error) error {
	for _, says := range pulled {
		if errors.Is(err, says) {
			return ErrGone
		}
	}
	for _, known := range [...]struct{ says, is error }{
		{syscall.ENOSPC, ErrFull}, {syscall.EDQUOT, ErrFull}, {syscall.EFBIG, ErrFull},
		{syscall.EROFS, ErrReadOnly}, {fs.ErrPermission, ErrReadOnly},
	} {
		if errors.Is(err, known.says) {
			return known.is
		}
	}
	return nil
}
