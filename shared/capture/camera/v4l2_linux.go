//go:build linux && (amd64 || arm64)

package camera

import (
	"errors"
	"fmt"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// The part of Video4Linux that taking pictures needs (linux/videodev2.h, on
// machines of 64 bits).
const (
	queryCap  = 0x80685600 // VIDIOC_QUERYCAP
	setFormat = 0xc0d05605 // VIDIOC_S_FMT
	reqBufs   = 0xc0145608 // VIDIOC_REQBUFS
	queryBuf  = 0xc0585609 // VIDIOC_QUERYBUF
	queueBuf  = 0xc058560f // VIDIOC_QBUF
	dequeue   = 0xc0585611 // VIDIOC_DQBUF
	streamOn  = 0x40045612 // VIDIOC_STREAMON

	typeCapture  = 1 // V4L2_BUF_TYPE_VIDEO_CAPTURE
	memoryMapped = 1 // V4L2_MEMORY_MMAP
	fieldNone    = 1 // V4L2_FIELD_NONE

	canCapture = 0x00000001
	canStream  = 0x04000000
	deviceCaps = 0x80000000
)

type capability struct {
	driver                [16]byte
	card, bus             [32]byte
	version, caps, device uint32
	reserved              [3]uint32
}

type format struct {
	kind                        uint32
	_                           uint32
	width, height, pixel, field uint32
	bytesPerLine, size          uint32
	_                           [200 - 24]byte
}

type requestBuffers struct {
	count, kind, memory, caps uint32
	_                         [4]byte
}

type buffer struct {
	index, kind, used, flags, field uint32
	_                               uint32
	_                               [32]byte // time stamp and time code
	sequence, memory                uint32
	offset                          uint32
	_                               uint32
	length                          uint32
	_                               [12]byte
}

// device is an open Video4Linux device.
type device struct {
	fd      int
	buffers [][]byte
}

func openDevice(path string) (*device, error) {
	fd, err := unix.Open(path, unix.O_RDWR|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	d := &device{fd: fd}
	var c capability
	if err := d.call(queryCap, unsafe.Pointer(&c)); err != nil {
		return nil, errors.Join(fmt.Errorf("not a camera: %w", err), d.close())
	}
	caps := c.caps
	if caps&deviceCaps != 0 {
		caps = c.device
	}
	if caps&canCapture == 0 || caps&canStream == 0 {
		return nil, errors.Join(errors.New("it takes no pictures, or does not stream them"), d.close())
	}
	return d, nil
}

func (d *device) call(request uintptr, arg unsafe.Pointer) error {
	for {
		_, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(d.fd), request, uintptr(arg))
		switch errno {
		case 0:
			return nil
		case unix.EINTR:
		default:
			return errno
		}
	}
}

// ask asks for a format and returns what the camera settled on.
func (d *device) ask(pixel uint32, width, height int) (format, error) {
	f := format{kind: typeCapture, width: uint32(width), height: uint32(height), pixel: pixel, field: fieldNone}
	err := d.call(setFormat, unsafe.Pointer(&f))
	return f, err
}

// start maps n buffers and lets the camera fill them.
func (d *device) start(n uint32) error {
	r := requestBuffers{count: n, kind: typeCapture, memory: memoryMapped}
	if err := d.call(reqBufs, unsafe.Pointer(&r)); err != nil {
		return err
	}
	for i := range min(r.count, n) {
		b := buffer{index: i, kind: typeCapture, memory: memoryMapped}
		if err := d.call(queryBuf, unsafe.Pointer(&b)); err != nil {
			return err
		}
		mapped, err := unix.Mmap(d.fd, int64(b.offset), int(b.length), unix.PROT_READ, unix.MAP_SHARED)
		if err != nil {
			return err
		}
		d.buffers = append(d.buffers, mapped)
		if err := d.call(queueBuf, unsafe.Pointer(&b)); err != nil {
			return err
		}
	}
	kind := int32(typeCapture)
	return d.call(streamOn, unsafe.Pointer(&kind))
}

var errNoPicture = errors.New("no picture came")

// take waits for a picture, hands its bytes to use, and gives the buffer back.
func (d *device) take(patience time.Duration, use func([]byte) error) error {
	ready := []unix.PollFd{{Fd: int32(d.fd), Events: unix.POLLIN}}
	n, err := unix.Poll(ready, int(patience.Milliseconds()))
	switch {
	case err == unix.EINTR:
		return d.take(patience, use)
	case err != nil:
		return err
	case n == 0:
		return errNoPicture
	}
	b := buffer{kind: typeCapture, memory: memoryMapped}
	if err := d.call(dequeue, unsafe.Pointer(&b)); err != nil {
		return err
	}
	if int(b.index) >= len(d.buffers) || int(b.used) > len(d.buffers[b.index]) {
		return errors.New("the camera's driver speaks of a buffer that there is not")
	}
	used := use(d.buffers[b.index][:b.used])
	return errors.Join(used, d.call(queueBuf, unsafe.Pointer(&b)))
}

func (d *device) close() error {
	for _, b := range d.buffers {
		_ = unix.Munmap(b)
	}
	d.buffers = nil
	return unix.Close(d.fd)
}
