package review

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
)

// WriteJSON writes what JSON returns, indented by two spaces behind prefix, an
// item at a time: all of a large batch as text at once would take much room.
func (b Batch) WriteJSON(w io.Writer, prefix string) error {
	head, err := indented(b.jsonHead(), prefix)
	if err != nil {
		return err
	}
	const none = `"items": []`
	before, after, ok := bytes.Cut(head, []byte(none))
	if !ok {
		return errors.New("review: a batch as JSON has no items")
	}
	out := &writer{w: w}
	out.write(before)
	out.write([]byte(none[:len(none)-1]))
	for i, it := range b.Items {
		text, err := indented(it.json(), prefix+"    ")
		if err != nil {
			return err
		}
		if i > 0 {
			out.write([]byte(","))
		}
		out.write([]byte("\n" + prefix + "    "))
		out.write(text)
	}
	if len(b.Items) > 0 {
		out.write([]byte("\n" + prefix + "  "))
	}
	out.write([]byte("]"))
	out.write(after)
	return out.err
}

func indented(v any, prefix string) ([]byte, error) {
	var text bytes.Buffer
	enc := json.NewEncoder(&text)
	enc.SetIndent(prefix, "  ")
	enc.SetEscapeHTML(false)
	err := enc.Encode(v)
	return bytes.TrimSuffix(text.Bytes(), []byte("\n")), err
}

// writer keeps the first error.
type writer struct {
	w   io.Writer
	err error
}

func (w *writer) write(b []byte) {
	if w.err == nil {
		_, w.err = w.w.Write(b)
	}
}
