package evm

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"coldkms/shared/chain"
)

// The examples of EIP-55.
func TestChecksum(t *testing.T) {
	for _, s := range []string{
		"0x52908400098527886E0F7030069857D2E4169EE7", "0x8617E340B3D01FA5F11F306F4090FD50E238070D",
		"0xde709f2102306220921060314715629080e2fb77", "0x27b1fdb04752bbc536007a920d24acb045561c26",
		"0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed", "0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359",
		"0xdbF03B407c01E7cD3CBea99509d93f8DDDC8C6FB", "0xD1220A0cf47c7B9Be7A2E6BA89F429762e7b9aDb",
	} {
		a, err := ParseAddress("ETH", s)
		if err != nil || a.String() != s || a.Hex() != strings.ToLower(s) {
			t.Errorf("%s: %s, %v", s, a, err)
		}
	}
	const wrong = "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAeD"
	if _, err := ParseAddress("ETH", wrong); !errors.Is(err, ErrChecksum) {
		t.Errorf("%s: %v", wrong, err)
	}
}

func TestParseAddress(t *testing.T) {
	a := Address{0xdc, 0x90, 19: 0x01}
	for _, c := range []struct {
		id   chain.ID
		text string
		ok   bool
	}{
		{"ETH", a.Hex(), true},
		{"ETH", "0x" + strings.ToUpper(a.Hex()[2:]), true},
		{"ETH", "0X" + a.Hex()[2:], false},
		{"ETH", a.Hex()[2:], false},
		{"ETH", a.Hex()[:41], false},
		{"ETH", a.Hex() + "0", false},
		{"ETH", " " + a.Hex(), false},
		{"ETH", a.Hex()[:41] + "g", false},
		{"ETH", a.Text("XDC"), false},
		{"ETH", a.One(), false},
		{"ETH", "XE7338O073KYGTWWZN0F2WZ0R8PX5ZPPZS", false},
		{"ETH", "", false},
		{"XDC", a.Hex(), true}, // 0xdc… holds the letters xdc, and has the prefix 0x
		{"XDC", a.Text("XDC"), true},
		{"XDC", "XDC" + a.Hex()[2:], false},
		{"XDC", "xdc" + a.Hex(), false},
		{"XDC", "0" + a.Text("XDC"), false},
		{"ONE", a.Hex(), true},
		{"ONE", a.One(), true},
		{"ONE", strings.ToUpper(a.One()), false},
		{"ONE", a.One()[:len(a.One())-1] + "q", false},
		{"ONE", "one1", false},
	} {
		got, err := ParseAddress(c.id, c.text)
		if (err == nil) != c.ok || c.ok && got != a {
			t.Errorf("%s %q: %s, %v", c.id, c.text, got, err)
		}
	}
}

// An example of Harmony's documentation.
func TestOne(t *testing.T) {
	const one, hex = "one1zksj3evekayy90xt4psrz8h6j2v3hla4qwz4ur", "0x15a128e599b74842BCcBa860311Efa92991bffb5"
	a, err := ParseAddress("ONE", one)
	if err != nil || !strings.EqualFold(a.String(), hex) || a.One() != one {
		t.Errorf("%s: %s, %v", one, a, err)
	}
}

func TestChainID(t *testing.T) {
	seen := map[uint64]bool{}
	for _, id := range []chain.ID{"ETH", "BSC", "MATIC", "KLAY", "KCS", "ONE", "XDC", "CELO"} {
		for _, network := range []chain.Network{chain.Mainnet, chain.Testnet} {
			n, ok := ChainID(chain.Coin{Chain: id, Network: network})
			if !ok || seen[n] {
				t.Errorf("%s %s: %d, %v", id, network, n, ok)
			}
			seen[n] = true
		}
	}
	for _, c := range []chain.Coin{{}, {Chain: "ETH"}, {Chain: "BTC", Network: chain.Mainnet}, {Chain: "TRON", Network: chain.Mainnet}} {
		if n, ok := ChainID(c); ok {
			t.Errorf("%s: %d", c, n)
		}
	}
}

func TestParseNumber(t *testing.T) {
	for _, c := range []struct {
		v    any
		want string // "" for none
	}{
		{json.Number("0"), "0"},
		{json.Number("9007199254740991"), "9007199254740991"},
		{json.Number("9007199254740992"), ""},
		{json.Number("-1"), ""},
		{json.Number("1.0"), ""},
		{json.Number("1e3"), ""},
		{"0", "0"},
		{"9007199254740993", "9007199254740993"},
		{"0x0", "0"},
		{"0x00ff", "255"},
		{"0xFF", "255"},
		{"0x" + strings.Repeat("f", 64), chain.MaxAmount().String()},
		{"0x" + strings.Repeat("0", 65), ""},
		{"0x1" + strings.Repeat("0", 64), ""},
		{"0x", ""}, {"0X1", ""}, {"0x-1", ""}, {"0x+1", ""}, {"0x_1", ""}, {"0x1_0", ""}, {"-0x1", ""},
		{"ff", ""}, {"01", ""}, {"+1", ""}, {"-1", ""}, {"1.5", ""}, {"1e3", ""}, {" 1", ""}, {"1_000", ""},
		{true, ""}, {nil, ""}, {map[string]any{}, ""},
	} {
		got, err := parseNumber(c.v)
		if (err == nil) != (c.want != "") || err == nil && got.String() != c.want {
			t.Errorf("%v: %s, %v", c.v, got, err)
		}
	}
}

func TestToWei(t *testing.T) {
	for _, c := range []struct {
		text   string
		places int
		want   string
	}{
		{"1", EtherDecimals, "1000000000000000000"},
		{"0.5", EtherDecimals, "500000000000000000"},
		{".5", EtherDecimals, "500000000000000000"},
		{"1.", EtherDecimals, "1000000000000000000"},
		{"0.000000000000000001", EtherDecimals, "1"},
		{"0.0000000000000000001", EtherDecimals, ""},
		{"90071992.547409930000000001", EtherDecimals, "90071992547409930000000001"},
		{"30", GweiDecimals, "30000000000"},
		{"0", GweiDecimals, "0"},
		{"31.000000001", GweiDecimals, "31000000001"},
		{"", GweiDecimals, ""}, {".", GweiDecimals, ""}, {"-1", GweiDecimals, ""}, {"1e3", GweiDecimals, ""}, {"1.2.3", GweiDecimals, ""}, {"0x1", GweiDecimals, ""},
		{strings.Repeat("9", 78), EtherDecimals, ""},
	} {
		got, err := ToWei(c.text, c.places)
		if (err == nil) != (c.want != "") || err == nil && got.String() != c.want {
			t.Errorf("%q: %s, %v", c.text, got, err)
		}
	}
}

func TestTatumPrice(t *testing.T) {
	node := chain.NewAmount(7)
	for _, c := range []struct {
		id      chain.ID
		station string
		want    uint64 // 0 for a refusal
	}{
		{"ETH", "", 7}, {"XDC", "", 7}, {"BSC", "", 10e9}, {"KCS", "", 1e9},
		{"MATIC", "29.9", 30e9}, {"MATIC", "0", 30e9}, {"MATIC", "30.000000001", 31e9}, {"MATIC", "72", 72e9},
		{"MATIC", "", 0}, {"MATIC", "1e9", 0}, {"MATIC", "1000001", 0}, {"MATIC", strings.Repeat("9", 70), 0},
	} {
		got, err := TatumPrice(c.id, node, c.station)
		if (err == nil) != (c.want != 0) || err == nil && got != chain.NewAmount(c.want) {
			t.Errorf("%s %q: %s, %v", c.id, c.station, got, err)
		}
	}
}
