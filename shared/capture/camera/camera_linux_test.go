//go:build linux && (amd64 || arm64)

package camera

import (
	"errors"
	"image"
	"os"
	"path/filepath"
	"testing"
	"unsafe"

	"coldkms/shared/capture"
)

func TestUnpackTakesTheBrightness(t *testing.T) {
	img := image.NewGray(image.Rect(0, 0, 2, 1))
	got, err := unpack(img, []byte{10, 99, 20, 99})
	if err != nil || got.Pix[0] != 10 || got.Pix[1] != 20 {
		t.Errorf("%v, %v", got, err)
	}
	if _, err := unpack(img, []byte{10, 99, 20}); !errors.Is(err, capture.ErrFormat) {
		t.Errorf("a short picture: %v", err)
	}
}

func TestNoCamera(t *testing.T) {
	file := filepath.Join(t.TempDir(), "video0")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if IsDevice(file) || IsDevice("/dev/null") || IsDevice("/dev/video-none") {
		t.Error("no camera is taken for one")
	}
	for _, path := range []string{file, "/dev/null", "/dev/video-none"} {
		if _, err := Open(path); !errors.Is(err, ErrNone) {
			t.Errorf("%s: %v", path, err)
		}
	}
}

// The kernel reads these by their size and place, which linux/videodev2.h
// fixes for machines of 64 bits.
func TestLayoutIsTheKernels(t *testing.T) {
	var f format
	var b buffer
	for _, c := range []struct {
		what      string
		got, want uintptr
	}{
		{"capability", unsafe.Sizeof(capability{}), 104}, {"format", unsafe.Sizeof(f), 208},
		{"requestbuffers", unsafe.Sizeof(requestBuffers{}), 20}, {"buffer", unsafe.Sizeof(b), 88},
		{"format.width", unsafe.Offsetof(f.width), 8}, {"format.pixel", unsafe.Offsetof(f.pixel), 16},
		{"buffer.sequence", unsafe.Offsetof(b.sequence), 56}, {"buffer.memory", unsafe.Offsetof(b.memory), 60},
		{"buffer.offset", unsafe.Offsetof(b.offset), 64}, {"buffer.length", unsafe.Offsetof(b.length), 72},
		{"size in QUERYCAP", queryCap >> 16 & 0x3fff, 104}, {"size in S_FMT", setFormat >> 16 & 0x3fff, 208},
		{"size in REQBUFS", reqBufs >> 16 & 0x3fff, 20}, {"size in QBUF", queueBuf >> 16 & 0x3fff, 88},
	} {
		if c.got != c.want {
			t.Errorf("%s: %d, want %d", c.what, c.got, c.want)
		}
	}
}
