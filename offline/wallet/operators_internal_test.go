//go:build unix

package wallet

import (
	"crypto/rand"
	"errors"
	"path/filepath"
	"testing"

	"coldkms/offline/hd/hdtest"
	"coldkms/shared/durable"
)

// One operator's sealed key in another's place opens to nobody's.
func TestSealedKeysAreNotExchanged(t *testing.T) {
	s := Store{FS: durable.OS{}, Coins: hdtest.Coins, Rand: rand.Reader, Cost: Cost{Memory: 8, Passes: 1, Lanes: 1}}
	w, err := s.New(filepath.Join(t.TempDir(), "w"), []byte("pw"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"a", "b"} {
		if _, err := w.AddOperator(name, []byte("same"), 5); err != nil {
			t.Fatal(err)
		}
	}
	w.operators[0].Sealed = w.operators[1].Sealed
	if _, err := w.UnlockOperator("a", []byte("same")); !errors.Is(err, ErrDamaged) {
		t.Errorf("b's key came out for a: %v", err)
	}
	if _, err := w.UnlockOperator("b", []byte("same")); err != nil {
		t.Error(err)
	}
}

// What no Add would have made is not read either.
func TestForgedOperatorsAreNotRead(t *testing.T) {
	sealed := make([]byte, sealedSize)
	for name, list := range map[string][]Operator{
		"two of a name": {{Name: "a", Key: [32]byte{1}, Sealed: sealed}, {Name: "A", Key: [32]byte{2}, Sealed: sealed}},
		"two of a key":  {{Name: "a", Sealed: sealed}, {Name: "b", Sealed: sealed}},
		"long seal":     {{Name: "a", Sealed: append(sealed, 0)}},
		"bad name":      {{Name: "a\n", Sealed: sealed}},
		"too many":      make([]Operator, maxOperators+1),
	} {
		raw, err := encodeBody(&body{Seed: make([]byte, 32), Operators: list})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := decodeBody(raw); err == nil {
			t.Errorf("%s: read", name)
		}
	}
}
