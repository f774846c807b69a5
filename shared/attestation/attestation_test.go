package attestation

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"coldkms/shared/chain"
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

const id = "61fe7c68cf2fbc595cbb89dd"

func facts() chain.Facts {
	return chain.Facts{
		Coin: chain.Coin{Chain: chain.BTC, Network: chain.Testnet}, Fee: chain.NewAmount(1000),
		Sources:   []chain.Source{{ID: "aa:0", Amount: chain.NewAmount(2000)}, {ID: "bb:1", Amount: chain.NewAmount(500)}},
		Movements: []chain.Movement{{Lock: []byte{0, 0x14}, Amount: chain.NewAmount(1400)}, {Amount: chain.NewAmount(100)}},
	}
}

func TestMessage(t *testing.T) {
	const want = "coldkms approval v1\nid 61fe7c68cf2fbc595cbb89dd\nchain BTC\nnetwork testnet\n" +
		"in aa:0 2000\nin bb:1 500\nout 0014 1400\nout - 100\nfee 1000\nexpires 1790003600\n"
	if got := string(Of(id, facts()).Message(1_790_003_600)); got != want {
		t.Errorf("signed is\n%s\nwant\n%s", got, want)
	}
}

// A statement is about one content and no other.
func TestVerify(t *testing.T) {
	s := Of(id, facts()).Sign(key(t, 4), 1_790_003_600)
	if !Of(id, facts()).Verify(s) {
		t.Fatal("a statement is not about what was signed")
	}
	for name, change := range map[string]func(*chain.Facts){
		"chain":           func(f *chain.Facts) { f.Chain = chain.LTC },
		"network":         func(f *chain.Facts) { f.Network = chain.Mainnet },
		"input":           func(f *chain.Facts) { f.Sources[1].ID = "bb:2" },
		"input value":     func(f *chain.Facts) { f.Sources[0].Amount = f.Sources[0].Amount.Plus(chain.NewAmount(1)) },
		"input order":     func(f *chain.Facts) { f.Sources[0], f.Sources[1] = f.Sources[1], f.Sources[0] },
		"input left out":  func(f *chain.Facts) { f.Sources = f.Sources[:1] },
		"script":          func(f *chain.Facts) { f.Movements[0].Lock = []byte{0, 0x15} },
		"output value":    func(f *chain.Facts) { f.Movements[1].Amount = f.Movements[1].Amount.Plus(chain.NewAmount(1)) },
		"output order":    func(f *chain.Facts) { f.Movements[0], f.Movements[1] = f.Movements[1], f.Movements[0] },
		"output left out": func(f *chain.Facts) { f.Movements = f.Movements[:1] },
		"token":           func(f *chain.Facts) { f.Movements[0].Asset.Token = "gold" },
		"memo":            func(f *chain.Facts) { f.Movements[1].Memo = "77" },
		"fee":             func(f *chain.Facts) { f.Fee = f.Fee.Plus(chain.NewAmount(1)) },
	} {
		f := facts()
		change(&f)
		if Of(id, f).Verify(s) {
			t.Errorf("another %s, and the statement still fits", name)
		}
	}
	if Of("61fe7c68cf2fbc595cbb89de", facts()).Verify(s) {
		t.Error("another id, and the statement still fits")
	}
	later := s
	later.Expires++
	other := s
	other.Approver = key(t, 5).Public()
	none := Of(id, facts()).Sign(key(t, 4), 0)
	for name, bad := range map[string]Statement{"later expiry": later, "another approver": other, "no expiry": none, "zero": {}} {
		if Of(id, facts()).Verify(bad) {
			t.Errorf("%s, and the statement still fits", name)
		}
	}
}

func TestEveryFlipAndCutIsRefused(t *testing.T) {
	c := Of(id, facts())
	b := c.Sign(key(t, 4), 1_790_003_600).Bytes()
	for bit := range len(b) * 8 {
		bad := bytes.Clone(b)
		bad[bit/8] ^= 1 << (bit % 8)
		if s, err := Parse(bad); err == nil && c.Verify(s) {
			t.Fatalf("bit %d flipped and still valid", bit)
		}
	}
	for _, bad := range [][]byte{nil, b[:Size-1], append(bytes.Clone(b), 0)} {
		if _, err := Parse(bad); !errors.Is(err, ErrInvalid) {
			t.Errorf("%d bytes: %v", len(bad), err)
		}
	}
}

func FuzzRoundTrip(f *testing.F) {
	f.Add(Of(id, facts()).Sign(key(f, 4), 1_790_003_600).Bytes())
	f.Add(make([]byte, Size))
	f.Fuzz(func(t *testing.T, b []byte) {
		s, err := Parse(b)
		if err != nil {
			if !errors.Is(err, ErrInvalid) {
				t.Error(err)
			}
			return
		}
		if s.Expires <= 0 || !bytes.Equal(s.Bytes(), b) {
			t.Errorf("%x came back as %x", b, s.Bytes())
		}
	})
}

// A token and a memo are part of the question, and of what is signed.
func TestQuestionHasTokenAndMemo(t *testing.T) {
	f := facts()
	f.Movements[0].Asset.Token, f.Movements[1].Memo = "gold", "7 7"
	asked, err := json.Marshal(Ask(id, f))
	if err != nil {
		t.Fatal(err)
	}
	var q Question
	if err := json.Unmarshal(asked, &q); err != nil {
		t.Fatal(err)
	}
	content, err := q.Content()
	if err != nil || !content.Verify(Of(id, f).Sign(key(t, 4), 1_790_003_600)) {
		t.Errorf("%s is another content (%v)", asked, err)
	}
	if got := string(content.Message(1)); !strings.Contains(got, "out 0014 1400\ntoken 676f6c64\nout - 100\nmemo 372037\nfee") {
		t.Errorf("signed is %s", got)
	}
}
