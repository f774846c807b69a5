// Package camera takes pictures from a camera of the machine, as a source of
// frames. It is a thin layer over Video4Linux; everything that can be tested
// without a camera is in shared/capture.
package camera

import "errors"

// ErrNone is returned where there is no camera, or none that can be used.
var ErrNone = errors.New("no camera can be used")

// Default is the device that is taken where none is named.
const Default = "/dev/video0"

// IsDevice reports whether a path names a camera rather than a file.
func IsDevice(path string) bool { return isDevice(path) }
