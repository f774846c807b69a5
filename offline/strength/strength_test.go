package strength_test

import (
	"bytes"
	"testing"

	"coldkms/offline/strength"
)

// What people choose is below the floor, whatever they put around it; what is
// made by chance is not.
func TestBits(t *testing.T) {
	for _, weak := range []string{
		"", "a", "pw", "password", "Password1!", "P@ssw0rd2026", "123456789012", "qwertyuiop", "qwertz123",
		"aaaaaaaaaaaaaaaaaaaaaaaa", "abcabcabcabcabcabc", "bitcoin2026", "letmein letmein letmein", "zxcvbnm,.-",
		"19841231", "31121984", "correct horse", "Summer2026!", "monkey dragon", "companywallet1", "abcdefghijklmnop",
		"!@#$%^&*()_+", "1234567890-=", "QWERTYUIOP{}", "27.11.2026 28.11.2026", "2026-11-27",
		"1qaz2wsx3edc", "hunter2hunter2", "PASSWORDPASSWORD", "iloveyou123",
	} {
		if bits := strength.Bits([]byte(weak)); bits >= strength.Floor {
			t.Errorf("%q is weak, and has %d bits", weak, bits)
		}
	}
	for _, strong := range []string{
		"correct horse battery staple abandon", // five words
		"ozone drill gravity cactus",           // four words of BIP 39
		"kV9#tw2pXq7m", "tJ4vnq8wzr6k", "жираф над облаком", "0f8c1a6e93b7d245",
	} {
		if bits := strength.Bits([]byte(strong)); bits < strength.Floor {
			t.Errorf("%q is strong, and has %d bits", strong, bits)
		}
	}
}

// No password takes long, or changes.
func TestBitsOfLongPasswords(t *testing.T) {
	long := bytes.Repeat([]byte("Ab1ж"), 16<<10)
	before := bytes.Clone(long)
	if strength.Bits(long) == 0 || !bytes.Equal(long, before) {
		t.Error("changed, or of no strength")
	}
}

func BenchmarkBits(b *testing.B) {
	for b.Loop() {
		strength.Bits([]byte("a password that is rather long, as those of careful people are, and so on and on!!"))
	}
}
