//go:build unix

package qr

import (
	"syscall"
	"time"
)

// cpu is what this process has used: on a machine that others use too, a clock
// says nothing.
func cpu() time.Duration {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
