// Package frametest makes pictures as a camera in front of a screen would take
// them: crooked, blurred, noisy, badly lit, torn between two frames, pressed
// into JPEG. The same seed gives the same pictures. Real optics differ; what is
// read here ranks readers, it promises nothing.
package frametest

import (
	"bytes"
	"image"
	"image/jpeg"
	"math"
	"math/rand/v2"
)

// Camera takes pictures of a screen.
type Camera struct {
	Seed          uint64
	Model         Model
	Width, Height int // of its pictures; 0 is 1280×720
}

// Screen draws modules, one pixel each, inside a quiet zone of four.
func Screen(side int, dark func(x, y int) bool) *image.Gray {
	const quiet = 4
	img := image.NewGray(image.Rect(0, 0, side+2*quiet, side+2*quiet))
	for i := range img.Pix {
		img.Pix[i] = 255
	}
	for y := range side {
		for x := range side {
			if dark(x, y) {
				img.Pix[(y+quiet)*img.Stride+x+quiet] = 0
			}
		}
	}
	return img
}

// Shoot takes picture n of a screen. next is what the screen shows while the
// lower rows are still the old picture; nil for a screen that stands still.
func (c Camera) Shoot(n int, screen, next *image.Gray) *image.Gray {
	img, err := jpeg.Decode(bytes.NewReader(c.JPEG(n, screen, next)))
	if err != nil {
		panic(err) // our own encoder made it
	}
	return img.(*image.Gray)
}

// JPEG is Shoot as a camera sends it.
func (c Camera) JPEG(n int, screen, next *image.Gray) []byte {
	var b bytes.Buffer
	img, quality := c.expose(n, screen, next)
	_ = jpeg.Encode(&b, img, &jpeg.Options{Quality: quality}) // a buffer takes everything
	return b.Bytes()
}

// film is a picture being taken: brightness 0–1 of each pixel.
type film struct {
	w, h int
	at   []float32
}

func (c Camera) expose(n int, screen, next *image.Gray) (*image.Gray, int) {
	w, h := c.Width, c.Height
	if w == 0 || h == 0 {
		w, h = 1280, 720
	}
	rnd := rand.New(rand.NewPCG(c.Seed, uint64(n)))
	f := &film{w, h, make([]float32, w*h)}
	p := c.Model.pose(rnd, w, h, screen.Rect.Dx())
	f.project(p, screen, 0, h)
	if next != nil {
		f.project(p, next, 0, int(float64(h)*(0.5+c.Model.Tear*(rnd.Float64()-0.5))))
	}
	if c.Model.Moire > 0 {
		f.moire(rnd, c.Model.Moire)
	}
	f.gauss(c.Model.Blur)
	f.smear(rnd.Float64()*math.Pi, c.Model.Motion)
	f.light(rnd, c.Model)
	img := f.develop(rnd, c.Model)
	return img, c.Model.Quality[0] + rnd.IntN(c.Model.Quality[1]-c.Model.Quality[0]+1)
}

// develop adds noise and turns brightness into steps.
func (f *film) develop(rnd *rand.Rand, m Model) *image.Gray {
	img := image.NewGray(image.Rect(0, 0, f.w, f.h))
	for i, v := range f.at {
		noise := 0.0
		if m.Noise > 0 {
			noise = rnd.NormFloat64() * m.Noise
		}
		img.Pix[i] = byte(min(max(float64(v)*255+noise, 0), 255))
	}
	return img
}
