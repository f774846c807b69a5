package attestation

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
)

// What a service signs from the question is what the transaction says.
func TestQuestion(t *testing.T) {
	b, err := json.Marshal(Ask(id, facts()))
	if err != nil {
		t.Fatal(err)
	}
	var q Question
	if err := json.Unmarshal(b, &q); err != nil {
		t.Fatal(err)
	}
	content, err := q.Content()
	if err != nil {
		t.Fatal(err)
	}
	if !Of(id, facts()).Verify(content.Sign(key(t, 4), 5)) {
		t.Errorf("%s is another content", b)
	}
}

func TestQuestionRefuses(t *testing.T) {
	for name, change := range map[string]func(*Question){
		"network":  func(q *Question) { q.Network = "regtest" },
		"id":       func(q *Question) { q.ID = "a\nchain LTC" },
		"chain":    func(q *Question) { q.Chain = "BTC\nnetwork mainnet" },
		"outpoint": func(q *Question) { q.Inputs[0].Outpoint = "aa:0 1\nin bb:0" },
		"script":   func(q *Question) { q.Outputs[0].Script = "00 1\nout 00" },
	} {
		q := Ask(id, facts())
		change(&q)
		if _, err := q.Content(); err == nil {
			t.Errorf("forged %s is taken", name)
		}
	}
}

func TestAnswer(t *testing.T) {
	want := Of(id, facts()).Sign(key(t, 4), 1_790_003_600)
	b, err := json.Marshal(Answer{Statements: []Statement{want}})
	if err != nil {
		t.Fatal(err)
	}
	var got Answer
	if err := json.Unmarshal(b, &got); err != nil || len(got.Statements) != 1 || got.Statements[0] != want {
		t.Fatalf("%s came back as %+v, %v", b, got, err)
	}
	good := string(b)
	for name, bad := range map[string]string{
		"short key":       strings.Replace(good, `"key":"`, `"key":"00`, 1),
		"key no hex":      strings.Replace(good, `"key":"`, `"key":"z`, 1),
		"no expiry":       strings.Replace(good, "1790003600", "0", 1),
		"expiry too high": strings.Replace(good, "1790003600", "9223372036854775808", 1),
		"fraction":        strings.Replace(good, "1790003600", "1.5", 1),
		"short signature": strings.Replace(good, `"signature":"`, `"signature":"00`, 1),
		"null":            `{"statements":[null,{}]}`,
	} {
		var a Answer
		if err := json.Unmarshal([]byte(bad), &a); !errors.Is(err, ErrInvalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func FuzzAnswer(f *testing.F) {
	b, err := json.Marshal(Answer{Statements: []Statement{Of(id, facts()).Sign(key(f, 4), 1_790_003_600)}})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	f.Fuzz(func(t *testing.T, b []byte) {
		var a Answer
		if json.Unmarshal(b, &a) != nil {
			return
		}
		for _, s := range a.Statements {
			if back, err := Parse(s.Bytes()); s != (Statement{}) && (err != nil || back != s) {
				t.Errorf("%+v travels as %+v, %v", s, back, err)
			}
		}
	})
}
