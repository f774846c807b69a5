package review

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"coldkms/offline/policy"
	"coldkms/shared/bundle"
	"coldkms/shared/chain"
	"coldkms/shared/chain/chaintest"
	"coldkms/shared/chain/utxo"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// complete fills in what the items leave out.
func complete(b Batch) Batch {
	for _, it := range b.Items {
		if it.Facts == nil {
			continue
		}
		*it.Facts = chaintest.Complete(*it.Facts)
		for i, m := range it.Facts.Movements {
			it.Facts.Movements[i].To = utxo.Destination(m.Address, m.Lock)
		}
	}
	return b
}

// batch has one item of each kind that a person may meet.
func batch() Batch {
	return complete(Batch{Basis: Basis{Policy: PolicyName{"payroll", strings.Repeat("5", 64), "2026-11-23T10:15:00Z", 7}, Ledger: LedgerName{41, strings.Repeat("6", 64), "abandon ability"}, Round: strings.Repeat("4", 32)}, Digest: bundle.Digest{0xab}, Created: 1_790_000_000, Items: []Item{
		{ID: "61fe7c68cf2fbc595cbb89dd", Coin: chain.Coin{Chain: chain.BTC, Network: chain.Testnet}, Facts: &chain.Facts{
			Coin: chain.Coin{Chain: chain.BTC, Network: chain.Testnet}, Fee: chain.NewAmount(1000), Size: 141,
			Sources: []chain.Source{{ID: "121702fd7acd1b2cca6bd19658009140730ba26ca67cd222c00f952a111e11f4:0", Address: "x", Kind: "P2WPKH", Amount: chain.NewAmount(100_000), Proven: true, Own: true}},
			Movements: []chain.Movement{
				{Address: "tb1qw508d6qejxtdg4y5r3zarvary0c5xw7kxpjzsx", Kind: "P2WPKH", Amount: chain.NewAmount(40_000)},
				{Address: "tb1qls3snph7j4h3p6r0f609cevqnl9q6cg92aqnn8", Kind: "P2WPKH", Amount: chain.NewAmount(59_000), Change: chain.NewAmount(59_000), Own: &chain.Key{SignatureID: "00000000-0000-4000-8000-000000000002", Index: chain.NoIndex}},
			},
		}},
		{ID: "61fe7c68cf2fbc595cbb89de", Coin: chain.Coin{Chain: chain.BTC, Network: chain.Mainnet}, Facts: &chain.Facts{
			Coin: chain.Coin{Chain: chain.BTC, Network: chain.Mainnet}, Fee: chain.NewAmount(2_100_000), Size: 300,
			Sources: []chain.Source{
				{ID: "ff:0", Address: "y", Kind: "P2PKH", Amount: chain.NewAmount(2_099_999_999_999_999), Proven: true},
				{ID: "ff:1", Kind: "P2TR", Commits: true, Amount: chain.NewAmount(1)},
			},
			Movements: []chain.Movement{
				{Kind: "OP_RETURN", IsData: true, Data: []byte("hi \x1b[31m\xff"), Lock: append([]byte{0x6a, 9}, "hi \x1b[31m\xff"...), Amount: chain.NewAmount(0)},
				{Kind: "multisig", Lock: []byte{0x51, 0xae}, Amount: chain.NewAmount(2_099_999_997_900_000)},
			},
		}, Refusals: []policy.Reason{{Code: chain.NoKeyForInput, Message: "%s", Args: []any{"input 0 is not ours"}}},
			Findings: []policy.Reason{{Code: chain.FlagData, Message: "%s", Args: []any{"output 0 carries data"}}}},
		{ID: "61fe7c68cf2fbc595cbb89df", Coin: chain.Coin{Chain: chain.BTC, Network: chain.Testnet},
			Refusals: []policy.Reason{{Code: chain.DuplicateInput, Message: "%s", Args: []any{"outpoint spent twice"}}}},
	}})
}

// large has what a long list, a sum beyond 64 bits and a finding that wants a
// second look are shown as.
func large() Batch {
	b := Batch{Digest: bundle.Digest{0xcd}, Created: 1_790_000_000, Notices: []string{"this machine is not offline: network interface \"eth0\" is up"}}
	const known, fresh, like = "DH5yaieqoZN36fDVciNyRueRGvGLR3mr7L", "DBXu2kgc3xtvCUWFcxFE3r9hEYgmuaaCyD", "DH5yqL3Tn4C5nQ8WxKNs9tGpJ1zZYF3mr7L"
	doge := func(id, to string, inputs int, findings ...policy.Reason) Item {
		f := chain.Facts{Coin: chain.Coin{Chain: chain.DOGE, Network: chain.Mainnet}, Fee: chain.NewAmount(2_000_000), Size: 226, Movements: []chain.Movement{{Address: to, Kind: "P2PKH", Amount: chain.NewAmount(9_000_000_000_000_000_000)}}}
		for i := range inputs {
			f.Sources = append(f.Sources, chain.Source{ID: fmt.Sprintf("%064x:%d", 7, i), Kind: "P2PKH", Amount: chain.NewAmount(1_000_000_000), Proven: true, Own: true})
		}
		return Item{ID: id, Coin: chain.Coin{Chain: chain.DOGE, Network: chain.Mainnet}, Facts: &f, Findings: findings}
	}
	a := doge("aaaaaaaaaaaaaaaaaaaaaaa1", known, 12)
	a.Facts.Sources[11].WaitBlocks, a.Facts.Sources[10].WaitSeconds = 144, 512
	c := doge("aaaaaaaaaaaaaaaaaaaaaaa3", fresh, 1, policy.Reason{Code: chain.FlagNew, At: chain.At{Part: chain.OfMovement}, Message: "%s", Args: []any{"output 0 pays " + fresh + ", which was never paid before"}})
	for i := range 11 {
		c.Findings = append(c.Findings, policy.Reason{Code: chain.FlagUnusedKey, Message: "%s", Args: []any{fmt.Sprintf("key number %d is named but signs nothing", i)}})
	}
	c.Facts.Movements = append(c.Facts.Movements, chain.Movement{Kind: "OP_RETURN", IsData: true, Data: bytes.Repeat([]byte("long\n"), 40), Lock: append([]byte{0x6a, 0x4c, 200}, bytes.Repeat([]byte("long\n"), 40)...)})
	d := doge("aaaaaaaaaaaaaaaaaaaaaaa4", like, 1, policy.Reason{Code: chain.FlagLookAlike, Message: "%s", Args: []any{"output 0 pays " + like + ", which begins and ends like " + known + " and is another"}})
	d.Vouched = []Vouched{{Name: "payroll", Until: 1_790_003_600}}
	b.Items = []Item{a, doge("aaaaaaaaaaaaaaaaaaaaaaa2", known, 1), c, d}
	return complete(b)
}

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s is now:\n%s", path, got)
	}
}

// What a person reads changes only with the golden file.
func TestText(t *testing.T) {
	var b bytes.Buffer
	if err := batch().Text(&b); err != nil {
		t.Fatal(err)
	}
	golden(t, "review.txt", b.Bytes())
	if i := bytes.IndexAny(b.Bytes(), "\x1b\xff"); i >= 0 {
		t.Errorf("a control character reaches the screen at byte %d", i)
	}
}

func TestLongListsAndLargeSums(t *testing.T) {
	var b bytes.Buffer
	if err := large().Text(&b); err != nil {
		t.Fatal(err)
	}
	golden(t, "large.txt", b.Bytes())
	if i := bytes.IndexAny(b.Bytes(), "\x1b\r\t"); i >= 0 {
		t.Errorf("a control character reaches the screen at byte %d", i)
	}
	b.Reset()
	if err := large().Item(&b, 0); err != nil {
		t.Fatal(err)
	}
	if n := bytes.Count(b.Bytes(), []byte("P2PKH, proven, own")); n != 12 {
		t.Errorf("in full the item shows %d of 12 inputs", n)
	}
}

// What the person did not choose is not in the closing words.
func TestClosingIsOfWhatIsChosen(t *testing.T) {
	var b bytes.Buffer
	if err := large().Closing(&b, func(i int) bool { return i < 2 }); err != nil {
		t.Fatal(err)
	}
	golden(t, "closing.txt", b.Bytes())
}

// A finding that nobody has classified wants a second look; the first payment
// to somebody does not by itself.
func TestStanding(t *testing.T) {
	paying := &chain.Facts{Fee: chain.NewAmount(50), Sources: []chain.Source{{Amount: chain.NewAmount(150)}}, Movements: []chain.Movement{{Address: "a", Amount: chain.NewAmount(100)}}}
	costly := &chain.Facts{Fee: chain.NewAmount(51), Sources: []chain.Source{{Amount: chain.NewAmount(151)}}, Movements: []chain.Movement{{Address: "a", Amount: chain.NewAmount(100)}}}
	for _, x := range []struct {
		facts *chain.Facts
		codes []chain.Code
		want  Standing
	}{
		{nil, nil, Refused},
		{paying, nil, OK},
		{paying, []chain.Code{chain.FlagNew, chain.FlagSignedBefore, chain.FlagReplaceable}, Noted},
		{paying, []chain.Code{chain.FlagNew, chain.FlagLookAlike}, Look},
		{paying, []chain.Code{chain.FlagSameAgain}, Look},
		{paying, []chain.Code{chain.FlagReplaces}, Look},
		{paying, []chain.Code{chain.FlagUnnamed}, Look},
		{paying, []chain.Code{chain.UnprovenAmount}, Look}, // where policy flags it
		{paying, []chain.Code{"of-a-later-version"}, Look},
		{paying, []chain.Code{chain.FlagHighFee}, Noted}, // the guide's own example pays half
		{costly, []chain.Code{chain.FlagHighFee}, Look},
	} {
		it := Item{Facts: x.facts}
		for _, code := range x.codes {
			it.Findings = append(it.Findings, policy.Reason{Code: code})
		}
		if got := it.Standing(); got != x.want {
			t.Errorf("%v: %s, want %s", x.codes, got, x.want)
		}
		insists := x.want == Look
		if it.Insists() != insists {
			t.Errorf("%v: insists %v", x.codes, !insists)
		}
	}
}

func TestJSON(t *testing.T) {
	b, err := json.MarshalIndent(batch().JSON(), "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "review.json", append(b, '\n'))
}

func TestAmountsAreExact(t *testing.T) {
	for value, want := range map[int64]string{
		0: "0.00000000 BTC (0)", 1: "0.00000001 BTC (1)", 100_000_000: "1.00000000 BTC (100000000)",
		2_099_999_999_999_999:     "20999999.99999999 BTC (2099999999999999)",
		9_223_372_036_854_775_807: "92233720368.54775807 BTC (9223372036854775807)",
	} {
		if got := (chain.Asset{Symbol: "BTC", Decimals: 8}).Format(chain.NewAmount(uint64(value))); got != want {
			t.Errorf("%d is written %s, want %s", value, got, want)
		}
	}
	if got := Groups("bchtest:qp63uah"); got != "bchtest: qp63 uah" {
		t.Errorf("groups with a prefix: %q", got)
	}
	if got := Groups("tb1qw508d6q"); got != "tb1q w508 d6q" {
		t.Errorf("groups: %q", got)
	}
}

// Written item by item, the JSON is what the library makes of the whole.
func TestWriteJSON(t *testing.T) {
	b := batch()
	b.Notices = []string{`a "items": [] that is not it, and <>&`}
	for _, items := range [][]Item{b.Items, b.Items[:1], nil} {
		b.Items = items
		for _, prefix := range []string{"", "  "} {
			want, err := indented(b.JSON(), prefix)
			if err != nil {
				t.Fatal(err)
			}
			var got strings.Builder
			if err := b.WriteJSON(&got, prefix); err != nil || got.String() != string(want) {
				t.Errorf("%d items: %v\n%s\nwant\n%s", len(items), err, got.String(), want)
			}
		}
	}
}
