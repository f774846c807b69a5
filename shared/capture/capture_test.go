package capture

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/gif"
	"image/jpeg"
	"image/png"
	"io"
	"os"
	"path/filepath"
	"testing"
)

// pattern is a picture in which a mistake of place or order shows.
func pattern(seed int) *image.Gray {
	img := image.NewGray(image.Rect(0, 0, 48, 32))
	for y := range 32 {
		for x := range 48 {
			if (x/8+y/8+seed)%2 == 0 {
				img.SetGray(x, y, color.Gray{Y: 255})
			}
		}
	}
	return img
}

func all(t *testing.T, s Source) []*image.Gray {
	t.Helper()
	var list []*image.Gray
	for {
		img, err := s.Next()
		if errors.Is(err, io.EOF) {
			return list
		}
		if err != nil {
			t.Fatal(err)
		}
		kept := *img
		kept.Pix = bytes.Clone(img.Pix)
		list = append(list, &kept)
	}
}

func alike(t *testing.T, got []*image.Gray, seeds ...int) {
	t.Helper()
	if len(got) != len(seeds) {
		t.Fatalf("%d pictures, want %d", len(got), len(seeds))
	}
	for i, seed := range seeds {
		want := pattern(seed)
		for y := range 32 {
			for x := range 48 {
				if d := int(got[i].GrayAt(x, y).Y) - int(want.GrayAt(x, y).Y); d < -40 || d > 40 {
					t.Fatalf("picture %d differs at %d,%d by %d", i, x, y, d)
				}
			}
		}
	}
}

func pngOf(t testing.TB, img image.Image) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, img); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func jpegOf(t testing.TB, img image.Image) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := jpeg.Encode(&b, img, &jpeg.Options{Quality: 95}); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func gifOf(t testing.TB, seeds ...int) []byte {
	t.Helper()
	g := &gif.GIF{}
	for i, seed := range seeds {
		img := image.NewPaletted(image.Rect(0, 0, 48, 32), color.Palette{color.Black, color.White})
		for y := range 32 {
			for x := range 48 {
				img.Set(x, y, pattern(seed).At(x, y))
			}
		}
		if i > 0 { // only its lower half: the rest is what was there
			img = img.SubImage(image.Rect(0, 16, 48, 32)).(*image.Paletted)
		}
		g.Image, g.Delay = append(g.Image, img), append(g.Delay, 10)
	}
	var b bytes.Buffer
	if err := gif.EncodeAll(&b, g); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func y4mOf(seeds ...int) []byte {
	var b bytes.Buffer
	b.WriteString("YUV4MPEG2 W48 H32 F10:1 Ip A1:1 C420jpeg\n")
	for _, seed := range seeds {
		b.WriteString("FRAME\n")
		b.Write(pattern(seed).Pix)
		b.Write(make([]byte, 48*32/2))
	}
	return b.Bytes()
}

func read(t *testing.T, b []byte) Source {
	t.Helper()
	s, err := Read(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestEachForm(t *testing.T) {
	alike(t, all(t, read(t, pngOf(t, pattern(0)))), 0)
	alike(t, all(t, read(t, jpegOf(t, pattern(1)))), 1)
	stream := append(jpegOf(t, pattern(0)), "--boundary\r\n\r\n"...)
	stream = append(stream, jpegOf(t, pattern(1))...)
	cut := jpegOf(t, pattern(0))
	alike(t, all(t, read(t, append(stream, cut[:len(cut)-2]...))), 0, 1)
	alike(t, all(t, read(t, y4mOf(1, 0, 1))), 1, 0, 1)
	alike(t, all(t, read(t, y4mOf(1, 0)[:len(y4mOf(1, 0))-1])), 1)
	alike(t, all(t, read(t, gifOf(t, 0)[:])), 0)
}

// A GIF whose later pictures cover a part only is put together.
func TestGIFOfParts(t *testing.T) {
	got := all(t, read(t, gifOf(t, 0, 1)))
	if len(got) != 2 || got[1].GrayAt(0, 0) != pattern(0).GrayAt(0, 0) ||
		got[1].GrayAt(0, 31) != pattern(1).GrayAt(0, 31) {
		t.Error("the second picture is not drawn over the first")
	}
}

func TestFolder(t *testing.T) {
	dir := t.TempDir()
	for name, b := range map[string][]byte{
		"b.png": pngOf(t, pattern(1)), "a.jpg": jpegOf(t, pattern(0)), "c.txt": []byte("no picture"),
		"d.gif": gifOf(t, 0), "e": {},
	} {
		if err := os.WriteFile(filepath.Join(dir, name), b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir(filepath.Join(dir, "f"), 0o700); err != nil {
		t.Fatal(err)
	}
	s, c, err := Open(dir, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	alike(t, all(t, s), 0, 1, 0)
}

func TestStdin(t *testing.T) {
	s, _, err := Open("-", bytes.NewReader(pngOf(t, pattern(1))))
	if err != nil {
		t.Fatal(err)
	}
	alike(t, all(t, s), 1)
}

// What a picture's own bytes say of its size is believed by nobody.
func TestHostileSizes(t *testing.T) {
	big := pngOf(t, pattern(0))
	binary.BigEndian.PutUint32(big[16:], 1<<20) // width; the checksum is wrong then, which is ErrFormat
	bigGIF := gifOf(t, 0)
	bigGIF[7], bigGIF[9] = 0xff, 0xff
	for name, b := range map[string][]byte{
		"png": big, "gif": bigGIF,
		"y4m":       []byte("YUV4MPEG2 W65000 H65000 C420\nFRAME\n"),
		"y4m -1":    []byte("YUV4MPEG2 W-1 H32 C420\nFRAME\n"),
		"y4m none":  []byte("YUV4MPEG2 F10:1\nFRAME\n"),
		"y4m 10bit": []byte("YUV4MPEG2 W48 H32 C420p10\nFRAME\n"),
		"y4m line":  append([]byte("YUV4MPEG2 "), bytes.Repeat([]byte("X"), 1<<20)...),
		"y4m torn":  []byte("YUV4MPEG2 W48 H32\nFRAMEX\n"),
		"text":      []byte("this is a text file"), "empty": {}, "short": {0xff},
	} {
		s, err := Read(bytes.NewReader(b))
		if err == nil {
			_, err = s.Next()
		}
		if !errors.Is(err, ErrFormat) && !errors.Is(err, ErrSize) {
			t.Errorf("%s: error %v", name, err)
		}
	}
}

// One picture of a stream that cannot be read does not end the stream.
func TestBadPictureInAStream(t *testing.T) {
	bad := jpegOf(t, pattern(0))
	copy(bad[2:], "\xff\xc0garbage")
	s := read(t, append(append(jpegOf(t, pattern(1)), bad...), jpegOf(t, pattern(1))...))
	var outcome string
	for {
		_, err := s.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		outcome += fmt.Sprint(err == nil, " ")
	}
	if outcome != "true false true " {
		t.Errorf("pictures read: %s", outcome)
	}
}

func FuzzRead(f *testing.F) {
	f.Add(pngOf(f, pattern(0)))
	f.Add(jpegOf(f, pattern(0)))
	f.Add(gifOf(f, 0, 1))
	f.Add(y4mOf(0, 1))
	f.Fuzz(func(t *testing.T, b []byte) {
		s, err := Read(bytes.NewReader(b))
		if err != nil {
			return
		}
		for range 100 {
			img, err := s.Next()
			if errors.Is(err, io.EOF) {
				return
			}
			if err == nil && (img.Rect.Dx() > MaxSide || img.Rect.Dy() > MaxSide || len(img.Pix) < img.Rect.Dx()*img.Rect.Dy()) {
				t.Fatalf("a picture of %v with %d bytes", img.Rect, len(img.Pix))
			}
		}
	})
}
