package show

import (
	"bytes"
	"errors"
	"image/png"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"coldkms/shared/qr"
)

// Symbols of every version, as PNG and GIF, are read by zbar; by hand:
//
//	apt-get install zbar-tools
//	KMS_QR_SHOW=/tmp go test ./shared/qr/show -run TestWriteSamples
//	zbarimg /tmp/one.png /tmp/three.gif
func TestZbarReadsUs(t *testing.T) {
	zbar, err := exec.LookPath("zbarimg")
	if err != nil {
		t.Skip("zbarimg is not installed")
	}
	dir := t.TempDir()
	var want []string
	for _, version := range []int{1, 6, 7, 15, 27, 40} {
		text := strings.Repeat("COLDKMS $%*+-./: 0123456789 ", 160)[:qr.Capacity(version)-1] + "X"
		want = append(want, text)
		save(t, filepath.Join(dir, text[:1]+string(rune('a'+len(want)))+".png"), func(b *bytes.Buffer) error {
			return PNG(b, symbol(t, text, version), 3)
		})
	}
	parts := []string{"PART 1", "PART 2", "PART 3"}
	save(t, filepath.Join(dir, "parts.gif"), func(b *bytes.Buffer) error {
		list, err := qr.EncodeAll(parts, 10)
		return errors.Join(err, GIF(b, list, 4, time.Second/8))
	})
	files, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command(zbar, append([]string{"-q", "--raw"}, files...)...).Output()
	if err != nil {
		t.Fatal(err)
	}
	got := strings.Split(string(out), "\n")
	for _, text := range append(want, parts...) {
		if !slices.Contains(got, text) {
			t.Errorf("zbar does not read %.20q (%d characters)", text, len(text))
		}
	}
}

func save(t *testing.T, path string, draw func(*bytes.Buffer) error) {
	t.Helper()
	var b bytes.Buffer
	if err := draw(&b); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, b.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
}

// What was seen: the page in Chromium 156, headless, after 0.3 s at 8 a second;
// coloured.txt in a pane of tmux 3.3a, without colours.
func TestWhatWasSeenIsRead(t *testing.T) {
	f, err := os.Open("testdata/page.png")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	shot, err := png.Decode(f)
	if err != nil {
		t.Fatal(err)
	}
	reads(t, shot, "PART 2 OF 3")
	pane, err := os.ReadFile("testdata/terminal.txt")
	if err != nil {
		t.Fatal(err)
	}
	columns, rows := Size(5, OnLight)
	lines := strings.Split(string(pane), "\n")[:rows]
	for i, line := range lines { // tmux cuts what is empty
		lines[i] = line + strings.Repeat(" ", columns-len([]rune(line)))
	}
	reads(t, onTerminal(t, strings.Join(lines, "\n")+"\n", OnLight), "PART 1 OF 3")
}
