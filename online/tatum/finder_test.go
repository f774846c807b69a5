package tatum

import (
	"math/rand/v2"
	"testing"
)

// TestFinderMissesNothing: wherever the expression finds a key, the quick look
// before it does.
func TestFinderMissesNothing(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	found := 0
	for _, key := range []string{"t-5ecret/Ks+9&=", "short", "kkkkkkkkk", "A%2Fb%20c~"} {
		f := find(key)
		for range 3000 {
			text := scrawl(random, key)
			exact := f.exact.Match(text)
			if exact {
				found++
			}
			if got := f.in(text); got != exact {
				t.Fatalf("key %q in %q: %v, want %v", key, text, got, exact)
			}
		}
	}
	if found < 2000 {
		t.Errorf("only %d texts had the key", found)
	}
}

// scrawl writes a key, or nearly, as somebody might who wants it to be missed.
func scrawl(random *rand.Rand, key string) []byte {
	text := []byte("{\"a\": ")
	forms := []string{key, string(find(key).forms[random.IntN(2)]), find(key).exact.String()}
	for i, b := range []byte(forms[min(random.IntN(6), 2)*random.IntN(2)]) {
		switch random.IntN(12) {
		case 0:
			text = append(text, " \t\n\v\f\r"[random.IntN(6)])
		case 1:
			if 'a' <= b && b <= 'z' {
				b -= 'a' - 'A'
			}
		case 2:
			if b == 'k' || b == 'K' {
				text = append(text, "\u212a"...)
				continue
			}
		case 3:
			if i > 0 && random.IntN(4) == 0 {
				continue
			}
		}
		text = append(text, b)
	}
	return append(text, '"', '}')
}
