package strictjson

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
)

func TestObject(t *testing.T) {
	got, err := Object(` {"a": 9007199254740993, "b": [1e21, null, {"c": "x"}], "A": true} `)
	want := map[string]any{
		"a": json.Number("9007199254740993"),
		"b": []any{json.Number("1e21"), nil, map[string]any{"c": "x"}},
		"A": true,
	}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, %v", got, err)
	}
}

func TestObjectRefuses(t *testing.T) {
	for name, text := range map[string]string{
		"nothing":          "",
		"broken":           `{"to":"0x`,
		"an array":         `[{}]`,
		"a number":         `1`,
		"twice":            `{"a":1,"a":1}`,
		"twice, escaped":   `{"a":1,"\u0061":1}`,
		"twice, deep":      `{"a":[{"b":1,"b":2}]}`,
		"a second value":   `{}{}`,
		"text behind":      `{} x`,
		"not UTF-8":        "{\"a\":\"\xff\"}",
		"too deep":         `{"a":` + strings.Repeat("[", maxDepth) + strings.Repeat("]", maxDepth) + `}`,
		"too many values":  `{"a":[` + strings.Repeat("1,", maxItems) + `1]}`,
		"too many bytes":   `{"a":"` + strings.Repeat("x", maxBytes) + `"}`,
		"name without end": `{"a"`,
	} {
		if got, err := Object(text); err == nil {
			t.Errorf("%s: read as %v", name, got)
		}
	}
}

// What Object accepts, Go's own reader reads as the same value.
func FuzzObject(f *testing.F) {
	f.Add(`{"a":[1,{"b":null}]}`)
	f.Fuzz(func(t *testing.T, text string) {
		got, err := Object(text)
		if err != nil {
			return
		}
		var want map[string]any
		dec := json.NewDecoder(strings.NewReader(text))
		dec.UseNumber()
		if err := dec.Decode(&want); err != nil || !reflect.DeepEqual(got, want) {
			t.Fatalf("%q is %v, and %v to encoding/json, %v", text, got, want, err)
		}
	})
}
