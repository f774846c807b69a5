package evm

import (
	"bytes"
	"encoding/hex"
	"strings"
	"testing"
)

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.TrimPrefix(s, "0x"))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// Examples of the Yellow Paper and of ethereum.org's page on RLP.
func TestRLP(t *testing.T) {
	lorem := "Lorem ipsum dolor sit amet, consectetur adipisicing elit"
	text := func(s string) Item { return Item{Bytes: []byte(s)} }
	list := func(items ...Item) Item { return Item{IsList: true, Items: items} }
	for _, c := range []struct {
		item Item
		hex  string
	}{
		{text("dog"), "83646f67"},
		{list(text("cat"), text("dog")), "c88363617483646f67"},
		{text(""), "80"},
		{list(), "c0"},
		{text("\x00"), "00"},
		{text("\x0f"), "0f"},
		{text("\x04\x00"), "820400"},
		{text("\x80"), "8180"},
		{list(list(), list(list()), list(list(), list(list()))), "c7c0c1c0c3c0c1c0"},
		{text(lorem), "b838" + hex.EncodeToString([]byte(lorem))},
	} {
		if got := hex.EncodeToString(c.item.Encode()); got != c.hex {
			t.Errorf("got %s, want %s", got, c.hex)
		}
		back, err := DecodeRLP(unhex(t, c.hex))
		if err != nil || hex.EncodeToString(back.Encode()) != c.hex {
			t.Errorf("%s does not come back: %v", c.hex, err)
		}
	}
}

func TestRLPRefuses(t *testing.T) {
	for name, s := range map[string]string{
		"nothing":                       "",
		"string too short":              "83646f",
		"list too short":                "c88363",
		"element beyond its list":       "c183646f67",
		"bytes behind":                  "8000",
		"a byte below 0x80 as a string": "817f",
		"short string in long form":     "b801ff",
		"short list in long form":       "f801c0",
		"length with a zero in front":   "b90038" + strings.Repeat("61", 56),
		"length without bytes":          "b8",
		"length of eight bytes":         "bfffffffffffffffff",
		"list length of eight bytes":    "ffffffffffffffffff",
		"nested too deep":               "c6c5c4c3c2c1c0",
		"too many items":                "f8" + "50" + strings.Repeat("01", 80),
	} {
		if item, err := DecodeRLP(unhex(t, s)); err == nil {
			t.Errorf("%s: decoded as %v", name, item)
		}
	}
	if _, err := DecodeRLP((Item{Bytes: make([]byte, MaxRLP)}).Encode()); err == nil {
		t.Error("more than MaxRLP bytes decoded")
	}
}

func FuzzRLP(f *testing.F) {
	for _, s := range []string{"80", "c0", "83646f67", "c88363617483646f67", "c7c0c1c0c3c0c1c0", "b838" + strings.Repeat("61", 56), "f838" + strings.Repeat("01", 56), "bfffffffffffffffff", "8100"} {
		f.Add(unhex(f, s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		item, err := DecodeRLP(b)
		if err == nil && !bytes.Equal(item.Encode(), b) {
			t.Errorf("%x comes back as %x", b, item.Encode())
		}
	})
}
