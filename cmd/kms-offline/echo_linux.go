package main

import "golang.org/x/sys/unix"

// noEcho stops the terminal from showing what is typed, before a question is
// asked: who answers at once is not faster than the question.
func noEcho(fd int) {
	t, err := unix.IoctlGetTermios(fd, unix.TCGETS)
	if err != nil {
		return // the read that follows says so
	}
	t.Lflag &^= unix.ECHO
	_ = unix.IoctlSetTermios(fd, unix.TCSETS, t)
}
