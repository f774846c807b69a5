package qr

import (
	"image"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/skip2/go-qrcode"

	"coldkms/shared/qr/frametest"
)

func camera(name string, seed uint64) frametest.Camera {
	for _, m := range frametest.Models() {
		if m.Name == name {
			return frametest.Camera{Seed: seed, Model: m}
		}
	}
	panic(name)
}

// drawn is a symbol drawn exactly, pixels a module.
func drawn(t testing.TB, text string, version, pixels int) *image.Gray {
	t.Helper()
	return enlarged(screen(t, text, version), pixels)
}

func enlarged(s *image.Gray, pixels int) *image.Gray {
	img := image.NewGray(image.Rect(0, 0, s.Rect.Dx()*pixels, s.Rect.Dy()*pixels))
	for i := range img.Pix {
		img.Pix[i] = s.Pix[i/img.Stride/pixels*s.Stride+i%img.Stride/pixels]
	}
	return img
}

// bare returns the modules of a symbol without its quiet zone.
func bare(code *qrcode.QRCode) Matrix {
	code.DisableBorder = true
	return Matrix{code.VersionNumber, code.Bitmap()}
}

func one(t *testing.T, r *Reader, img *image.Gray, want string) Symbol {
	t.Helper()
	list := r.Read(img)
	if len(list) != 1 || list[0].Text != want {
		t.Fatalf("read %d symbols, want one with %.40q", len(list), want)
	}
	return list[0]
}

func TestEveryVersion(t *testing.T) {
	for version := 1; version <= 40; version++ {
		rnd := rand.New(rand.NewPCG(1, uint64(version)))
		text := fill(rnd, version)
		for _, pixels := range []int{2, 3} {
			var r Reader
			s := one(t, &r, drawn(t, text, version, pixels), text)
			if s.Version != version || string(s.Bytes) != text {
				t.Errorf("version %d, bytes %.20q", s.Version, s.Bytes)
			}
		}
	}
}

func TestLargeModules(t *testing.T) {
	for _, pixels := range []int{8, 15, 24} {
		var r Reader
		one(t, &r, drawn(t, "LARGE", 4, pixels), "LARGE")
	}
}

// Bytes come back as they were, whatever text they look like.
func TestBytesAreExact(t *testing.T) {
	rnd := rand.New(rand.NewPCG(2, 0))
	for range 40 {
		b := make([]byte, 1+rnd.IntN(200))
		for i := range b {
			b[i] = byte(rnd.Uint32())
		}
		code, err := qrcode.New(string(b), qrcode.Low) // Encode makes symbols of text only
		if err != nil {
			t.Fatal(err)
		}
		var r Reader
		list := r.Read(enlarged(frametest.Screen(bare(code).Side(), bare(code).Dark), 4))
		if len(list) != 1 || string(list[0].Bytes) != string(b) {
			t.Fatalf("%x came back as %d symbols %v", b, len(list), list)
		}
	}
}

func TestTurnedMirroredNegative(t *testing.T) {
	img := drawn(t, "ANY WAY ROUND", 6, 5)
	side := img.Rect.Dx()
	for name, at := range map[string]func(x, y int) (int, int){
		"quarter turn": func(x, y int) (int, int) { return y, side - 1 - x },
		"upside down":  func(x, y int) (int, int) { return side - 1 - x, side - 1 - y },
		"mirrored":     func(x, y int) (int, int) { return side - 1 - x, y },
	} {
		other := image.NewGray(img.Rect)
		for y := range side {
			for x := range side {
				u, v := at(x, y)
				other.SetGray(x, y, img.GrayAt(u, v))
			}
		}
		t.Run(name, func(t *testing.T) { one(t, &Reader{}, other, "ANY WAY ROUND") })
	}
	negative := image.NewGray(img.Rect)
	for i, v := range img.Pix {
		negative.Pix[i] = 255 - v
	}
	t.Run("negative", func(t *testing.T) { one(t, &Reader{}, negative, "ANY WAY ROUND") })
}

// Corners are where they are, also in a picture that does not start at 0, 0 or
// at the beginning of its memory.
func TestCorners(t *testing.T) {
	img := drawn(t, "CORNERS", 8, 4)
	big := image.NewGray(image.Rect(0, 0, 700, 500))
	for i := range big.Pix {
		big.Pix[i] = 255
	}
	for y := range img.Rect.Dy() {
		copy(big.Pix[(y+130)*big.Stride+220:], img.Pix[y*img.Stride:][:img.Stride])
	}
	sub := big.SubImage(image.Rect(100, 50, 680, 480)).(*image.Gray)
	s := one(t, &Reader{}, sub, "CORNERS")
	left, top, side := 220.0+16-100-0.5, 130.0+16-50-0.5, float64(4*dimension(8))
	for i, want := range [4]Point{{left, top}, {left + side, top}, {left + side, top + side}, {left, top + side}} {
		if math.Hypot(s.Corners[i].X-want.X, s.Corners[i].Y-want.Y) > 1.5 {
			t.Errorf("corner %d at %v, want %v", i, s.Corners[i], want)
		}
	}
}

func TestSeveralSymbols(t *testing.T) {
	a, b := drawn(t, "LEFT", 5, 5), drawn(t, "RIGHT", 9, 4)
	img := image.NewGray(image.Rect(0, 0, a.Rect.Dx()+b.Rect.Dx()+60, 300))
	for i := range img.Pix {
		img.Pix[i] = 255
	}
	for y := range a.Rect.Dy() {
		copy(img.Pix[y*img.Stride:], a.Pix[y*a.Stride:][:a.Stride])
	}
	for y := range b.Rect.Dy() {
		copy(img.Pix[(y+20)*img.Stride+a.Stride+60:], b.Pix[y*b.Stride:][:b.Stride])
	}
	var r Reader
	for range 3 { // also when they are followed
		got := strings.Join(texts(r.Read(img)), " ")
		if got != "LEFT RIGHT" && got != "RIGHT LEFT" {
			t.Fatalf("read %q", got)
		}
	}
}

// A reader follows symbols that change and move a little, and finds those that
// jump.
func TestSteadyVideo(t *testing.T) {
	var r Reader
	c := camera("std", 5)
	for i, version := range []int{15, 15, 15, 20, 10, 15} {
		text := fill(rand.New(rand.NewPCG(3, uint64(i))), version)
		one(t, &r, c.Shoot(i/2, screen(t, text, version), nil), text)
	}
}

// Where nothing has moved only a part of the picture is looked at.
func TestFollowing(t *testing.T) {
	text := fill(rand.New(rand.NewPCG(8, 0)), 15)
	img := camera("small", 9).Shoot(0, screen(t, text, 15), nil)
	var r Reader
	one(t, &r, img, text)
	full := plane{img.Pix, img.Rect.Dx(), img.Rect.Dy(), img.Stride}
	if r.last.w > full.w*2/3 || r.last.h > full.h*9/10 {
		t.Errorf("%+v of %d×%d", r.last, full.w, full.h)
	}
	for range 3 {
		if list := r.look(&full, r.last, r.won, true); len(list) != 1 || list[0].Text != text {
			t.Fatal("not where it was")
		}
	}
}

// What goes wrong inside the decoder is a symbol that was not read.
func TestDecodeDoesNotPanic(t *testing.T) {
	modules := make([]float32, 90*90)
	for i := range modules {
		modules[i] = 1
	}
	if _, ok := decode(modules, newLayout(1)); ok {
		t.Error("read something")
	}
}

// A torn picture shows two symbols, half each: neither may be read as something
// else.
func TestTornPictures(t *testing.T) {
	a, b := fill(rand.New(rand.NewPCG(4, 1)), 10), fill(rand.New(rand.NewPCG(4, 2)), 10)
	c := camera("std", 6)
	c.Model.Tear = 0.8
	var r Reader
	for i := range 8 {
		for _, s := range r.Read(c.Shoot(i, screen(t, a, 10), screen(t, b, 10))) {
			if s.Text != a && s.Text != b {
				t.Errorf("picture %d: read something that was not shown", i)
			}
		}
	}
}

// Under conditions that the recorded frames do not have.
func TestConditions(t *testing.T) {
	for i, m := range frametest.Models() {
		for _, height := range []int{480, 720, 1080} {
			if testing.Short() && height != 720 {
				continue
			}
			version := 15
			text := fill(rand.New(rand.NewPCG(5, uint64(i))), version)
			c := frametest.Camera{Seed: 7, Model: m, Width: height * 16 / 9, Height: height}
			if got := texts(new(Reader).Read(c.Shoot(0, screen(t, text, version), nil))); len(got) != 1 || got[0] != text {
				t.Errorf("%s at %d: read %d symbols", m.Name, height, len(got))
			}
		}
	}
}

// Whatever a picture is, it ends.
func TestHostilePictures(t *testing.T) {
	rnd := rand.New(rand.NewPCG(6, 0))
	noise := image.NewGray(image.Rect(0, 0, 640, 480))
	for i := range noise.Pix {
		noise.Pix[i] = byte(rnd.Uint32())
	}
	squares := image.NewGray(image.Rect(0, 0, 1280, 720)) // nothing but big squares
	for i := range squares.Pix {
		x, y := i%squares.Stride/3%9-4, i/squares.Stride/3%9-4
		if ring := max(x, -x, y, -y); ring == 2 || ring == 4 {
			squares.Pix[i] = 255
		}
	}
	large := image.NewGray(image.Rect(0, 0, maxSide+1, 100)) // a good symbol in too large a picture
	small := drawn(t, "A", 1, 3)
	for y := range small.Rect.Dy() {
		copy(large.Pix[y*large.Stride:], small.Pix[y*small.Stride:][:small.Stride])
	}
	for _, img := range []*image.Gray{
		{}, image.NewGray(image.Rect(0, 0, 1, 1)), image.NewGray(image.Rect(0, 0, 40, 40)), image.NewGray(image.Rect(0, 0,
			8000, 41)),
		large, noise, squares,
	} {
		if list := new(Reader).Read(img); len(list) != 0 {
			t.Errorf("read %v", list)
		}
	}
}

func TestEncodeRefuses(t *testing.T) {
	for name, f := range map[string]func() error{
		"too long": func() error { _, err := Encode(strings.Repeat("A", 4297), 0); return err },
		"empty":    func() error { _, err := Encode("", 1); return err },
		"version":  func() error { _, err := Encode("A", 41); return err },
	} {
		if f() == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func TestEncodeAllIsOfOneSize(t *testing.T) {
	list, err := EncodeAll([]string{"A", strings.Repeat("B", 500), "C"}, 3)
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range list {
		if m.Version != list[1].Version || m.Version <= 3 {
			t.Errorf("version %d", m.Version)
		}
	}
}

func TestAheadKeepsTheOrder(t *testing.T) {
	n := 0
	a := NewAhead(func() string { n++; return strings.Repeat("A", n) }, 6)
	defer a.Close()
	var r Reader
	for i := 1; i <= 30; i++ {
		m, err := a.Next()
		if err != nil || m.Version != 6 {
			t.Fatal(m.Version, err)
		}
		s := frametest.Screen(m.Side(), m.Dark)
		img := image.NewGray(image.Rect(0, 0, s.Rect.Dx()*3, s.Rect.Dy()*3))
		for k := range img.Pix {
			img.Pix[k] = s.Pix[k/img.Stride/3*s.Stride+k%img.Stride/3]
		}
		one(t, &r, img, strings.Repeat("A", i))
	}
}

func FuzzRead(f *testing.F) {
	f.Add([]byte("a picture"), uint16(100), uint8(60))
	f.Fuzz(func(t *testing.T, b []byte, w uint16, h uint8) {
		img := image.NewGray(image.Rect(0, 0, int(w%1000), int(h)))
		for i := range img.Pix {
			if len(b) > 0 {
				img.Pix[i] = b[i%len(b)] ^ byte(i/len(b)*7)
			}
		}
		new(Reader).Read(img)
	})
}

// A symbol reads as the text that it was made of; content that is not UTF-8 is an error.
func FuzzRoundTrip(f *testing.F) {
	f.Add("UR:BYTES/1-3/LPADAXCSENCYFE", uint8(4), uint8(3))
	f.Add("\x00\xff", uint8(1), uint8(2))
	f.Fuzz(func(t *testing.T, text string, version, pixels uint8) {
		if text == "" || len(text) > 1000 {
			return
		}
		m, err := Encode(text, int(version%20))
		if !utf8.ValidString(text) && err != nil {
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		img := drawn(t, text, m.Version, 2+int(pixels%6))
		list := new(Reader).Read(img)
		if len(list) != 1 || string(list[0].Bytes) != text {
			t.Fatalf("version %d: %q came back as %v", m.Version, text, list)
		}
	})
}

// A damaged symbol is read rightly or not at all.
func FuzzDamage(f *testing.F) {
	f.Add(uint64(1), uint16(30))
	f.Fuzz(func(t *testing.T, seed uint64, flips uint16) {
		rnd := rand.New(rand.NewPCG(seed, 0))
		text := fill(rnd, 4)
		m, err := Encode(text, 4)
		if err != nil {
			t.Fatal(err)
		}
		out := make([]float32, m.Side()*m.Side())
		for i := range out {
			out[i] = float32(2*b2i(m.Dark(i%m.Side(), i/m.Side())) - 1)
		}
		for range flips {
			i := rnd.IntN(len(out))
			out[i] = -out[i]
		}
		if s, ok := decode(out, newLayout(m.Version)); ok && s.Text != text {
			t.Errorf("read %q, not %q", s.Text, text)
		}
	})
}
