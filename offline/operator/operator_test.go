package operator

import (
	"bytes"
	"errors"
	"testing"

	"coldkms/shared/identity"
)

func key(t testing.TB, seed byte) identity.Private {
	t.Helper()
	k, err := identity.FromSeed(bytes.Repeat([]byte{seed}, identity.SeedSize))
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func terms() Terms { return Terms{Batch: [32]byte{1}, Policy: [32]byte{2}, Judged: [32]byte{3}} }

// An approval is of one batch under one policy as it was judged, by one person.
func TestApprovalIsOfItsTerms(t *testing.T) {
	good := Approve(key(t, 4), terms())
	if !good.Valid() {
		t.Fatal("an approval is not valid")
	}
	for name, change := range map[string]func(*Approval){
		"batch":    func(a *Approval) { a.Batch[31]++ },
		"policy":   func(a *Approval) { a.Policy = [32]byte{} },
		"judged":   func(a *Approval) { a.Judged[0]++ },
		"round":    func(a *Approval) { a.Round[15]++ },
		"operator": func(a *Approval) { a.Operator = key(t, 5).Public() },
		"swapped":  func(a *Approval) { a.Policy, a.Judged = a.Judged, a.Policy },
	} {
		a := good
		change(&a)
		if a.Valid() {
			t.Errorf("another %s, and still valid", name)
		}
	}
	if (Approval{}).Valid() {
		t.Error("nothing is valid")
	}
}

func TestFile(t *testing.T) {
	a := Approve(key(t, 4), terms())
	file := a.File()
	if got, err := ParseFile(file); err != nil || got != a {
		t.Fatalf("came back as %+v, %v", got, err)
	}
	for bit := range len(file) * 8 {
		bad := bytes.Clone(file)
		bad[bit/8] ^= 1 << (bit % 8)
		if _, err := ParseFile(bad); !errors.Is(err, ErrFile) {
			t.Fatalf("bit %d flipped: %v", bit, err)
		}
	}
	for n := range len(file) {
		if _, err := ParseFile(file[:n]); !errors.Is(err, ErrFile) {
			t.Fatalf("cut to %d bytes: %v", n, err)
		}
	}
	if _, err := ParseFile(append(file, 0)); !errors.Is(err, ErrFile) {
		t.Errorf("a byte more: %v", err)
	}
}

func TestRecord(t *testing.T) {
	a := Approve(key(t, 4), terms())
	alice := Operator{Name: "alice", Key: a.Operator}
	line := alice.Record(a)
	o, got, err := ParseRecord(line, terms())
	if err != nil || o != alice || got != a || !got.Valid() {
		t.Fatalf("%s came back as %v %v, %v", line, o, got, err)
	}
	other := terms()
	other.Judged[0]++
	if _, got, err := ParseRecord(line, other); err != nil || got.Valid() {
		t.Errorf("valid for other terms, %v", err)
	}
	for _, bad := range []string{"", "alice", alice.String(), line + " ", line + "00", "  ", "alice zz zz", line[:len(line)-2]} {
		if _, _, err := ParseRecord(bad, terms()); err == nil {
			t.Errorf("%q was taken", bad)
		}
	}
}

func FuzzParseFile(f *testing.F) {
	f.Add(Approve(key(f, 4), terms()).File())
	f.Fuzz(func(t *testing.T, b []byte) {
		a, err := ParseFile(b)
		if err != nil {
			return
		}
		if !a.Valid() || !bytes.Equal(a.File(), b) {
			t.Errorf("%x came back as %x", b, a.File())
		}
	})
}
