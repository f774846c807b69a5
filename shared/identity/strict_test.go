package identity

import (
	"encoding/hex"
	"errors"
	"testing"
)

// Keys of small order, with either sign, and encodings that are not canonical are
// refused, and nothing verifies under them.
func TestWeakKeysVerifyNothing(t *testing.T) {
	var weak []string
	for _, y := range []string{ // little-endian
		"0000000000000000000000000000000000000000000000000000000000000000",
		"0100000000000000000000000000000000000000000000000000000000000000",
		"ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
		"26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
		"c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
		"edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f", // 0
		"eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f", // 1
		"f0ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f", // 3
		"ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
	} {
		b, err := hex.DecodeString(y)
		if err != nil {
			t.Fatal(err)
		}
		weak = append(weak, string(b))
		b[31] |= 0x80
		weak = append(weak, string(b))
	}
	forged := [64]byte{1} // R is the identity point, S is 0
	for _, k := range weak {
		key := Public([]byte(k))
		if !errors.Is(key.Check(), ErrWeakKey) {
			t.Errorf("%x is taken", k)
		}
		for n := range byte(64) {
			if key.Verify([]byte{n}, forged) {
				t.Errorf("%x verifies a forged signature", k)
				break
			}
		}
	}
	for n := range byte(64) {
		private, err := FromSeed(append(make([]byte, 31), n))
		if err != nil {
			t.Fatal(err)
		}
		if err := private.Public().Check(); err != nil {
			t.Errorf("%d: %v", n, err)
		}
	}
}
