// Package tatum is a typed client of the parts of Tatum's API that a KMS
// needs (https://docs.tatum.io), and the only code of Coldkms that speaks to
// a network.
//
// Everything that comes back is bounded before it is read and read leniently:
// fields that are not needed may be missing or of any form. The API key is in
// no error. Calls that may be repeated are repeated, with growing pauses;
// a broadcast never is: after a lost reply only a look-up says what happened.
package tatum

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"coldkms/online/internal/httpbody"
	"coldkms/online/internal/loopback"
	"coldkms/online/redact"
	"coldkms/shared/chain"
	"coldkms/shared/pending"
)

// DefaultURL is Tatum's API.
const DefaultURL = "https://api.tatum.io"

// Limits on what is read and how long it is waited for.
const (
	maxReply   = 16 << 20         // bytes of an ordinary reply
	maxPending = 256 << 20        // bytes of a list of pending transactions
	maxError   = 64 << 10         // bytes of an error's body
	maxWait    = 30 * time.Second // as the server asks
	attempts   = 5
	firstPause = 250 * time.Millisecond
)

// ErrURL is returned by New for an address that the key must not be sent to.
var ErrURL = errors.New("API address is not usable")

// ErrKey is returned by New for something that is no API key.
var ErrKey = errors.New("API key is not usable")

// Config says where Tatum is and who asks.
type Config struct {
	URL       string // "" is DefaultURL
	Key       string // API key
	Transport http.RoundTripper
	Now       func() time.Time
	Sleep     func(context.Context, time.Duration) error
	Jitter    func() float64                                 // 0 … 1
	Pace      *Pace                                          // what the key may be used for; nil: no limits
	Observe   func(kind, outcome string, took time.Duration) // of every try; may be nil
	Waits     func(why error)                                // before calls wait as the server asks; may be nil
	Secrets   *redact.Set                                    // taken out of whatever comes, with the key; nil: only that
}

// Client makes calls with one API key. It is safe for concurrent use.
type Client struct {
	base    string
	key     string
	secrets *redact.Set // taken out of texts
	http    *http.Client
	now     func() time.Time
	sleep   func(context.Context, time.Duration) error
	jitter  func() float64
	pace    *Pace
	watch   func(kind, outcome string, took time.Duration)
	waits   func(why error)
	noHex   *sync.Map // chain.ID: transaction replies are without hex there

	purpose Purpose // at least, of all calls
}

// New makes a client. Fields of Config that are left out get what a program
// in production needs.
func New(c Config) (*Client, error) {
	if c.URL == "" {
		c.URL = DefaultURL
	}
	if err := CheckURL(c.URL); err != nil {
		return nil, err
	}
	if c.Key == "" || len(c.Key) > 512 || strings.ContainsFunc(c.Key, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return nil, fmt.Errorf("%w: it is empty, or has characters that no key has", ErrKey)
	}
	if c.Transport == nil {
		t := http.DefaultTransport.(*http.Transport).Clone()
		t.MaxIdleConnsPerHost = 32
		t.ResponseHeaderTimeout = perCall
		t.MaxResponseHeaderBytes = 1 << 20
		c.Transport = t
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Sleep == nil {
		c.Sleep = Sleep
	}
	if c.Jitter == nil {
		c.Jitter = rand.Float64
	}
	if c.Observe == nil {
		c.Observe = func(string, string, time.Duration) {}
	}
	if c.Waits == nil {
		c.Waits = func(error) {}
	}
	if c.Secrets == nil {
		c.Secrets = &redact.Set{}
	}
	c.Secrets.Add(c.Key)
	return &Client{
		noHex: &sync.Map{}, secrets: c.Secrets,
		base: strings.TrimRight(c.URL, "/"), key: c.Key, now: c.Now, sleep: c.Sleep, jitter: c.Jitter, pace: c.Pace, watch: c.Observe,
		waits: c.Waits,
		// A redirect would carry the key to wherever a reply says.
		http: &http.Client{Transport: c.Transport, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }},
	}, nil
}

// Fingerprint tells the API key from others. A key has some 150 random bits, so
// that nobody finds it by its fingerprint.
func (c *Client) Fingerprint(salt []byte) string {
	mac := hmac.New(sha256.New, salt)
	mac.Write([]byte("coldkms API key\x00" + c.key))
	return hex.EncodeToString(mac.Sum(nil)[:8])
}

// CheckURL reports whether the API key may be sent to an address: https
// anywhere, http only to this machine.
func CheckURL(address string) error {
	u, err := url.Parse(address)
	switch {
	case err != nil, u.Host == "", u.User != nil, u.RawQuery != "", u.Fragment != "":
		return fmt.Errorf("%w: want a plain https://host address", ErrURL)
	case u.Scheme == "https", u.Scheme == "http" && loopback.Is(u.Hostname()):
		return nil
	case u.Scheme == "http":
		return fmt.Errorf("%w: %.80q is plain http, which is accepted for this machine only: everyone on the way could read the key", ErrURL, address)
	}
	return fmt.Errorf("%w: %.80q is not https", ErrURL, address)
}

// Sleep waits for d or until ctx is done.
func Sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}

// call is one HTTP call. op names it in errors, without secrets; kind in
// counts.
type call struct {
	kind             string
	op, method, path string
	body             any
	into             any   // reply, nil if nobody reads it
	limit            int64 // of the reply in bytes, maxReply if 0
	once             bool  // must not be repeated
	cost             int64 // credits
	purpose          Purpose
	line             string // of calls that work or fail together
	final            func(*Error) bool
}

// do makes a call, and again where that is allowed and may help.
func (c *Client) do(ctx context.Context, k call) error {
	var body []byte
	if k.body != nil {
		var err error
		if body, err = json.Marshal(k.body); err != nil {
			return fmt.Errorf("tatum: %s: %w", k.op, err)
		}
	}
	pause, slow := firstPause, 0
	var before error
	for try := 1; ; try++ {
		err := c.paced(ctx, k, body, try > 1)
		if before != nil && errors.Is(err, ErrPaused) { // it was made, and what became of it is told
			return before
		}
		before = err
		var failed *Error
		if errors.As(err, &failed) && !c.mayWait(failed) {
			return err
		}
		if failed != nil && failed.slow() {
			slow++
		}
		if slow == slowTries || !errors.As(err, &failed) || failed.unsent || k.once || try == attempts || !failed.Transient() || ctx.Err() != nil || (k.final != nil && k.final(failed)) {
			return err
		}
		wait := max(pause/2+time.Duration(c.jitter()*float64(pause/2)), failed.RetryAfter)
		if c.sleep(ctx, wait) != nil {
			return err
		}
		pause *= 2
	}
}

// mayWait reports whether a call waits as long as the server asked, if it did. The
// first one that does is announced.
func (c *Client) mayWait(failed *Error) bool {
	if failed.RetryAfter <= 0 {
		return true
	}
	ok, first := c.pace.waits(failed.RetryAfter)
	failed.long = !ok
	if ok && first {
		c.waits(failed)
	}
	return ok
}

// paced makes a call once, when the key's limits allow it.
func (c *Client) paced(ctx context.Context, k call, body []byte, again bool) error {
	why := max(k.purpose, c.purpose)
	wait, err := c.pace.admit(k, why, again)
	if err != nil {
		c.watch(k.kind, Outcome(err), 0)
		return &Error{Op: k.op, err: err, unsent: true}
	}
	begin := c.now()
	if wait > 0 {
		err = c.sleep(ctx, wait)
	}
	if err != nil {
		err = &Error{Op: k.op, err: err, unsent: true}
	} else {
		err = c.try(ctx, k, body)
	}
	c.pace.saw(ctx, k, why, err)
	c.watch(k.kind, Outcome(err), c.now().Sub(begin))
	return err
}

func (c *Client) try(ctx context.Context, k call, body []byte) error {
	ctx, cancel := context.WithTimeout(ctx, k.patience())
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, k.method, c.base+k.path, bytes.NewReader(body))
	if err != nil {
		return c.fault(k, 0, err)
	}
	req.Header.Set("x-api-key", c.key)
	req.Header.Set("Accept", "application/json")
	req.Header.Set("User-Agent", "coldkms")
	if k.body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return c.fault(k, 0, err)
	}
	resp.Body = &drip{ReadCloser: resp.Body, now: c.now, begin: c.now()}
	defer resp.Body.Close()
	if resp.StatusCode < 200 || resp.StatusCode > 299 {
		return c.refused(k, resp)
	}
	return c.read(k, resp)
}

func (c *Client) read(k call, resp *http.Response) error {
	limit := k.limit
	if limit == 0 {
		limit = maxReply
	}
	if list, ok := k.into.(*partOfList); ok {
		if err := c.readList(&bounded{resp.Body, limit}, list); err != nil {
			return c.unlisted(k, resp, err)
		}
		return nil
	}
	b, err := io.ReadAll(io.LimitReader(resp.Body, limit+1))
	if err != nil {
		return c.fault(k, 0, err)
	}
	if int64(len(b)) > limit {
		return c.fault(k, resp.StatusCode, fmt.Errorf("reply of more than %d bytes", limit))
	}
	if k.into == nil {
		if len(b) == 0 && !httpbody.Delimited(resp) {
			return c.fault(k, 0, errCutBehindHeader)
		}
		if len(bytes.TrimSpace(b)) > 0 && !json.Valid(b) { // a page of some proxy is no yes of Tatum
			return c.fault(k, resp.StatusCode, c.came(resp.Header, b))
		}
		return nil
	}
	if !json.Valid(b) {
		return c.fault(k, resp.StatusCode, c.came(resp.Header, b))
	}
	if b, err = c.clean(b); err != nil {
		return c.fault(k, resp.StatusCode, err)
	}
	if err := json.Unmarshal(b, k.into); err != nil {
		return c.fault(k, resp.StatusCode, fmt.Errorf("reply is not of the expected form: %w", err))
	}
	return nil
}

// errCutBehindHeader is why a reply without a body is no yes.
var errCutBehindHeader = errors.New("the reply has no body and does not state that it has none: it may have been cut")

// bounded reads at most left bytes of a list. More is an error of its own: the
// same list would be as long at the next try.
type bounded struct {
	in   io.Reader
	left int64
}

func (b *bounded) Read(p []byte) (int, error) {
	if b.left <= 0 {
		return 0, errLong
	}
	n, err := b.in.Read(p[:min(int64(len(p)), b.left)])
	b.left -= int64(n)
	return n, err
}

// errLong is why a list was not read to its end.
var errLong = fmt.Errorf("the list has more than %d bytes; what is behind them is taken once what comes before is gone", maxPending)

// unlisted makes an error of a list that could not be read to its end. One
// that was cut may come whole at the next try.
func (c *Client) unlisted(k call, resp *http.Response, err error) error {
	status := resp.StatusCode
	if errors.Is(err, pending.ErrNoList) {
		err = c.notTatum(resp.Header)
	}
	if errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, errCut) {
		status = 0
	}
	return c.fault(k, status, err)
}

// segment is a chain's name in API paths.
func segment(id chain.ID) (string, error) {
	switch id {
	case chain.BTC:
		return "bitcoin", nil
	case chain.LTC:
		return "litecoin", nil
	case chain.DOGE:
		return "dogecoin", nil
	case chain.BCH:
		return "bcash", nil
	}
	return "", chain.Refuse(chain.UnsupportedChain, "chain %.20q is not supported yet", string(id))
}

// dear is what Tatum bills for a call about a chain: LTC and BCH cost 5
// credits where the others cost less.
func dear(id chain.ID, others int64) int64 {
	if id == chain.LTC || id == chain.BCH {
		return 5
	}
	return others
}
