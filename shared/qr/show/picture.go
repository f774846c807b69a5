package show

import (
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/gif"
	"image/png"
	"io"
	"time"

	"coldkms/shared/qr"
)

// Errors.
var (
	ErrTooLarge = errors.New("too many or too large symbols for a GIF: show them as a page")
	ErrSizes    = errors.New("symbols of different sizes")
	ErrNothing  = errors.New("no symbol to show")
)

const (
	maxPixels = 64      // a module
	maxGIF    = 1 << 28 // pixels of all its pictures, each a byte of memory
)

// Picture draws a symbol with its quiet zone in two colours, pixels a module
// (1–64).
func Picture(m qr.Matrix, pixels int) *image.Paletted {
	pixels = min(max(pixels, 1), maxPixels)
	side := (m.Side() + 2*Quiet) * pixels
	img := image.NewPaletted(image.Rect(0, 0, side, side), color.Palette{color.White, color.Black})
	for y := range side {
		row := img.Pix[y*side:][:side]
		if y%pixels > 0 {
			copy(row, img.Pix[(y-1)*side:])
			continue
		}
		for x := range row {
			if m.Dark(x/pixels-Quiet, y/pixels-Quiet) {
				row[x] = 1
			}
		}
	}
	return img
}

// PNG writes a symbol as a picture.
func PNG(w io.Writer, m qr.Matrix, pixels int) error {
	if err := png.Encode(w, Picture(m, pixels)); err != nil {
		return fmt.Errorf("show: %w", err)
	}
	return nil
}

// GIF writes symbols of one size as an animation that repeats for ever. GIFs
// count in hundredths of a second, and players are slow below two.
func GIF(w io.Writer, list []qr.Matrix, pixels int, each time.Duration) error {
	if err := sameSize(list); err != nil {
		return err
	}
	side := (list[0].Side() + 2*Quiet) * min(max(pixels, 1), maxPixels)
	if len(list) > maxGIF/(side*side) {
		return fmt.Errorf("show: %w", ErrTooLarge)
	}
	g := &gif.GIF{}
	for _, m := range list {
		g.Image = append(g.Image, Picture(m, pixels))
		g.Delay = append(g.Delay, max(int((each+5*time.Millisecond)/(10*time.Millisecond)), 2))
	}
	if err := gif.EncodeAll(w, g); err != nil {
		return fmt.Errorf("show: %w", err)
	}
	return nil
}

func sameSize(list []qr.Matrix) error {
	if len(list) == 0 || list[0].Side() == 0 {
		return fmt.Errorf("show: %w", ErrNothing)
	}
	for _, m := range list {
		if m.Side() != list[0].Side() {
			return fmt.Errorf("show: %w", ErrSizes)
		}
	}
	return nil
}
