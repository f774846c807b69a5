package main

import (
	"os"
	"syscall"
)

// stackSignals are those on which Go prints all stacks.
func stackSignals() []os.Signal {
	return []os.Signal{syscall.SIGQUIT, syscall.SIGILL, syscall.SIGTRAP, syscall.SIGABRT, syscall.SIGBUS, syscall.SIGFPE,
		syscall.SIGSEGV, syscall.SIGSTKFLT, syscall.SIGSYS}
}
