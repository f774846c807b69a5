package review

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"testing"

	"coldkms/offline/policy"
	"coldkms/shared/bundle"
	"coldkms/shared/chain"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// batch has one item of each kind that a person may meet.
func batch() Batch {
	return Batch{Digest: bundle.Digest{0xab}, Created: 1_790_000_000, Items: []Item{
		{ID: "61fe7c68cf2fbc595cbb89dd", Chain: chain.BTC, Network: chain.Testnet, Facts: &chain.Facts{
			Chain: chain.BTC, Network: chain.Testnet, Fee: 1000, VSize: 141,
			Inputs: []chain.Input{{Outpoint: "121702fd7acd1b2cca6bd19658009140730ba26ca67cd222c00f952a111e11f4:0", Address: "x", Kind: "P2WPKH", Value: 100_000, Proven: true, Own: true}},
			Outputs: []chain.Output{
				{Address: "tb1qw508d6qejxtdg4y5r3zarvary0c5xw7kxpjzsx", Kind: "P2WPKH", Value: 40_000},
				{Address: "tb1qls3snph7j4h3p6r0f609cevqnl9q6cg92aqnn8", Kind: "P2WPKH", Value: 59_000, Change: true},
			},
		}},
		{ID: "61fe7c68cf2fbc595cbb89de", Chain: chain.BTC, Network: chain.Mainnet, Facts: &chain.Facts{
			Chain: chain.BTC, Network: chain.Mainnet, Fee: 2_100_000, VSize: 300,
			Inputs: []chain.Input{
				{Outpoint: "ff:0", Address: "y", Kind: "P2PKH", Value: 2_099_999_999_999_999, Proven: true},
				{Outpoint: "ff:1", Kind: "P2TR", Value: 1},
			},
			Outputs: []chain.Output{
				{Kind: "OP_RETURN", Script: append([]byte{0x6a, 9}, "hi \x1b[31m\xff"...), Value: 0},
				{Kind: "multisig", Script: []byte{0x51, 0xae}, Value: 2_099_999_997_900_000},
			},
		}, Refusals: []policy.Reason{{Code: chain.NoKeyForInput, Text: "input 0 is not ours"}},
			Findings: []policy.Reason{{Code: chain.FlagData, Text: "output 0 carries data"}}},
		{ID: "61fe7c68cf2fbc595cbb89df", Chain: chain.BTC, Network: chain.Testnet,
			Refusals: []policy.Reason{{Code: chain.DuplicateInput, Text: "outpoint spent twice"}}},
	}}
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
		if got := Amount(chain.BTC, value); got != want {
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
