package pending

import (
	"errors"
	"fmt"
	"io"
	"reflect"
	"strings"
	"testing"

	"coldkms/shared/chain"
)

func TestKeys(t *testing.T) {
	for _, c := range []struct {
		name, json string
		want       []chain.Key
		code       chain.Code
	}{
		{"once each, in order", `{"id":"a","hashes":["k2","k1","k2"]}`, []chain.Key{{SignatureID: "k2", Index: -1}, {SignatureID: "k1", Index: -1}}, ""},
		{"signatures behind hashes", `{"id":"a","hashes":["k1"],"signatures":[{"id":"m","index":3},{"id":"m","index":0}]}`,
			[]chain.Key{{SignatureID: "k1", Index: -1}, {SignatureID: "m", Index: 3}, {SignatureID: "m", Index: 0}}, ""},
		{"index of a mnemonic", `{"id":"a","hashes":["m"],"index":7}`, []chain.Key{{SignatureID: "m", Index: 7}}, ""},
		{"withdrawal", `{"id":"a","withdrawalId":"w","hashes":["m"],"withdrawalResponses":[{"vIn":"-1"},{"vIn":"ff","address":{"derivationKey":4}},{"vIn":"fe","address":{}},{"vIn":"fd"}]}`,
			[]chain.Key{{SignatureID: "m", Index: 4}, {SignatureID: "m", Index: 0}}, ""},
		{"none", `{"id":"a","hashes":[]}`, nil, chain.UnknownKey},
		{"withdrawal without", `{"id":"a","withdrawalId":"w","withdrawalResponses":[{"vIn":"ff"}]}`, nil, chain.UnknownKey},
		{"negative index", `{"id":"a","hashes":["m"],"index":-1}`, nil, chain.Malformed},
		{"hardened index", `{"id":"a","signatures":[{"id":"m","index":2147483648}]}`, nil, chain.Malformed},
	} {
		tx, err := Parse([]byte(c.json))
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		got, err := tx.Keys()
		if !reflect.DeepEqual(got, c.want) || (err != nil) != (c.code != "") || (err != nil && chain.CodeOf(err) != c.code) {
			t.Errorf("%s: %v, %v", c.name, got, err)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	for name, text := range map[string]string{
		"no JSON":          `nonsense`,
		"an array":         `[]`,
		"no id":            `{"hashes":["k"]}`,
		"id as path":       `{"id":"../../x"}`,
		"id with escape":   `{"id":"a\u001b[31m"}`,
		"long id":          fmt.Sprintf(`{"id":%q}`, strings.Repeat("a", 65)),
		"wrong type":       `{"id":"a","hashes":"k"}`,
		"fraction":         `{"id":"a","index":1.5}`,
		"bad signature id": `{"id":"a","hashes":["k k"]}`,
		"bad withdrawal":   `{"id":"a","withdrawalId":"x/y"}`,
		"bad signatures":   `{"id":"a","signatures":[{"id":"","index":1}]}`,
		"twice":            `{"id":"a","id":"b"}`,
		"twice, below":     `{"id":"a","signatures":[{"id":"m","index":1,"index":2}]}`,
		"unknown twice":    `{"id":"a","new":1,"new":2}`,
		"other case":       `{"ID":"a"}`,
		"both cases":       `{"id":"a","Id":"b"}`,
		"folded":           `{"id":"a","ha\u017fhes":["k"]}`, // ſ is an s to encoding/json
		"escaped twice":    `{"id":"a","\u0069d":"b"}`,
		"nests deep":       `{"id":"a","new":` + strings.Repeat("[", 40) + strings.Repeat("]", 40) + `}`,
		"two values":       `{"id":"a"}{"id":"b"}`,
		"not UTF-8":        "{\"id\":\"a\",\"chain\":\"\xff\"}",
		"too many keys":    `{"id":"a","hashes":[` + strings.Repeat(`"k",`, MaxKeys) + `"k"]}`,
	} {
		if _, err := Parse([]byte(text)); chain.CodeOf(err) != chain.Malformed || err == nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Nulls, missing fields and what Tatum adds on completion are one content.
func TestContent(t *testing.T) {
	parse := func(s string) Tx {
		tx, err := Parse([]byte(s))
		if err != nil {
			t.Fatal(err)
		}
		return tx
	}
	a := parse(`{"id":"a","chain":"BTC","serializedTransaction":"x","hashes":["k"]}`)
	b := parse(`{"withdrawalId":null,"chain":"BTC","serializedTransaction":"x","hashes":["k"],"index":null,"withdrawalResponses":null,"id":"a","txId":"ff","new":1}`)
	c := parse(`{"id":"a","chain":"BTC","serializedTransaction":"y","hashes":["k"]}`)
	if string(a.Content()) != string(b.Content()) {
		t.Errorf("%s and %s differ", a.Content(), b.Content())
	}
	if string(a.Content()) == string(c.Content()) {
		t.Error("another transaction has the same content")
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(`{"id":"a","hashes":["k"],"signatures":[{"id":"m","index":3}],"withdrawalResponses":[{"vIn":"-1"}]}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		tx, err := Parse(raw)
		if err != nil {
			if chain.CodeOf(err) != chain.Malformed {
				t.Error(err)
			}
			return
		}
		again, err := Parse(tx.Content())
		if err != nil || string(again.Content()) != string(tx.Content()) {
			t.Errorf("content %s does not parse to itself: %v", tx.Content(), err)
		}
	})
}

func TestReadList(t *testing.T) {
	deep := strings.Repeat("[", 10_001) + strings.Repeat("]", 10_001)
	for name, c := range map[string]struct {
		text string
		n    int // elements, -1 for an error
	}{
		"none":        {`[]`, 0},
		"three":       {` [1, {"a":[2]}, "x"] `, 3},
		"strings":     {`["],[", "\\", "\"]", {"a":"{"}]`, 4},
		"too deep":    {`[1,` + deep + `,3]`, 3},
		"object":      {`{"data":[]}`, -1},
		"null":        {`null`, -1},
		"cut":         {`[1,2`, -1},
		"cut element": {`[1,{"a":`, -1},
		"two lists":   {`[1][2]`, -1},
		"comma":       {`[1,]`, -1},
		"page":        {`<html>`, -1},
		"nothing":     {``, -1},
		"unbalanced":  {`[1,}{,2]`, -1},
		"no JSON":     {`[1,nonsense,2]`, -1},
	} {
		got, err := ReadList(strings.NewReader(c.text), nil)
		if (err != nil) != (c.n < 0) || (err == nil && len(got) != c.n) {
			t.Errorf("%s: %d elements, %v", name, len(got), err)
		}
		if name == "too deep" && (chain.CodeOf(got[1].Err) != chain.Malformed || string(got[2].Raw) != "3") {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

// What is too large costs no memory, and a list is held in parts.
func TestReadListLarge(t *testing.T) {
	huge := io.MultiReader(strings.NewReader(`[1,{"a":"`), io.LimitReader(endless{}, MaxRaw+1), strings.NewReader(`"},3]`))
	got, err := ReadList(huge, nil)
	if err != nil || len(got) != 3 || chain.CodeOf(got[1].Err) != chain.TooLarge || string(got[2].Raw) != "3" {
		t.Errorf("%d elements, %v", len(got), err)
	}
	many := io.MultiReader(strings.NewReader(`[`), strings.NewReader(strings.Repeat(`"`+strings.Repeat("x", 1<<20)+`",`, MaxHeld>>20+9)), strings.NewReader(`1]`))
	if got, err := ReadList(many, nil); !errors.Is(err, ErrRest) || len(got) < MaxHeld>>20-1 || len(got) > MaxHeld>>20 {
		t.Errorf("%d elements, %v", len(got), err)
	}
}

type endless struct{}

func (endless) Read(b []byte) (int, error) {
	for i := range b {
		b[i] = 'x'
	}
	return len(b), nil
}
