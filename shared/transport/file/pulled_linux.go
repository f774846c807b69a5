package file

import (
	"io/fs"
	"syscall"
)

// pulled is what systems say of a medium that is gone: its device (EIO and
// other block errors), its driver (FUSE: ECONNABORTED, then ENOTCONN), or its
// file system (EUCLEAN, ESHUTDOWN, ESTALE).
var pulled = [...]syscall.Errno{
	syscall.EIO, syscall.ENXIO, syscall.ENODEV, syscall.ENOMEDIUM, syscall.EREMOTEIO, syscall.ENOLINK,
	syscall.ECONNABORTED, syscall.ENOTCONN, syscall.EUCLEAN, syscall.ESHUTDOWN, syscall.ESTALE,
}

// sameMedium reports whether two files are on the same mounted device.
func sameMedium(a, b fs.FileInfo) bool {
	x, known := a.Sys().(*syscall.Stat_t)
	y, knownToo := b.Sys().(*syscall.Stat_t)
	return !known || !knownToo || x.Dev == y.Dev
}
