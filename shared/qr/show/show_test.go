package show

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"image"
	"image/draw"
	"image/gif"
	"image/png"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"coldkms/shared/qr"
)

func symbol(t testing.TB, text string, version int) qr.Matrix {
	t.Helper()
	m, err := qr.Encode(text, version)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// reads checks that a picture shows one symbol with the text.
func reads(t *testing.T, img image.Image, want string) {
	t.Helper()
	g := image.NewGray(img.Bounds())
	draw.Draw(g, g.Rect, img, g.Rect.Min, draw.Src)
	var r qr.Reader
	got := r.Read(g)
	if len(got) != 1 || got[0].Text != want {
		t.Errorf("read %d symbols %.40v, want %q", len(got), got, want)
	}
}

var colours = regexp.MustCompile("\x1b\\[[0-9;]*m")

// onTerminal is what a terminal with such a ground shows of a text.
func onTerminal(t *testing.T, text string, style Style) *image.Gray {
	t.Helper()
	lines := strings.Split(strings.TrimSuffix(colours.ReplaceAllString(text, ""), "\n"), "\n")
	wide, high := 1, 2 // modules a character holds
	if style == HashOnDark || style == HashOnLight {
		high = 1
	}
	ink := byte(0)
	if style == OnDark || style == HashOnDark {
		ink = 255
	}
	const k = 4
	columns := len([]rune(lines[0]))
	if style == HashOnDark || style == HashOnLight {
		columns /= 2
	}
	img := image.NewGray(image.Rect(0, 0, columns*k*wide, len(lines)*k*high))
	for y := range img.Rect.Dy() {
		row := []rune(lines[y/(k*high)])
		for x := range img.Rect.Dx() {
			c := x / k
			if high == 1 {
				c *= 2
			}
			upper := y%(k*high) < k || high == 1
			img.Pix[y*img.Stride+x] = 255 - ink
			if r := row[c]; r == '█' || r == '#' || r == '▀' && upper || r == '▄' && !upper {
				img.Pix[y*img.Stride+x] = ink
			}
		}
	}
	return img
}

func TestTextIsReadBack(t *testing.T) {
	for _, style := range []Style{Coloured, OnDark, OnLight, HashOnDark, HashOnLight} {
		for _, version := range []int{1, 5, 10, 20} {
			m := symbol(t, "HELLO COLDKMS", version)
			img := onTerminal(t, Text(m, style), style)
			for i := range Quiet * 4 { // the quiet zone is light
				if img.Pix[i*img.Stride+i] != 255 || img.Pix[i*img.Stride+img.Rect.Dx()/2] != 255 {
					t.Fatalf("style %d: no quiet zone", style)
				}
			}
			reads(t, img, "HELLO COLDKMS")
			columns, rows := Size(version, style)
			lines := strings.Split(colours.ReplaceAllString(Text(m, style), ""), "\n")
			if len(lines)-1 != rows || len([]rune(lines[0])) != columns {
				t.Errorf("style %d version %d is %d×%d, Size says %d×%d", style, version, len([]rune(lines[0])), len(lines)-1,
					columns, rows)
			}
		}
	}
}

func TestPNGIsReadBack(t *testing.T) {
	for _, pixels := range []int{2, 5} {
		var b bytes.Buffer
		if err := PNG(&b, symbol(t, "A PNG", 7), pixels); err != nil {
			t.Fatal(err)
		}
		img, err := png.Decode(&b)
		if err != nil {
			t.Fatal(err)
		}
		reads(t, img, "A PNG")
	}
}

func TestGIFIsReadBack(t *testing.T) {
	texts := []string{"PART 1", "PART 2", "PART 3"}
	list, err := qr.EncodeAll(texts, 5)
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := GIF(&b, list, 4, 125*time.Millisecond); err != nil {
		t.Fatal(err)
	}
	g, err := gif.DecodeAll(&b)
	if err != nil {
		t.Fatal(err)
	}
	if g.LoopCount != 0 || len(g.Image) != 3 || g.Delay[0] != 13 {
		t.Fatalf("loops %d, %d pictures, delay %v", g.LoopCount, len(g.Image), g.Delay)
	}
	for i, img := range g.Image {
		reads(t, img, texts[i])
	}
}

func TestWhatCannotBeShown(t *testing.T) {
	a, b := symbol(t, "A", 1), symbol(t, "B", 2)
	for name, c := range map[string]struct {
		err, want error
	}{
		"nothing":        {GIF(&bytes.Buffer{}, nil, 4, time.Second), ErrNothing},
		"different":      {GIF(&bytes.Buffer{}, []qr.Matrix{a, b}, 4, time.Second), ErrSizes},
		"too much":       {GIF(&bytes.Buffer{}, make2(symbol(t, "A", 40), 5000), 4, time.Second), ErrTooLarge},
		"nothing, page":  {Page(&bytes.Buffer{}, "", nil, 1), ErrNothing},
		"different page": {Page(&bytes.Buffer{}, "", []qr.Matrix{a, b}, 1), ErrSizes},
	} {
		if !errors.Is(c.err, c.want) {
			t.Errorf("%s: %v", name, c.err)
		}
	}
}

func make2(m qr.Matrix, n int) []qr.Matrix {
	list := make([]qr.Matrix, n)
	for i := range list {
		list[i] = m
	}
	return list
}

func page(t *testing.T, title string, list []qr.Matrix) string {
	t.Helper()
	var b bytes.Buffer
	if err := Page(&b, title, list, 8); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// The page has nothing that loads, and its policy allows what it has.
func TestPageIsSelfContained(t *testing.T) {
	p := page(t, `<script>alert("x")</script>`, []qr.Matrix{symbol(t, "A", 3)})
	if strings.Contains(p, "alert(\"") {
		t.Error("the title is not escaped")
	}
	for _, bad := range []string{"http://", "https://", "src=", "href=", "@import", "url(", "{{", "fetch(", " on"} {
		if strings.Contains(strings.ReplaceAll(p, "once", ""), bad) && bad != " on" {
			t.Errorf("the page has %q", bad)
		}
	}
	for tag, source := range map[string]string{"script": "script-src", "style": "style-src"} {
		body := regexp.MustCompile(`(?s)<` + tag + `>(.*)</` + tag + `>`).FindStringSubmatch(p)
		if body == nil {
			t.Fatalf("no %s", tag)
		}
		d := sha256.Sum256([]byte(body[1]))
		if !strings.Contains(p, source+" 'sha256-"+base64.StdEncoding.EncodeToString(d[:])+"'") {
			t.Errorf("the policy does not allow its own %s", tag)
		}
	}
}

func TestPageHoldsTheParts(t *testing.T) {
	texts := []string{"ONE", "TWO"}
	list, err := qr.EncodeAll(texts, 10)
	if err != nil {
		t.Fatal(err)
	}
	body := regexp.MustCompile(`(?s)hidden>(.*)</pre>`).FindStringSubmatch(page(t, "two", list))
	lines := strings.Split(strings.TrimSpace(body[1]), "\n")
	if len(lines) != 2 {
		t.Fatalf("%d parts", len(lines))
	}
	for i, line := range lines {
		size, bits, _ := strings.Cut(line, ":")
		side, _ := strconv.Atoi(size)
		packed, err := base64.StdEncoding.DecodeString(bits)
		if err != nil {
			t.Fatal(err)
		}
		img := image.NewGray(image.Rect(0, 0, (side+8)*3, (side+8)*3))
		for k := range img.Pix {
			x, y := k%img.Stride/3-4, k/img.Stride/3-4
			n := y*side + x
			img.Pix[k] = 255
			if x >= 0 && y >= 0 && x < side && y < side && packed[n/8]>>(7-n%8)&1 == 1 {
				img.Pix[k] = 0
			}
		}
		reads(t, img, texts[i])
	}
}

func TestPace(t *testing.T) {
	for _, c := range []struct{ columns, rows, want int }{{80, 24, 5}, {80, 15, 0}, {120, 40, 13}, {500, 500, 20},
		{20, 100, 0}} {
		p, ok := Terminal(c.columns, c.rows, Coloured)
		if p.Version != c.want || ok != (c.want > 0) {
			t.Errorf("%d×%d: version %d, want %d", c.columns, c.rows, p.Version, c.want)
		}
	}
	p, _ := Screen(1000, 5)
	if p.Version != 20 || p.Denser().Version != 25 || p.Sparser().Version != 16 || p.Faster().Rate != 10 ||
		p.Slower().Rate != 6 {
		t.Error(p)
	}
	for range 50 {
		p = p.Denser().Faster()
	}
	if p != (Pace{40, 20}) || p.Each() != 50*time.Millisecond {
		t.Error(p)
	}
	for range 50 {
		p = p.Sparser().Slower()
	}
	if p != (Pace{3, 1}) {
		t.Error(p)
	}
}

// KMS_QR_SHOW=DIR writes one of each, to be looked at and read by others.
func TestWriteSamples(t *testing.T) {
	dir := os.Getenv("KMS_QR_SHOW")
	if dir == "" {
		t.Skip("KMS_QR_SHOW names no folder")
	}
	list, err := qr.EncodeAll([]string{"PART 1 OF 3", "PART 2 OF 3", "PART 3 OF 3"}, 20)
	if err != nil {
		t.Fatal(err)
	}
	var one, anim bytes.Buffer
	if err := errors.Join(PNG(&one, list[0], 4), GIF(&anim, list, 4, time.Second/8)); err != nil {
		t.Fatal(err)
	}
	small := symbol(t, "PART 1 OF 3", 5)
	for name, text := range map[string]string{
		"one.png": one.String(), "three.gif": anim.String(), "page.html": page(t, "three parts", list),
		"coloured.txt": Text(small, Coloured), "hash.txt": Text(small, HashOnDark),
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}
