package plain_test

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"math/big"
	"strings"
	"testing"

	"coldkms/shared/transport/plain"
)

// electrum writes bytes as Electrum does: digits of base 43, by division.
func electrum(b []byte) string {
	const digits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ$*+-./:"
	n, base, rest := new(big.Int).SetBytes(b), big.NewInt(43), new(big.Int)
	var out []byte
	for n.Sign() > 0 {
		n.DivMod(n, base, rest)
		out = append([]byte{digits[rest.Int64()]}, out...)
	}
	return string(out)
}

func contents() [][]byte {
	return [][]byte{
		append([]byte("psbt\xff"), bytes.Repeat([]byte{1, 2, 3, 0xff}, 50)...),
		append([]byte{2, 0, 0, 0}, bytes.Repeat([]byte{9, 0}, 60)...),
	}
}

func TestWhole(t *testing.T) {
	for _, content := range contents() {
		for form, text := range map[string]string{
			"hex": hex.EncodeToString(content), "HEX": strings.ToUpper(hex.EncodeToString(content)),
			"base64": base64.StdEncoding.EncodeToString(content), "base43": electrum(content),
		} {
			p, err := plain.Parse(text)
			if err != nil {
				t.Errorf("%s: %v", form, err)
				continue
			}
			d := plain.NewDecoder(p)
			d.Add(p)
			if got, done, err := d.Result(); !done || err != nil || !bytes.Equal(got, content) {
				t.Errorf("%s: read %x (%t, %v)", form, got, done, err)
			}
		}
	}
}

func TestNumberedParts(t *testing.T) {
	text := base64.StdEncoding.EncodeToString(contents()[0])
	var parts []string
	for i := range 3 {
		end := min((i+1)*100, len(text))
		parts = append(parts, fmt.Sprintf("p%dof3 %s", i+1, text[i*100:end]))
	}
	first, err := plain.Parse(parts[2])
	if err != nil {
		t.Fatal(err)
	}
	d := plain.NewDecoder(first)
	for _, i := range []int{2, 0, 2, 1} {
		p, err := plain.Parse(parts[i])
		if err != nil || !d.Add(p) {
			t.Fatalf("part %d: %v", i, err)
		}
	}
	if got, done, err := d.Result(); !done || err != nil || !bytes.Equal(got, contents()[0]) {
		t.Errorf("read %x (%t, %v)", got, done, err)
	}
	other, _ := plain.Parse("p1of3 AAAA")
	if d.Add(other) {
		t.Error("a part of another text is taken")
	}
}

func TestPartsOfNothing(t *testing.T) {
	d := plain.NewDecoder(plain.Part{Of: 2})
	for i, text := range []string{"AAAA", "BBBB"} {
		d.Add(plain.Part{Number: i + 1, Of: 2, Text: text})
	}
	if _, done, err := d.Result(); !done || !errors.Is(err, plain.ErrPart) {
		t.Errorf("done %t, %v", done, err)
	}
}

func TestForeign(t *testing.T) {
	for _, text := range []string{
		"", "https://example.com", "bitcoin:bc1qexample", "0200000001", "cHNidA==",
		strings.Repeat("00", 100), strings.Repeat("A", 8000),
		"p0of3 AAAA", "p4of3 AAAA", "p1of1001 AAAA", "p1of99999 AAAA", "p1of3 ?",
		"P1OF3 AAAA", hex.EncodeToString([]byte("psbt\xfe")),
	} {
		if p, err := plain.Parse(text); !errors.Is(err, plain.ErrPart) {
			t.Errorf("%.40q is read as %+v (%v)", text, p, err)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add(hex.EncodeToString(contents()[0]))
	f.Add(electrum(contents()[1]))
	f.Add("p1of3 cHNidP8B")
	f.Fuzz(func(t *testing.T, text string) {
		p, err := plain.Parse(text)
		if err != nil {
			return
		}
		d := plain.NewDecoder(p)
		d.Add(p)
		if b, done, err := d.Result(); done && err == nil && plain.TypeOf(b) == 0 {
			t.Errorf("%.60q gives %x", text, b)
		}
	})
}
