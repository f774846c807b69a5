package redact_test

import (
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"net/url"
	"strings"
	"testing"

	"coldkms/online/redact"
)

// A secret is taken out in whatever writing it comes, and nothing else is.
func TestText(t *testing.T) {
	const key = "t-5ecret/Ks+9&=65f0"
	var s redact.Set
	s.Add(key, "an-other-key")
	percent, escapes := "", ""
	for _, c := range []byte(key) {
		percent += fmt.Sprintf("%%%02x", c)
		escapes += fmt.Sprintf(`\u%04X`, c)
	}
	forms := []string{
		key, strings.ToUpper(key), "an-OTHER-key", url.QueryEscape(key), url.PathEscape(key), percent, escapes, strings.ReplaceAll(escapes, `\`, `\\`),
		hex.EncodeToString([]byte(key)), strings.Join(strings.Split(key, ""), " \n"), strings.ReplaceAll(key, "K", "\u212a"), strings.ReplaceAll(key, "/", `\/`),
	}
	for _, form := range forms {
		text := "before " + form + " after"
		if got := s.Text(text); got != "before [key] after" || !s.In([]byte(text)) || s.In([]byte(got)) {
			t.Errorf("%q: %q", text, got)
		}
	}
	for before := range 4 {
		for _, e := range []*base64.Encoding{base64.StdEncoding, base64.URLEncoding, base64.RawStdEncoding} {
			text := e.EncodeToString([]byte("xyz"[:min(before, 3)] + key + ": it"))
			if got := s.Text(text); !strings.Contains(got, "[key]") || len(got) > len(text)-len(key) {
				t.Errorf("%q: %q", text, got)
			}
		}
	}
	for _, text := range []string{"", "t-5ecret", `{"a":"\u0041%41"}`, "an other", "%", `\`, `\u12`} {
		if got := s.Text(text); got != text {
			t.Errorf("%q: %q", text, got)
		}
	}
}

// The beginning of a secret is taken out, in any writing, as far as it goes.
func TestPrefix(t *testing.T) {
	const key = "t-65f0c0ffee00112233445566-0123456789abcdef"
	var s redact.Set
	s.Add(key)
	for n := 16; n <= len(key); n++ {
		for _, part := range []string{key[:n], strings.ToUpper(key[:n]), hex.EncodeToString([]byte(key[:n]))} {
			if got := s.Text("a " + part + "!"); got != "a [key]!" {
				t.Errorf("%q: %q", part, got)
			}
		}
		if part := base64.StdEncoding.EncodeToString([]byte(key[:n] + "??")); !s.In([]byte(part)) {
			t.Errorf("%q", part)
		}
	}
	for _, text := range []string{key[:15], key[:15] + "x" + key[15:], key[20:]} {
		if got := s.Text(text); got != text {
			t.Errorf("%q: %q", text, got)
		}
	}
}

func TestShort(t *testing.T) {
	var s redact.Set
	s.Add("abc", "")
	if got := s.Text("an abc, an ABC, a b c"); got != "an [key], an ABC, a b c" {
		t.Error(got)
	}
}

func TestURL(t *testing.T) {
	var s redact.Set
	s.AddURL("https://user:pass-word-1@example.com/approve/0123456789abcdefghij?token=t0ken-of-events")
	if got := s.Text("pass-word-1 0123456789abcdefghij t0ken-of-events example.com approve"); got != "[key] [key] [key] example.com approve" {
		t.Error(got)
	}
	var none *redact.Set
	if none.Text("x") != "x" || none.In([]byte("x")) {
		t.Error("no set")
	}
}

func FuzzText(f *testing.F) {
	f.Add("a t-secret-key \\u0041%4")
	var s redact.Set
	s.Add("t-secret-key")
	f.Fuzz(func(t *testing.T, text string) {
		got := s.Text(text)
		if !s.In([]byte(text)) && got != text {
			t.Errorf("%q: %q", text, got)
		}
		if strings.Contains(strings.ToLower(got), "t-secret-key") {
			t.Errorf("%q: %q", text, got)
		}
	})
}
