//go:build !linux || (!amd64 && !arm64)

package camera

import (
	"fmt"
	"image"
)

func isDevice(string) bool { return false }

// Camera is not built for this system.
type Camera struct{}

// Open says what to do instead.
func Open(path string) (*Camera, error) {
	return nil, fmt.Errorf("%w: cameras are read on Linux of 64 bits only; pipe one in instead: ffmpeg … -f mjpeg - | kms-offline scan -", ErrNone)
}

// Next implements frames.Source.
func (*Camera) Next() (*image.Gray, error) { return nil, ErrNone }

// Close does nothing.
func (*Camera) Close() error { return nil }
