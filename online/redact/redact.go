// Package redact takes secrets out of texts from outside before they are
// logged, journaled, shown or sent on: API keys, and what addresses hold that
// only their owner knows.
package redact

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"net/url"
	"slices"
	"strings"
	"sync"
)

// Mark is what stands where a secret was.
const Mark = "[key]"

// shortest is the length of a secret from which on it is found in any writing:
// a shorter one would be found in ordinary words.
const shortest = 8

// shortestPrefix is how much of the beginning of a secret is taken for it, in any
// writing.
const shortestPrefix = 16

// shortestPart is the length from which on a part of an address's path is taken
// for a secret.
const shortestPart = 20

// Set is the secrets of one program. It is safe for concurrent use; a nil Set
// has none.
type Set struct {
	mu    sync.RWMutex
	exact []string // short secrets, as they are written
	forms []form   // the others in all forms
}

// Add adds secrets.
func (s *Set) Add(secrets ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, secret := range secrets {
		switch {
		case secret == "":
		case len(secret) < shortest:
			s.exact = append(s.exact, secret, url.QueryEscape(secret), url.PathEscape(secret))
		default:
			for _, add := range forms(secret) {
				if !slices.ContainsFunc(s.forms, func(f form) bool { return bytes.Equal(f.folded, add.folded) }) {
					s.forms = append(s.forms, add)
				}
			}
		}
	}
}

// AddURL adds what an address holds that may be a secret: its user and
// password, the values of its query, and long parts of its path.
func (s *Set) AddURL(address string) {
	u, err := url.Parse(address)
	if err != nil {
		return
	}
	password, _ := u.User.Password()
	s.Add(u.User.Username(), password)
	for _, values := range u.Query() {
		s.Add(values...)
	}
	for part := range strings.SplitSeq(u.Path, "/") {
		if len(part) >= shortestPart {
			s.Add(part)
		}
	}
}

// form is one writing of a secret, folded. The first least bytes of it give it
// away.
type form struct {
	folded []byte
	least  int
}

// at returns how many bytes of a folded text are this form, or its beginning.
func (f form) at(text []byte) int {
	n := 0
	for n < min(len(f.folded), len(text)) && f.folded[n] == text[n] {
		n++
	}
	return n
}

// forms are a secret as it is, in hexadecimal, and in base64 wherever it stands
// in what was encoded.
func forms(secret string) []form {
	list := [][]byte{[]byte(secret), []byte(hex.EncodeToString([]byte(secret)))}
	for before := range 3 {
		padded := append(make([]byte, before), secret...)
		from, to := (before*8+5)/6, len(padded)*8/6
		for _, e := range []*base64.Encoding{base64.StdEncoding, base64.URLEncoding} {
			list = append(list, []byte(e.EncodeToString(padded)[from:to]))
		}
	}
	all := make([]form, len(list))
	for i, b := range list {
		folded := fold(text{b: b}).b
		all[i] = form{folded, min(len(folded), shortestPrefix*len(b)/len(secret))}
	}
	return all
}

// Text returns a text without the secrets.
func (s *Set) Text(t string) string {
	if s == nil || t == "" || !s.In([]byte(t)) {
		return t
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	for _, secret := range s.exact {
		t = strings.ReplaceAll(t, secret, Mark)
	}
	covered := make([]bool, len(t))
	s.each(located([]byte(t)), func(from, to int) {
		for i := from; i < to; i++ {
			covered[i] = true
		}
	})
	var out strings.Builder
	for i := range len(t) {
		switch {
		case !covered[i]:
			out.WriteByte(t[i])
		case i == 0 || !covered[i-1]:
			out.WriteString(Mark)
		}
	}
	return out.String()
}

// In reports whether a text has a secret in it.
func (s *Set) In(t []byte) bool {
	if s == nil {
		return false
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	if slices.ContainsFunc(s.exact, func(secret string) bool { return bytes.Contains(t, []byte(secret)) }) {
		return true
	}
	found := false
	s.each(text{b: t}, func(int, int) { found = true })
	return found
}

// maxEscapes is how often what was escaped is looked into.
const maxEscapes = 3

// each calls found for each place of a secret, in a text that is escaped up to
// maxEscapes times.
func (s *Set) each(t text, found func(from, to int)) {
	for range maxEscapes + 1 {
		folded := fold(t)
		for _, f := range s.forms {
			for from := 0; ; {
				at := bytes.Index(folded.b[from:], f.folded[:f.least])
				if at < 0 {
					break
				}
				from += at
				to := from + f.at(folded.b[from:])
				found(folded.span(from, to))
				from = to
			}
		}
		if bytes.IndexByte(t.b, '\\') < 0 && bytes.IndexByte(t.b, '%') < 0 {
			return
		}
		t = unescape(t)
	}
}
