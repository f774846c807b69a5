package transport_test

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"coldkms/shared/transport"
)

// errNever is returned where a reader was not done by far more parts than any
// lane needs, or read something else.
var errNever = errors.New("the payload did not come across")

const (
	block = 40  // bytes: what is measured does not depend on it
	limit = 200 // times the parts: then it will never be done
)

// sight is how a stream is seen.
type sight struct {
	Lane  transport.Lane
	Parts int     // about; figures say how many it became
	Loss  float64 // share of the parts that are missed, from 0 to below 1
	Late  bool    // the reader begins anywhere in the first three rounds, not with the first part
}

// figures are those of several runs.
type figures struct {
	Parts    int     // k: enough where none is missed
	Shown    float64 // parts shown, divided by k; on average
	Beyond   float64 // parts seen, beyond k; on average
	Beyond99 int     // in all but one of a hundred runs at most
}

// measureRuns shows a random payload runs times, drawn from seed.
func measureRuns(s sight, runs int, seed uint64) (figures, error) {
	rng := rand.New(rand.NewPCG(seed, 0))
	var f figures
	var beyond []int
	for range runs {
		shown, seen, k, err := once(s, rng)
		if err != nil {
			return f, fmt.Errorf("%s, %d parts, loss %.2f: %w", s.Lane, s.Parts, s.Loss, err)
		}
		f.Parts = k
		f.Shown += float64(shown) / float64(k) / float64(runs)
		f.Beyond += float64(seen-k) / float64(runs)
		beyond = append(beyond, seen-k)
	}
	slices.Sort(beyond)
	if runs > 0 {
		f.Beyond99 = beyond[(runs*99+99)/100-1]
	}
	return f, nil
}

// once shows one payload and counts parts.
func once(s sight, rng *rand.Rand) (shown, seen, k int, err error) {
	b := payload(s.Parts*block, rng.Uint64())
	e, err := shortest(s, b)
	if err != nil {
		return 0, 0, 0, err
	}
	if s.Late {
		for range rng.IntN(3 * e.Parts()) {
			e.Next()
		}
	}
	d := transport.NewDecoder()
	for shown < limit*e.Parts() {
		part := e.Next()
		shown++
		if rng.Float64() < s.Loss {
			continue
		}
		seen++
		if err := d.Add(part); err != nil {
			return 0, 0, 0, err
		}
		if got, done := d.Result(); done {
			if !bytes.Equal(got.Bytes, b) {
				return 0, 0, 0, errNever
			}
			return shown, seen, e.Parts(), nil
		}
	}
	return 0, 0, 0, errNever
}

// shortest takes the shortest parts that are not more than s.Parts.
func shortest(s sight, b []byte) (transport.Encoder, error) {
	low, high := 40, 200+4*len(b)
	for low < high {
		chars := (low + high) / 2
		if e, err := transport.NewEncoder(s.Lane, transport.Bytes, b, chars); err == nil && e.Parts() <= s.Parts {
			high = chars
		} else {
			low = chars + 1
		}
	}
	return transport.NewEncoder(s.Lane, transport.Bytes, b, low)
}

func measure(t testing.TB, s sight, runs int) figures {
	t.Helper()
	f, err := measureRuns(s, runs, 1)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// The fast lane needs hardly more than what any code must, whenever a reader
// begins and whatever it misses; UR is not far from it.
func TestGoals(t *testing.T) {
	for _, c := range []struct {
		lane  transport.Lane
		parts int
		most  float64
	}{{transport.Fast, 50, 1.47}, {transport.Fast, 128, 1.47}, {transport.UR, 128, 1.6}} {
		f := measure(t, sight{Lane: c.lane, Parts: c.parts, Loss: .3, Late: true}, 60)
		if f.Shown > c.most {
			t.Errorf("%s, %d parts: %.3f times the parts shown, goal %.2f", c.lane, f.Parts, f.Shown, c.most)
		}
	}
	for loss := .0; loss < .75; loss += .35 {
		if f := measure(t, sight{Lane: transport.Fast, Parts: 50, Loss: loss, Late: true}, 60); f.Beyond99 > 5 {
			t.Errorf("loss %.2f: %d parts beyond k in one of a hundred", loss, f.Beyond99)
		}
	}
}

// What is counted: with nothing missed, from the first part on, k parts, and in BBQr,
// which has no check, each once more.
func TestNothingMissed(t *testing.T) {
	for _, lane := range []transport.Lane{transport.Fast, transport.UR, transport.BBQr} {
		turns := 1
		if lane == transport.BBQr {
			turns = 2
		}
		f := measure(t, sight{Lane: lane, Parts: 13}, 3)
		if beyond := (turns - 1) * f.Parts; f.Parts < 10 || f.Parts > 13 || f.Shown != float64(turns) ||
			f.Beyond != float64(beyond) || f.Beyond99 != beyond {
			t.Errorf("%s: %+v", lane, f)
		}
	}
	if _, err := measureRuns(sight{Lane: transport.BBQr, Parts: 3, Loss: .9999}, 1, 1); err == nil {
		t.Error("what never comes across is counted")
	}
}

// go test ./shared/transport -run xxx -bench Shown -benchtime 1x
func BenchmarkShown(b *testing.B) {
	for _, lane := range []transport.Lane{transport.Fast, transport.UR, transport.BBQr} {
		for _, parts := range []int{13, 50, 128, 512} {
			for _, loss := range []float64{0, .1, .3, .5} {
				for _, late := range []bool{false, true} {
					s := sight{Lane: lane, Parts: parts, Loss: loss, Late: late}
					b.Run(fmt.Sprintf("%s/k=%d/loss=%.0f%%/late=%v", lane, parts, 100*loss, late), func(b *testing.B) {
						f := figures{}
						for b.Loop() {
							f = measure(b, s, max(20, 6000/parts))
						}
						b.ReportMetric(f.Shown, "shown/k")
						b.ReportMetric(f.Beyond, "beyond")
						b.ReportMetric(float64(f.Beyond99), "beyond-p99")
						b.ReportMetric(0, "ns/op")
					})
				}
			}
		}
	}
}
