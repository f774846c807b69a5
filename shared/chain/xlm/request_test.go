package xlm

import (
	"encoding/base64"
	"strings"
	"testing"
	"time"

	"coldkms/shared/chain"
)

func text(x Tx, signatures ...Signature) string {
	return base64.StdEncoding.EncodeToString(x.Envelope(signatures))
}

func TestReadRequestRefuses(t *testing.T) {
	good := text(sound()["payment"])
	if r, err := ReadRequest(chain.Mainnet, good); err != nil || r.Tx != sound()["payment"] || r.Network != chain.Mainnet {
		t.Fatalf("%+v, %v", r, err)
	}
	for name, c := range map[string]struct {
		text string
		code chain.Code
	}{
		"nothing":     {"", chain.Malformed},
		"line break":  {good[:64] + "\n" + good[64:], chain.Malformed},
		"blank":       {" " + good, chain.Malformed},
		"no padding":  {strings.TrimRight(text(sound()["id"]), "="), chain.Malformed},
		"url":         {strings.NewReplacer("+", "-", "/", "_").Replace(good) + "-", chain.Malformed},
		"hex":         {"0x00", chain.Malformed},
		"cut":         {good[:100], chain.Malformed},
		"twice":       {good + good, chain.Malformed},
		"long":        {strings.Repeat("A", 1<<20), chain.TooLarge},
		"JSON":        {`{"source":"` + payer.String() + `"}`, chain.Malformed},
		"line at end": {good + "\r\n", chain.Malformed},
	} {
		if r, err := ReadRequest(chain.Mainnet, c.text); chain.CodeOf(err) != c.code {
			t.Errorf("%s: %v (%+v)", name, err, r)
		}
	}
}

func TestResolve(t *testing.T) {
	x := sound()["payment"]
	r := Request{Network: chain.Mainnet, Tx: x}
	got, err := r.Resolve(payer, Quote{Sequence: x.Sequence - 1, Now: time.Unix(made+400, 0), MaxTime: made + 86400})
	if err != nil || got.Bounds.Max != made+86400 || got.CheckRenewed(x) != nil {
		t.Errorf("%v: %+v", err, got)
	}
	if got, err := r.Resolve(payer, Quote{}); err != nil || got != x {
		t.Errorf("%v: %+v", err, got)
	}
	hinted := Signature{payer.Hint(), make([]byte, 64)}
	for name, c := range map[string]struct {
		signatures []Signature
		account    Account
		quote      Quote
		code       chain.Code
	}{
		"another account":      {nil, payee, Quote{}, OtherAccount},
		"sequence used":        {nil, payer, Quote{Sequence: x.Sequence}, SequenceUsed},
		"expired":              {nil, payer, Quote{Now: time.Unix(made+300, 0)}, Expired},
		"expired when renewed": {nil, payer, Quote{Now: time.Unix(made+300, 0), MaxTime: made + 299}, Expired},
		"a false signature":    {[]Signature{hinted}, payer, Quote{}, chain.ForeignScript},
		"another's signature":  {[]Signature{{payee.Hint(), make([]byte, 64)}}, payer, Quote{}, chain.ForeignScript},
		"two signatures":       {[]Signature{hinted, hinted}, payer, Quote{}, chain.ForeignScript},
	} {
		r := Request{Network: chain.Mainnet, Tx: x, Signatures: c.signatures}
		if got, err := r.Resolve(c.account, c.quote); chain.CodeOf(err) != c.code {
			t.Errorf("%s: %v (%+v)", name, err, got)
		}
	}
	bounded := Request{Tx: sound()["no end"]} // begins at 5
	if got, err := bounded.Resolve(payer, Quote{MaxTime: 4}); err == nil {
		t.Errorf("bounds reversed: %+v", got)
	}
}

// Addresses of SEP-23.
func TestAddress(t *testing.T) {
	const g, m, m0 = "GA7QYNF7SOWQ3GLR2BGMZEHXAVIRZA4KVWLTJJFC7MGXUA74P7UJVSGZ",
		"MA7QYNF7SOWQ3GLR2BGMZEHXAVIRZA4KVWLTJJFC7MGXUA74P7UJVAAAAAAAAAAAAAJLK",
		"MA7QYNF7SOWQ3GLR2BGMZEHXAVIRZA4KVWLTJJFC7MGXUA74P7UJUAAAAAAAAAAAACJUQ"
	a, err := ParseAccount(g)
	if err != nil || a.String() != g {
		t.Fatalf("%s, %v", a, err)
	}
	for s, want := range map[string]Muxed{g: {Account: a}, m: {a, 1 << 63, true}, m0: {a, 0, true}} {
		got, err := ParseMuxed(s)
		if err != nil || got != want || got.String() != s || got.Account != a {
			t.Errorf("%s: %+v, %v", s, got, err)
		}
	}
	for _, s := range []string{
		"", "G", g[:55], g + "A", " " + g, strings.ToLower(g), g[:55] + "A", "S" + g[1:], g[:30] + "\n" + g[31:], g[:30] + "\n" + g[30:],
		"GAAAAAAAACGC6", "GA7QYNF7SOWQ3GLR2BGMZEHXAVIRZA4KVWLTJJFC7MGXUA74P7UJUAAAAAAAAAAAACJUR", m[:68] + "L", m + "=", m[:60],
		"MA7QYNF7SOWQ3GLR2BGMZEHXAVIRZA4KVWLTJJFC7MGXUA74P7UJVAAAAAAAAAAAAAJLKA", "MA7QYNF7SOWQ3GLR2BGMZEHXAVIRZA4KVWLTJJFC7MGXUA74P7UJVAAAAAAAAAAAAAJLK===",
		"G47QYNF7SOWQ3GLR2BGMZEHXAVIRZA4KVWLTJJFC7MGXUA74P7UJVP2I",
	} {
		if got, err := ParseMuxed(s); err == nil {
			t.Errorf("%q: %+v", s, got)
		}
	}
}

func FuzzAddress(f *testing.F) {
	f.Add(payer.String())
	f.Add(Muxed{payee, 7, true}.String())
	f.Fuzz(func(t *testing.T, s string) {
		if a, err := ParseMuxed(s); err == nil && a.String() != s {
			t.Errorf("%q comes back as %s", s, a)
		}
	})
}
