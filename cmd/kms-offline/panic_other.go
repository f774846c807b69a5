//go:build !linux

package main

import (
	"os"
	"syscall"
)

// stackSignals are those on which Go prints all stacks, as far as every system
// has them.
func stackSignals() []os.Signal {
	return []os.Signal{syscall.SIGQUIT, syscall.SIGILL, syscall.SIGTRAP, syscall.SIGABRT, syscall.SIGBUS, syscall.SIGFPE, syscall.SIGSEGV}
}
