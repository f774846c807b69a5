package main

import "golang.org/x/sys/unix"

// dropTyped forgets what was typed before a question was asked.
func dropTyped(fd int) error { return unix.IoctlSetInt(fd, unix.TCFLSH, unix.TCIFLUSH) }
