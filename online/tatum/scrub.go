package tatum

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"
)

// scrubbed is what stands where the API key was.
const scrubbed = "[key]"

// errKeyInReply is about a reply that has the API key where it cannot be taken
// out.
var errKeyInReply = errors.New("the reply has the API key in it: it is not used")

// shortest is the length of a key from which on it is found in any writing: a
// shorter one would be found in ordinary words.
const shortest = 8

// pattern matches a key in upper or lower case, escaped as in addresses, and
// with white space in it.
func pattern(key string) *regexp.Regexp {
	forms := []string{regexp.QuoteMeta(url.PathEscape(key)), regexp.QuoteMeta(url.QueryEscape(key))}
	if len(key) < shortest {
		return regexp.MustCompile(strings.Join(append(forms, regexp.QuoteMeta(key)), "|"))
	}
	letters := make([]string, len(key))
	for i := range len(key) { // a key is plain ASCII
		letters[i] = regexp.QuoteMeta(key[i : i+1])
	}
	return regexp.MustCompile("(?i)" + strings.Join(append(forms, strings.Join(letters, `\s*`)), "|"))
}

// Scrub takes the API key out of a text from outside.
func (c *Client) Scrub(s string) string { return c.scrub(s) }

func (c *Client) scrub(s string) string { return c.keys.ReplaceAllLiteralString(s, scrubbed) }

// maxEscapes is how often JSON within a JSON string is looked into.
const maxEscapes = 3

// holdsKey reports whether a JSON text has the API key in it, also where its
// characters are escaped.
func (c *Client) holdsKey(text []byte) bool {
	for range maxEscapes {
		if c.keys.Match(text) {
			return true
		}
		if bytes.IndexByte(text, '\\') < 0 {
			return false
		}
		text = unescape(text)
	}
	return c.keys.Match(text)
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
