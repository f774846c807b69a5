package policy

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// alikeOf is what best is to return: of the first two others in the alphabet with
// the same ends, for each way to split them, the one that is most alike.
func alikeOf(to string, letters int, known []string) (best like) {
	for head := 0; head <= letters; head++ {
		ends := func(a string) string { return a[1:1+head] + "…" + a[len(a)-letters+head:] }
		others := 0
		for _, other := range known {
			if other == to || ends(other) != ends(to) || others == 2 {
				continue
			}
			others++
			if n := alike(to[1:], other[1:]); n > best.letters || n == best.letters && other < best.other {
				best = like{other, n}
			}
		}
	}
	return best
}

// What is kept of ends makes no difference to what is found.
func TestLikesAreThoseOfTheDefinition(t *testing.T) {
	const letters, seed = 4, 11
	rng := rand.New(rand.NewPCG(seed, 1))
	address := func() string {
		b := []byte("1")
		for range 9 {
			b = append(b, "abc"[rng.IntN(3)])
		}
		return string(b)
	}
	found := 0
	for n := range 300 {
		var batch, before []string
		for range 1 + rng.IntN(12) {
			batch = append(batch, address())
		}
		for range rng.IntN(12) {
			before = append(before, address(), batch[rng.IntN(len(batch))])
		}
		slices.Sort(batch)
		batch = slices.Compact(batch)
		l := newLikes(letters, rng.IntN(2)*len(batch)) // with room for none every filter is full
		for _, to := range batch {
			l.watch(to)
		}
		rng.Shuffle(len(batch), func(i, j int) { batch[i], batch[j] = batch[j], batch[i] })
		for _, to := range batch {
			l.seenInBatch(to)
		}
		for _, to := range before {
			l.seen(to)
		}
		known := slices.Compact(slices.Sorted(slices.Values(slices.Concat(batch, before))))
		for _, to := range batch {
			want := alikeOf(to, letters, known)
			if got, ok := l.best(to); got != want || ok != (want.other != "") {
				t.Fatalf("case %d of seed %d: %s among %v: %+v, want %+v", n, seed, to, known, got, want)
			}
			if want.other != "" {
				found++
			}
		}
	}
	if found < 300 {
		t.Errorf("%d addresses are like another: too few to tell", found)
	}
}

// The addresses of a large batch are not kept in all the ways in which they can be
// split.
func TestLikesKeepLittle(t *testing.T) {
	const addresses = 20_000
	rng := rand.New(rand.NewPCG(12, 1))
	l := newLikes(6, addresses)
	var batch []string
	for i := range addresses {
		batch = append(batch, fmt.Sprintf("q%016x%016x%d", rng.Uint64(), rng.Uint64(), i)+strings.Repeat("x", i%3))
	}
	for _, to := range batch {
		l.watch(to)
	}
	for _, to := range batch {
		l.seenInBatch(to)
	}
	if len(l.ends) > addresses {
		t.Errorf("%d ends are kept of %d addresses", len(l.ends), addresses)
	}
}
