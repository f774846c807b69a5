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
)

// verdict is what the body of a reply with status 200 or 204 says.
type verdict uint8

const (
	unclear verdict = iota // it says neither
	no
	plainYes    // an object that says nothing of it: the status counts, as in KMS
	explicitYes // nothing but the status, or a word that says yes
)

// judge reads a reply with status 200 or 204. With POST the statements are the
// yes; anything that says no beside them still counts.
func (c *Client) judge(h http.Header, body []byte, vetoed bool) error {
	said := unclear
	if !isPage(h) {
		said = verdictOf(body)
	}
	switch {
	case said == no:
		return fmt.Errorf("%w: its reply says so: %.200q", ErrRefused, c.secrets.Text(string(body)))
	case said == unclear:
		return fmt.Errorf("%w: its reply is no yes: %.200q", ErrNoAnswer, c.secrets.Text(string(body)))
	case said == plainYes && vetoed && !c.post:
		return fmt.Errorf(`%w: what it refused before needs an explicit yes, {"approved": true} or an empty reply, not %.200q`, ErrNoAnswer, c.secrets.Text(string(body)))
	}
	return nil
}

// isPage reports whether a reply is a web page: any server has one.
func isPage(h http.Header) bool {
	kind, _, _ := mime.ParseMediaType(h.Get("Content-Type"))
	return kind == "text/html" || kind == "application/xhtml+xml"
}

func verdictOf(body []byte) verdict {
	body = bytes.TrimSpace(body)
	switch text := strings.ToLower(strings.Trim(string(body), `"`)); {
	case text == "", text == "ok", text == "yes", text == "true", text == "approved":
		return explicitYes
	case text == "no", text == "false", text == "denied", text == "refused", text == "rejected":
		return no
	case body[0] != '{' || !json.Valid(body):
		return unclear
	}
	return verdictOfObject(json.NewDecoder(bytes.NewReader(body)))
}

// verdictOfObject reads the fields of a valid JSON object, each of them, however
// often its name stands there and in which case. One that says no outweighs all
// others.
func verdictOfObject(dec *json.Decoder) verdict {
	said := plainYes
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
			return explicitYes
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
	return plainYes
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
			return plainYes
		}
		return unclear
	}
	return plainYes
}
