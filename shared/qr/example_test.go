package qr_test

import (
	"fmt"
	"image"
	"image/color"

	"coldkms/shared/qr"
)

// A symbol is drawn with a quiet zone of four modules, and read again.
func Example() {
	m, err := qr.Encode("HELLO", 0)
	if err != nil {
		panic(err)
	}
	const quiet, pixels = 4, 5
	side := (m.Side() + 2*quiet) * pixels
	img := image.NewGray(image.Rect(0, 0, side, side))
	for y := range side {
		for x := range side {
			if !m.Dark(x/pixels-quiet, y/pixels-quiet) {
				img.SetGray(x, y, color.Gray{Y: 255})
			}
		}
	}
	var reader qr.Reader
	for _, symbol := range reader.Read(img) {
		fmt.Println(symbol.Version, symbol.Text)
	}
	// Output: 1 HELLO
}
