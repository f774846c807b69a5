package rlnc

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the worked example of docs/FORMAT.md anew")

// RFC 9285, section 4.3 and 4.4.
func TestBase45(t *testing.T) {
	for plain, want := range map[string]string{"AB": "BB8", "Hello!!": "%69 VD92EX0", "base-45": "UJCLQE7W581",
		"ietf!": "QED8WEX0"} {
		if got := encode45([]byte(plain)); got != want {
			t.Errorf("%q: %q, want %q", plain, got, want)
		}
		if back, err := decode45(want); err != nil || string(back) != plain {
			t.Errorf("%q: %q, %v", want, back, err)
		}
	}
	for _, bad := range []string{"A", "GGW", "::", ":::", "a00", "0/\x00"} {
		if b, err := decode45(bad); err == nil {
			t.Errorf("%q was read as %x", bad, b)
		}
	}
}

// example is the worked example of docs/FORMAT.md.
func example(t *testing.T) string {
	t.Helper()
	e, err := NewEncoder([]byte("the quick brown fox jumps over the lazy dog"), 60)
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	for n := range 6 {
		fmt.Fprintf(&b, "part %d of %d: %08b  %s\n", n, e.Parts(), combination(e.stream, n, e.Parts())[0], e.Part(n))
	}
	return b.String()
}

const (
	document = "../../../docs/FORMAT.md"
	begin    = "<!-- fast lane: worked example -->\n```\n"
	end      = "```\n"
)

func TestFormatDocument(t *testing.T) {
	doc, err := os.ReadFile(document)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, ok := bytes.Cut(doc, []byte(begin))
	shown, after, ok2 := bytes.Cut(rest, []byte(end))
	if !ok || !ok2 {
		t.Fatalf("%s has no worked example of the fast lane", document)
	}
	want := example(t)
	if string(shown) == want {
		return
	}
	if !*update {
		t.Fatalf("%s shows\n%s\nand it is\n%s", document, shown, want)
	}
	all := string(before) + begin + want + end + string(after)
	if err := os.WriteFile(document, []byte(all), 0o644); err != nil {
		t.Fatal(err)
	}
}

// Any k parts and a few are enough, whatever was lost and whenever the reader
// joined.
func TestFewPartsTooMany(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	for _, k := range []int{50, 128, 512} {
		payload := make([]byte, k*20)
		for i := range payload {
			payload[i] = byte(rng.Uint32())
		}
		e, err := NewEncoder(payload, len(Prefix)+(20+overhead)*3/2)
		if err != nil || e.Parts() != k {
			t.Fatalf("%d parts, want %d: %v", e.Parts(), k, err)
		}
		over := make([]int, 0, 200)
		for run := range cap(over) {
			loss := float64(run%8) / 10
			e.next = rng.IntN(2 * k)
			first, _ := Parse(e.Part(0))
			d := NewDecoder(first)
			received := 0
			for {
				part := e.Next()
				if rng.Float64() < loss {
					continue
				}
				p, err := Parse(part)
				if err != nil {
					t.Fatal(err)
				}
				received++
				d.Add(p)
				if _, done, err := d.Result(); done {
					if err != nil {
						t.Fatal(err)
					}
					break
				}
			}
			over = append(over, received-k)
		}
		sum, high := 0, 0
		for _, n := range over {
			sum += n
			if n > 2 {
				high++
			}
		}
		if mean := float64(sum) / float64(len(over)); mean > 0.3 || high > len(over)/50 {
			t.Errorf("k %d: %.2f parts too many on average, more than 2 in %d of %d runs", k, mean, high, len(over))
		}
	}
}

// The only part of a payload in one block is shown again and again.
func TestOneBlock(t *testing.T) {
	e, err := NewEncoder([]byte("one block"), 100)
	if err != nil || e.Parts() != 1 {
		t.Fatalf("%d parts, %v", e.Parts(), err)
	}
	if first, second := e.Next(), e.Next(); first != second {
		t.Errorf("the second part is\n%s, the first\n%s", second, first)
	}
}

// forge returns a part any numbers, with a check that fits.
func forge(length, number int, data []byte) string {
	b := make([]byte, header)
	put24(b[8:], length)
	put24(b[11:], number)
	b = append(b, data...)
	sum := sha256.Sum256(b)
	return Prefix + encode45(append(b, sum[:4]...))
}

func TestParseRefuses(t *testing.T) {
	if _, err := Parse(forge(100, 3, make([]byte, 10))); err != nil {
		t.Fatal(err)
	}
	good := forge(100, 3, make([]byte, 10))
	for name, c := range map[string]struct {
		text string
		want error
	}{
		"no payload":      {forge(0, 0, make([]byte, 10)), ErrPart},
		"no data":         {forge(100, 0, nil), ErrPart},
		"too many blocks": {forge(MaxPayload, 0, make([]byte, 10)), ErrPart},
		"too much data":   {forge(MaxPayload, 0, make([]byte, maxData+1)), ErrPart},
		"small letters":   {strings.ToLower(good), ErrPart},
		"misread":         {good[:20] + "00" + good[22:], ErrCheck},
		"cut off":         {good[:len(good)-3], ErrCheck},
		"empty":           {Prefix, ErrPart},
	} {
		if p, err := Parse(c.text); !errors.Is(err, c.want) {
			t.Errorf("%s: %+v, %v", name, p, err)
		}
	}
}

// A forged part, whose check fits, can spoil a stream; never what comes out.
func TestForgedBlockIsNoticed(t *testing.T) {
	e, err := NewEncoder(bytes.Repeat([]byte("payload "), 30), 100)
	if err != nil {
		t.Fatal(err)
	}
	first, err := Parse(e.Next())
	if err != nil {
		t.Fatal(err)
	}
	d := NewDecoder(first)
	first.Data[0] ^= 1
	d.Add(first)
	for range e.Parts() - 1 {
		p, err := Parse(e.Next())
		if err != nil {
			t.Fatal(err)
		}
		d.Add(p)
	}
	if got, done, err := d.Result(); !done || !errors.Is(err, ErrPayloadCheck) || got != nil {
		t.Errorf("%q, done %v, %v", got, done, err)
	}
}

// One value has one encoding: what is read is what was written.
func FuzzParse(f *testing.F) {
	e, err := NewEncoder([]byte("payload of a few parts, each of them short"), 60)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(e.Next())
	f.Add(e.Part(17))
	f.Fuzz(func(t *testing.T, text string) {
		p, err := Parse(text)
		if err != nil {
			return
		}
		b := make([]byte, header)
		copy(b, p.Stream[:])
		put24(b[8:], p.Length)
		put24(b[11:], p.Number)
		b = append(b, p.Data...)
		sum := sha256.Sum256(b)
		if again := Prefix + encode45(append(b, sum[:4]...)); again != text {
			t.Fatalf("%q was read as %q", text, again)
		}
		d := NewDecoder(p)
		d.Add(p)
		if have, need := d.Progress(); have > 1 || need < 1 || need > MaxBlocks {
			t.Fatalf("%d of %d by one part", have, need)
		}
		_, _, _ = d.Result()
	})
}
