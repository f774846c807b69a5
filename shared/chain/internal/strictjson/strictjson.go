// Package strictjson reads one JSON value in such a way that no other reader
// can see another value in the same text: UTF-8 only, no name twice in one
// object, nothing after the value, numbers kept as they are written. Names are
// compared as they stand, as JavaScript does; the caller refuses unknown ones.
package strictjson

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"unicode/utf8"
)

// Limits on what is read.
const (
	maxBytes = 1 << 20
	maxDepth = 16
	maxItems = 4096 // values in one text
)

type reader struct {
	dec   *json.Decoder
	items int
}

// Object reads a JSON object. Values are map[string]any, []any, string, bool,
// json.Number or nil.
func Object(text string) (map[string]any, error) {
	switch {
	case len(text) > maxBytes:
		return nil, fmt.Errorf("%d bytes of JSON, at most %d are read", len(text), maxBytes)
	case !utf8.ValidString(text):
		return nil, errors.New("it is not UTF-8")
	}
	r := &reader{dec: json.NewDecoder(bytes.NewReader([]byte(text)))}
	r.dec.UseNumber()
	v, err := r.value(maxDepth)
	if err != nil {
		return nil, err
	}
	if _, err := r.dec.Token(); !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("something follows the JSON at byte %d", r.dec.InputOffset())
	}
	object, ok := v.(map[string]any)
	if !ok {
		return nil, errors.New("it is no JSON object")
	}
	return object, nil
}

func (r *reader) value(depth int) (any, error) {
	if r.items++; r.items > maxItems {
		return nil, fmt.Errorf("more than %d JSON values", maxItems)
	}
	token, err := r.dec.Token()
	if err != nil {
		return nil, err
	}
	open, nested := token.(json.Delim)
	switch {
	case !nested:
		return token, nil
	case depth == 0:
		return nil, fmt.Errorf("it nests deeper than %d", maxDepth)
	case open == '{':
		return r.object(depth - 1)
	}
	return r.array(depth - 1)
}

func (r *reader) object(depth int) (map[string]any, error) {
	fields := make(map[string]any)
	for r.dec.More() {
		token, err := r.dec.Token()
		if err != nil {
			return nil, err
		}
		name, ok := token.(string)
		if _, twice := fields[name]; twice || !ok {
			return nil, fmt.Errorf("field %.40q stands twice in one place", name)
		}
		if fields[name], err = r.value(depth); err != nil {
			return nil, err
		}
	}
	_, err := r.dec.Token()
	return fields, err
}

func (r *reader) array(depth int) ([]any, error) {
	list := []any{}
	for r.dec.More() {
		v, err := r.value(depth)
		if err != nil {
			return nil, err
		}
		list = append(list, v)
	}
	_, err := r.dec.Token()
	return list, err
}
