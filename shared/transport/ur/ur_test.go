package ur

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/fxamacker/cbor/v2"
)

// peer is what testdata/peers/fountain.mjs writes.
type peer struct {
	Wolf          []uint64
	Message       string
	Single, Multi []string
	Mixes         []struct {
		Fragments int
		Checksum  uint32
		Seq       uint32
		Degree    int
		SHA256    string
	}
}

func readPeer(t *testing.T) peer {
	t.Helper()
	b, err := os.ReadFile("../testdata/fountain.json")
	if err != nil {
		t.Fatal(err)
	}
	var p peer
	if err := json.Unmarshal(b, &p); err != nil {
		t.Fatal(err)
	}
	return p
}

func TestGeneratorOfPeer(t *testing.T) {
	p := readPeer(t)
	x := newXoshiro([]byte("Wolf"))
	for i, want := range p.Wolf {
		if got := x.next() % 100; got != want {
			t.Fatalf("number %d: %d, want %d", i, got, want)
		}
	}
	if len(p.Wolf) != 100 {
		t.Fatalf("%d numbers", len(p.Wolf))
	}
}

// Which fragments a part is mixed of is all that two implementations must agree
// on: in number, choice and order.
func TestMixesOfPeer(t *testing.T) {
	p := readPeer(t)
	for _, m := range p.Mixes {
		of := newMixer(m.Fragments, m.Checksum).of(m.Seq)
		text := strings.Trim(fmt.Sprint(of), "[]")
		if sum := sha256.Sum256([]byte(text)); len(of) != m.Degree || hex.EncodeToString(sum[:]) != m.SHA256 {
			t.Errorf("part %d of %d, checksum %08x: %d fragments, want %d: %.60s", m.Seq, m.Fragments, m.Checksum, len(of),
				m.Degree, text)
		}
	}
	if len(p.Mixes) != 326 {
		t.Fatalf("%d mixes", len(p.Mixes))
	}
}

// The peer's parts, and ours of the same message at the same size: letter for
// letter, mixtures too.
func TestPartsOfPeerAreOurs(t *testing.T) {
	p := readPeer(t)
	message, err := hex.DecodeString(p.Message)
	if err != nil {
		t.Fatal(err)
	}
	e, err := NewEncoder(Bytes, message, 140) // fragments of at most 30 bytes, as the peer was told
	if err != nil {
		t.Fatal(err)
	}
	if e.Parts() != 9 {
		t.Fatalf("%d parts, want 9", e.Parts())
	}
	for i, want := range p.Multi {
		if got := e.Next(); !strings.EqualFold(got, want) {
			t.Fatalf("part %d:\n%s, want\n%s", i, got, want)
		}
	}
	one, err := NewEncoder(Bytes, message[:50], 1000)
	if err != nil {
		t.Fatal(err)
	}
	if got := one.Next(); !strings.EqualFold(got, p.Single[0]) {
		t.Errorf("the single part:\n%s, want\n%s", got, p.Single[0])
	}
}

func TestBytewords(t *testing.T) {
	for plain, want := range map[string]string{"\x00\x01\x02\x80\xff": "aeadaolazmjendeoti"} { // BCR-2020-012
		if got := encodeWords([]byte(plain)); got != want {
			t.Errorf("%x: %s, want %s", plain, got, want)
		}
		if back, err := newDecoder().decode(want); err != nil || string(back) != plain {
			t.Errorf("%s: %x, %v", want, back, err)
		}
	}
	for _, bad := range []string{"", "aeadaolazm", "aeadaolazmjendeota", "aeadaolazmjendeot", "aeadaolazmjendeo\xff\xff",
		"aaaaaaaaaaaa"} {
		if b, err := newDecoder().decode(bad); err == nil {
			t.Errorf("%q was read as %x", bad, b)
		}
	}
}

func TestByteString(t *testing.T) {
	long := append([]byte{0x59, 0x01, 0x00}, make([]byte, 256)...)
	for name, c := range map[string]struct {
		message []byte
		want    int // bytes; -1 is refused
	}{
		"short":                {[]byte{0x42, 1, 2}, 2},
		"empty":                {[]byte{0x40}, 0},
		"two bytes of length":  {long, 256},
		"cut off":              {long[:200], -1},
		"more after it":        {append(bytes.Clone(long), 0), -1},
		"length beyond memory": {[]byte{0x5b, 255, 255, 255, 255, 255, 255, 255, 255, 1}, -1},
		"no length":            {[]byte{0x59, 1}, -1},
		"indefinite":           {[]byte{0x5f, 0x41, 1, 0xff}, -1},
		"reserved":             {[]byte{0x5c, 1}, -1},
		"text":                 {[]byte{0x62, 'a', 'b'}, -1},
		"array of integers":    {[]byte{0x82, 1, 2}, -1},
		"tagged":               {[]byte{0xd9, 1, 0x36, 0x41, 1}, -1},
	} {
		got, err := byteString(c.message)
		if (err != nil) != (c.want < 0) || (err == nil && len(got) != c.want) {
			t.Errorf("%s: %x, %v", name, got, err)
		}
	}
}

// Of what is neither ours nor a PSBT the caller gets the type and the CBOR, and
// refuses it by name.
func TestOtherTypes(t *testing.T) {
	message, err := cbor.Marshal(map[int]string{1: "seed words"})
	if err != nil {
		t.Fatal(err)
	}
	p, err := NewReader().Parse("ur:crypto-seed/" + encodeWords(message))
	if err != nil {
		t.Fatal(err)
	}
	d := NewDecoder(p)
	d.Add(p)
	if got, done, err := d.Result(); !done || err != nil || !bytes.Equal(got, message) || p.Type != "crypto-seed" {
		t.Errorf("%x of type %s, done %v, %v", got, p.Type, done, err)
	}
}

// wire is a part with these numbers.
func wire(t *testing.T, numbers string, w partWire) string {
	t.Helper()
	body, err := cbor.Marshal(w)
	if err != nil {
		t.Fatal(err)
	}
	return "ur:bytes/" + numbers + "/" + encodeWords(body)
}

func TestNumbersOutOfBounds(t *testing.T) {
	data := make([]byte, 10)
	good := partWire{Seq: 1, Len: 2, Message: 20, Checksum: 7, Data: data}
	if _, err := NewReader().Parse(wire(t, "1-2", good)); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		numbers string
		wire    partWire
	}{
		"another number outside":    {"2-2", good},
		"another count outside":     {"1-3", good},
		"written otherwise":         {"01-2", good},
		"number 0":                  {"0-2", partWire{Seq: 0, Len: 2, Message: 20, Data: data}},
		"none":                      {"1-0", partWire{Seq: 1, Len: 0, Message: 20, Data: data}},
		"no data":                   {"1-2", partWire{Seq: 1, Len: 2, Message: 20}},
		"no message":                {"1-2", partWire{Seq: 1, Len: 2, Message: 0, Data: data}},
		"a huge message":            {"1-5000", partWire{Seq: 1, Len: 5000, Message: 5000 * 4000, Data: make([]byte, 4000)}},
		"many fragments":            {"1-8193", partWire{Seq: 1, Len: 8193, Message: 81930, Data: data}},
		"a huge count":              {"1-4294967295", partWire{Seq: 1, Len: 1<<32 - 1, Message: 1<<32 - 1, Data: data}},
		"count and length disagree": {"1-3", partWire{Seq: 1, Len: 3, Message: 20, Data: data}},
	} {
		if p, err := NewReader().Parse(wire(t, c.numbers, c.wire)); !errors.Is(err, ErrPart) {
			t.Errorf("%s: %+v, %v", name, p, err)
		}
	}
}

// A part that was forged, its own checksum fitting, can spoil a message; never
// what comes out.
func TestForgedFragmentIsNoticed(t *testing.T) {
	e, err := NewEncoder(Bytes, bytes.Repeat([]byte("payload "), 30), 200)
	if err != nil {
		t.Fatal(err)
	}
	var d *Decoder
	for i := range e.Parts() {
		p, err := NewReader().Parse(e.Next())
		if err != nil {
			t.Fatal(err)
		}
		if d == nil {
			d = NewDecoder(p)
		}
		if i == 1 {
			p.Data[7] ^= 1
		}
		d.Add(p)
	}
	if got, done, err := d.Result(); e.Parts() < 3 || !done || !errors.Is(err, ErrChecksum) || got != nil {
		t.Errorf("%d parts: %q, done %v, %v", e.Parts(), got, done, err)
	}
}

// What is read says the same when it is written again.
func FuzzParse(f *testing.F) {
	e, err := NewEncoder(Bytes, make([]byte, 100), 200)
	if err != nil {
		f.Fatal(err)
	}
	for range 6 {
		f.Add(e.Next())
	}
	f.Add("ur:bytes/gegsgtgegsgtwdsgsgwd")
	f.Fuzz(func(t *testing.T, text string) {
		p, err := NewReader().Parse(text)
		if err != nil {
			return
		}
		if p.Len < 1 || p.Len > MaxFragments || p.Message < 1 || p.Message > MaxMessage || len(p.Data) == 0 {
			t.Fatalf("out of bounds: %+v", p)
		}
		if p.Seq > 0 {
			body, err := cbor.Marshal(partWire{Seq: p.Seq, Len: uint32(p.Len), Message: uint32(p.Message),
				Checksum: p.Checksum, Data: p.Data})
			if err != nil {
				t.Fatal(err)
			}
			again, err := NewReader().Parse(fmt.Sprintf("%s%s/%d-%d/%s", Prefix, p.Type, p.Seq, p.Len, encodeWords(body)))
			if err != nil || again.Key() != p.Key() || again.Seq != p.Seq || !slices.Equal(again.Data, p.Data) {
				t.Fatalf("%q: %v", text, err)
			}
		}
		d := NewDecoder(p)
		d.Add(p)
		if have, need := d.Progress(); have > need {
			t.Fatalf("%d of %d", have, need)
		}
		_, _, _ = d.Result()
	})
}
