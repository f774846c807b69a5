package utxo

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"

	"coldkms/shared/chain"
)

// object reads one JSON object strictly: names are case-sensitive, as in
// JavaScript and unlike in encoding/json, and no name comes twice. After the
// first failure its methods give zeros and err says what was wrong.
type object struct {
	where  string
	fields map[string]json.RawMessage
	err    error
}

func at(what string, i int) string { return fmt.Sprintf("%s %d", what, i) }

func malformed(where, format string, args ...any) error {
	return chain.Refuse(chain.Malformed, "%s: %s", where, fmt.Sprintf(format, args...))
}

func readObject(where string, raw []byte) (*object, error) {
	dec := json.NewDecoder(bytes.NewReader(raw))
	if first, err := dec.Token(); err != nil || first != json.Delim('{') {
		return nil, malformed(where, "not a JSON object")
	}
	o := &object{where: where, fields: make(map[string]json.RawMessage)}
	for dec.More() {
		token, err := dec.Token()
		if err != nil {
			return nil, malformed(where, "not JSON: %v", err)
		}
		name, _ := token.(string)
		if _, twice := o.fields[name]; twice {
			return nil, malformed(where, "%.80q comes twice", name)
		}
		var value json.RawMessage
		if err := dec.Decode(&value); err != nil {
			return nil, malformed(where, "%.80q is not JSON: %v", name, err)
		}
		o.fields[name] = value
	}
	if _, err := dec.Token(); err != nil {
		return nil, malformed(where, "not JSON: %v", err)
	}
	if len(bytes.TrimLeft(raw[dec.InputOffset():], " \t\r\n")) != 0 {
		return nil, malformed(where, "something follows the JSON object")
	}
	return o, nil
}

func (o *object) fail(format string, args ...any) {
	if o.err == nil {
		o.err = malformed(o.where, format, args...)
	}
}

// take returns a field that must be there.
func (o *object) take(name string) json.RawMessage {
	raw, ok := o.fields[name]
	if !ok {
		o.fail("%s is missing", name)
	}
	return raw
}

// blank reports whether a field is missing, null, an empty string or an empty list.
func (o *object) blank(name string) bool {
	switch string(bytes.TrimSpace(o.fields[name])) {
	case "", "null", `""`, "[]":
		return true
	}
	return false
}

func (o *object) text(name string) string {
	raw := o.take(name)
	var s *string
	if o.err == nil && (json.Unmarshal(raw, &s) != nil || s == nil) {
		o.fail("%s: %.80q is not a string", name, raw)
	}
	if o.err != nil {
		return ""
	}
	return *s
}

// optionalText returns "" for a field that is missing or null.
func (o *object) optionalText(name string) string {
	if raw := bytes.TrimSpace(o.fields[name]); len(raw) == 0 || string(raw) == "null" {
		return ""
	}
	return o.text(name)
}

func (o *object) list(name string) []json.RawMessage {
	raw := o.take(name)
	var list []json.RawMessage
	if o.err == nil && (json.Unmarshal(raw, &list) != nil || list == nil) {
		o.fail("%s is not a list", name)
	}
	return list
}

// integer reads a whole number of 0 … limit, as a JSON number or a decimal
// string: both are what Tatum's library takes. Fractions, exponents, signs
// and leading zeros are not.
func (o *object) integer(name string, limit int64) int64 {
	raw := bytes.TrimSpace(o.take(name))
	if o.err != nil {
		return 0
	}
	digits := raw
	if n := len(raw); n >= 2 && raw[0] == '"' {
		digits = raw[1 : n-1]
	}
	n, err := strconv.ParseInt(string(digits), 10, 64)
	if err != nil || n < 0 || n > limit || strconv.FormatInt(n, 10) != string(digits) {
		o.fail("%s: %.80q is not a whole number of 0 … %d", name, raw, limit)
		return 0
	}
	return n
}
