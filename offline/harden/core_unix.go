//go:build unix && !linux

package harden

import "golang.org/x/sys/unix"

const coreDetail = "RLIMIT_CORE is 0"

func noCore() error { return unix.Setrlimit(unix.RLIMIT_CORE, &unix.Rlimit{}) }
