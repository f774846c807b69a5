package ur

import (
	"fmt"
	"math/rand/v2"
	"testing"
)

// peel is the usual decoder of a fountain, for comparison: it uses a mixture
// when all its fragments but one are known.
func peel(known map[int]bool, mixtures [][]int) [][]int {
	for again := true; again; {
		again = false
		var rest [][]int
		for _, of := range mixtures {
			var unknown []int
			for _, i := range of {
				if !known[i] {
					unknown = append(unknown, i)
				}
			}
			switch len(unknown) {
			case 0:
			case 1:
				known[unknown[0]] = true
				again = true
			default:
				rest = append(rest, unknown)
			}
		}
		mixtures = rest
	}
	return mixtures
}

// go test ./shared/transport/ur -run xxx -bench Peeling -benchtime 1x
func BenchmarkPeeling(b *testing.B) {
	for _, k := range []int{13, 50, 128, 512} {
		for _, loss := range []float64{0, .1, .3, .5} {
			for _, late := range []bool{false, true} {
				b.Run(fmt.Sprintf("k=%d/loss=%.0f%%/late=%v", k, 100*loss, late), func(b *testing.B) {
					rng, shown, runs := rand.New(rand.NewPCG(1, 0)), 0, 0
					for b.Loop() {
						for range max(10, 2000/k) {
							runs++
							m, seq := newMixer(k, rng.Uint32()), uint32(0)
							if late {
								seq = uint32(rng.IntN(3 * k))
							}
							known, mixtures := map[int]bool{}, [][]int(nil)
							for len(known) < k {
								seq, shown = seq+1, shown+1
								if rng.Float64() >= loss {
									mixtures = peel(known, append(mixtures, m.of(seq)))
								}
							}
						}
					}
					b.ReportMetric(float64(shown)/float64(runs*k), "shown/k")
					b.ReportMetric(0, "ns/op")
				})
			}
		}
	}
}
