//go:build unix

package durable

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"syscall"
)

// syncFolder makes renames in a folder durable. Some file systems (FUSE, some
// network ones) cannot sync a folder and say so; there is nothing more to be
// had from them.
func syncFolder(name string) error {
	d, err := os.Open(name)
	if err != nil {
		return err
	}
	err = d.Sync()
	if errors.Is(err, syscall.EINVAL) || errors.Is(err, syscall.ENOTSUP) {
		err = nil
	}
	return errors.Join(err, d.Close())
}

// groupOrOthers are the write permissions of everyone but the owner.
const groupOrOthers = 0o022

func othersMayWrite(info fs.FileInfo) bool { return info.Mode().Perm()&groupOrOthers != 0 }

func othersMayUse(info fs.FileInfo) bool { return info.Mode().Perm()&0o077 != 0 }

func ownerOf(info fs.FileInfo) (uid int, known bool) {
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return 0, false
	}
	return int(st.Uid), true
}

func ownedByRoot(info fs.FileInfo) bool {
	uid, known := ownerOf(info)
	return known && uid == 0
}

// foreignOwner: only root and the user himself may own what he relies on.
// Root works in folders of others all day (a container with the user's folder
// mounted), so it is not held to this.
func foreignOwner(info fs.FileInfo) bool {
	uid, known := ownerOf(info)
	me := os.Geteuid()
	return known && uid != 0 && uid != me && me != 0
}

// Lock is an exclusive lock on a path. The system drops it when the process
// ends, however it ends.
type Lock struct{ file *os.File }

// NewLock takes the lock at path, which is a file of its own that is made when
// missing and never removed: removing it would let two processes lock two
// files of one name. It fails with ErrLocked, at once, if another holds it.
func NewLock(path string) (*Lock, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|syscall.O_NOFOLLOW|syscall.O_NONBLOCK, PermFile)
	if err != nil {
		return nil, fmt.Errorf("lock: %w", err)
	}
	info, err := f.Stat()
	if err == nil {
		err = regular(info)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("lock %s: %w", path, err), f.Close())
	}
	if err := lockFile(f); err != nil {
		return nil, errors.Join(fmt.Errorf("lock %s: %w", path, err), f.Close())
	}
	return &Lock{file: f}, nil
}

// lockFile locks the inode of an open file. The system drops the lock when the last
// descriptor of the open file is closed.
func lockFile(f *os.File) error {
	for {
		err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		switch {
		case errors.Is(err, syscall.EINTR):
			continue
		case errors.Is(err, syscall.EWOULDBLOCK):
			return ErrLocked
		}
		return err
	}
}

// Close releases the lock.
func (l *Lock) Close() error { return l.file.Close() }
