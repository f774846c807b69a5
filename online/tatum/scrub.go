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

// finder finds a key in texts: in upper or lower case, escaped as in addresses,
// and with white space in it.
type finder struct {
	exact *regexp.Regexp
	forms [][]byte // what it matches, in lower case and without white space
}

func find(key string) finder {
	forms := []string{url.PathEscape(key), url.QueryEscape(key), key}
	f := finder{exact: pattern(key)}
	for _, form := range forms {
		f.forms = append(f.forms, bytes.ToLower([]byte(form)))
	}
	return f
}

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

// in reports whether a text has the key in it. The expression is slow, and hardly
// any text has the key, so it is asked only where the text may match.
func (f finder) in(text []byte) bool { return f.may(text) && f.exact.Match(text) }

// may reports whether the expression may match a text. It is false only where it
// cannot.
func (f finder) may(text []byte) bool {
	squeezed := make([]byte, 0, len(text))
	for _, b := range text {
		switch {
		case b >= utf8.RuneSelf: // a letter of another script may be one of ASCII in another case
			return true
		case 'A' <= b && b <= 'Z':
			b += 'a' - 'A'
		case b == ' ', '\t' <= b && b <= '\r':
			continue
		}
		squeezed = append(squeezed, b)
	}
	for _, form := range f.forms {
		if bytes.Contains(squeezed, form) {
			return true
		}
	}
	return false
}

// Scrub takes the API key out of a text from outside.
func (c *Client) Scrub(s string) string { return c.scrub(s) }

func (c *Client) scrub(s string) string { return c.keys.exact.ReplaceAllLiteralString(s, scrubbed) }

// maxEscapes is how often JSON within a JSON string is looked into.
const maxEscapes = 3

// holdsKey reports whether a JSON text has the API key in it, also where its
// characters are escaped.
func (c *Client) holdsKey(text []byte) bool {
	for range maxEscapes {
		if c.keys.in(text) {
			return true
		}
		if bytes.IndexByte(text, '\\') < 0 {
			return false
		}
		text = unescape(text)
	}
	return c.keys.in(text)
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
