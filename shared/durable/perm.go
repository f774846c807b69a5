package durable

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// MakeDir makes a folder, and those above it that are missing, with mode
// 0700. One that is there must pass CheckDir.
func MakeDir(fsys FS, path string) error {
	_, err := fsys.Stat(path)
	if err == nil {
		return CheckDir(fsys, path)
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("make folder: %w", err)
	}
	parent := filepath.Dir(path)
	if parent != path {
		if _, err := fsys.Stat(parent); errors.Is(err, fs.ErrNotExist) {
			if err := MakeDir(fsys, parent); err != nil {
				return err
			}
		}
	}
	if err := fsys.Mkdir(path, PermDir); err != nil && !errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("make folder: %w", err)
	}
	if err := fsys.SyncDir(parent); err != nil {
		return fmt.Errorf("make folder %s: %w", path, err)
	}
	return CheckDir(fsys, path)
}

// CheckDir refuses a folder in which others could put or exchange files: one
// that group or others may write to, or that belongs to another user. A
// sticky one, such as /tmp, is accepted if it belongs to root: there nobody
// can rename or delete what is not his.
func CheckDir(fsys FS, path string) error {
	info, err := fsys.Stat(path)
	if err != nil {
		return fmt.Errorf("check folder: %w", err)
	}
	if !info.IsDir() {
		return fmt.Errorf("check folder: %s is not a folder", path)
	}
	if info.Mode()&fs.ModeSticky != 0 && ownedByRoot(info) {
		return nil
	}
	if othersMayWrite(info) {
		return fmt.Errorf("%w: others may write to the folder %s (mode %04o); chmod go-w %s", ErrInsecure, path,
			info.Mode().Perm(), path)
	}
	return checkOwner(path, info)
}

// CheckFile refuses a file that is not a regular one, that group or others
// may write to, or that belongs to another user. Reading is not its concern:
// what we keep in files is encrypted or public.
func CheckFile(fsys FS, path string) error {
	info, err := fsys.Lstat(path)
	if err != nil {
		return fmt.Errorf("check file: %w", err)
	}
	if err := regular(info); err != nil {
		return fmt.Errorf("check file %s: %w", path, err)
	}
	if othersMayWrite(info) {
		return fmt.Errorf("%w: others may write to %s (mode %04o); chmod 600 %s", ErrInsecure, path, info.Mode().Perm(), path)
	}
	return checkOwner(path, info)
}

// CheckOwn is CheckFile for a file that nobody but root and the user himself
// may own, whoever the user is: its owner can write to it.
func CheckOwn(fsys FS, path string) error {
	if err := CheckFile(fsys, path); err != nil {
		return err
	}
	info, err := fsys.Lstat(path)
	if err != nil {
		return fmt.Errorf("check file: %w", err)
	}
	if uid, known := ownerOf(info); known && uid != 0 && uid != os.Geteuid() {
		return fmt.Errorf("%w: others may write to %s, which belongs to user %d; chown it", ErrInsecure, path, uid)
	}
	return nil
}

// CheckSecret refuses a file that anybody but its owner may read or change, or
// that belongs to another user. Links are followed, and pipes are let pass: what
// a person names may be one.
func CheckSecret(fsys FS, path string) error {
	info, err := fsys.Stat(path)
	if err != nil {
		return fmt.Errorf("check file: %w", err)
	}
	if info.Mode().IsRegular() && othersMayUse(info) {
		return fmt.Errorf("%w: others may read %s (mode %04o); chmod 600 %s", ErrInsecure, path, info.Mode().Perm(), path)
	}
	return checkOwner(path, info)
}

func checkOwner(path string, info fs.FileInfo) error {
	if foreignOwner(info) {
		return fmt.Errorf("%w: %s belongs to another user", ErrInsecure, path)
	}
	return nil
}
