//go:build unix

package wallet_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"coldkms/offline/wallet"
)

// An operator's key comes back through the file, under the operator's own
// password and no other.
func TestOperatorIsKept(t *testing.T) {
	path := newPath(t)
	w := must(store().New(path, []byte("pw")))(t)
	sample(t, w)
	alice := must(w.AddOperator("alice", []byte("hers"), 5))(t)
	bob := must(w.AddOperator("bob", []byte("his"), 6))(t)
	ok(t, w.Save())
	w = must(store().Open(path, []byte("pw")))(t)
	list := w.Operators()
	if len(list) != 2 || list[0].Name != "alice" || list[0].Key != alice.Key || list[0].Added != 5 || list[1].Key != bob.Key {
		t.Fatalf("came back as %v", list)
	}
	key := must(w.UnlockOperator("alice", []byte("hers")))(t)
	if key.Public() != alice.Key {
		t.Error("another key came out")
	}
	for name, c := range map[string]struct {
		operator, password string
		want               error
	}{
		"another's password":    {"alice", "his", wallet.ErrWrongPassword},
		"the wallet's password": {"alice", "pw", wallet.ErrWrongPassword},
		"no password":           {"alice", "", wallet.ErrWrongPassword},
		"nobody":                {"carol", "hers", wallet.ErrNoOperator},
		"another case":          {"Alice", "hers", wallet.ErrNoOperator},
	} {
		if _, err := w.UnlockOperator(c.operator, []byte(c.password)); !errors.Is(err, c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if w.RemoveOperator("carol") || !w.RemoveOperator("alice") {
		t.Error("the wrong one was removed")
	}
	ok(t, w.Save())
	w = must(store().Open(path, []byte("pw")))(t)
	if list := w.Operators(); len(list) != 1 || list[0].Name != "bob" || len(w.Entries()) != 5 {
		t.Errorf("left are %v and %d entries", list, len(w.Entries()))
	}
}

func TestAddOperatorRefuses(t *testing.T) {
	w := must(store().New(newPath(t), []byte("pw")))(t)
	must(w.AddOperator("alice", []byte("hers"), 5))(t)
	for name, c := range map[string]struct{ operator, password string }{
		"no name":               {"", "x"},
		"long name":             {strings.Repeat("a", 33), "x"},
		"name with a space":     {"al ice", "x"},
		"name for the terminal": {"al\x1b[1mice", "x"},
		"path":                  {"../x", "x"},
		"hidden":                {".x", "x"},
		"same name":             {"alice", "x"},
		"same name in capitals": {"ALICE", "x"},
		"no password":           {"bob", ""},
		"the wallet's password": {"bob", "pw"},
	} {
		if _, err := w.AddOperator(c.operator, []byte(c.password), 5); err == nil {
			t.Errorf("%s was taken", name)
		}
	}
	for i := range 63 {
		must(w.AddOperator("o"+strings.Repeat("x", i%31)+string(rune('0'+i/31)), []byte("x"), 5))(t)
	}
	if _, err := w.AddOperator("onemore", []byte("x"), 5); err == nil {
		t.Error("65 operators were taken")
	}
	w.Close()
	if _, err := w.AddOperator("late", []byte("x"), 5); !errors.Is(err, wallet.ErrClosed) {
		t.Errorf("a closed wallet: %v", err)
	}
}

// The same password for two operators gives two keys, and nothing of either
// can be read in what the wallet holds.
func TestOperatorsKeysAreTheirOwn(t *testing.T) {
	w := must(store().New(newPath(t), []byte("pw")))(t)
	a := must(w.AddOperator("a", []byte("same"), 5))(t)
	b := must(w.AddOperator("b", []byte("same"), 5))(t)
	if a.Key == b.Key || bytes.Equal(a.Sealed, b.Sealed) {
		t.Error("two operators share a key")
	}
	seed := must(w.UnlockOperator("a", []byte("same")))(t).Seed()
	if bytes.Contains(a.Sealed, seed) {
		t.Error("the key lies open")
	}
}
