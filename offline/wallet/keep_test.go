//go:build unix

package wallet_test

import (
	"bytes"
	"strings"
	"testing"
)

// What Open reads lies only where Keep put it: every secret is given to it,
// and the wallet works with what it gives back.
func TestSecretsOfAnOpenedWalletAreKept(t *testing.T) {
	path := newPath(t)
	w := must(store().Create(path, []byte("the password")))(t)
	sample(t, w)
	ok(t, w.Save())
	w.Close()

	s := store()
	var seen []string
	s.Keep = func(secret []byte) []byte {
		kept := bytes.Clone(secret)
		if len(secret) > 0 {
			seen = append(seen, string(secret))
		}
		clear(secret)
		return kept
	}
	w = must(s.Open(path, []byte("the password")))(t)
	all := strings.Join(seen, "|")
	for _, secret := range []string{words, "TREZOR", string(keyOf(1)), string(keyOf(2)), `{"mnemonic":"x"}`, "the password"} {
		if !strings.Contains(all, secret) {
			t.Errorf("%q was not kept", secret)
		}
	}
	if len(seen) != 8 { // two words, a passphrase, two keys, a foreign entry, the password, the identity's seed
		t.Errorf("%d secrets were kept", len(seen))
	}
	if e, _ := w.Entry("words"); string(e.Words) != words {
		t.Errorf("the wallet works with %q", e.Words)
	}
	ok(t, w.Save())
	w.Close()
	must(store().Open(path, []byte("the password")))(t).Close()
}
