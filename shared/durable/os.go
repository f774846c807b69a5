package durable

import (
	"io/fs"
	"os"
)

// OS is the file system of this machine.
type OS struct{}

// OpenFile implements FS.
func (OS) OpenFile(name string, flag int, perm fs.FileMode) (File, error) {
	f, err := os.OpenFile(name, flag, perm)
	if err != nil {
		return nil, err // not f: a nil *os.File is not a nil File
	}
	return osFile{f}, nil
}

// osFile is an open file of OS.
type osFile struct{ *os.File }

// Lock implements File.
func (f osFile) Lock() error { return lockFile(f.File) }

// Lstat implements FS.
func (OS) Lstat(name string) (fs.FileInfo, error) { return os.Lstat(name) }

// Stat implements FS.
func (OS) Stat(name string) (fs.FileInfo, error) { return os.Stat(name) }

// Rename implements FS.
func (OS) Rename(from, to string) error { return os.Rename(from, to) }

// RenameNew implements FS.
func (OS) RenameNew(from, to string) error {
	if err := renameNew(from, to); err != nil {
		return &os.LinkError{Op: "rename", Old: from, New: to, Err: err}
	}
	return nil
}

// Remove implements FS.
func (OS) Remove(name string) error { return os.Remove(name) }

// Mkdir implements FS.
func (OS) Mkdir(name string, perm fs.FileMode) error { return os.Mkdir(name, perm) }

// SyncDir implements FS.
func (OS) SyncDir(name string) error { return syncFolder(name) }

// ReadDir implements FS.
func (OS) ReadDir(name string) ([]fs.DirEntry, error) { return os.ReadDir(name) }

// maxNote bounds, in bytes, what a lock's file says of who holds it.
const maxNote = 512

// Note writes into the lock's file who holds it, for LockNote. It is for people:
// an older note may stay where it cannot be written.
func (l *Lock) Note(who string) error {
	if len(who) > maxNote {
		who = who[:maxNote]
	}
	if err := l.file.Truncate(0); err != nil {
		return err
	}
	_, err := l.file.WriteAt([]byte(who), 0)
	return err
}

// LockNote returns what the last holder of a lock wrote about itself, "" for
// nothing.
func LockNote(fsys FS, path string) string {
	note, err := ReadFile(fsys, path, maxNote)
	if err != nil {
		return ""
	}
	return string(note)
}
