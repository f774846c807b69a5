package capture

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	_ "image/gif"  // a form that decode reads
	_ "image/jpeg" // a form that decode reads
	_ "image/png"  // a form that decode reads
)

// decode reads one picture after its header has been measured.
func decode(b []byte) (*image.Gray, error) {
	if len(b) > MaxImage {
		return nil, fmt.Errorf("capture: %w: more than %d bytes", ErrSize, MaxImage)
	}
	config, _, err := image.DecodeConfig(bytes.NewReader(b))
	if err != nil {
		return nil, fmt.Errorf("capture: %w: %v", ErrFormat, err)
	}
	if err := fits(config.Width, config.Height); err != nil {
		return nil, err
	}
	img, _, err := image.Decode(bytes.NewReader(b))
	if err != nil {
		return nil, fmt.Errorf("capture: %w: %v", ErrFormat, err)
	}
	return Gray(img), nil
}

// fits reports whether a picture is small enough to make room for.
func fits(width, height int) error {
	if width <= 0 || height <= 0 || width > MaxSide || height > MaxSide || width*height > MaxArea {
		return fmt.Errorf("capture: %w: %d by %d pixels", ErrSize, width, height)
	}
	return nil
}

// Gray returns a picture's brightness. The brightness of a JPEG is a plane of
// its own and is taken as it is. What is transparent is white: a symbol's
// light modules are often not painted.
func Gray(img image.Image) *image.Gray {
	switch img := img.(type) {
	case *image.Gray:
		return img
	case *image.YCbCr:
		return &image.Gray{Pix: img.Y, Stride: img.YStride, Rect: img.Rect}
	}
	bounds := img.Bounds()
	out := image.NewGray(bounds)
	if p, ok := img.(*image.Paletted); ok {
		return grayPalette(out, p)
	}
	for y := bounds.Min.Y; y < bounds.Max.Y; y++ {
		for x := bounds.Min.X; x < bounds.Max.X; x++ {
			out.Pix[out.PixOffset(x, y)] = luma(img.At(x, y))
		}
	}
	return out
}

func grayPalette(out *image.Gray, p *image.Paletted) *image.Gray {
	var of [256]uint8
	for i, c := range p.Palette {
		of[i&255] = luma(c)
	}
	for y := p.Rect.Min.Y; y < p.Rect.Max.Y; y++ {
		from := p.Pix[p.PixOffset(p.Rect.Min.X, y):][:p.Rect.Dx()]
		to := out.Pix[out.PixOffset(p.Rect.Min.X, y):][:len(from)]
		for i, v := range from {
			to[i] = of[v]
		}
	}
	return out
}

// luma is the brightness (BT.601) over white.
func luma(c color.Color) uint8 {
	r, g, b, a := c.RGBA() // 16 bits, multiplied by a
	y := (299*r + 587*g + 114*b) / 1000
	return uint8((y + 0xffff - a) >> 8)
}
