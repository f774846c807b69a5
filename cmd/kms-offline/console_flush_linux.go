package main

import "golang.org/x/sys/unix"

// dropTyped discards type-ahead.
func dropTyped(fd int) error { return unix.IoctlSetInt(fd, unix.TCFLSH, unix.TCIFLUSH) }
