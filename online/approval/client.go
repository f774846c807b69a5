// Package approval asks a company's own approval service about each
// transaction, as the four-eye check of Tatum KMS does (--externalUrl), and
// brings home what its approvers sign (docs/FORMAT.md, "Approver's statement").
//
// With GET, URL/ID is asked and 200 or 204 is a yes, as in KMS, unless the body
// says otherwise (answer.go): that says nothing of what the transaction does. With
// POST the whole item goes there, and a yes is at least one statement about exactly
// that item.
package approval

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"coldkms/online/internal/loopback"
	"coldkms/online/redact"
	"coldkms/shared/attestation"
	"coldkms/shared/chain"
)

// Errors of asking. Whatever is not ErrRefused may be otherwise at the next try.
var (
	ErrConfig   = errors.New("approval service is not usable")
	ErrRefused  = errors.New("the approval service says no")
	ErrNoAnswer = errors.New("no usable answer of the approval service")

	ErrLeftAlone = fmt.Errorf("%w, which is left alone for a while", ErrNoAnswer) // it was not asked

	errSilent = fmt.Errorf("%w", ErrNoAnswer) // it may concern every item: nothing is there, or it is too busy
)

// Limits of one question.
const (
	maxReply   = 64 << 10 // bytes
	perCall    = 30 * time.Second
	attempts   = 3
	firstPause = 500 * time.Millisecond
	maxSilent  = 16               // questions in a row without an answer, after which it is left alone
	restTime   = 30 * time.Second // for so long; then one more is asked
)

// Config says where the service is.
type Config struct {
	URL       string // https, or http to this machine; the pending id is put behind it
	Method    string // GET (also "") or POST
	Transport http.RoundTripper
	Now       func() time.Time
	Sleep     func(context.Context, time.Duration) error
	Secrets   *redact.Set // taken out of what it says, with those of its own address; nil: only those
}

// Client asks. It is safe for concurrent use.
type Client struct {
	base    string
	secrets *redact.Set
	post    bool
	http    *http.Client
	now     func() time.Time
	sleep   func(context.Context, time.Duration) error
	silent  atomic.Int32
	until   atomic.Int64 // Unix seconds: it is left alone
}

// New makes a client.
func New(c Config) (*Client, error) {
	if err := checkURL(c.URL); err != nil {
		return nil, err
	}
	method := strings.ToUpper(c.Method)
	if method != "" && method != http.MethodGet && method != http.MethodPost {
		return nil, fmt.Errorf("%w: method %.20q: GET or POST", ErrConfig, c.Method)
	}
	if c.Transport == nil {
		t := http.DefaultTransport.(*http.Transport).Clone()
		t.ResponseHeaderTimeout, t.MaxResponseHeaderBytes = perCall, 64<<10
		c.Transport = t
	}
	if c.Secrets == nil {
		c.Secrets = &redact.Set{}
	}
	c.Secrets.AddURL(c.URL)
	return &Client{
		secrets: c.Secrets,
		base:    normal(c.URL), post: method == http.MethodPost, now: c.Now, sleep: c.Sleep,
		// A redirect would carry the item to wherever a reply says.
		http: &http.Client{Transport: c.Transport, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }},
	}, nil
}

func checkURL(address string) error {
	u, err := url.Parse(address)
	switch {
	case err != nil, u.Host == "", u.User != nil, strings.ContainsAny(address, "?#"), u.RawPath != "": // the last: a path in other words
		return fmt.Errorf("%w: want an address such as https://host/path, without ?, # and percent signs that it does not need", ErrConfig)
	case u.Scheme == "https", u.Scheme == "http" && loopback.Is(u.Hostname()):
		return nil
	}
	return fmt.Errorf("%w: want https; plain http is for this machine only", ErrConfig)
}

// normal writes an address in one way, so that a service has one name.
func normal(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return address // New has refused it
	}
	u = u.JoinPath()
	host, port := strings.ToLower(u.Hostname()), u.Port()
	if u.Scheme == "https" && port == "443" || u.Scheme == "http" && port == "80" {
		port = ""
	}
	if strings.Contains(host, ":") {
		host = "[" + host + "]"
	}
	if u.Host = host; port != "" {
		u.Host += ":" + port
	}
	return strings.TrimRight(u.String(), "/")
}

// Service returns the address of the service, by which its no is known.
func (c *Client) Service() string { return c.base }

// Vouch asks about one transaction. With POST it returns the statements, each
// about exactly this transaction and not expired, by their approvers' keys in
// ascending order; with GET, none.
func (c *Client) Vouch(ctx context.Context, id string, f chain.Facts) ([]attestation.Statement, error) {
	if until := c.until.Load(); c.silent.Load() >= maxSilent && (c.now().Unix() < until || !c.until.CompareAndSwap(until, c.now().Add(restTime).Unix())) {
		return nil, fmt.Errorf("%w: it did not answer %d times in a row", ErrLeftAlone, maxSilent)
	}
	var body []byte
	if c.post {
		var err error
		if body, err = json.Marshal(attestation.Ask(id, f)); err != nil {
			return nil, fmt.Errorf("%w: %w", ErrNoAnswer, err)
		}
	}
	reply, err := c.ask(ctx, id, body)
	if errors.Is(err, errSilent) {
		if c.silent.Add(1) >= maxSilent {
			c.until.Store(c.now().Add(restTime).Unix())
		}
	} else {
		c.silent.Store(0)
	}
	if err != nil || !c.post {
		return nil, err
	}
	return c.check(reply, attestation.Of(id, f))
}

// ask calls, and again where that may help.
func (c *Client) ask(ctx context.Context, id string, body []byte) ([]byte, error) {
	pause := firstPause
	for try := 1; ; try++ {
		reply, again, err := c.call(ctx, id, body)
		if !again || try == attempts {
			return reply, err
		}
		if c.sleep(ctx, pause) != nil {
			return nil, err
		}
		pause *= 2
	}
}

// call asks once. again says that the same call may be answered later.
func (c *Client) call(ctx context.Context, id string, body []byte) (reply []byte, again bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, perCall)
	defer cancel()
	method, in := http.MethodGet, io.Reader(http.NoBody)
	if c.post {
		method, in = http.MethodPost, bytes.NewReader(body)
	}
	req, err := http.NewRequestWithContext(ctx, method, c.base+"/"+url.PathEscape(id), in)
	if err != nil {
		return nil, false, fmt.Errorf("%w: %w", ErrNoAnswer, c.bare(err))
	}
	req.Header.Set("Accept", "application/json")
	req.Header.Set("Accept-Encoding", "identity") // the length that is stated is that of what is read
	if c.post {
		req.Header.Set("Content-Type", "application/json")
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return nil, true, fmt.Errorf("%w: %w", errSilent, c.bare(err))
	}
	defer resp.Body.Close()
	reply, err = io.ReadAll(io.LimitReader(resp.Body, maxReply+1))
	switch status := resp.StatusCode; {
	case status == http.StatusInternalServerError: // about this item, perhaps
		return nil, true, fmt.Errorf("%w: status %d", ErrNoAnswer, status)
	case status >= 500, status == http.StatusTooManyRequests, status == http.StatusRequestTimeout:
		return nil, true, fmt.Errorf("%w: status %d", errSilent, status)
	case status >= 400:
		return nil, false, fmt.Errorf("%w: status %d, %.200q", ErrRefused, status, c.secrets.Text(string(reply)))
	case status != http.StatusOK && status != http.StatusNoContent:
		return nil, false, fmt.Errorf("%w: status %d, and 200 or 204 is a yes", ErrNoAnswer, status)
	case err != nil:
		return nil, true, fmt.Errorf("%w: its reply was cut: %w", ErrNoAnswer, c.bare(err))
	case len(reply) > maxReply:
		return nil, false, fmt.Errorf("%w: its reply has more than %d bytes", ErrNoAnswer, maxReply)
	}
	return reply, false, c.judge(resp, reply)
}

// bare takes the address out of an error, which may have a secret in its path,
// and the secrets out of the rest.
func (c *Client) bare(err error) error {
	var at *url.Error
	if errors.As(err, &at) {
		err = at.Err
	}
	if text := err.Error(); c.secrets.Text(text) != text {
		return errors.New(c.secrets.Text(text))
	}
	return err
}

// check reads statements and keeps them only if all are sound.
func (c *Client) check(reply []byte, content attestation.Content) ([]attestation.Statement, error) {
	var answer attestation.Answer
	if err := json.Unmarshal(reply, &answer); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrNoAnswer, err)
	}
	list := answer.Statements
	if len(list) == 0 {
		var also struct{ Approved json.RawMessage }
		if json.Unmarshal(reply, &also) == nil && also.Approved == nil && list != nil {
			return nil, fmt.Errorf("%w: its answer has an empty list of statements", ErrRefused)
		}
		return nil, fmt.Errorf("%w: its answer has no statement, and with POST those are the yes: %.200q", ErrNoAnswer, c.secrets.Text(string(reply)))
	}
	if len(list) > attestation.Max {
		return nil, fmt.Errorf("%w: %d statements, at most %d", ErrNoAnswer, len(list), attestation.Max)
	}
	slices.SortFunc(list, attestation.Compare)
	for i, s := range list {
		switch {
		case i > 0 && list[i-1].Approver == s.Approver:
			return nil, fmt.Errorf("%w: two statements by one key, %x", ErrNoAnswer, s.Approver)
		case !content.Verify(s):
			return nil, fmt.Errorf("%w: the signature by %x is not over what docs/FORMAT.md says of this transaction", ErrNoAnswer, s.Approver)
		case s.Expires <= c.now().Unix():
			return nil, fmt.Errorf("%w: the statement by %x has expired", ErrNoAnswer, s.Approver)
		}
	}
	return list, nil
}
