package tatum

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/url"
	"strconv"
	"strings"
	"unicode/utf8"
)

// scrubbed is what stands where the API key was.
const scrubbed = "[key]"

// errKeyInReply is about a reply that has the API key where it cannot be taken
// out.
var errKeyInReply = errors.New("the reply has the API key in it: it is not used")

func (c *Client) scrub(s string) string {
	return strings.NewReplacer(c.key, scrubbed, url.PathEscape(c.key), scrubbed, url.QueryEscape(c.key), scrubbed).Replace(s)
}

// maxEscapes is how often JSON within a JSON string is looked into.
const maxEscapes = 3

// holdsKey reports whether a JSON text has the API key in it, also where its
// characters are escaped.
func (c *Client) holdsKey(text []byte) bool {
	for range maxEscapes {
		if bytes.Contains(text, []byte(c.key)) {
			return true
		}
		if bytes.IndexByte(text, '\\') < 0 {
			return false
		}
		text = unescape(text)
	}
	return bytes.Contains(text, []byte(c.key))
}

// unescape resolves the escapes of JSON strings, wherever they stand.
func unescape(text []byte) []byte {
	out := make([]byte, 0, len(text))
	for i := 0; i < len(text); i++ {
		if text[i] != '\\' || i+1 == len(text) {
			out = append(out, text[i])
			continue
		}
		i++
		if text[i] == 'u' && i+4 < len(text) {
			if n, err := strconv.ParseUint(string(text[i+1:i+5]), 16, 16); err == nil {
				out, i = utf8.AppendRune(out, rune(n)), i+4
				continue
			}
		}
		out = append(out, text[i])
	}
	return out
}

// clean takes the API key out of a reply: whatever is read of it may be
// logged, journaled and told.
func (c *Client) clean(reply []byte) ([]byte, error) {
	if !c.holdsKey(reply) {
		return reply, nil
	}
	dec := json.NewDecoder(bytes.NewReader(reply))
	dec.UseNumber()
	var v any
	if err := dec.Decode(&v); err != nil {
		return nil, errKeyInReply
	}
	clean, err := json.Marshal(c.scrubValue(v))
	if err != nil || c.holdsKey(clean) {
		return nil, errKeyInReply
	}
	return clean, nil
}

func (c *Client) scrubValue(v any) any {
	switch v := v.(type) {
	case string:
		return c.scrub(v)
	case []any:
		for i := range v {
			v[i] = c.scrubValue(v[i])
		}
	case map[string]any:
		for name, field := range v {
			v[name] = c.scrubValue(field)
		}
	}
	return v
}
