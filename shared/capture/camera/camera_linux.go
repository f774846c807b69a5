//go:build linux && (amd64 || arm64)

package camera

import (
	"bytes"
	"fmt"
	"image"
	"os"
	"strings"
	"time"

	"coldkms/shared/capture"
)

// Pixel formats: JPEG pictures, and brightness with colour in turn.
const (
	mjpg = 'M' | 'J'<<8 | 'P'<<16 | 'G'<<24
	yuyv = 'Y' | 'U'<<8 | 'Y'<<16 | 'V'<<24
)

// What is requested; cameras choose the nearest that they support.
const (
	wantWidth  = 1280
	wantHeight = 720
	buffers    = 4
	patience   = 5 * time.Second
)

func isDevice(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode()&os.ModeCharDevice != 0 && strings.HasPrefix(path, "/dev/video")
}

// Camera is an open camera that takes pictures.
type Camera struct {
	device *device
	pixel  uint32
	gray   *image.Gray
}

// Open starts the camera at a device path, such as /dev/video0.
func Open(path string) (*Camera, error) {
	d, err := openDevice(path)
	if err != nil {
		return nil, fmt.Errorf("%w: %s: %w", ErrNone, path, err)
	}
	c := &Camera{device: d}
	if err := c.start(); err != nil {
		_ = d.close()
		return nil, fmt.Errorf("%w: %s: %w", ErrNone, path, err)
	}
	return c, nil
}

// start takes the first format that the camera agrees to.
func (c *Camera) start() error {
	for _, pixel := range []uint32{mjpg, yuyv} {
		f, err := c.device.ask(pixel, wantWidth, wantHeight)
		if err != nil || f.pixel != pixel || f.width == 0 || f.width > capture.MaxSide || f.height == 0 ||
			f.height > capture.MaxSide {
			continue
		}
		c.pixel, c.gray = pixel, image.NewGray(image.Rect(0, 0, int(f.width), int(f.height)))
		return c.device.start(buffers)
	}
	return fmt.Errorf("it supports neither MJPEG nor YUYV")
}

// Next implements capture.Source. It waits for the next picture.
func (c *Camera) Next() (img *image.Gray, err error) {
	err = c.device.take(patience, func(b []byte) error {
		img, err = c.picture(b)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("camera: %w", err)
	}
	return img, nil
}

func (c *Camera) picture(b []byte) (*image.Gray, error) {
	if c.pixel == yuyv {
		return unpack(c.gray, b)
	}
	s, err := capture.Read(bytes.NewReader(b))
	if err != nil {
		return nil, err
	}
	return s.Next()
}

// Close stops the camera.
func (c *Camera) Close() error { return c.device.close() }

// unpack takes the brightness out of YUYV: every other byte.
func unpack(to *image.Gray, b []byte) (*image.Gray, error) {
	if len(b) < 2*len(to.Pix) {
		return nil, fmt.Errorf("%w: %d bytes of a picture of %d", capture.ErrFormat, len(b), 2*len(to.Pix))
	}
	for i := range to.Pix {
		to.Pix[i] = b[2*i]
	}
	return to, nil
}
