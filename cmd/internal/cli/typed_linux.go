package cli

import "golang.org/x/sys/unix"

// DropTyped discards what was typed on a terminal and not read yet.
func DropTyped(fd int) error { return unix.IoctlSetInt(fd, unix.TCFLSH, unix.TCIFLUSH) }
