package transport_test

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"coldkms/shared/transport"
)

func payload(n int, seed uint64) []byte {
	var key [32]byte
	binary.LittleEndian.PutUint64(key[:], seed)
	b := make([]byte, n)
	_, _ = rand.NewChaCha8(key).Read(b) // never fails
	return b
}

func encoder(t testing.TB, lane transport.Lane, b []byte, chars int) transport.Encoder {
	t.Helper()
	e, err := transport.NewEncoder(lane, transport.Bytes, b, chars)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func lanes() []transport.Lane {
	return []transport.Lane{transport.Fast, transport.UR, transport.BBQr}
}

// alphanumeric is what QR's alphanumeric mode has (ISO/IEC 18004, table 5).
const alphanumeric = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"

func TestEveryLaneInOrder(t *testing.T) {
	for _, lane := range lanes() {
		for _, size := range []int{1, 2, 9, 100, 1000, 5000, 50_000} {
			for _, chars := range []int{200, 1853, 4296} {
				b := payload(size, uint64(chars))
				e := encoder(t, lane, b, chars)
				d := transport.NewSeveral() // each part is there once
				first := e.Next()
				for i := range e.Parts() {
					part := first
					if i > 0 {
						part = e.Next()
					}
					if len(part) > chars || (i < e.Parts()-1 && lane != transport.UR && len(part) != len(first)) {
						t.Fatalf("%s: part %d has %d characters, the first %d, at most %d", lane, i, len(part), len(first), chars)
					}
					if strings.Trim(part, alphanumeric) != "" {
						t.Fatalf("%s: %q is not alphanumeric", lane, part)
					}
					if err := d.Add(part); err != nil {
						t.Fatal(err)
					}
				}
				got, done := d.Result()
				if !done || got.Kind != transport.Bytes || got.Lane != lane || !bytes.Equal(got.Bytes, b) {
					t.Fatalf("%s: %d bytes in parts of %d: done %v", lane, size, chars, done)
				}
			}
		}
	}
}

func schedules(t testing.TB) int {
	n, err := strconv.Atoi(os.Getenv("KMS_SCHEDULES"))
	if err != nil {
		return 300
	}
	return n
}

// Parts are lost, doubled, swapped, misread, mixed with those of a second
// stream of the same or of another lane and with other symbols, and the reader
// joins in mid-stream: what comes out is a payload that was shown, or nothing
// yet. KMS_SCHEDULES says how many of each lane, seeded.
func TestSchedules(t *testing.T) {
	for _, lane := range lanes() {
		wrong, missing := 0, 0
		for i := range schedules(t) {
			switch scheduled(t, lane, uint64(i)) {
			case "wrong":
				wrong++
				t.Logf("%s: schedule %d: wrong", lane, i)
			case "missing":
				missing++
				t.Logf("%s: schedule %d: never done", lane, i)
			}
		}
		if wrong > 0 || missing > 0 {
			t.Errorf("%s: %d wrong, %d never done", lane, wrong, missing)
		}
	}
}

// scheduled plays one schedule. A caller takes bundles only: what has another
// kind, as after a misread type, it refuses, and goes on.
func scheduled(t *testing.T, lane transport.Lane, seed uint64) string {
	rng := rand.New(rand.NewPCG(seed, 7))
	b, other := payload(1+rng.IntN(8000), rng.Uint64()), payload(1+rng.IntN(8000), rng.Uint64())
	chars := 120 + rng.IntN(600)
	e := encoder(t, lane, b, chars)
	second := encoder(t, secondLane(rng, lane), other, chars)
	for range rng.IntN(3 * e.Parts()) { // joined late
		e.Next()
	}
	loss := rng.Float64() * .7
	d := transport.NewDecoder()
	var held string
	for range 40*e.Parts() + 200 {
		part := e.Next()
		if rng.IntN(10) == 0 { // swapped with a later one
			part, held = held, part
		}
		if rng.Float64() < loss || part == "" {
			continue
		}
		for range 1 + rng.IntN(2) {
			_ = d.Add(part)
		}
		switch rng.IntN(8) {
		case 0:
			_ = d.Add(second.Next())
		case 1:
			_ = d.Add("https://example.org/" + part)
		case 2: // misread: one character is another
			if at := rng.IntN(len(part)); lane != transport.BBQr { // which has no check of its parts
				_ = d.Add(part[:at] + string(alphanumeric[rng.IntN(45)]) + part[at+1:])
			}
		}
		if got, done := d.Result(); done && got.Kind == transport.Bytes {
			if bytes.Equal(got.Bytes, b) || bytes.Equal(got.Bytes, other) {
				return "read"
			}
			return "wrong"
		} else if done {
			d = transport.NewDecoder()
		}
	}
	return "missing"
}

// secondLane is any, but that two files of BBQr cannot be told apart where they
// have the same number of parts: TestPartsOfTwoFilesAreRefused.
func secondLane(rng *rand.Rand, lane transport.Lane) transport.Lane {
	if lane == transport.BBQr {
		return []transport.Lane{transport.Fast, transport.UR}[rng.IntN(2)]
	}
	return lanes()[rng.IntN(3)]
}

// Whatever comes, what is kept and what a part allocates are bounded.
func TestHostileParts(t *testing.T) {
	d := transport.NewDecoder()
	honest := encoder(t, transport.Fast, payload(3000, 1), 300)
	for i := range 2000 { // many streams
		e := encoder(t, transport.Fast, payload(4000, uint64(i+10)), 60)
		e.Next()
		part := e.Next()
		if got := allocated(func() { _ = d.Add(part) }); got > 16<<10 {
			t.Fatalf("part %d: %d bytes allocated", i, got)
		}
	}
	if p := d.Progress(); p.Streams > 8 {
		t.Errorf("%d streams at once", p.Streams)
	}
	for range honest.Parts() {
		_ = d.Add(honest.Next())
	}
	if got, done := d.Result(); !done || !bytes.Equal(got.Bytes, payload(3000, 1)) {
		t.Error("the honest stream was lost")
	}
	for _, text := range []string{
		"", "B$", "B$2P0100", "B$2PZZ00AAAA", "B$ZB0000AA", "B$QP0100AA", "B$2P0101AA", "B$2P0100a", "UR:", "UR:BYTES", "UR:BYTES/1-2", "UR:BYTES/1-2/AEAE",
		"ur:bytes/" + strings.Repeat("ae", 10), "UR:Ä/AE", "KMS1:", "KMS1:AAAA", "KMS1:" + strings.Repeat(":",
			300), strings.Repeat("KMS1:", 5000), "ur:" + strings.Repeat("a/", 9000),
	} {
		if err := transport.NewDecoder().Add(text); err == nil {
			t.Errorf("%.30q was taken", text)
		}
	}
	for _, text := range []string{"bitcoin:bc1q", "B$2J0100MFRGG", "UR:CRYPTO-SEED/OYADGDSTASLTDNHELYGWQ"} {
		if err := transport.NewDecoder().Add(text); err == nil {
			t.Errorf("%s was taken", text)
		} else if text[:2] != "UR" && !errors.Is(err, transport.ErrForeign) {
			t.Errorf("%s: %v", text, err)
		}
	}
}

// A forged part spoils what was read, and never what comes out.
func TestForgedPart(t *testing.T) {
	for _, lane := range []transport.Lane{transport.Fast, transport.UR} {
		b := payload(2000, 1)
		other := append([]byte(nil), b...)
		other[1000] ^= 1
		e, forged := encoder(t, lane, b, 400), encoder(t, lane, other, 400)
		d := transport.NewDecoder()
		for range 3 * e.Parts() {
			_ = d.Add(e.Next())
			_ = d.Add(forged.Next())
			if got, done := d.Result(); done && !bytes.Equal(got.Bytes, b) && !bytes.Equal(got.Bytes, other) {
				t.Fatalf("%s: a mixture came out", lane)
			}
		}
	}
}

// unchecked are the parts of two PSBTs each, in the lanes that have no check: none
// says which file it is of.
func unchecked(t *testing.T) (list [][2][]string) {
	t.Helper()
	var files [2][]byte
	for i := range files {
		files[i] = append([]byte("psbt\xff"), payload(295, uint64(i+1))...)
	}
	var hexed, numbered, lane [2][]string
	for i, file := range files {
		text := base64.StdEncoding.EncodeToString(file)
		for part := range 3 {
			hexed[i] = append(hexed[i], fmt.Sprintf("B$HP030%d%X", part, file[part*100:part*100+100]))
			from, to := part*len(text)/3/4*4, (part+1)*len(text)/3/4*4
			numbered[i] = append(numbered[i], fmt.Sprintf("p%dof3 %s", part+1, text[from:to]))
		}
		e, err := transport.NewEncoder(transport.BBQr, transport.PSBT, file, 200)
		if err != nil || e.Parts() != 3 {
			t.Fatal(err, e.Parts())
		}
		for range e.Parts() {
			lane[i] = append(lane[i], e.Next())
		}
	}
	return [][2][]string{hexed, numbered, lane}
}

// Parts of two files never come out as one file, whatever order they are seen in:
// it is said that there were two.
func TestPartsOfTwoFilesAreRefused(t *testing.T) {
	for at, files := range unchecked(t) {
		a, b := files[0], files[1]
		for name, seen := range map[string][]string{
			"the other screen went on":    slices.Concat(a[1:], b, b),
			"with each part shown longer": {a[1], a[1], a[2], a[2], b[0], b[0], b[0], b[1], b[1], b[2], b[2]},
			"one after the other":         slices.Concat(a, b, a, b),
			"one in between":              slices.Concat(a[:1], b[:1], a[1:], a),
			"in the second turn":          slices.Concat(a, a[:2], b),
		} {
			camera, film := transport.NewDecoder(), transport.NewSeveral()
			var err error
			for _, part := range seen {
				err = errors.Join(err, camera.Add(part))
				_ = film.Add(part)
				if got, done := camera.Result(); done {
					t.Errorf("%d, %s: %d bytes came out", at, name, len(got.Bytes))
				}
			}
			all, _, mixed := film.Results()
			if !errors.Is(err, transport.ErrMixed) || !camera.Over() || len(all) > 0 || !mixed {
				t.Errorf("%d, %s: %v; of a film %d files, mixed %v", at, name, err, len(all), mixed)
			}
		}
	}
}

// A camera takes a file without a check once each part was seen again; a film, which
// ends, once all of it was read.
func TestUncheckedPartsAreSeenAgain(t *testing.T) {
	for at, files := range unchecked(t) {
		camera, film := transport.NewDecoder(), transport.NewSeveral()
		for i, part := range slices.Concat(files[0], files[0]) {
			if p := camera.Progress(); p.Have+p.Again != i || i > 0 && (p.Need != 3 || !p.Repeats) || camera.Over() {
				t.Errorf("%d: %+v after %d", at, p, i)
			}
			if err := errors.Join(camera.Add(part), film.Add(part)); err != nil {
				t.Fatal(err)
			}
		}
		got, done := camera.Result()
		all, begun, mixed := film.Results()
		if !done || len(all) != 1 || begun > 0 || mixed || !bytes.Equal(got.Bytes, all[0].Bytes) ||
			len(got.Bytes) != 300 {
			t.Errorf("%d: %v, %d of a film, %d begun, mixed %v", at, done, len(all), begun, mixed)
		}
	}
}

func TestPayloadsThatDoNotFit(t *testing.T) {
	for _, lane := range lanes() {
		for _, c := range []struct{ size, chars int }{{0, 1000}, {1000, 5}, {100, 15}, {1 << 25, 4296}, {1 << 20, 80}} {
			if e, err := transport.NewEncoder(lane, transport.Bytes, payload(c.size, 3), c.chars); err == nil {
				t.Errorf("%s: %d bytes in %d characters: %d parts", lane, c.size, c.chars, e.Parts())
			}
		}
	}
	if _, err := transport.NewEncoder(transport.Fast, transport.PSBT, []byte{1}, 1000); err == nil {
		t.Error("a PSBT on the fast lane")
	}
}

func FuzzDecoder(f *testing.F) {
	for _, lane := range lanes() {
		e := encoder(f, lane, payload(300, 1), 200)
		f.Add(e.Next() + "\n" + e.Next())
	}
	f.Add("UR:BYTES/1-9/LPADASCFADAXCYWENBPLJKHDCAHKADAEMEJTSWHHYLKEPMYKHHTSYTSNOYOYAXAEDSUTTYDMMHHPKTPMSRJTDKGSLPGH\nB$2B0100AA")
	f.Fuzz(func(t *testing.T, text string) {
		d := transport.NewDecoder()
		for line := range strings.Lines(text) {
			_ = d.Add(strings.TrimSuffix(line, "\n"))
		}
		if p := d.Progress(); p.Have > p.Need {
			t.Fatalf("%d of %d", p.Have, p.Need)
		}
	})
}

func FuzzRoundTrip(f *testing.F) {
	f.Add([]byte("payload"), uint16(200), uint8(0))
	f.Fuzz(func(t *testing.T, b []byte, chars uint16, lane uint8) {
		l := lanes()[int(lane)%3]
		e, err := transport.NewEncoder(l, transport.Bytes, b, int(chars))
		if err != nil {
			return
		}
		d := transport.NewDecoder()
		for range e.Parts() {
			if err := d.Add(e.Next()); err != nil {
				t.Fatal(err)
			}
		}
		if got, done := d.Result(); !done || !bytes.Equal(got.Bytes, b) {
			t.Fatalf("%s: another payload", l)
		}
	})
}

// BenchmarkDecode is 500 KB in about 1,000 parts, a third of them lost.
func BenchmarkDecode(b *testing.B) {
	for _, lane := range lanes() {
		b.Run(string(lane), func(b *testing.B) {
			data := payload(500_000, 1)
			chars := map[transport.Lane]int{transport.Fast: 780, transport.UR: 1085, transport.BBQr: 808}[lane]
			rng := rand.New(rand.NewPCG(1, 1))
			var parts []string
			e := encoder(b, lane, data, chars)
			for range 8 * e.Parts() {
				if p := e.Next(); rng.IntN(3) > 0 {
					parts = append(parts, p)
				}
			}
			least := time.Hour // over the runs: what the lane takes, and not what else the machine does
			for b.Loop() {
				d, worst := transport.NewDecoder(), time.Duration(0)
				for _, p := range parts {
					start := time.Now()
					_ = d.Add(p)
					worst = max(worst, time.Since(start))
					if _, done := d.Result(); done {
						break
					}
				}
				if _, done := d.Result(); !done {
					b.Fatal("not done")
				}
				least = min(least, worst)
			}
			b.ReportMetric(float64(least.Microseconds()), "µs/worst-part")
			b.ReportMetric(float64(e.Parts()), "parts")
		})
	}
}
