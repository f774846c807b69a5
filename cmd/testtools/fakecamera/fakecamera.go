// Package fakecamera stands between two screens in the demo and in tests: it takes
// pictures of what one program drew, as a camera would, for the other to read.
// Nothing else passes.
package fakecamera

import (
	"errors"
	"fmt"
	"image"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"sync"

	"coldkms/shared/capture"
	"coldkms/shared/qr/frametest"
)

// torn is the share of pictures that are taken while the screen changes.
const torn = 0.1

// Lens is a camera and how badly it is held.
type Lens struct {
	Model         string // one of frametest.Models
	Width, Height int    // of the pictures
	Loss          float64
	Seed          uint64
}

// Shoot takes a picture of each symbol that from shows (a folder of pictures,
// a GIF) and writes them into the folder to, as JPEG, in order. It returns how
// many were shown and how many taken.
func (l Lens) Shoot(from, to string) (shown, taken int, err error) {
	camera, err := l.camera()
	if err != nil {
		return 0, 0, err
	}
	src, closer, err := capture.Open(from, nil)
	if err != nil {
		return 0, 0, err
	}
	defer closer.Close()
	screens, err := all(src)
	if err != nil {
		return 0, 0, err
	}
	if err := os.MkdirAll(to, 0o700); err != nil {
		return 0, 0, err
	}
	rng := rand.New(rand.NewPCG(l.Seed, 1))
	var jobs sync.WaitGroup
	slots := make(chan struct{}, runtime.GOMAXPROCS(0))
	failed := make([]error, len(screens))
	for i, screen := range screens {
		if len(screens) > 1 && rng.Float64() < l.Loss {
			continue
		}
		taken++
		var next *image.Gray
		if rng.Float64() < torn {
			next = screens[(i+1)%len(screens)]
		}
		slots <- struct{}{}
		jobs.Go(func() {
			defer func() { <-slots }()
			picture := camera.JPEG(i, screen, next)
			failed[i] = os.WriteFile(filepath.Join(to, fmt.Sprintf("picture-%05d.jpg", i)), picture, 0o600)
		})
	}
	jobs.Wait()
	return len(screens), taken, errors.Join(failed...)
}

func (l Lens) camera() (frametest.Camera, error) {
	for _, m := range frametest.Models() {
		if m.Name == l.Model {
			return frametest.Camera{Model: m, Width: l.Width, Height: l.Height, Seed: l.Seed}, nil
		}
	}
	return frametest.Camera{}, fmt.Errorf("fakecamera: there is no model %q", l.Model)
}

func all(src capture.Source) ([]*image.Gray, error) {
	var list []*image.Gray
	for {
		img, err := src.Next()
		if errors.Is(err, io.EOF) {
			return list, nil
		}
		if err != nil {
			return nil, err
		}
		own := image.NewGray(img.Rect)
		copy(own.Pix, img.Pix)
		list = append(list, own)
	}
}
