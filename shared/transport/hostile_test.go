package transport_test

import (
	"encoding/base32"
	"fmt"
	"runtime"
	"slices"
	"testing"
	"time"

	"coldkms/shared/transport"
	"coldkms/shared/transport/transporttest"
)

// live is the heap that is in use.
func live() int {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	return int(m.HeapAlloc)
}

// allocated returns how many bytes f allocates.
func allocated(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

// The collector lets a heap grow to twice what is in use.
const mostLive = 32 << 20

// Two streams of the largest payload there is, part by part in turn: only one
// of them has room, and nothing else is kept.
func TestMemoryOfTheLargestStreams(t *testing.T) {
	for _, lane := range []transport.Lane{transport.Fast, transport.UR} {
		const size = 7 << 20
		one, two := encoder(t, lane, payload(size, 1), 4296), encoder(t, lane, payload(size, 2), 4296)
		before := live()
		d := transport.NewDecoder()
		for i := range one.Parts() {
			_ = d.Add(one.Next())
			_ = d.Add(two.Next())
			if i%1000 == 999 {
				if now := live() - before; now > mostLive {
					t.Fatalf("%s: %d MB in use by part %d", lane, now>>20, i)
				}
			}
		}
		runtime.KeepAlive(one)
		runtime.KeepAlive(two)
		runtime.KeepAlive(d)
	}
}

// 500 KB in 1,000 parts, a third of them lost, take less than twice as much.
func TestMemoryOfAnHonestStream(t *testing.T) {
	const size = 500_000
	for lane, chars := range map[transport.Lane]int{transport.Fast: 780, transport.UR: 1085} {
		e := encoder(t, lane, payload(size, 1), chars)
		for range e.Parts() { // mixtures only
			e.Next()
		}
		before := live()
		d, most := transport.NewDecoder(), 0
		for i := 0; ; i++ {
			if err := d.Add(e.Next()); err != nil {
				t.Fatal(err)
			}
			if i%50 == 49 {
				most = max(most, live()-before)
			}
			if _, done := d.Result(); done {
				break
			}
		}
		if most > 2*size {
			t.Errorf("%s: %d bytes in use for a payload of %d", lane, most, size)
		}
		runtime.KeepAlive(e)
		runtime.KeepAlive(d)
	}
}

// bomb is a BBQr that says n zero bytes.
func bomb(n int) []string {
	text := base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(transporttest.Deflated(n >> 20))
	var parts []string
	count := (len(text) + 4287) / 4288
	for i, piece := range slices.Collect(slices.Chunk([]byte(text), 4288)) {
		parts = append(parts, fmt.Sprintf("B$ZB%s%s%s", base36(count), base36(i), piece))
	}
	return parts
}

func base36(n int) string {
	const digits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	return string([]byte{digits[n/36], digits[n%36]})
}

// A file that inflates to 200 MB ends in an error and takes little memory: what is
// inflated is kept until the end, so what was allocated bounds that as well.
func TestBomb(t *testing.T) {
	parts := bomb(200 << 20)
	d := transport.NewDecoder()
	for i, p := range parts {
		var err error
		got := allocated(func() { err = d.Add(p) })
		last := i == len(parts)-1 // it is inflated, up to bbqr.MaxPayload
		if last != (err != nil) {
			t.Errorf("part %d of %d: %v", i+1, len(parts), err)
		}
		if most := map[bool]uint64{false: 32 << 10, true: 32 << 20}[last]; got > most {
			t.Errorf("part %d of %d: %d bytes allocated", i+1, len(parts), got)
		}
	}
	if _, done := d.Result(); done || d.Progress().Streams != 0 {
		t.Error("what is worthless was kept")
	}
}

// The largest stream there is, of mixtures only, is what costs most.
// go test ./shared/transport -run xxx -bench WorstPart -benchtime 1x
func BenchmarkWorstPart(b *testing.B) {
	for _, lane := range []transport.Lane{transport.Fast, transport.UR} {
		b.Run(string(lane), func(b *testing.B) {
			e := encoder(b, lane, payload(16_000_000, 1), map[transport.Lane]int{transport.Fast: 2970, transport.UR: 4000}[lane])
			for range e.Parts() {
				e.Next()
			}
			for b.Loop() {
				var took, made []time.Duration
				d := transport.NewDecoder()
				for {
					start := time.Now()
					part := e.Next()
					made = append(made, time.Since(start))
					start = time.Now()
					_ = d.Add(part)
					took = append(took, time.Since(start))
					if _, done := d.Result(); done {
						break
					}
				}
				slices.Sort(took)
				slices.Sort(made)
				b.ReportMetric(float64(took[len(took)-1].Microseconds()), "µs/worst-part")
				b.ReportMetric(float64(took[len(took)*99/100].Microseconds()), "µs/p99-part")
				b.ReportMetric(float64(made[len(made)/2].Microseconds()), "µs/made")
			}
			b.ReportMetric(float64(e.Parts()), "parts")
		})
	}
}
