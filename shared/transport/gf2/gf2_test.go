package gf2

import (
	"bytes"
	"math/rand/v2"
	"testing"
)

// equation is a random one, and its coefficients.
func equation(rng *rand.Rand, blocks [][]byte, words int) ([]uint64, []byte) {
	of, data := make([]uint64, words), make([]byte, len(blocks[0]))
	for i, b := range blocks {
		if rng.IntN(2) == 0 {
			of[i/64] |= 1 << (i % 64)
			for j := range data {
				data[j] ^= b[j]
			}
		}
	}
	return of, data
}

func TestSolve(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	extra := 0
	for _, k := range []int{1, 2, 3, 63, 64, 65, 130} {
		for range 30 {
			blocks := make([][]byte, k)
			for i := range blocks {
				blocks[i] = []byte{byte(rng.Uint32()), byte(i), 7}
			}
			s := New(k, 3)
			for n := 1; !s.Done(); n++ {
				of, data := equation(rng, blocks, s.Words())
				before := s.Rank()
				if new := s.Add(of, data); new != (s.Rank() == before+1) {
					t.Fatal("what is new is not counted")
				}
				if n > k+60 {
					t.Fatalf("k %d: not solved by %d equations", k, n)
				}
				if s.Done() {
					extra += n - k
				}
			}
			if !bytes.Equal(s.Join(), bytes.Join(blocks, nil)) {
				t.Fatalf("k %d: other blocks came out", k)
			}
			of, data := equation(rng, blocks, s.Words())
			if s.Add(of, data) || first(of) >= 0 || !bytes.Equal(data, make([]byte, 3)) {
				t.Fatal("a known equation is new")
			}
		}
	}
	if mean := float64(extra) / 210; mean > 2.2 {
		t.Errorf("%.2f equations too many on average; dense random ones need 1.6", mean)
	}
}
