package frametest

import (
	"errors"
	"fmt"
	"image"
	"image/draw"
	"image/jpeg"
	"image/png"
	"os"
	"path/filepath"
	"strings"

	"github.com/makiuchi-d/gozxing"
	"github.com/makiuchi-d/gozxing/qrcode"
)

// Frame is a picture of a folder, and what it shows.
type Frame struct{ Name, Version, Model, Path, Text string }

// Folder lists pictures named VERSION_MODEL_NUMBER.jpg (or .png). The text is in
// a .txt of the picture's name, or of its version's.
func Folder(dir string) ([]Frame, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	var list []Frame
	for _, e := range entries {
		ext := filepath.Ext(e.Name())
		if ext != ".jpg" && ext != ".jpeg" && ext != ".png" {
			continue
		}
		name := strings.TrimSuffix(e.Name(), ext)
		version, rest, _ := strings.Cut(name, "_")
		model, _, _ := strings.Cut(rest, "_")
		text, err := os.ReadFile(filepath.Join(dir, name+".txt"))
		if errors.Is(err, os.ErrNotExist) {
			text, err = os.ReadFile(filepath.Join(dir, version+".txt"))
		}
		if err != nil {
			return nil, fmt.Errorf("what does %s show: %w", e.Name(), err)
		}
		list = append(list, Frame{name, version, model, filepath.Join(dir, e.Name()),
			strings.TrimRight(string(text), "\r\n")})
	}
	return list, nil
}

// Open reads the picture.
func (f Frame) Open() (*image.Gray, error) {
	file, err := os.Open(f.Path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	decode := jpeg.Decode
	if filepath.Ext(f.Path) == ".png" {
		decode = png.Decode
	}
	img, err := decode(file)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", f.Path, err)
	}
	g := image.NewGray(img.Bounds())
	draw.Draw(g, g.Rect, img, g.Rect.Min, draw.Src)
	return g, nil
}

// Gozxing reads a picture with gozxing as it comes, for comparison.
func Gozxing(img *image.Gray) (text string, ok bool) {
	defer func() {
		if recover() != nil { // it indexes by what the picture says
			text, ok = "", false
		}
	}()
	bits, err := gozxing.NewBinaryBitmapFromImage(img)
	if err != nil {
		return "", false
	}
	r, err := qrcode.NewQRCodeReader().Decode(bits,
		map[gozxing.DecodeHintType]any{gozxing.DecodeHintType_TRY_HARDER: true})
	if err != nil {
		return "", false
	}
	return r.GetText(), true
}
