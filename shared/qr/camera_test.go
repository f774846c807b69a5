package qr

import (
	"fmt"
	"image"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"coldkms/shared/qr/frametest"
)

const alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"

// content fills a version.
func fill(rnd *rand.Rand, version int) string {
	b := make([]byte, Capacity(version))
	for i := range b {
		b[i] = alphabet[rnd.IntN(len(alphabet)-9)]
	}
	return string(b)
}

func screen(t testing.TB, text string, version int) *image.Gray {
	t.Helper()
	m, err := Encode(text, version)
	if err != nil {
		t.Fatal(err)
	}
	return frametest.Screen(m.Side(), m.Dark)
}

// KMS_QR_MAKE=DIR [KMS_QR_SEED=n] [KMS_QR_HEIGHT=480] makes a folder of frames
// for TestFrames and for other readers.
func TestMakeFrames(t *testing.T) {
	dir := os.Getenv("KMS_QR_MAKE")
	if dir == "" {
		t.Skip("KMS_QR_MAKE names no folder")
	}
	seed, height, each := 1, 720, 2
	_, _ = fmt.Sscan(os.Getenv("KMS_QR_SEED"), &seed)
	_, _ = fmt.Sscan(os.Getenv("KMS_QR_HEIGHT"), &height)
	_, _ = fmt.Sscan(os.Getenv("KMS_QR_EACH"), &each)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, version := range []int{2, 6, 10, 15, 20, 25, 30, 40} {
		rnd := rand.New(rand.NewPCG(uint64(seed), uint64(version)))
		text := fill(rnd, version)
		s := screen(t, text, version)
		name := fmt.Sprintf("v%02d", version)
		write(t, filepath.Join(dir, name+".txt"), []byte(text))
		for _, m := range frametest.Models() {
			for i := range each {
				c := frametest.Camera{Seed: rnd.Uint64(), Model: m, Width: height * 16 / 9, Height: height}
				write(t, filepath.Join(dir, fmt.Sprintf("%s_%s_%d.jpg", name, m.Name, i)), c.JPEG(i, s, nil))
			}
		}
	}
}

func write(t testing.TB, path string, b []byte) {
	t.Helper()
	if err := os.WriteFile(path, b, 0o644); err != nil {
		t.Fatal(err)
	}
}
