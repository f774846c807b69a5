package qr

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"

	"coldkms/shared/qr/frametest"
)

// KMS_QR_RIVALS=1 go test ./shared/qr -run TestRivals -v reads a folder of
// frames with this reader, with gozxing as it comes and with zbarimg, where that
// is installed, and prints a line for each version and model.
func TestRivals(t *testing.T) {
	if os.Getenv("KMS_QR_RIVALS") == "" {
		t.Skip("KMS_QR_RIVALS is not set")
	}
	dir := os.Getenv("KMS_QR_FRAMES")
	if dir == "" {
		dir = "testdata/frames"
	}
	var ours, plain, zbar tally
	for _, c := range []*tally{&ours, &plain, &zbar} {
		c.cells = map[string]*[2]int{}
	}
	for _, f := range folder(t, dir) {
		img := gray(t, f)
		ours.add(f, texts(new(Reader).Read(img)))
		text, _ := frametest.Gozxing(img)
		plain.add(f, []string{text})
		zbar.add(f, zbarimg(f.Path))
	}
	a, b, c := ours.lines(), plain.lines(), zbar.lines()
	fmt.Println("                 ours     gozxing  zbar")
	for i := range a {
		fmt.Println(a[i], "", b[i][16:], "", c[i][16:])
	}
	fmt.Printf("read: ours %d, gozxing %d, zbar %d of %d\n", ours.read, plain.read, zbar.read, ours.read+ours.missed)
}

// zbarimg returns what zbar reads of a picture; nothing where it is not installed.
func zbarimg(path string) []string {
	out, err := exec.Command("zbarimg", "-q", "--raw", "-Sdisable", "-Sqrcode.enable", path).Output()
	if err != nil {
		return nil
	}
	return strings.Split(strings.TrimRight(string(out), "\n"), "\n")
}
