//go:build unix && !linux

package guard

import "golang.org/x/sys/unix"

const coreDetail = "RLIMIT_CORE is 0"

func noCore() error { return unix.Setrlimit(unix.RLIMIT_CORE, &unix.Rlimit{}) }
