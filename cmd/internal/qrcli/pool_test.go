package qrcli

import (
	"errors"
	"fmt"
	"image"
	"io"
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"coldkms/shared/capture"
)

// numbered returns pictures whose first pixel counts them; some cannot be read.
type numbered struct {
	n, of int
	pause time.Duration
}

func (s *numbered) Next() (*image.Gray, error) {
	time.Sleep(s.pause)
	if s.n++; s.n > s.of {
		return nil, io.EOF
	}
	if s.n%10 == 0 {
		return nil, fmt.Errorf("picture %d: %w", s.n, capture.ErrFormat)
	}
	img := image.NewGray(image.Rect(3, 5, 7, 9)) // not at the origin
	img.Pix[0] = uint8(s.n)
	return img, nil
}

// first reads the first pixel, slowly.
type first struct{ pause time.Duration }

func (r first) Read(img *image.Gray) []string {
	time.Sleep(r.pause)
	return []string{fmt.Sprint(img.Pix[0])}
}

func TestEveryPictureOfAFolderIsRead(t *testing.T) {
	p := newPool(&numbered{of: 100}, func() Reader { return first{time.Millisecond} }, false)
	seen := map[string]bool{}
	for picture := range p.texts {
		seen[picture.texts[0]] = true
	}
	if len(seen) != 90 || p.err != nil {
		t.Errorf("%d of 90 pictures, %v", len(seen), p.err)
	}
}

// A live source that is faster than the readers loses pictures and is never
// held up.
func TestLiveSourceIsNeverHeldUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		p := newPool(&numbered{of: 200, pause: time.Millisecond}, func() Reader { return first{50 * time.Millisecond} }, true)
		n := 0
		for range p.texts {
			n++
		}
		cores := runtime.GOMAXPROCS(0) // each reads four in 200 ms, and what waits for it at the end
		if took := time.Since(start); n < 4*cores || n > 7*cores || took > 301*time.Millisecond {
			t.Errorf("%d of 180 pictures on %d cores in %v", n, cores, took)
		}
	})
}

type broken struct{}

func (broken) Next() (*image.Gray, error) { return nil, errors.New("pulled out") }

func TestWhyASourceEnded(t *testing.T) {
	p := newPool(broken{}, func() Reader { return first{} }, true)
	for range p.texts {
		t.Error("something was read")
	}
	if p.err == nil {
		t.Error("the error is lost")
	}
}

func TestEndStopsReaders(t *testing.T) {
	p := newPool(&numbered{of: 1 << 30}, func() Reader { return first{} }, false)
	<-p.texts
	p.end()
	for range p.texts { // closed before long
	}
}
