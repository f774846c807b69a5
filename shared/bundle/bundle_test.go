package bundle

import (
	"bytes"
	"compress/flate"
	"crypto/sha256"
	"errors"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"

	"coldkms/shared/attestation"
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

func sampleRequest(t testing.TB) Request {
	return Request{
		Signer: key(t, 2).Public(), Created: 1_790_000_000, LedgerHead: bytes.Repeat([]byte{7}, 32),
		Items: []Item{
			{ID: "61fe7c68cf2fbc595cbb89dd", Family: "utxo", Coin: chain.Coin{Chain: chain.BTC, Network: chain.Testnet}, Tx: []byte{2, 0, 1}, Context: []byte{1},
				Keys:       []chain.Key{{SignatureID: "b8eb99cd-ba04-4031-a65f-11d6420ebdd1", Index: chain.NoIndex}, {SignatureID: "own_name", Index: 3}},
				Statements: []attestation.Statement{{Approver: identity.Public{1}, Expires: 1_790_003_600, Signature: [64]byte{5}}, {Approver: identity.Public{2}, Expires: 1}}},
			{ID: "UPPER", Family: "utxo", Coin: chain.Coin{Chain: chain.BTC, Network: chain.Mainnet}, Tx: []byte{}, Context: []byte{}, Keys: []chain.Key{}},
		},
		Attachments: AttachmentsOf("utxo", [][]byte{{1, 2, 3}}),
	}
}

func sampleResult() Result {
	return Result{
		Request: sha256.Sum256([]byte("request")), LedgerHead: bytes.Repeat([]byte{9}, 32), LedgerLen: 12, Policy: []byte{},
		Outcomes: []Outcome{
			{ID: "61fe7c68cf2fbc595cbb89dd", Signatures: [][]byte{bytes.Repeat([]byte{1}, 65)}},
			{ID: "UPPER", Signatures: [][]byte{}, Code: chain.Dust, Reason: "output 1 is dust"},
		},
		Operators: []identity.Public{{3}, {4}},
	}
}

func TestRoundTrip(t *testing.T) {
	req, err := SealRequest(sampleRequest(t), key(t, 1))
	if err != nil {
		t.Fatal(err)
	}
	gotReq, err := OpenRequest(req.File)
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(gotReq, req) {
		t.Errorf("request came back as\n%+v, want\n%+v", gotReq, req)
	}
	res, err := SealResult(sampleResult(), key(t, 2))
	if err != nil {
		t.Fatal(err)
	}
	gotRes, err := OpenResult(res.File)
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(gotRes, res) {
		t.Errorf("result came back as\n%+v, want\n%+v", gotRes, res)
	}
	w, err := SealWatch(Watch{Created: 5, Entries: []WatchEntry{{SignatureID: "a", Coin: chain.Coin{Chain: chain.BTC, Network: chain.Testnet}, XPub: "tpub", PubKey: []byte{}}}}, key(t, 2))
	if err != nil {
		t.Fatal(err)
	}
	gotW, err := OpenWatch(w.File)
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(gotW, w) {
		t.Errorf("watch came back as\n%+v, want\n%+v", gotW, w)
	}
}

// Every single flipped bit and every truncation of a bundle is refused.
func TestEveryFlipAndCutIsRefused(t *testing.T) {
	req, err := SealRequest(sampleRequest(t), key(t, 1))
	if err != nil {
		t.Fatal(err)
	}
	for bit := range len(req.File) * 8 {
		b := bytes.Clone(req.File)
		b[bit/8] ^= 1 << (bit % 8)
		if _, err := OpenRequest(b); !errors.Is(err, ErrInvalid) {
			t.Fatalf("bit %d flipped: %v", bit, err)
		}
	}
	for n := range len(req.File) {
		if _, err := OpenRequest(req.File[:n]); !errors.Is(err, ErrInvalid) {
			t.Fatalf("cut to %d bytes: %v", n, err)
		}
	}
	if _, err := OpenRequest(append(bytes.Clone(req.File), 0)); !errors.Is(err, ErrInvalid) {
		t.Fatalf("trailing byte: %v", err)
	}
}

// A signature by the author does not excuse a second encoding of the value.
func TestSecondEncodingIsRefused(t *testing.T) {
	body, err := marshal(sampleRequest(t).wire())
	if err != nil {
		t.Fatal(err)
	}
	pendingID := []byte{0x4c, 0x61, 0xfe} // 12 bytes follow
	at := bytes.Index(body, pendingID)
	if at < 0 {
		t.Fatal("no packed pending id in the body")
	}
	long := append([]byte{0x58, 0x0c}, body[at+1:at+13]...) // the same length in a longer head
	text := append([]byte{0x78, 0x18}, "61fe7c68cf2fbc595cbb89dd"...)
	for name, id := range map[string][]byte{"longer head": long, "id as text": text} {
		bad := bytes.Join([][]byte{body[:at], id, body[at+13:]}, nil)
		file, err := seal(KindRequest, key(t, 1), bad)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := OpenRequest(file); !errors.Is(err, ErrInvalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, extra := range map[string][]byte{"trailing byte": {0}} {
		file, err := seal(KindRequest, key(t, 1), append(bytes.Clone(body), extra...))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := OpenRequest(file); !errors.Is(err, ErrInvalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestOtherKindIsNamed(t *testing.T) {
	res, err := SealResult(sampleResult(), key(t, 2))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := OpenRequest(res.File); !errors.Is(err, ErrKind) || !errors.Is(err, ErrInvalid) {
		t.Errorf("a result read as a request: %v", err)
	}
}

func TestBombIsRefusedBeforeItExpands(t *testing.T) {
	packed, err := deflate(make([]byte, 64<<20), flate.BestCompression)
	if err != nil {
		t.Fatal(err)
	}
	file, err := wrap(KindRequest, key(t, 1), 64<<20, packed)
	if err != nil {
		t.Fatal(err)
	}
	allocs := testing.Benchmark(func(b *testing.B) {
		for b.Loop() {
			if _, err := OpenRequest(file); !errors.Is(err, ErrInvalid) {
				b.Fatal(err)
			}
		}
	})
	if got := allocs.AllocedBytesPerOp(); got > 1<<20 {
		t.Errorf("%d bytes allocated for a bomb of %d bytes", got, len(file))
	}
}

// The same value gives the same digest whatever file carried it.
func TestDigestIsOfTheValue(t *testing.T) {
	a, err := SealRequest(sampleRequest(t), key(t, 1))
	if err != nil {
		t.Fatal(err)
	}
	other := sampleRequest(t)
	other.Items[0].Tx[2]++
	b, err := SealRequest(other, key(t, 1))
	if err != nil {
		t.Fatal(err)
	}
	c, err := SealRequest(sampleRequest(t), key(t, 3))
	if err != nil {
		t.Fatal(err)
	}
	if a.Digest == b.Digest || a.Digest == c.Digest {
		t.Error("another value or another author has the same digest")
	}
}

func FuzzOpen(f *testing.F) {
	req, err := SealRequest(sampleRequest(f), key(f, 1))
	if err != nil {
		f.Fatal(err)
	}
	res, err := SealResult(sampleResult(), key(f, 2))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(req.File)
	f.Add(res.File)
	f.Fuzz(func(t *testing.T, file []byte) {
		if _, err := OpenRequest(file); err != nil && !errors.Is(err, ErrInvalid) {
			t.Error(err)
		}
		if _, err := OpenResult(file); err != nil && !errors.Is(err, ErrInvalid) {
			t.Error(err)
		}
	})
}

// FuzzRoundTrip hands bodies to the decoder behind the signature check, which
// no fuzzer would get past: what decodes encodes to the same bytes.
func FuzzRoundTrip(f *testing.F) {
	request, err := marshal(sampleRequest(f).wire())
	if err != nil {
		f.Fatal(err)
	}
	result, err := marshal(sampleResult().wire())
	if err != nil {
		f.Fatal(err)
	}
	f.Add(request)
	f.Add(result)
	f.Fuzz(func(t *testing.T, body []byte) {
		roundTrip(t, body, readRequest, Request.wire)
		roundTrip(t, body, func(body []byte) (Result, error) {
			var w resultWire
			if err := unmarshal(body, &w); err != nil {
				return Result{}, err
			}
			return w.result()
		}, Result.wire)
	})
}

func roundTrip[W, V any](t *testing.T, body []byte, read func([]byte) (V, error), wire func(V) W) {
	v, err := read(body)
	if err != nil {
		return
	}
	again, err := marshal(wire(v))
	if err != nil || !bytes.Equal(again, body) {
		t.Errorf("decoded and encoded again: %x, was %x (%v)", again, body, err)
	}
}

func TestIdentRoundTrip(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	alphabet := "0123456789abcdefABCDEF-_z"
	for range 5000 {
		n := []int{1, 12, 24, 32, 36, 64}[rng.IntN(6)]
		b := make([]byte, n)
		for i := range b {
			b[i] = alphabet[rng.IntN(len(alphabet)-rng.IntN(2)*9)]
		}
		enc, err := marshal(ident(b))
		if err != nil {
			t.Fatal(err)
		}
		var back ident
		if err := unmarshal(enc, &back); err != nil || back != ident(b) {
			t.Fatalf("%s came back as %s: %v", b, back, err)
		}
	}
}

// Whatever is sealed opens: a body that shrinks like a bomb is not compressed.
func TestZerosTravel(t *testing.T) {
	r := sampleRequest(t)
	r.Items[0].Tx = make([]byte, 900_000)
	sealed, err := SealRequest(r, key(t, 1))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := OpenRequest(sealed.File); err != nil {
		t.Error(err)
	}
}

// The names of chain and family are shown: nothing but letters and digits.
func TestForgedNamesAreRefused(t *testing.T) {
	for _, name := range []string{"", "BTC testnet  OK\n\nbatch digest 0000", strings.Repeat("A", 17), "BT\u202eC"} {
		r := sampleRequest(t)
		r.Items[0].Chain = chain.ID(name)
		if _, err := SealRequest(r, key(t, 1)); !errors.Is(err, ErrInvalid) {
			t.Errorf("chain %q: %v", name, err)
		}
		r = sampleRequest(t)
		r.Items[0].Family = name
		if _, err := SealRequest(r, key(t, 1)); !errors.Is(err, ErrInvalid) {
			t.Errorf("family %q: %v", name, err)
		}
	}
}

// A wallet, which begins as a container does, is named for what it is.
func TestWalletIsNamed(t *testing.T) {
	file := append([]byte("CKMSWAL\x00\x01"), make([]byte, 500)...)
	for name, open := range map[string]func([]byte) error{
		"request": func(b []byte) error { _, err := OpenRequest(b); return err },
		"result":  func(b []byte) error { _, err := OpenResult(b); return err },
		"watch":   func(b []byte) error { _, err := OpenWatch(b); return err },
	} {
		if err := open(file); !errors.Is(err, ErrWallet) || !errors.Is(err, ErrInvalid) {
			t.Errorf("as a %s: %v", name, err)
		}
	}
}

// A request of the version before says by name what to do.
func TestRequestOfTheVersionBefore(t *testing.T) {
	sealed, err := SealRequest(sampleRequest(t), key(t, 1))
	if err != nil {
		t.Fatal(err)
	}
	old := bytes.Clone(sealed.File)
	old[len(magic)+1] = 1
	if _, err := OpenRequest(old); !errors.Is(err, ErrInvalid) || !errors.Is(err, ErrVersion) || !strings.Contains(err.Error(), "export again") {
		t.Errorf("version 1: %v", err)
	}
	old[len(magic)+1] = 3
	if _, err := OpenRequest(old); !errors.Is(err, ErrVersion) || strings.Contains(err.Error(), "export again") {
		t.Errorf("version 3: %v", err)
	}
}
