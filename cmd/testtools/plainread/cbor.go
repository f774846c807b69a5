package plainread

import (
	"encoding/binary"
	"errors"
	"fmt"
	"unicode/utf8"
)

var errCBOR = errors.New("not CBOR in its core deterministic encoding")

// pair is one element of a CBOR map.
type pair struct{ key, value any }

// cbor decodes one value and nothing behind it: int64, []byte, string, bool,
// []any and []pair.
func cbor(b []byte) (any, error) {
	v, rest, err := cborValue(b, 0)
	if err == nil && len(rest) > 0 {
		err = fmt.Errorf("%w: %d bytes behind it", errCBOR, len(rest))
	}
	return v, err
}

// cborHead reads the major type and the argument, which must be in its
// shortest form.
func cborHead(b []byte) (major byte, n uint64, rest []byte, err error) {
	if len(b) == 0 {
		return 0, 0, nil, errCBOR
	}
	major, info, rest := b[0]>>5, b[0]&31, b[1:]
	if info < 24 {
		return major, uint64(info), rest, nil
	}
	size := 1 << (info - 24)
	if info > 27 || len(rest) < size {
		return 0, 0, nil, errCBOR
	}
	var word [8]byte
	copy(word[8-size:], rest[:size])
	n = binary.BigEndian.Uint64(word[:])
	if size == 1 && n < 24 || size > 1 && n>>(8*size/2) == 0 || n > 1<<62 {
		return 0, 0, nil, fmt.Errorf("%w: a longer form than needed", errCBOR)
	}
	return major, n, rest[size:], nil
}

func cborValue(b []byte, depth int) (any, []byte, error) {
	if len(b) > 0 && b[0]>>5 == 7 {
		if b[0] == 0xf4 || b[0] == 0xf5 {
			return b[0] == 0xf5, b[1:], nil
		}
		return nil, nil, errCBOR
	}
	major, n, rest, err := cborHead(b)
	if err != nil || depth > 8 {
		return nil, nil, errCBOR
	}
	switch major {
	case 0:
		return int64(n), rest, nil
	case 1:
		return -1 - int64(n), rest, nil
	case 2, 3:
		if n > uint64(len(rest)) || major == 3 && !utf8.Valid(rest[:n]) {
			return nil, nil, errCBOR
		}
		if major == 3 {
			return string(rest[:n]), rest[n:], nil
		}
		return rest[:n:n], rest[n:], nil
	case 4:
		return cborArray(n, rest, depth)
	case 5:
		return cborMap(n, rest, depth)
	}
	return nil, nil, errCBOR
}

func cborArray(n uint64, rest []byte, depth int) (any, []byte, error) {
	list := []any{}
	for range n {
		v, more, err := cborValue(rest, depth+1)
		if err != nil {
			return nil, nil, err
		}
		list, rest = append(list, v), more
	}
	return list, rest, nil
}

// cborMap reads a map, whose keys are in the order of their encodings.
func cborMap(n uint64, rest []byte, depth int) (any, []byte, error) {
	list, before := []pair{}, ""
	for range n {
		key, more, err := cborValue(rest, depth+1)
		if err != nil {
			return nil, nil, err
		}
		encoded := string(rest[:len(rest)-len(more)])
		if encoded <= before {
			return nil, nil, fmt.Errorf("%w: keys out of order", errCBOR)
		}
		before = encoded
		value, more, err := cborValue(more, depth+1)
		if err != nil {
			return nil, nil, err
		}
		list, rest = append(list, pair{key, value}), more
	}
	return list, rest, nil
}

// record checks that v is an array of values of these types: i for int, b for
// bytes, s for text, a for array, ? for any.
func record(v any, types string) ([]any, error) {
	list, ok := v.([]any)
	if !ok || len(list) != len(types) {
		return nil, fmt.Errorf("not an array of %d", len(types))
	}
	for i, want := range types {
		if got := typeOf(list[i]); want != '?' && got != want {
			return nil, fmt.Errorf("element %d is %c, want %c", i, got, want)
		}
	}
	return list, nil
}

func typeOf(v any) rune {
	switch v.(type) {
	case int64:
		return 'i'
	case []byte:
		return 'b'
	case string:
		return 's'
	case []any:
		return 'a'
	case []pair:
		return 'm'
	case bool:
		return 't'
	}
	return '?'
}

// fields checks that v is a map from int to these types, by key; those in
// capitals may be missing, nothing else may be there.
func fields(v any, types map[int64]string) (map[int64]any, error) {
	list, ok := v.([]pair)
	if !ok {
		return nil, errors.New("not a map")
	}
	m := map[int64]any{}
	for _, p := range list {
		key, ok := p.key.(int64)
		if want := types[key]; !ok || want == "" || rune(want[0]|32) != typeOf(p.value) {
			return nil, fmt.Errorf("key %v is %c, want %q", p.key, typeOf(p.value), types[key])
		}
		m[key] = p.value
	}
	for key, want := range types {
		if _, there := m[key]; !there && want[0] >= 'a' {
			return nil, fmt.Errorf("key %d is missing", key)
		}
	}
	return m, nil
}
