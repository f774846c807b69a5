//go:build unix

package wallet_test

import (
	"bytes"
	"testing"
)

// A policy comes back as it was set, through the file; a wallet without one
// has none.
func TestPolicyIsKept(t *testing.T) {
	path := newPath(t)
	w := must(store().New(path, []byte("pw")))(t)
	if w.Policy() != nil {
		t.Error("a new wallet has a policy")
	}
	sample(t, w)
	ok(t, w.Save())
	w = must(store().Open(path, []byte("pw")))(t)
	if w.Policy() != nil {
		t.Error("none was set, and there is one")
	}
	text := []byte(`{"version":1}`)
	ok(t, w.SetPolicy(text))
	text[0] = 'x' // the wallet has its own copy
	w.Policy()[0] = 'y'
	ok(t, w.Save())
	again := must(store().Open(path, []byte("pw")))(t)
	if !bytes.Equal(again.Policy(), []byte(`{"version":1}`)) {
		t.Errorf("came back as %q", again.Policy())
	}
	if got := again.Entries(); len(got) != 5 {
		t.Errorf("%d entries are left", len(got))
	}
}

func TestPolicyIsBounded(t *testing.T) {
	w := must(store().New(newPath(t), []byte("pw")))(t)
	for _, n := range []int{0, 1<<20 + 1} {
		if err := w.SetPolicy(make([]byte, n)); err == nil {
			t.Errorf("a policy of %d bytes was taken", n)
		}
	}
	ok(t, w.SetPolicy(make([]byte, 1<<20)))
	w.Close()
	if err := w.SetPolicy([]byte("x")); err == nil {
		t.Error("a closed wallet took a policy")
	}
}
