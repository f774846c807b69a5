package sandbox

import (
	"encoding/json"
	"math/big"
	"testing"
)

func TestParseAmount(t *testing.T) {
	const supply = 21e14
	for _, c := range []struct {
		text string
		want int64 // 0: refused
	}{
		{"1", 1e8}, {"0.00001", 1000}, {"0.00007", 7000}, {"1e-7", 10}, {"1E-8", 1}, {"1.5e-7", 15}, {"12.34567890", 1234567890},
		{"0.10000000000", 1e7}, {"21000000", supply}, {"2.1e7", supply}, {"0.1e1", 1e8}, {"100000000e-8", 1e8},
		{"1e-9", 0}, {"0.000000001", 0}, {"1.000000001", 0}, {"0", 0}, {"0.0", 0}, {"-1", 0}, {"21000000.00000001", 0},
		{"1e30", 0}, {"1e31", 0}, {"1e999999999999", 0}, {"", 0}, {".5", 0}, {"5.", 0}, {"1,5", 0}, {"0x10", 0}, {"1e", 0}, {"NaN", 0},
		{"+1", 0}, {"1_0", 0}, {"99999999999999999999", 0}, {"1.2.3", 0},
		{"00000000000000000000000000000000000000000000000000000000000000001", 0},
	} {
		got, err := parseAmount(c.text, 8, supply)
		if got != c.want || (err == nil) != (c.want != 0) {
			t.Errorf("%q: %d, %v, want %d", c.text, got, err, c.want)
		}
	}
}

// FuzzParseAmount compares with exact rationals, and reads back what is written.
func FuzzParseAmount(f *testing.F) {
	for _, seed := range []string{"1", "0.1", "1e-8", "20999999.99999999", "1.5e3", "-0", "0e0"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got, err := parseAmount(text, 8, 21e14)
		if err != nil {
			return
		}
		want, valid := new(big.Rat).SetString(text)
		if !valid || want.Mul(want, big.NewRat(1e8, 1)).Cmp(new(big.Rat).SetInt64(got)) != 0 {
			t.Fatalf("%q read as %d", text, got)
		}
		again, err := parseAmount(string(formatAmount(got, 8)), 8, 21e14)
		if again != got || err != nil {
			t.Fatalf("%d written as %s, read as %d, %v", got, formatAmount(got, 8), again, err)
		}
	})
}

func TestNumberKinds(t *testing.T) {
	for text, want := range map[string][2]bool{ // strict, loose
		`1.5`: {true, true}, `"1.5"`: {false, true}, `null`: {false, false}, `true`: {false, false}, `{}`: {false, false}, `"x"`: {false, false}, `""`: {false, false},
	} {
		var strict number
		var loose looseNumber
		if err := json.Unmarshal([]byte(text), &strict); (err == nil) != want[0] {
			t.Errorf("number %s: %v", text, err)
		}
		if err := json.Unmarshal([]byte(text), &loose); (err == nil) != want[1] {
			t.Errorf("loose number %s: %v", text, err)
		}
	}
}

func TestBitcoreScript(t *testing.T) {
	c, err := newCoin("BTC")
	if err != nil {
		t.Fatal(err)
	}
	for address, want := range map[string]string{
		"mpXwg4jMtRhuSpVq4xS3HFHmCmWp9NyGKt":                             "OP_DUP OP_HASH160 20 0x62e907b15cbf27d5425399ebf6f0fb50ebb88f18 OP_EQUALVERIFY OP_CHECKSIG",
		"2MzQwSSnBHWHqSAqtTVQ6v47XtaisrJa1Vc":                            "OP_HASH160 20 0x4e9f39ca4688ff102128ea4ccda34105324305b0 OP_EQUAL",
		"tb1qw508d6qejxtdg4y5r3zarvary0c5xw7kxpjzsx":                     "OP_0 20 0x751e76e8199196d454941c45d1b3a323f1433bd6",
		"bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080":                   "OP_0 20 0x751e76e8199196d454941c45d1b3a323f1433bd6",
		"tb1pqqqqp399et2xygdj5xreqhjjvcmzhxw4aywxecjdzew6hylgvsesf3hn0c": "OP_1 32 0x000000c4a5cad46221b2a187905e5266362b99d5e91c6ce24d165dab93e86433",
	} {
		script, err := c.script(address)
		if err != nil {
			t.Errorf("%s: %v", address, err)
			continue
		}
		if got := bitcoreScript(script); got != want {
			t.Errorf("%s: %s, want %s", address, got, want)
		}
	}
	for _, address := range []string{
		"", "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa", "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4", "ltc1qw508d6qejxtdg4y5r3zarvary0c5xw7kgmn4n9",
		"tb1qw508d6qejxtdg4y5r3zarvary0c5xw7kxpjzsy", "0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798",
	} {
		if script, err := c.script(address); err == nil {
			t.Errorf("%q: taken as %x", address, script)
		}
	}
}
