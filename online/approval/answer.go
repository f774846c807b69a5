package approval

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strings"

	"coldkms/online/internal/httpbody"
)

// verdict is what the body of a reply with status 200 or 204 says.
type verdict uint8

const (
	unclear verdict = iota
	no
	neither // an object that is no yes by itself: with POST it may have statements
	yes     // nothing but the status, a word, or the object that says yes and no more
)

// judge reads a reply with status 200 or 204. A yes is explicit: what says neither
// is no answer, nor is a word, or nothing, whose length the reply does not state. With
// POST the statements are the yes; anything that says no beside them still counts.
func (c *Client) judge(resp *http.Response, body []byte) error {
	said := unclear
	if !isPage(resp.Header) {
		said = verdictOf(body)
	}
	switch {
	case said == yes && !isYes(body) && resp.StatusCode != http.StatusNoContent && !httpbody.Measured(resp):
		return fmt.Errorf("%w: its reply is %.200q and does not state its length, so it may have been cut: want "+
			`Content-Length, or {"approved": true}`, ErrNoAnswer, body)
	case said == no:
		return fmt.Errorf("%w: its reply says so: %.200q", ErrRefused, c.secrets.Text(string(body)))
	case said == unclear, said == neither && !c.post:
		return fmt.Errorf(`%w: its reply is no yes, which is {"approved": true} and no more, or empty: %.200q`, ErrNoAnswer, c.secrets.Text(string(body)))
	}
	return nil
}

// isPage reports whether a reply is a web page: any server has one.
func isPage(h http.Header) bool {
	kind, _, _ := mime.ParseMediaType(h.Get("Content-Type"))
	return kind == "text/html" || kind == "application/xhtml+xml"
}

func verdictOf(body []byte) verdict {
	if len(body) == 0 {
		return yes
	}
	body = bytes.TrimSpace(body)
	switch text := strings.ToLower(strings.Trim(string(body), `"`)); {
	case text == "":
		return unclear
	case text == "ok", text == "yes", text == "true", text == "approved", isYes(body):
		return yes
	case text == "no", text == "false", text == "denied", text == "refused", text == "rejected":
		return no
	case body[0] != '{' || !json.Valid(body):
		return unclear
	}
	return verdictOfObject(json.NewDecoder(bytes.NewReader(body)))
}

// isYes reports whether a body is the object that says yes, and nothing else.
func isYes(body []byte) bool {
	dec := json.NewDecoder(bytes.NewReader(body))
	for _, want := range []json.Token{json.Delim('{'), "approved", true, json.Delim('}')} {
		if token, err := dec.Token(); err != nil || token != want {
			return false
		}
	}
	_, err := dec.Token()
	return errors.Is(err, io.EOF)
}

// verdictOfObject reads the fields of a valid JSON object, each of them, however
// often its name stands there and in which case. One that says no outweighs all
// others.
func verdictOfObject(dec *json.Decoder) verdict {
	said := neither
	for depth, name := 0, ""; ; {
		token, err := dec.Token()
		if errors.Is(err, io.EOF) {
			return said
		}
		if err != nil {
			return unclear
		}
		if open, nested := token.(json.Delim); nested {
			if depth == 1 && (open == '{' || open == '[') {
				said = weigh(said, field(name, open))
				name = ""
			}
			if open == '{' || open == '[' {
				depth++
			} else {
				depth--
			}
			continue
		}
		switch text, is := token.(string); {
		case depth != 1:
		case name == "" && is:
			name = strings.ToLower(text) + " "
		default:
			said, name = weigh(said, field(name, token)), ""
		}
	}
}

// weigh combines what two fields say.
func weigh(a, b verdict) verdict {
	switch {
	case a == no || b == no:
		return no
	case a == unclear || b == unclear:
		return unclear
	}
	return max(a, b)
}

// field is what one field of an object says.
func field(name string, value any) verdict {
	empty := value == nil || value == "" || value == false || value == 0.0
	switch strings.TrimSpace(name) {
	case "approved":
		if value == true {
			return neither
		}
		return no
	case "success", "ok", "allowed", "allow", "valid":
		if value != true {
			return no
		}
	case "denied", "rejected", "refused", "veto", "vetoed", "blocked":
		if !empty {
			return no
		}
	case "error", "errors", "errorcode", "exception":
		if !empty {
			return unclear
		}
	case "status", "statuscode", "code", "result", "decision", "verdict":
		return status(value)
	}
	return neither
}

// status is what a field with a status says: a number, as in an error object, or a
// word.
func status(value any) verdict {
	switch v := value.(type) {
	case float64:
		switch {
		case v == http.StatusRequestTimeout || v == http.StatusTooManyRequests || v >= 500:
			return unclear
		case v >= 400:
			return no
		case v >= 300:
			return unclear
		}
	case string:
		switch strings.ToLower(v) {
		case "", "ok", "success", "yes", "approved", "allowed", "accepted":
			return neither
		}
		return unclear
	}
	return neither
}
