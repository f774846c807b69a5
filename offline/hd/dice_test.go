package hd_test

import (
	"bytes"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"math"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"coldkms/offline/hd"
)

// fair are 99 throws of fair dice.
const fair = "425346132615423651425316244163526113345226514364152363142655134261245335162434616253142566134253164"

func TestThrows(t *testing.T) {
	for words, need := range map[int]int{12: 50, 15: 62, 18: 75, 21: 87, 24: 99} {
		got, err := hd.Throws(words)
		if err != nil || got != need {
			t.Errorf("%d words: %d throws, %v", words, got, err)
		}
		if bits := float64(got) * math.Log2(6); bits < float64(words/3*32)-0.2 {
			t.Errorf("%d words: %d throws have only %.1f bits", words, got, bits)
		}
	}
	if _, err := hd.Throws(13); !errors.Is(err, hd.ErrWordCount) {
		t.Errorf("13 words: %v", err)
	}
}

func TestParseDice(t *testing.T) {
	got, err := hd.ParseDice([]byte(" 12 345\t6 "))
	if err != nil || string(got) != "123456" {
		t.Errorf("%q, %v", got, err)
	}
	for _, bad := range []string{"1207", "0", "12a", "1,2", "１", "12\n3", "7"} {
		if got, err := hd.ParseDice([]byte(bad)); !errors.Is(err, hd.ErrDice) || got != nil {
			t.Errorf("%q: %q, %v", bad, got, err)
		}
	}
}

// HKDF (RFC 5869) written out with HMAC, as an operator would check it.
func TestMixIsHKDF(t *testing.T) {
	mac := func(key []byte, parts ...[]byte) []byte {
		m := hmac.New(sha256.New, key)
		m.Write(bytes.Join(parts, nil))
		return m.Sum(nil)
	}
	system := bytes.Repeat([]byte{7}, hd.SystemSize)
	for _, words := range []int{12, 15, 18, 21, 24} {
		mixed, err := hd.Mix(bytes.Clone(system), []byte(fair), words)
		if err != nil {
			t.Fatal(err)
		}
		want := mac(mac([]byte("coldkms dice v1"), system, []byte(fair)), []byte("bip39 entropy"), []byte{1})
		if !bytes.Equal(mixed.Entropy, want[:words/3*4]) {
			t.Errorf("%d words: %x, want %x", words, mixed.Entropy, want)
		}
		mixed.Wipe()
		if !bytes.Equal(slices.Concat(mixed.System, mixed.Entropy), make([]byte, hd.SystemSize+words/3*4)) {
			t.Error("not wiped")
		}
	}
}

// The vector of docs/FORMAT.md.
func TestMixVector(t *testing.T) {
	system, err := hex.DecodeString("000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f")
	if err != nil {
		t.Fatal(err)
	}
	mixed, err := hd.Mix(system, []byte(fair), 24)
	if err != nil {
		t.Fatal(err)
	}
	const want = "3a7f4a5bbbc7fcbe3c2dab00efa8aeb9af6b79fdd276eedee49e33091ad02cfa"
	if got := hex.EncodeToString(mixed.Entropy); got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

// Each part counts: another throw, another byte of the system, another order.
func TestMixDependsOnBoth(t *testing.T) {
	mix := func(system byte, dice string) string {
		mixed, err := hd.Mix(bytes.Repeat([]byte{system}, hd.SystemSize), []byte(dice), 24)
		if err != nil {
			t.Fatal(err)
		}
		return hex.EncodeToString(mixed.Entropy)
	}
	seen := map[string]bool{}
	for _, got := range []string{mix(1, fair), mix(2, fair), mix(1, fair[1:]+"1"), mix(1, fair+"1")} {
		if seen[got] {
			t.Errorf("%s twice", got)
		}
		seen[got] = true
	}
}

func TestMixRefuses(t *testing.T) {
	system := func() []byte { return make([]byte, hd.SystemSize) }
	for name, c := range map[string]struct {
		system []byte
		dice   string
		words  int
	}{
		"one too few":  {system(), fair[:98], 24},
		"few for 12":   {system(), fair[:49], 12},
		"none":         {system(), "", 12},
		"too many":     {system(), strings.Repeat(fair, 11), 24},
		"a seven":      {system(), fair[:98] + "7", 24},
		"all the same": {system(), strings.Repeat("4", 99), 24},
		"13 words":     {system(), fair, 13},
		"no system":    {nil, fair, 24},
	} {
		if _, err := hd.Mix(c.system, []byte(c.dice), c.words); err == nil {
			t.Errorf("%s: taken", name)
		}
	}
}

func TestDrawSystemFailsClosed(t *testing.T) {
	for name, r := range map[string]io.Reader{"zeros": bytes.NewReader(make([]byte, 64)), "broken": iotest.ErrReader(io.ErrUnexpectedEOF), "short": strings.NewReader("abc")} {
		if got, err := hd.DrawSystem(hd.NewSource(r)); err == nil || got != nil {
			t.Errorf("%s: %x, %v", name, got, err)
		}
	}
}

func TestDoubts(t *testing.T) {
	for name, c := range map[string]struct{ dice, doubt string }{
		"fair":            {fair, ""},
		"counting":        {strings.Repeat("123456", 17), "repeat themselves every 6"},
		"too even":        {strings.Repeat("123456", 17), "too evenly"},
		"two in turns":    {strings.Repeat("25", 50), "every 2"},
		"loaded":          {fair[:60] + strings.Repeat("66616", 8), "too unevenly"},
		"a run of eight":  {fair[:50] + "44444444" + fair[50:], "8 equal throws"},
		"a run of seven":  {fair[:50] + "4444444" + fair[50:], ""},
		"birthday typist": {strings.Repeat("1251664", 15), "every 7"},
	} {
		got := strings.Join(hd.Doubts([]byte(c.dice)), "; ")
		if c.doubt == "" && got != "" || !strings.Contains(got, c.doubt) {
			t.Errorf("%s: %q, want %q", name, got, c.doubt)
		}
	}
}

// The thresholds are what they are said to be: fair dice are doubted about
// twice in a thousand times, and not ten times that.
func TestDoubtsAreRare(t *testing.T) {
	const tries = 20_000
	doubted := 0
	throws := make([]byte, 99)
	for range tries {
		for i := range throws {
			throws[i] = '1' + die(t)
		}
		if len(hd.Doubts(throws)) > 0 {
			doubted++
		}
	}
	if doubted > tries/100 {
		t.Errorf("%d of %d fair sequences were doubted", doubted, tries)
	}
}

func die(t *testing.T) byte {
	t.Helper()
	for {
		var b [1]byte
		if _, err := rand.Read(b[:]); err != nil {
			t.Fatal(err)
		}
		if b[0] < 252 {
			return b[0] % 6
		}
	}
}

func TestPassphrase(t *testing.T) {
	composed, err := hd.Passphrase([]byte("caf\u00e9"))
	if err != nil || string(composed) != "cafe\u0301" {
		t.Errorf("%q, %v", composed, err)
	}
	if none, err := hd.Passphrase(nil); none != nil || err != nil {
		t.Errorf("%q, %v", none, err)
	}
	if _, err := hd.Passphrase([]byte{0xff}); !errors.Is(err, hd.ErrPassphrase) {
		t.Errorf("got %v", err)
	}
}

func TestNewKey(t *testing.T) {
	seen := map[string]bool{}
	s := hd.NewSource(rand.Reader)
	for range 100 {
		key, err := hd.NewKey(s)
		if err != nil || hd.CheckKey(key) != nil || seen[string(key)] {
			t.Fatalf("%v", err)
		}
		seen[string(key)] = true
	}
	if _, err := hd.NewKey(hd.NewSource(bytes.NewReader(make([]byte, 64)))); !errors.Is(err, hd.ErrEntropy) {
		t.Errorf("zeros: %v", err)
	}
	order, err := hex.DecodeString("fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := hd.NewKey(hd.NewSource(bytes.NewReader(order))); !errors.Is(err, hd.ErrEntropy) {
		t.Errorf("the order of the curve: %v", err)
	}
}

func FuzzDice(f *testing.F) {
	f.Add([]byte(fair))
	f.Add([]byte("12 34"))
	f.Fuzz(func(t *testing.T, typed []byte) {
		throws, err := hd.ParseDice(typed)
		if err != nil {
			return
		}
		if bytes.ContainsFunc(throws, func(r rune) bool { return r < '1' || r > '6' }) {
			t.Errorf("%q gave %q", typed, throws)
		}
		_ = hd.Doubts(throws)
		if mixed, err := hd.Mix(make([]byte, hd.SystemSize), throws, 24); err == nil && len(mixed.Entropy) != 32 {
			t.Errorf("%d bytes", len(mixed.Entropy))
		}
	})
}
