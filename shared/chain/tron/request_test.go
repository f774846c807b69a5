package tron

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"coldkms/shared/chain"
)

// text returns a transaction as java-tron writes it.
func text(t testing.TB, x Tx) string {
	t.Helper()
	raw := x.Encode()
	id := TxID(raw)
	b, err := json.Marshal(object{"visible": false, "txID": hex.EncodeToString(id[:]), "raw_data": x.json(), "raw_data_hex": hex.EncodeToString(raw)})
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestReadRequest(t *testing.T) {
	for name, x := range sound(t) {
		if name == "most TRX" {
			continue // above 2^53
		}
		s := text(t, x)
		r, err := ReadRequest(s)
		if err != nil || string(r.Raw) != string(x.Encode()) || r.TxID != TxID(r.Raw) {
			t.Errorf("%s: %v\n%s", name, err, s)
		}
		signed := r.SignedJSON(append(make([]byte, 64), 0x1b))
		if want := s[:len(s)-1] + `,"signature":["` + strings.Repeat("00", 64) + `1B"]}`; signed != want {
			t.Errorf("%s: %s, want %s", name, signed, want)
		}
	}
	spaced, err := ReadRequest(" " + strings.ReplaceAll(text(t, sound(t)["transfer"]), ",", " ,\n") + " ")
	if err != nil || strings.ContainsAny(spaced.SignedJSON(make([]byte, 65)), " \n") {
		t.Errorf("with blanks: %v", err)
	}
}

// raw_data may not say what raw_data_hex does not, in any field.
func TestReadRequestComparesAll(t *testing.T) {
	for name, x := range sound(t) {
		if name == "most TRX" {
			continue
		}
		original := text(t, x)
		for _, where := range []string{"raw_data", "contract", "parameter", "value"} {
			var whole object
			if err := json.Unmarshal([]byte(original), &whole); err != nil {
				t.Fatal(err)
			}
			in := whole["raw_data"].(object)
			contract := in["contract"].([]any)[0].(object)
			switch where {
			case "contract":
				in = contract
			case "parameter":
				in = contract["parameter"].(object)
			case "value":
				in = contract["parameter"].(object)["value"].(object)
			}
			for field, v := range in {
				for _, other := range []any{"xx", json.Number("7"), true, nil, json.Number("0.5")} {
					if other == v {
						continue
					}
					in[field] = other
					wantRefused(t, name+": "+field, whole)
				}
				in[field] = v
			}
			in["extra"] = "x"
			wantRefused(t, name+": an extra field in "+where, whole)
		}
	}
}

func wantRefused(t *testing.T, name string, whole object) {
	t.Helper()
	b, err := json.Marshal(whole)
	if err != nil {
		t.Fatal(err)
	}
	var r *chain.Refusal
	if _, err := ReadRequest(string(b)); !errors.As(err, &r) {
		t.Errorf("%s: %v", name, err)
	}
}

func TestReadRequestRefuses(t *testing.T) {
	good := text(t, sound(t)["transfer"])
	if _, err := ReadRequest(good); err != nil {
		t.Fatal(err)
	}
	id := good[strings.Index(good, `"txID":"`)+8:][:64]
	for name, c := range map[string]struct {
		text string
		code chain.Code
	}{
		"broken":        {good[:len(good)-1], chain.Malformed},
		"signed":        {good[:len(good)-1] + `,"signature":["00"]}`, chain.ForeignScript},
		"signature nil": {good[:len(good)-1] + `,"signature":null}`, chain.ForeignScript},
		"extra":         {good[:len(good)-1] + `,"note":"x"}`, chain.Malformed},
		"twice":         {good[:len(good)-1] + `,"txID":"` + id + `"}`, chain.Malformed},
		"visible":       {strings.Replace(good, `"visible":false`, `"visible":true`, 1), chain.Malformed},
		"visible text":  {strings.Replace(good, `"visible":false`, `"visible":"false"`, 1), chain.Malformed},
		"other id":      {strings.Replace(good, id, strings.Repeat("0", 64), 1), chain.HashMismatch},
		"upper case":    {strings.Replace(good, id, strings.ToUpper(id), 1), chain.HashMismatch},
		"no id":         {strings.Replace(good, `"txID"`, `"txid"`, 1), chain.HashMismatch},
		"no raw":        {strings.Replace(good, `"raw_data_hex"`, `"raw_data_hey"`, 1), chain.Malformed},
		"2^53":          {text(t, sound(t)["most TRX"]), chain.Malformed},
		"exponent":      {strings.Replace(good, `"amount":5`, `"amount":5e0`, 1), chain.Malformed},
		"other amount":  {strings.Replace(good, `"amount":5`, `"amount":6`, 1), chain.ContentChanged},
		"amount text":   {strings.Replace(good, `"amount":5`, `"amount":"5"`, 1), chain.ContentChanged},
	} {
		if _, err := ReadRequest(c.text); chain.CodeOf(err) != c.code {
			t.Errorf("%s: %v, want %s", name, err, c.code)
		}
	}
}

func TestAddress(t *testing.T) {
	// USDT's contract.
	const base58, digits = "TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t", "41a614f803b6fd780986a42c78ec9c7f77e6ded13c"
	for _, s := range []string{base58, digits} {
		a, err := ParseAddress(s)
		if err != nil || a.String() != base58 || a.Hex() != digits {
			t.Errorf("%s: %s, %v", s, a, err)
		}
	}
	for _, s := range []string{
		"", "T", base58[:33], base58 + "t", "TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6T", " " + base58, "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa",
		digits[2:], "0x" + digits[2:], "a0" + digits[2:], strings.ToUpper(digits), digits[:40], digits + "00", digits[:41] + "g", "0x" + digits,
	} {
		if a, err := ParseAddress(s); err == nil {
			t.Errorf("%q: %s", s, a)
		}
	}
}

func FuzzRequest(f *testing.F) {
	for _, x := range sound(f) {
		f.Add(text(f, x))
	}
	f.Fuzz(func(t *testing.T, s string) {
		r, err := ReadRequest(s)
		if err != nil {
			return
		}
		if string(r.Tx.Encode()) != string(r.Raw) || !json.Valid([]byte(r.SignedJSON(make([]byte, 65)))) {
			t.Errorf("%q", s)
		}
	})
}
