package gf2

import "testing"

// Every product, and that each factor but zero has an inverse.
func TestField(t *testing.T) {
	f := NewField()
	for a := range 256 {
		for b := range 256 {
			if want := product(byte(a), byte(b)); f[a][b] != want {
				t.Fatalf("%d times %d: %d, want %d", a, b, f[a][b], want)
			}
		}
		if a > 0 && f[a][f.inverse(byte(a))] != 1 {
			t.Fatalf("%d has no inverse", a)
		}
	}
}
