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
			if s.Add(of, data) {
				t.Fatal("a known equation is new")
			}
		}
	}
	if mean := float64(extra) / 210; mean > 2.2 {
		t.Errorf("%.2f equations too many on average; dense random ones need 1.6", mean)
	}
}

// A claim costs next to nothing, and the blocks are not there twice in the end.
func TestMemory(t *testing.T) {
	const k, size = 1000, 500
	rng := rand.New(rand.NewPCG(3, 4))
	blocks := make([][]byte, k)
	for i := range blocks {
		blocks[i] = make([]byte, size)
		blocks[i][0], blocks[i][size-1] = byte(rng.Uint32()), byte(i)
	}
	s := New(k, size)
	most := 0
	for !s.Done() {
		s.Add(equation(rng, blocks, s.Words()))
		if s.Rank() == 1 && s.Bytes() > 10_000+size {
			t.Errorf("one equation takes %d bytes", s.Bytes())
		}
		most = max(most, s.Bytes())
		if early := 4*s.Rank() >= k; early != (s.joined != nil) { // later they would be there twice, sooner for a claim
			t.Fatalf("rank %d: joined %v", s.Rank(), !early)
		}
	}
	if most > k*size*3/2 {
		t.Errorf("%d bytes for %d of blocks", most, k*size)
	}
	if !bytes.Equal(s.Join(), bytes.Join(blocks, nil)) || &s.Join()[0] != &s.joined[0] {
		t.Error("joined blocks are others, or a copy")
	}
	if New(2, 1).Join() != nil {
		t.Error("blocks that are not known were joined")
	}
}
