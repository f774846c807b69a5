package qr

import (
	"fmt"
	"image"
	"image/draw"
	"image/jpeg"
	"image/png"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// gray opens a picture file.
func gray(t testing.TB, path string) *image.Gray {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	open := jpeg.Decode
	if filepath.Ext(path) == ".png" {
		open = png.Decode
	}
	img, err := open(f)
	if err != nil {
		t.Fatal(path, err)
	}
	if g, ok := img.(*image.Gray); ok {
		return g
	}
	g := image.NewGray(img.Bounds())
	draw.Draw(g, g.Rect, img, g.Rect.Min, draw.Src)
	return g
}

// frame is a picture of a folder and what it shows.
type testFrame struct{ name, version, model, path, text string }

// folder lists the pictures of a folder: VERSION_MODEL_NUMBER.jpg, with the text
// in VERSION.txt or beside the picture.
func folder(t testing.TB, dir string) []testFrame {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var list []testFrame
	for _, e := range entries {
		ext := filepath.Ext(e.Name())
		if ext != ".jpg" && ext != ".jpeg" && ext != ".png" {
			continue
		}
		name := strings.TrimSuffix(e.Name(), ext)
		parts := strings.Split(name, "_")
		f := testFrame{name: name, version: parts[0], path: filepath.Join(dir, e.Name())}
		if len(parts) > 1 {
			f.model = parts[1]
		}
		text, err := os.ReadFile(filepath.Join(dir, name+".txt"))
		if err != nil {
			text, err = os.ReadFile(filepath.Join(dir, parts[0]+".txt"))
		}
		if err != nil {
			t.Fatal(err)
		}
		f.text = strings.TrimRight(string(text), "\r\n")
		list = append(list, f)
	}
	return list
}

// tally counts, for each version and model, what became of its pictures.
type tally struct {
	read, missed, wrong int
	cells               map[string]*[2]int
}

func (c *tally) add(f testFrame, texts []string) bool {
	cell := c.cells[f.version+" "+f.model]
	if cell == nil {
		cell = &[2]int{}
		c.cells[f.version+" "+f.model] = cell
	}
	cell[1]++
	ok := slices.Contains(texts, f.text)
	switch {
	case ok:
		c.read++
		cell[0]++
	default:
		c.missed++
	}
	for _, s := range texts {
		if s != f.text {
			c.wrong++
		}
	}
	return ok
}

func (c *tally) lines() []string {
	var list []string
	for k, v := range c.cells {
		list = append(list, fmt.Sprintf("%-16s %d of %d", k, v[0], v[1]))
	}
	slices.Sort(list)
	return list
}

func texts(symbols []Symbol) []string {
	var list []string
	for _, s := range symbols {
		list = append(list, s.Text)
	}
	return list
}

// least is what must be read of each version and model of testdata: what
// zxing-cpp 2 reads of the same files (npm zxing-wasm), or more.
func least(version, model string) int {
	if version == "v40" && model == "hard" {
		return 0
	}
	return 2
}

// KMS_QR_FRAMES names another folder of the same form. Every picture is read by
// a reader that has seen no other.
func TestFrames(t *testing.T) {
	dir := os.Getenv("KMS_QR_FRAMES")
	given := dir != ""
	if !given {
		dir = "testdata/frames"
	}
	count := tally{cells: map[string]*[2]int{}}
	for _, f := range folder(t, dir) {
		var r Reader
		if !count.add(f, texts(r.Read(gray(t, f.path)))) {
			t.Log("missed:", f.name)
		}
	}
	for _, line := range count.lines() {
		fmt.Println(line)
	}
	fmt.Printf("frames: %d read, %d missed, wrong %d\n", count.read, count.missed, count.wrong)
	if count.wrong > 0 {
		t.Error("a symbol was read wrongly")
	}
	if given {
		return
	}
	for cell, n := range count.cells {
		version, model, _ := strings.Cut(cell, " ")
		if n[0] < least(version, model) {
			t.Errorf("%s: %d of %d read", cell, n[0], n[1])
		}
	}
}
