package durable

import (
	"errors"
	"fmt"
	"io/fs"
	"os"

	"golang.org/x/sys/windows"
)

// renameNew renames without overwriting.
func renameNew(from, to string) error {
	a, err := windows.UTF16PtrFromString(from)
	if err != nil {
		return err
	}
	b, err := windows.UTF16PtrFromString(to)
	if err != nil {
		return err
	}
	return windows.MoveFileEx(a, b, windows.MOVEFILE_WRITE_THROUGH)
}

// syncFolder has nothing to call on Windows: NTFS journals its folders.
func syncFolder(string) error { return nil }

// Permissions are access control lists here, which mode bits do not show.
func othersMayWrite(fs.FileInfo) bool { return false }
func othersMayUse(fs.FileInfo) bool   { return false }
func ownedByRoot(fs.FileInfo) bool    { return false }
func foreignOwner(fs.FileInfo) bool   { return false }

// Lock is an exclusive lock on a path. The system drops it when the process
// ends, however it ends.
type Lock struct{ file *os.File }

// NewLock takes the lock at path, a file of its own that is never removed. It
// fails with ErrLocked, at once, if another holds it.
func NewLock(path string) (*Lock, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, PermFile)
	if err != nil {
		return nil, fmt.Errorf("lock: %w", err)
	}
	if err := lockFile(f); err != nil {
		return nil, errors.Join(fmt.Errorf("lock %s: %w", path, err), f.Close())
	}
	return &Lock{file: f}, nil
}

// lockFile locks one byte far behind the content of an open file, because Windows
// lets nobody else read locked bytes.
func lockFile(f *os.File) error {
	const flags = windows.LOCKFILE_EXCLUSIVE_LOCK | windows.LOCKFILE_FAIL_IMMEDIATELY
	behind := windows.Overlapped{OffsetHigh: 1 << 30}
	err := windows.LockFileEx(windows.Handle(f.Fd()), flags, 0, 1, 0, &behind)
	if errors.Is(err, windows.ERROR_LOCK_VIOLATION) || errors.Is(err, windows.ERROR_IO_PENDING) {
		err = ErrLocked
	}
	return err
}

// Close releases the lock.
func (l *Lock) Close() error { return l.file.Close() }

func ownerOf(fs.FileInfo) (uid int, known bool) { return 0, false }
