package qr

import (
	"fmt"
	"image"
	"os"
	"slices"
	"strings"
	"testing"

	"coldkms/shared/qr/frametest"
)

func folder(t testing.TB, dir string) []frametest.Frame {
	t.Helper()
	list, err := frametest.Folder(dir)
	if err != nil {
		t.Fatal(err)
	}
	return list
}

func gray(t testing.TB, f frametest.Frame) *image.Gray {
	t.Helper()
	img, err := f.Open()
	if err != nil {
		t.Fatal(err)
	}
	return img
}

// tally counts, for each version and model, what became of its pictures.
type tally struct {
	read, missed, wrong int
	cells               map[string]*[2]int
}

func (c *tally) add(f frametest.Frame, texts []string) bool {
	cell := c.cells[f.Version+" "+f.Model]
	if cell == nil {
		cell = &[2]int{}
		c.cells[f.Version+" "+f.Model] = cell
	}
	cell[1]++
	ok := slices.Contains(texts, f.Text)
	switch {
	case ok:
		c.read++
		cell[0]++
	default:
		c.missed++
	}
	for _, s := range texts {
		if s != f.Text {
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
		if !count.add(f, texts(r.Read(gray(t, f)))) {
			t.Log("missed:", f.Name)
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
