// Package transporttest checks that an encoding of bytes in the parts of QR
// symbols keeps what transport promises. A new encoding calls Run in a test.
package transporttest

import (
	"bytes"
	"compress/flate"
	"math/rand/v2"
	"strings"
	"testing"
)

// Encoder returns the parts of one payload, without end.
type Encoder interface {
	Parts() int
	Next() string
}

// Decoder puts one payload together.
type Decoder interface {
	Add(part string) error // an error for what is no part of the payload
	Progress() (have, need int)
	Result() (payload []byte, done bool, err error)
}

// Encoding is what Run checks.
type Encoding struct {
	Encode  func(payload []byte, chars int) (Encoder, error)
	Decode  func() Decoder
	Checked bool // it has a checksum of its own, so that a damaged part is found
}

// alphanumeric is QR's alphanumeric mode (ISO/IEC 18004, table 5).
const alphanumeric = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"

// Run runs every check as a subtest.
func Run(t *testing.T, e Encoding) {
	t.Run("in order", e.inOrder)
	t.Run("same parts each time", e.isDeterministic)
	t.Run("shuffled and doubled", e.shuffled)
	t.Run("joined late, half lost", e.lossy)
	t.Run("foreign text", e.foreign)
	t.Run("damaged parts", e.damaged)
	t.Run("too small a symbol", e.tooSmall)
}

func payload(n int) []byte {
	b := make([]byte, n)
	rng := rand.New(rand.NewPCG(uint64(n), 1))
	for i := range b {
		b[i] = byte(rng.Uint32())
	}
	return b
}

func (e Encoding) encoder(t *testing.T, b []byte, chars int) Encoder {
	t.Helper()
	enc, err := e.Encode(b, chars)
	if err != nil {
		t.Fatalf("%d bytes in parts of %d: %v", len(b), chars, err)
	}
	return enc
}

// arrived fails unless the payload is there.
func arrived(t *testing.T, d Decoder, want []byte) {
	t.Helper()
	got, done, err := d.Result()
	if err != nil || !done || !bytes.Equal(got, want) {
		t.Fatalf("%d bytes: done %t, the same %t, %v", len(want), done, bytes.Equal(got, want), err)
	}
	if have, need := d.Progress(); have != need {
		t.Fatalf("done at %d of %d", have, need)
	}
}

func add(t *testing.T, d Decoder, part string) {
	t.Helper()
	if err := d.Add(part); err != nil {
		t.Fatalf("%.60q: %v", part, err)
	}
}

func (e Encoding) inOrder(t *testing.T) {
	for _, size := range []int{1, 2, 9, 100, 1000, 5000} {
		for _, chars := range []int{200, 1853, 4296} {
			b := payload(size)
			enc, d := e.encoder(t, b, chars), e.Decode()
			for range enc.Parts() {
				part := enc.Next()
				if len(part) > chars || strings.Trim(part, alphanumeric) != "" {
					t.Fatalf("%.60q: %d characters, at most %d, alphanumeric only", part, len(part), chars)
				}
				add(t, d, part)
			}
			arrived(t, d, b)
		}
	}
}

func (e Encoding) isDeterministic(t *testing.T) {
	one, two := e.encoder(t, payload(3000), 300), e.encoder(t, payload(3000), 300)
	for range 3 * one.Parts() {
		if a, b := one.Next(), two.Next(); a != b {
			t.Fatalf("%.60q and %.60q", a, b)
		}
	}
}

func (e Encoding) shuffled(t *testing.T) {
	b := payload(4000)
	enc, d := e.encoder(t, b, 200), e.Decode()
	var parts []string
	for range enc.Parts() {
		part := enc.Next()
		parts = append(parts, part, part)
	}
	rng := rand.New(rand.NewPCG(2, 2))
	rng.Shuffle(len(parts), func(i, j int) { parts[i], parts[j] = parts[j], parts[i] })
	for _, part := range parts {
		add(t, d, part)
	}
	arrived(t, d, b)
}

func (e Encoding) lossy(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 3))
	for range 20 {
		b := payload(1 + rng.IntN(4000))
		enc, d := e.encoder(t, b, 200), e.Decode()
		for range rng.IntN(2 * enc.Parts()) {
			enc.Next()
		}
		for range 40*enc.Parts() + 200 {
			part := enc.Next()
			if rng.IntN(2) == 0 {
				continue
			}
			add(t, d, part)
			if _, done, _ := d.Result(); done {
				break
			}
		}
		arrived(t, d, b)
	}
}

func (e Encoding) foreign(t *testing.T) {
	b := payload(900)
	enc, d := e.encoder(t, b, 200), e.Decode()
	for range enc.Parts() {
		for _, text := range []string{"", "HTTPS://EXAMPLE.COM", "\x00\xff", strings.Repeat("A", 5000)} {
			if d.Add(text) == nil {
				t.Fatalf("%.40q is accepted as a part", text)
			}
		}
		add(t, d, enc.Next())
	}
	arrived(t, d, b)
}

// damaged changes one character of a part. A decoder refuses the part or the
// payload, or is not done; what it returns is never another payload.
func (e Encoding) damaged(t *testing.T) {
	if !e.Checked {
		t.Log("this encoding has no checksum: the digest of a bundle finds damage")
	}
	b := payload(300)
	for at := range len(e.encoder(t, b, 200).Next()) {
		enc, d := e.encoder(t, b, 200), e.Decode()
		for i := range enc.Parts() {
			part := enc.Next()
			if i == 0 {
				part = part[:at] + other(part[at]) + part[at+1:]
			}
			_ = d.Add(part) // may be refused
		}
		got, done, err := d.Result()
		if e.Checked && done && err == nil && !bytes.Equal(got, b) {
			t.Fatalf("a part with character %d changed gave another payload", at)
		}
	}
}

func other(c byte) string {
	if c == 'Q' {
		return "S"
	}
	return "Q"
}

func (e Encoding) tooSmall(t *testing.T) {
	for _, chars := range []int{-1, 0, 1, 5} {
		if _, err := e.Encode(payload(1000), chars); err == nil {
			t.Errorf("parts of %d characters are accepted", chars)
		}
	}
}

// Deflated returns a raw deflate stream (RFC 1951) of n MiB of zero bytes. It
// repeats one block, so that a bomb of any size takes no time to make.
func Deflated(n int) []byte {
	var one bytes.Buffer
	w, err := flate.NewWriter(&one, flate.BestCompression)
	if err != nil {
		panic("transporttest: deflate: " + err.Error()) // the level is one that there is
	}
	_, _ = w.Write(make([]byte, 1<<20))
	_ = w.Flush()
	return append(bytes.Repeat(one.Bytes(), n), 1, 0, 0, 0xff, 0xff) // and an empty last block
}
