package policy

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strings"

	"coldkms/shared/chain"
	"coldkms/shared/strictjson"
)

// maxDepth bounds how deep a file nests.
const maxDepth = 8

// decode reads JSON strictly: what encoding/json would let pass (a key twice
// or in another case, null, invalid UTF-8, a second value) is an error.
func decode(raw []byte) (file, error) {
	names := make(map[string]bool)
	fieldNames(reflect.TypeFor[file](), names)
	known := func(name string) error {
		if !names[name] {
			return fmt.Errorf("unknown field %.40q", name)
		}
		return nil
	}
	if err := (strictjson.Rules{Depth: maxDepth, NoNull: true, Name: known}).Check(raw); err != nil {
		return file{}, explained(err)
	}
	var f file
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&f); err != nil {
		return file{}, explained(err)
	}
	return f, nil
}

// fieldNames collects the names that a type's JSON has, in their exact case.
func fieldNames(t reflect.Type, names map[string]bool) {
	for t.Kind() == reflect.Slice || t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if t.Kind() != reflect.Struct {
		return
	}
	for i := range t.NumField() {
		name, _, _ := strings.Cut(t.Field(i).Tag.Get("json"), ",")
		names[name] = true
		fieldNames(t.Field(i).Type, names)
	}
}

// explained says what is wanted.
func explained(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return errors.New("it ends too early")
	}
	var wrong *json.UnmarshalTypeError
	if !errors.As(err, &wrong) {
		return err
	}
	want := wrong.Type.String()
	switch kind := wrong.Type.Kind(); {
	case wrong.Type == reflect.TypeFor[chain.Amount]():
		want = "an integer without quotes, sign, point or exponent; amounts are in the smallest unit"
	case kind == reflect.Struct, kind == reflect.Pointer:
		want = "an object"
	case kind == reflect.Int, kind == reflect.Int64:
		want = "an integer without quotes, point or exponent; amounts are in the smallest unit"
	case kind == reflect.String:
		want = "a text in quotes"
	case kind == reflect.Bool:
		want = "true or false"
	case kind == reflect.Slice:
		want = "a list"
	}
	return fmt.Errorf("field %s has a %s: it is %s", wrong.Field, wrong.Value, want)
}
