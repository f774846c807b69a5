package durable

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

const (
	tempPrefix = "."
	tempMiddle = ".tmp-"
	maxTemps   = 100 // that many crashed writers leave a path unusable until Sweep
)

// Replace puts data at path. When it returns nil the data has been handed to
// the disk and will be found there after a crash; when it returns an error the
// old content is still there. The one exception is ErrUnsynced: the folder
// could not be synced after the rename, so the new content is in place but a
// crash may bring the old one back.
//
// verify, if given, judges what was read back before it takes the place of the
// old content.
func Replace(fsys FS, path string, data []byte, perm fs.FileMode, verify func([]byte) error) error {
	if _, err := exists(fsys, path); err != nil {
		return fmt.Errorf("replace: %w", err)
	}
	return place(fsys, path, data, perm, verify, fsys.Rename)
}

// Create is Replace for a path at which nothing is yet. Something that is
// there is never overwritten: if it is the same data, Create succeeds and only
// makes sure that it is durable; otherwise it fails with ErrExists.
func Create(fsys FS, path string, data []byte, perm fs.FileMode, verify func([]byte) error) error {
	there, err := exists(fsys, path)
	if err != nil {
		return fmt.Errorf("create: %w", err)
	}
	if there {
		return same(fsys, path, data)
	}
	err = place(fsys, path, data, perm, verify, fsys.RenameNew)
	if errors.Is(err, fs.ErrExist) { // somebody was faster
		return same(fsys, path, data)
	}
	return err
}

// same checks and syncs a file that is there already.
func same(fsys FS, path string, data []byte) error {
	have, err := ReadFile(fsys, path, int64(len(data)))
	if errors.Is(err, ErrTooLarge) || (err == nil && !bytes.Equal(have, data)) {
		return fmt.Errorf("create: %w: %s", ErrExists, path)
	}
	if err != nil {
		return fmt.Errorf("create: %w", err)
	}
	f, err := fsys.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return fmt.Errorf("create: %w", err)
	}
	if err := errors.Join(f.Sync(), f.Close()); err != nil {
		return fmt.Errorf("create %s: %w", path, err)
	}
	return syncDir(fsys, path)
}

func place(fsys FS, path string, data []byte, perm fs.FileMode, verify func([]byte) error,
	rename func(from, to string) error) error {
	temp, err := writeTemp(fsys, path, data, perm)
	if err != nil {
		return err
	}
	if err := readBack(fsys, temp, data, verify); err != nil {
		return errors.Join(fmt.Errorf("read back %s: %w", path, err), remove(fsys, temp))
	}
	if err := rename(temp, path); err != nil {
		return errors.Join(fmt.Errorf("rename to %s: %w", path, err), remove(fsys, temp))
	}
	if err := syncDir(fsys, path); err != nil {
		return fmt.Errorf("%w: %w", ErrUnsynced, err)
	}
	return nil
}

// writeTemp writes and syncs a new file beside path. Its name is free because
// creating it fails otherwise, so writers that know nothing of each other
// never write into one file.
func writeTemp(fsys FS, path string, data []byte, perm fs.FileMode) (string, error) {
	for n := range maxTemps {
		temp := tempName(path, n)
		f, err := fsys.OpenFile(temp, os.O_WRONLY|os.O_CREATE|os.O_EXCL, perm)
		if errors.Is(err, fs.ErrExist) {
			continue
		}
		if err != nil {
			return "", fmt.Errorf("write %s: %w", path, err)
		}
		err = fill(f, data)
		if err = errors.Join(err, f.Close()); err != nil {
			return "", errors.Join(fmt.Errorf("write %d bytes to %s: %w", len(data), path, err), remove(fsys, temp))
		}
		return temp, nil
	}
	return "", fmt.Errorf("write %s: %d unfinished files of earlier writers are in the way (%s and so on)", path,
		maxTemps, tempName(path, 0))
}

// fill does not chmod: the mode was right from the start (a umask can only
// narrow it), and FAT refuses modes that it cannot store.
func fill(f File, data []byte) error {
	n, err := f.Write(data)
	if err != nil {
		return err
	}
	if n != len(data) {
		return fmt.Errorf("only %d bytes were taken", n)
	}
	return f.Sync()
}

func readBack(fsys FS, temp string, data []byte, verify func([]byte) error) error {
	got, err := ReadFile(fsys, temp, int64(len(data)))
	if err != nil {
		return err
	}
	if !bytes.Equal(got, data) {
		return errors.New("it is not what was written")
	}
	if verify == nil {
		return nil
	}
	return verify(got)
}

func tempName(path string, n int) string {
	return filepath.Join(dirOf(path), fmt.Sprintf("%s%s%s%d", tempPrefix, filepath.Base(path), tempMiddle, n))
}

// Remove deletes a file durably. A missing file is not an error.
func Remove(fsys FS, path string) error {
	if err := remove(fsys, path); err != nil {
		return err
	}
	return syncDir(fsys, path)
}

func remove(fsys FS, path string) error {
	if err := fsys.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("remove %s: %w", path, err)
	}
	return nil
}

// Sweep removes the temporary files that crashed writers of path left. Only
// the holder of the path's lock may call it.
func Sweep(fsys FS, path string) error {
	entries, err := fsys.ReadDir(dirOf(path))
	if err != nil {
		return fmt.Errorf("sweep: %w", err)
	}
	for _, e := range entries {
		if !strings.HasPrefix(e.Name(), tempPrefix+filepath.Base(path)+tempMiddle) || !e.Type().IsRegular() {
			continue
		}
		if err := remove(fsys, filepath.Join(dirOf(path), e.Name())); err != nil {
			return err
		}
	}
	return nil
}

func syncDir(fsys FS, path string) error {
	if err := fsys.SyncDir(dirOf(path)); err != nil {
		return fmt.Errorf("sync the folder of %s: %w", path, err)
	}
	return nil
}
