package tatum

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// maxMessage bounds the foreign words in an error.
const maxMessage = 300

// Error is a call that did not do what it should. Its words are safe to
// show: foreign ones are quoted and cut, and the API key is not among them.
type Error struct {
	Op         string
	Status     int    // HTTP status; 0 when no whole reply came
	Code       string // Tatum's errorCode, such as "kms.missing"
	Message    string // Tatum's words
	RetryAfter time.Duration

	until  time.Time // that the server asked to be left alone, an hour at most; zero if it did not
	long   bool      // that is too long to wait for
	err    error     // why there is no reply, or none that can be read
	unsent bool      // the call was not even made
	trust  bool      // the server could not show who it is
	absent bool      // a node said that it does not have the transaction
	body   []byte
}

// Error returns one line.
func (e *Error) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "tatum: %s: ", e.Op)
	switch {
	case e.unsent:
		fmt.Fprintf(&b, "no request was made: %v", e.err)
	case e.err != nil && e.Status == 0:
		fmt.Fprintf(&b, "no reply: %v", e.err)
	case e.err != nil && e.Status < 300:
		fmt.Fprintf(&b, "HTTP %d: %v", e.Status, e.err)
	default:
		fmt.Fprintf(&b, "HTTP %d %s", e.Status, strings.ToLower(http.StatusText(e.Status)))
	}
	if !e.until.IsZero() {
		fmt.Fprintf(&b, ", and asked to wait until %s", e.until.UTC().Format(time.RFC3339))
	}
	if e.err != nil && e.Status >= 300 {
		fmt.Fprintf(&b, ": %v", e.err)
	}
	if e.Code != "" {
		fmt.Fprintf(&b, ", code %q", e.Code)
	}
	if e.Message != "" {
		fmt.Fprintf(&b, ", %q", e.Message)
	}
	return b.String()
}

// Unwrap returns the cause, such as context.Canceled.
func (e *Error) Unwrap() error { return e.err }

// Transient reports whether the same call may work later: nothing came back,
// too many calls, or a fault of the server.
func (e *Error) Transient() bool {
	return e.Status == 0 || e.Status == http.StatusTooManyRequests || e.Status == http.StatusRequestTimeout || e.Status >= 500
}

// IsTransient reports whether err is an Error that may pass.
func IsTransient(err error) bool {
	var e *Error
	return errors.As(err, &e) && e.Transient()
}

// IsNoAnswer reports whether a reply is a "not found" that is not in Tatum's
// words, as a proxy on the way answers: it says nothing of what was asked.
func IsNoAnswer(err error) bool {
	var e *Error
	return errors.As(err, &e) && e.Status == http.StatusNotFound && e.Code == "" && !e.absent
}

// IsUnusable reports whether a reply came that is not what Tatum answers with.
func IsUnusable(err error) bool {
	var e *Error
	return errors.As(err, &e) && e.err != nil && e.Status >= 200 && e.Status < 300
}

// foreign is why a reply is not Tatum's: a page of a proxy, a redirect, nothing.
type foreign string

func (f foreign) Error() string { return string(f) }

// IsForeign reports whether a reply came that is not Tatum's answer, as a proxy
// on the way gives, or a server at another address.
func IsForeign(err error) bool {
	var f foreign
	return errors.As(err, &f)
}

// IsUnreachable reports whether no reply came at all.
func IsUnreachable(err error) bool {
	var e *Error
	return errors.As(err, &e) && e.Status == 0
}

// RetryAfter returns how long the server asked to be left alone.
func RetryAfter(err error) time.Duration {
	var e *Error
	if !errors.As(err, &e) {
		return 0
	}
	return e.RetryAfter
}

// LeftAlone reports whether Tatum is left alone: after many calls that came to
// nothing, or because it asked for longer than a call waits.
func LeftAlone(err error) bool {
	var e *Error
	return errors.Is(err, ErrPaused) || errors.As(err, &e) && e.long
}

// Tatum's own codes for what it does not have.
const (
	codeNoPending = "kms.missing"
	codeNoTx      = "tx.not.found"
	codeNotOpen   = "withdrawal.unexpected.state"
)

// IsNotFound reports whether Tatum itself, or a node behind it, says that it
// does not have what was asked for. A bare status or a page of some proxy is
// no such word. It is not evidence that there is none: an index may lag.
func IsNotFound(err error) bool {
	var e *Error
	return errors.As(err, &e) && (e.absent || e.Code == codeNoPending || e.Code == codeNoTx)
}

// IsNotOpen reports whether Tatum says that a withdrawal does not exist, or
// is not in progress: it was completed, or cancelled.
func IsNotOpen(err error) bool {
	var e *Error
	return errors.As(err, &e) && (e.Code == codeNotOpen || e.Code == "broadcast.failed.withdrawalId" || e.Code == "withdrawal.not.found")
}

// IsKnownAlready reports whether a node refused a transaction because it has
// it: in its memory pool, or in a block. Nodes say so in many words.
func IsKnownAlready(err error) bool {
	return saysAny(err, "txn-already", "already in mempool", "already in block chain", "already in chain", "already in utxo set", "already known", "already have transaction", "already exists", "same-nonwitness-data")
}

// IsInputsGone reports whether a node refused a transaction because it does not
// have what that spends, or has something else that spends it.
func IsInputsGone(err error) bool {
	return saysAny(err, "missingorspent", "missing-inputs", "missing inputs", "mempool-conflict", "double spend")
}

// saysAny reports whether a reply says one of some words.
func saysAny(err error, list ...string) bool {
	var e *Error
	if !errors.As(err, &e) {
		return false
	}
	said := strings.ToLower(e.Message)
	return slices.ContainsFunc(list, func(words string) bool { return strings.Contains(said, words) })
}

// IsAuth reports whether the key, or the credits behind it, are the trouble: no
// other call will work either. A 403 with another code concerns one item.
func IsAuth(err error) bool {
	var e *Error
	if !errors.As(err, &e) {
		return false
	}
	if e.Status == http.StatusUnauthorized || e.Status == http.StatusPaymentRequired {
		return true
	}
	if e.Status != http.StatusForbidden {
		return false
	}
	if e.Code != "" {
		return strings.HasPrefix(e.Code, "subscription.") || strings.HasPrefix(e.Code, "credit") || strings.HasPrefix(e.Code, "api.key")
	}
	message := strings.ToLower(e.Message)
	for _, word := range []string{"credit", "api key", "api-key", "apikey", "subscription"} {
		if strings.Contains(message, word) {
			return true
		}
	}
	return false
}

// IsDefinite reports whether Tatum itself said no, in a code of its own, so
// that what was asked for did not happen because of this call. A status
// alone, or a page, may be some proxy's, which knows nothing of that.
func IsDefinite(err error) bool {
	var e *Error
	return errors.As(err, &e) && e.Status >= 400 && e.Status < 500 && e.Code != "" && !e.Transient()
}

// fault makes an Error of a call that ended without a reply that can be
// read. The address in a url.Error may have the key in it.
func (c *Client) fault(k call, status int, err error) error {
	var u *url.Error
	if errors.As(err, &u) {
		err = u.Err
	}
	trust := isTLS(err)
	if text := err.Error(); len(text) > maxMessage || c.secrets.Text(text) != text {
		err = errors.New(c.words(text, maxMessage))
	}
	return &Error{Op: k.op, Status: status, err: err, trust: trust}
}

// isTLS reports whether the trouble is who the server is, not whether it answers.
func isTLS(err error) bool {
	var cert *tls.CertificateVerificationError
	var record tls.RecordHeaderError
	var alert tls.AlertError
	return errors.As(err, &cert) || errors.As(err, &record) || errors.As(err, &alert)
}

func isTimeout(err error) bool {
	var t interface{ Timeout() bool }
	return errors.Is(err, context.DeadlineExceeded) || (errors.As(err, &t) && t.Timeout())
}

// refused makes an Error of a reply that is no success.
func (c *Client) refused(k call, resp *http.Response) error {
	e := &Error{Op: k.op, Status: resp.StatusCode}
	if e.Status == http.StatusTooManyRequests || e.Status == http.StatusServiceUnavailable {
		e.RetryAfter = c.retryAfter(resp.Header.Get("Retry-After"))
	}
	if e.RetryAfter > 0 {
		e.until = c.now().Add(min(e.RetryAfter, maxAsked))
	}
	e.body, _ = io.ReadAll(io.LimitReader(resp.Body, maxError))
	if resp.StatusCode >= 300 && resp.StatusCode < 400 {
		e.err = foreign("a redirect came, and redirects are not followed")
		return e
	}
	var said struct {
		Code    any `json:"errorCode"`
		Message any `json:"message"`
		Error   any `json:"error"`
	}
	if json.Unmarshal(e.body, &said) != nil {
		e.err = c.came(resp.Header, e.body)
		return e
	}
	e.Code = c.words(said.Code, 80)
	if e.Message = c.words(said.Message, maxMessage); e.Message == "" {
		e.Message = c.words(said.Error, maxMessage)
	}
	return e
}

// came describes a reply that is not Tatum's by its content type. Its content is
// for a browser, and may be anything.
func (c *Client) came(h http.Header, body []byte) error {
	if len(bytes.TrimSpace(body)) == 0 {
		return foreign("an empty reply came, which is not Tatum's answer")
	}
	return c.notTatum(h)
}

// notTatum is came of a reply that is not empty.
func (c *Client) notTatum(h http.Header) error {
	kind, _, _ := strings.Cut(h.Get("Content-Type"), ";")
	if kind = strings.TrimSpace(kind); kind == "" {
		return foreign("a reply without a content type came, which is not Tatum's answer")
	}
	return foreign(fmt.Sprintf("a reply of content type %q came, which is not Tatum's answer", c.words(kind, 80)))
}

// words makes a bounded text without the key of whatever JSON value says
// something.
func (c *Client) words(v any, limit int) string {
	var s string
	switch v := v.(type) {
	case nil:
	case string:
		s = v
	default:
		b, _ := json.Marshal(v)
		s = string(b)
	}
	s = c.secrets.Text(s)
	if len(s) > limit {
		s = strings.ToValidUTF8(s[:limit], "") + "…"
	}
	return s
}

func (c *Client) retryAfter(header string) time.Duration {
	if n, err := strconv.Atoi(header); err == nil && n > 0 && n < 1<<20 {
		return time.Duration(n) * time.Second
	}
	if at, err := http.ParseTime(header); err == nil {
		return max(0, at.Sub(c.now()))
	}
	return 0
}
