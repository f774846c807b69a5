package durable

import (
	"errors"

	"golang.org/x/sys/unix"
)

// renameNew renames without overwriting, in one step. FAT and exFAT, the file
// systems of USB sticks, can do this but have no hard links; some others have
// links but not this.
func renameNew(from, to string) error {
	err := unix.Renameat2(unix.AT_FDCWD, from, unix.AT_FDCWD, to, unix.RENAME_NOREPLACE)
	if errors.Is(err, unix.EINVAL) || errors.Is(err, unix.ENOSYS) {
		return linkNew(from, to)
	}
	return err
}
