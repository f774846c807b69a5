// Package durable writes files so that a crash, a full disk or a pulled plug
// leaves either the old content or the new one, and never a part of either.
//
// It is the only shared package that touches a disk, and it does so through
// FS, so that tests can fail every single operation (package faultfs).
//
// The order of a replacement is the one that POSIX allows to be relied on:
// temporary file in the same folder, write, fsync, close, read back, rename,
// fsync of the folder. What is read back comes from the system's cache: it
// proves what was handed to the disk, not what a lying disk kept.
package durable

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// Errors that callers tell apart.
var (
	ErrExists     = errors.New("there is a file of that name with other content")
	ErrNotRegular = errors.New("not a regular file")
	ErrTooLarge   = errors.New("file is too large")
	ErrLocked     = errors.New("locked by another process")
	ErrInsecure   = errors.New("permissions are too wide")
	ErrUnsynced   = errors.New("it is in place, but a crash may still undo it")
	ErrReplaced   = errors.New("another file was put in its place while it was open")
	ErrPoisoned   = errors.New("an earlier write failed: nothing more is written")
)

// Permissions of what this package creates.
const (
	PermFile = 0o600
	PermDir  = 0o700
)

// FS is what this package needs of a file system. OS is the real one.
type FS interface {
	// OpenFile never waits, as it would for the other end of a FIFO.
	OpenFile(name string, flag int, perm fs.FileMode) (File, error)
	Lstat(name string) (fs.FileInfo, error)
	Stat(name string) (fs.FileInfo, error)
	Rename(from, to string) error
	RenameNew(from, to string) error // fails with fs.ErrExist where to exists
	Remove(name string) error
	Mkdir(name string, perm fs.FileMode) error
	SyncDir(name string) error
	ReadDir(name string) ([]fs.DirEntry, error)
}

// File is an open file of an FS.
type File interface {
	io.ReadWriteCloser
	Stat() (fs.FileInfo, error)
	Sync() error
	Truncate(size int64) error
	// Lock keeps out the Lock of any other open file of the same inode, by
	// whatever name it was opened, until Close. It fails with ErrLocked, at once.
	Lock() error
}

// ReadFile reads a regular file of at most limit bytes. A FIFO, a device or a
// folder is refused and named as such; none of them is waited for.
func ReadFile(fsys FS, path string, limit int64) ([]byte, error) {
	f, err := fsys.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		// The error of a socket is that of a device that is gone.
		if info, statErr := fsys.Stat(path); statErr == nil && info.Mode()&fs.ModeSocket != 0 {
			err = fmt.Errorf("%s: %w", path, regular(info))
		}
		return nil, fmt.Errorf("read: %w", err)
	}
	data, err := readAll(f, path, limit)
	if err = errors.Join(err, f.Close()); err != nil {
		clear(data)
		return nil, fmt.Errorf("read %s: %w", path, err)
	}
	return data, nil
}

func readAll(f File, path string, limit int64) ([]byte, error) {
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if err := regular(info); err != nil {
		return nil, err
	}
	if info.Size() > limit {
		return nil, fmt.Errorf("%w: %d bytes, at most %d are read", ErrTooLarge, info.Size(), limit)
	}
	data := make([]byte, info.Size())
	n, err := io.ReadFull(f, data)
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return nil, err
	}
	var more [1]byte
	extra, err := f.Read(more[:])
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	if extra > 0 || n < len(data) {
		return nil, errors.New("it changed while it was read")
	}
	return data, nil
}

// regular says in words what a file is that is not a regular one.
func regular(info fs.FileInfo) error {
	if info.Mode().IsRegular() {
		return nil
	}
	return fmt.Errorf("%w but a %s", ErrNotRegular, KindOf(info.Mode()))
}

// KindOf names the kind of a file that is not a regular one, such as "socket".
func KindOf(mode fs.FileMode) string {
	switch {
	case mode.IsDir():
		return "folder"
	case mode&fs.ModeSymlink != 0:
		return "symbolic link"
	case mode&fs.ModeNamedPipe != 0:
		return "named pipe"
	case mode&fs.ModeSocket != 0:
		return "socket"
	case mode&fs.ModeDevice != 0:
		return "device"
	}
	return "special file"
}

// exists tells a missing file from one that cannot be looked at, and refuses
// to write over anything but a regular file. A symbolic link is refused too:
// the rename would replace the link and leave the old file where it pointed.
func exists(fsys FS, path string) (bool, error) {
	info, err := fsys.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	if err := regular(info); err != nil {
		return true, fmt.Errorf("%s: %w", path, err)
	}
	return true, nil
}

// dirOf is the folder of a path.
func dirOf(path string) string { return filepath.Dir(path) }
