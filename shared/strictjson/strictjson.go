// Package strictjson reads JSON in such a way that no other reader can see
// another value in the same text: UTF-8 only, no name twice in one object,
// nothing after the value. Go's own reader takes a name in any case, and of two
// fields of one name the last; JavaScript's takes names as they stand.
package strictjson

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"unicode/utf8"
)

// Rules are what a text has to comply with besides.
type Rules struct {
	Depth  int                     // how deep it nests
	Values int                     // how many values it has; 0 is any number
	NoNull bool                    // null is an error
	Name   func(name string) error // judges the name of a field; nil accepts any
}

// Check returns an error unless raw is one JSON value by the rules. A text that
// is cut short is io.EOF or io.ErrUnexpectedEOF.
func (r Rules) Check(raw []byte) error {
	if !utf8.Valid(raw) {
		return errors.New("it is not UTF-8")
	}
	w := walker{Rules: r, dec: json.NewDecoder(bytes.NewReader(raw))}
	w.dec.UseNumber()
	if err := w.value(r.Depth); err != nil {
		return err
	}
	if _, err := w.dec.Token(); !errors.Is(err, io.EOF) {
		return fmt.Errorf("something follows it at byte %d", w.dec.InputOffset())
	}
	return nil
}

type walker struct {
	Rules
	dec    *json.Decoder
	values int
}

func (w *walker) value(depth int) error {
	if w.values++; w.Values > 0 && w.values > w.Values {
		return fmt.Errorf("more than %d JSON values", w.Values)
	}
	token, err := w.dec.Token()
	if err != nil {
		return err
	}
	if token == nil && w.NoNull {
		return fmt.Errorf("null at byte %d: leave the field out", w.dec.InputOffset())
	}
	open, nested := token.(json.Delim)
	if !nested {
		return nil
	}
	if depth == 0 {
		return fmt.Errorf("it nests deeper than %d at byte %d", w.Depth, w.dec.InputOffset())
	}
	return w.inside(open == '{', depth-1)
}

// inside goes through the elements of an array or the fields of an object.
func (w *walker) inside(object bool, depth int) error {
	var seen map[string]bool
	for w.dec.More() {
		if object {
			if seen == nil {
				seen = make(map[string]bool)
			}
			if err := w.field(seen); err != nil {
				return err
			}
		}
		if err := w.value(depth); err != nil {
			return err
		}
	}
	_, err := w.dec.Token()
	return err
}

func (w *walker) field(seen map[string]bool) error {
	token, err := w.dec.Token()
	if err != nil {
		return err
	}
	name, _ := token.(string)
	if seen[name] {
		return fmt.Errorf("field %.40q stands twice in one place, at byte %d", name, w.dec.InputOffset())
	}
	seen[name] = true
	if w.Name != nil {
		return w.Name(name)
	}
	return nil
}

// Limits on what Object reads.
const (
	maxBytes = 1 << 20
	maxDepth = 16
	maxItems = 4096 // values in one text
)

// Object reads a JSON object. Values are map[string]any, []any, string, bool,
// json.Number or nil. Names are compared as they stand, as JavaScript does; the
// caller refuses unknown ones.
func Object(text string) (map[string]any, error) {
	if len(text) > maxBytes {
		return nil, fmt.Errorf("%d bytes of JSON, at most %d are read", len(text), maxBytes)
	}
	raw := []byte(text)
	if err := (Rules{Depth: maxDepth, Values: maxItems}).Check(raw); err != nil {
		return nil, err
	}
	var v any
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.UseNumber()
	if err := dec.Decode(&v); err != nil {
		return nil, err
	}
	object, ok := v.(map[string]any)
	if !ok {
		return nil, errors.New("it is not a JSON object")
	}
	return object, nil
}
