//go:build !linux

package file

import (
	"io/fs"
	"syscall"
)

// pulled is what systems say of a medium that is gone.
var pulled = [...]syscall.Errno{syscall.EIO, syscall.ENXIO, syscall.ENODEV, syscall.ESTALE, syscall.ENOTCONN}

// sameMedium is not known on this system.
func sameMedium(fs.FileInfo, fs.FileInfo) bool { return true }
