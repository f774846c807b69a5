package bbqr

import (
	"bytes"
	"compress/flate"
	"errors"
	"math/rand/v2"
	"strings"
	"testing"

	"coldkms/shared/transport/transporttest"
)

// letters compresses, and has matches at every distance.
func letters(n int) []byte {
	rng := rand.New(rand.NewPCG(5, 6))
	b := make([]byte, 0, n)
	for len(b) < n {
		if len(b) > 40 && rng.IntN(3) == 0 {
			at := rng.IntN(len(b) - 20)
			b = append(b, b[at:at+20]...)
			continue
		}
		b = append(b, 'a'+byte(rng.IntN(20)))
	}
	return b[:n]
}

// The inflaters of this lane keep 1 KB. What compress/flate writes by itself
// reaches further back, which the test must notice to be worth anything.
func TestDeflateStaysWithinTheWindow(t *testing.T) {
	for _, size := range []int{1, 1023, 1024, 1025, 2048, 5000, 100_000} {
		b := letters(size)
		out, far, err := farthest(deflate(b))
		if err != nil || !bytes.Equal(out, b) {
			t.Fatalf("%d bytes: not what went in: %v", size, err)
		}
		if far > window {
			t.Errorf("%d bytes: a match reaches back %d bytes, at most %d", size, far, window)
		}
	}
	var plain bytes.Buffer
	w, err := flate.NewWriter(&plain, flate.BestCompression)
	if err != nil {
		t.Fatal(err)
	}
	_, _ = w.Write(letters(100_000))
	_ = w.Close()
	if _, far, err := farthest(plain.Bytes()); err != nil || far <= window {
		t.Errorf("the test does not see how far matches reach: %d, %v", far, err)
	}
}

func TestShorterEncodingIsTaken(t *testing.T) {
	random := make([]byte, 3000)
	rng := rand.New(rand.NewPCG(1, 2))
	for i := range random {
		random[i] = byte(rng.Uint32())
	}
	for want, b := range map[byte][]byte{'Z': letters(3000), '2': random} {
		e, err := NewEncoder(Binary, b, 500)
		if err != nil {
			t.Fatal(err)
		}
		if got := e.Next()[2]; got != want {
			t.Errorf("encoding %c, want %c", got, want)
		}
	}
}

// join reads parts of one stream.
func join(t *testing.T, parts ...string) ([]byte, bool, error) {
	t.Helper()
	var d *Decoder
	for _, text := range parts {
		p, err := Parse(text)
		if err != nil {
			return nil, false, err
		}
		if d == nil {
			d = NewDecoder(p)
		}
		if !d.Add(p) {
			return nil, false, errors.New("of another file")
		}
	}
	return d.Result()
}

// inParts is a Z stream as a hostile sender would split it.
func inParts(deflated []byte) []string {
	text := base().EncodeToString(deflated)
	count := (len(text) + 3999) / 4000
	var parts []string
	for i := range count {
		parts = append(parts, "B$ZB"+digits(count)+digits(i)+text[i*4000:min((i+1)*4000, len(text))])
	}
	return parts
}

func TestBombs(t *testing.T) {
	for name, size := range map[string]int{"a ratio that no file has": 3, "200 MB": 200} {
		got, done, err := join(t, inParts(transporttest.Deflated(size))...)
		if !done || !errors.Is(err, ErrData) || got != nil || !strings.Contains(err.Error(), "inflates to more than") {
			t.Errorf("%s: %d bytes, done %v, %v", name, len(got), done, err)
		}
	}
}

func TestInflateRefuses(t *testing.T) {
	whole := deflate([]byte("a file of a few bytes"))
	for name, b := range map[string][]byte{
		"cut off":          whole[:len(whole)-3],
		"more after it":    append(bytes.Clone(whole), 0),
		"no deflate":       {7, 7, 7, 7, 7},
		"one after other":  append(bytes.Clone(whole), whole...),
		"nothing":          {},
		"match before all": {0x4b, 0x04, 0x61, 0x00},
	} {
		if out, err := inflate(b); !errors.Is(err, ErrData) {
			t.Errorf("%s: %q, %v", name, out, err)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	for name, text := range map[string]string{
		"no data":                       "B$2P0100",
		"number beyond the total":       "B$2P0101AAAAAAAA",
		"none at all":                   "B$2P0000AA",
		"unknown encoding":              "B$QP0100AA",
		"small letters in the head":     "B$2P0a00AA",
		"small letters in base32":       "B$2P0100aa",
		"half a byte of hex":            "B$HP0100ABC",
		"bits left over in base32":      "B$2P0100AB",
		"type that is no letter":        "B$2!0100AA",
		"sign in a number":              "B$2P+100AA",
		"first part ends within a byte": "B$2P0200AAAAAAAAAA",
		"too long":                      "B$2P0100" + strings.Repeat("A", 4296),
	} {
		if p, err := Parse(text); !errors.Is(err, ErrPart) {
			t.Errorf("%s: %+v, %v", name, p, err)
		}
	}
}

// All parts but the last are of one length, and the last is not longer: what
// does not fit is of another file with the same head.
func TestPartsOfAnotherFile(t *testing.T) {
	eight, sixteen := strings.Repeat("A", 8), strings.Repeat("B", 16)
	for name, c := range map[string]struct {
		parts []string
		want  bool
	}{
		"equal":                  {[]string{"B$2B0300" + eight, "B$2B0301" + eight, "B$2B0302" + eight}, true},
		"the last shorter":       {[]string{"B$2B0200" + sixteen, "B$2B0201" + eight}, true},
		"the last longer":        {[]string{"B$2B0200" + eight, "B$2B0201" + sixteen}, false},
		"the last longer, first": {[]string{"B$2B0201" + sixteen, "B$2B0200" + eight}, false},
		"the second longer":      {[]string{"B$2B0300" + eight, "B$2B0301" + sixteen, "B$2B0302" + eight}, false},
		"another first":          {[]string{"B$2B0200" + eight, "B$2B0200BBBBBBBB", "B$2B0201" + eight}, false},
	} {
		if _, done, err := join(t, c.parts...); done != c.want {
			t.Errorf("%s: done %v, %v", name, done, err)
		}
	}
}

// One part has one text: what is read is what was written.
func FuzzParse(f *testing.F) {
	f.Add("B$2P0100AAAAAAAA")
	f.Add("B$HT0201AB")
	f.Add("B$ZB0100KMKGIZA")
	f.Fuzz(func(t *testing.T, text string) {
		p, err := Parse(text)
		if err != nil {
			return
		}
		body := strings.ToUpper(text[header:])
		if p.Encoding != 'H' {
			body = base().EncodeToString(p.Data)
		}
		if again := Prefix + string(p.Encoding) + string(p.Type) + digits(p.Total) + digits(p.Index) + body; !strings.EqualFold(again, text) || p.Index >= p.Total {
			t.Fatalf("%q was read as %q", text, again)
		}
		d := NewDecoder(p)
		d.Add(p)
		_, _, _ = d.Result()
	})
}
