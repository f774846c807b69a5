package durable

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// Identity identifies a file itself, not its name or content: a copy of it has
// another identity, the same file under another path or in another container
// has the same. known is false where the file system does not tell.
func Identity(path string) (id string, known bool) {
	var s unix.Statx_t
	err := unix.Statx(unix.AT_FDCWD, path, unix.AT_SYMLINK_NOFOLLOW, unix.STATX_INO|unix.STATX_BTIME, &s)
	if err != nil || s.Mask&unix.STATX_INO == 0 || s.Mask&unix.STATX_BTIME == 0 || s.Btime.Sec == 0 {
		return "", false
	}
	return fmt.Sprintf("%d %d.%09d", s.Ino, s.Btime.Sec, s.Btime.Nsec), true
}
