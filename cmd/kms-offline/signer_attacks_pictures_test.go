//go:build linux

package main

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"image/jpeg"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"coldkms/shared/qr"
	"coldkms/shared/qr/show"
)

// pictureAttacks show more than one file, or nothing that can be read.
func pictureAttacks() []attack {
	return []attack{
		{"77-parts-of-two-psbts-are-one", partsOfTwo},
		{"77-two-addresses-in-a-folder", twoAddresses},
		{"77-refused-psbt-has-nothing-to-show", refusedByPictures},
		{"77-wallet-in-symbols-is-called-one", walletByPictures},
	}
}

// matrices are symbols of one size.
func matrices(t *testing.T, texts []string) []qr.Matrix {
	t.Helper()
	var list []qr.Matrix
	for _, text := range texts {
		m, err := qr.Encode(text, 12)
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, m)
	}
	return list
}

// film is a GIF of symbols with these texts.
func film(t *testing.T, texts []string) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := show.GIF(&b, matrices(t, texts), 4, 100*time.Millisecond); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// stream is what a camera sees of symbols with these texts, as MJPEG.
func stream(t *testing.T, texts []string) []byte {
	t.Helper()
	var b bytes.Buffer
	for _, m := range matrices(t, texts) {
		if err := jpeg.Encode(&b, show.Picture(m, 4), nil); err != nil {
			t.Fatal(err)
		}
	}
	return b.Bytes()
}

// inParts are the parts of a PSBT as BBQr in hex, and those that Specter shows.
func inParts(psbt string) (bbqr, numbered []string) {
	const of = 3
	text := base64.StdEncoding.EncodeToString([]byte(psbt))
	size, length := (len(psbt)+of-1)/of, (len(text)+of-1)/of
	for i := range of {
		bbqr = append(bbqr, fmt.Sprintf("B$HP030%d%X", i, psbt[i*size:min((i+1)*size, len(psbt))]))
		numbered = append(numbered, fmt.Sprintf("p%dof3 %s", i+1, text[i*length:min((i+1)*length, len(text))]))
	}
	return bbqr, numbered
}

// Parts of two payments, in the forms that have no check, never come out as a third
// that nobody asked for: neither of a film nor of a camera that saw the one
// screen's end and then the other's.
func partsOfTwo(t *testing.T) {
	p := newPurse(t)
	one := readFile(t, p.packet("one.psbt", 2*coinValue, 0, 1))
	two := readFile(t, p.packet("two.psbt", 3*coinValue, 0, 2))
	if len(one) != len(two) {
		t.Fatalf("%d and %d bytes", len(one), len(two))
	}
	both := func(psbt string) [][]string { a, b := inParts(psbt); return [][]string{a, b} }
	for form, a := range both(one) {
		b := both(two)[form]
		for name, texts := range map[string][]string{
			"the other screen went on": slices.Concat(a[1:], b, b, b),
			"one after the other":      slices.Concat(a, b, a, b),
			"one in between":           slices.Concat(a[:1], b[:1], a[1:], a, a),
		} {
			p.scans(22, "contradict each other", film(t, texts), "")
			p.scans(22, "parts of two different files were seen", stream(t, texts), "")
			if t.Failed() {
				t.Fatalf("form %d, %s", form, name)
			}
		}
		p.scans(0, "", film(t, a), one)
		p.scans(22, "all 3 parts, 0 of them seen again", stream(t, a), "")
		p.scans(0, "", stream(t, slices.Concat(a, a)), one)
	}
}

// scans reads pictures, a GIF as a file and anything else from stdin, and wants what
// was written to be the file, or nothing.
func (p purse) scans(code int, says string, pictures []byte, want string) {
	p.t.Helper()
	out, source := filepath.Join(p.t.TempDir(), "out"), "-"
	if bytes.HasPrefix(pictures, []byte("GIF")) {
		source = p.write("film.gif", pictures)
	}
	cmd := p.command("scan", source, "--out", out)
	var stderr strings.Builder
	cmd.Stdin, cmd.Stderr = bytes.NewReader(pictures), &stderr
	_ = cmd.Run()
	if got := cmd.ProcessState.ExitCode(); got != code || !strings.Contains(stderr.String(), says) {
		p.t.Errorf("scan %s: exit %d, want %d %q: %s", source, got, code, says, stderr.String())
	}
	written, _ := filepath.Glob(filepath.Join(out, "*"))
	if want == "" && len(written) > 0 || want != "" && (len(written) != 1 || readFile(p.t, written[0]) != want) {
		p.t.Errorf("scan %s: written %v", source, written)
	}
}

// Pictures are read in the order of their names, whichever is read faster.
func twoAddresses(t *testing.T) {
	p := newPurse(t)
	own := strings.Fields(p.run(0, "--testnet", "getaddress", deskKey))
	other := "tb1q508d6qejxtdg4y5r3zarvary0c5xw7kxpjzsx"
	address := ""
	for _, word := range own {
		if word = strings.Trim(word, `",`); strings.HasPrefix(word, "tb1") {
			address = word
		}
	}
	var small bytes.Buffer
	if err := show.PNG(&small, matrices(t, []string{other})[0], 2); err != nil {
		t.Fatal(err)
	}
	var large bytes.Buffer
	if err := show.PNG(&large, matrices(t, []string{address})[0], 40); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(p.path("frames"), 0o700); err != nil {
		t.Fatal(err)
	}
	p.write("frames/1.png", large.Bytes())
	p.write("frames/2.png", small.Bytes())
	for range 3 {
		if said := p.run(0, "verify-address", "--qr", p.path("frames")); !strings.Contains(said, address) {
			t.Errorf("%s", said)
		}
	}
}

// A PSBT that is refused ends as refused, also where its result would be shown.
func refusedByPictures(t *testing.T) {
	p := newPurse(t)
	p.known()
	parts, _ := inParts(readFile(t, p.packet("far.psbt", coinValue, 0, 5000)))
	gif := p.write("far.gif", film(t, parts))
	code, said := p.output("--path", p.path("w.kms"), "--password-file", p.path("pw"), "sign", "--qr", gif)
	if code != 20 || strings.Contains(string(said), "there is no file") {
		t.Errorf("exit %d: %s", code, said)
	}
}

func walletByPictures(t *testing.T) {
	p := newPurse(t)
	wallet := readFile(t, p.path("w.kms"))
	p.scans(22, "the symbols hold a wallet", film(t, []string{fmt.Sprintf("B$HB0100%X", wallet[:150])}), "")
}
