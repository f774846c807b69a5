package capture

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/draw"
	"image/gif"
	"io"
)

// animation is a GIF, picture by picture: the standard library decodes all of
// them at once, and a few kilobytes can stand for gigabytes. So it is cut into
// GIFs of one picture each (GIF89a specification, sections 17 to 27).
type animation struct {
	r      *bufio.Reader
	head   []byte // signature, screen and global colours
	canvas *image.Gray
	next   *image.Gray // what the next picture is drawn on, if not canvas
}

func newGIF(r *bufio.Reader) (Source, error) {
	screen := make([]byte, 13)
	if _, err := io.ReadFull(r, screen); err != nil {
		return nil, fmt.Errorf("capture: %w: GIF header", ErrFormat)
	}
	width, height := int(screen[6])|int(screen[7])<<8, int(screen[8])|int(screen[9])<<8
	if err := fits(width, height); err != nil {
		return nil, err
	}
	a := &animation{r: r, head: screen, canvas: image.NewGray(image.Rect(0, 0, width, height))}
	draw.Draw(a.canvas, a.canvas.Rect, image.White, image.Point{}, draw.Src)
	if screen[10]&0x80 != 0 {
		table := make([]byte, 3<<(screen[10]&7+1))
		if _, err := io.ReadFull(r, table); err != nil {
			return nil, fmt.Errorf("capture: %w: GIF colours", ErrFormat)
		}
		a.head = append(a.head, table...)
	}
	return a, nil
}

// Next implements Source.
func (a *animation) Next() (*image.Gray, error) {
	var control []byte
	for {
		kind, err := a.r.ReadByte()
		if err != nil {
			return nil, io.EOF
		}
		switch kind {
		case 0x21: // extension
			label, err := a.r.ReadByte()
			if err != nil {
				return nil, io.EOF
			}
			blocks, err := a.blocks(nil)
			if err != nil {
				return nil, err
			}
			if label == 0xf9 { // graphic control: delay, transparency, disposal
				control = append([]byte{0x21, label}, blocks...)
			}
		case 0x2c:
			return a.picture(control)
		default: // the trailer, or nothing that belongs here
			return nil, io.EOF
		}
	}
}

// picture reads one image block and draws it on the canvas.
func (a *animation) picture(control []byte) (*image.Gray, error) {
	one := append(append(bytes.Clone(a.head), control...), 0x2c)
	descriptor := make([]byte, 9)
	if _, err := io.ReadFull(a.r, descriptor); err != nil {
		return nil, io.EOF
	}
	one = append(one, descriptor...)
	if descriptor[8]&0x80 != 0 {
		table := make([]byte, 3<<(descriptor[8]&7+1))
		if _, err := io.ReadFull(a.r, table); err != nil {
			return nil, io.EOF
		}
		one = append(one, table...)
	}
	size, err := a.r.ReadByte()
	if err != nil {
		return nil, io.EOF
	}
	if one, err = a.blocks(append(one, size)); err != nil {
		return nil, err
	}
	all, err := gif.DecodeAll(bytes.NewReader(append(one, 0x3b)))
	if err != nil || len(all.Image) != 1 {
		return nil, fmt.Errorf("capture: %w: a picture of the GIF: %v", ErrFormat, err)
	}
	return a.show(all.Image[0], all.Disposal), nil
}

// show draws a picture and keeps what the next one is drawn on.
func (a *animation) show(img *image.Paletted, disposal []byte) *image.Gray {
	if a.next != nil {
		a.canvas, a.next = a.next, nil
	}
	area := img.Rect.Intersect(a.canvas.Rect)
	if len(disposal) == 1 && disposal[0] > gif.DisposalNone {
		a.next = &image.Gray{Pix: bytes.Clone(a.canvas.Pix), Stride: a.canvas.Stride, Rect: a.canvas.Rect}
		if disposal[0] == gif.DisposalBackground {
			draw.Draw(a.next, area, image.White, image.Point{}, draw.Src)
		}
	}
	drawOver(a.canvas, img, area)
	return a.canvas
}

// drawOver draws what is not transparent.
func drawOver(to *image.Gray, img *image.Paletted, area image.Rectangle) {
	var of [256]uint8
	var clear [256]bool
	for i, c := range img.Palette {
		_, _, _, alpha := c.RGBA()
		of[i], clear[i] = luma(c), alpha == 0
	}
	for y := area.Min.Y; y < area.Max.Y; y++ {
		row := to.Pix[to.PixOffset(area.Min.X, y):][:area.Dx()]
		for i, v := range img.Pix[img.PixOffset(area.Min.X, y):][:len(row)] {
			if !clear[v] {
				row[i] = of[v]
			}
		}
	}
}

// blocks appends data blocks up to the empty one that ends them.
func (a *animation) blocks(to []byte) ([]byte, error) {
	for {
		n, err := a.r.ReadByte()
		if err != nil {
			return nil, io.EOF
		}
		to = append(to, n)
		if n == 0 {
			return to, nil
		}
		at := len(to)
		to = append(to, make([]byte, n)...)
		if _, err := io.ReadFull(a.r, to[at:]); err != nil {
			return nil, io.EOF
		}
		if len(to) > MaxImage {
			return nil, errors.Join(ErrSize, errors.New("capture: a picture of the GIF"))
		}
	}
}
