package identity

import (
	"bytes"
	"errors"
	"strings"
	"testing"
)

func TestFile(t *testing.T) {
	k, err := FromSeed(bytes.Repeat([]byte{1}, SeedSize))
	if err != nil {
		t.Fatal(err)
	}
	file := k.File()
	got, err := ParseFile(file)
	if err != nil || got != k.Public() {
		t.Fatalf("%x, %v", got, err)
	}
	for bit := range len(file) * 8 {
		bad := bytes.Clone(file)
		bad[bit/8] ^= 1 << (bit % 8)
		if _, err := ParseFile(bad); !errors.Is(err, ErrFile) {
			t.Fatalf("bit %d flipped: %v", bit, err)
		}
	}
	for _, bad := range [][]byte{nil, file[:len(file)-1], append(bytes.Clone(file), 0)} {
		if _, err := ParseFile(bad); !errors.Is(err, ErrFile) {
			t.Fatalf("%d bytes: %v", len(bad), err)
		}
	}
}

// Both forms of a fingerprint carry the same 88 bits.
func TestFingerprint(t *testing.T) {
	seen := make(map[string]bool)
	for i := range 50 {
		k, err := FromSeed(bytes.Repeat([]byte{byte(i)}, SeedSize))
		if err != nil {
			t.Fatal(err)
		}
		p := k.Public()
		if len(p.Fingerprint()) != 22 || len(strings.Fields(p.Words())) != 8 {
			t.Fatalf("%s, %s", p.Fingerprint(), p.Words())
		}
		if seen[p.Words()] || seen[p.Fingerprint()] {
			t.Fatal("two keys share a fingerprint")
		}
		seen[p.Words()], seen[p.Fingerprint()] = true, true
	}
}

func TestShortSeedIsRefused(t *testing.T) {
	if _, err := FromSeed(make([]byte, 31)); err == nil {
		t.Error("a seed of 31 bytes is taken")
	}
	if _, err := New(bytes.NewReader(make([]byte, 5))); err == nil {
		t.Error("a short read of randomness is taken")
	}
}
