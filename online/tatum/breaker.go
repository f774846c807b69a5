package tatum

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"
)

// ErrPaused is returned while Tatum is left alone after many calls that came
// to nothing, or because it asked for that. Nothing was sent.
var ErrPaused = errors.New("after many failed calls Tatum is left alone for a while")

// When calls come to nothing in a row, none is made for a while; then one is
// tried, and the rest is longer each time that it fails.
const (
	tolerance = 12 // calls in a row: more than are made at a time
	firstRest = 5 * time.Second
	maxRest   = 5 * time.Minute
	maxAsked  = time.Hour // that a Retry-After may ask for
)

// breaker tells a server in trouble from a call in trouble.
type breaker struct {
	failing int // calls in a row
	rest    time.Duration
	until   time.Time
	probing bool // one call is out to see whether it works again
}

func (b *breaker) admit(now time.Time) error {
	switch {
	case now.Before(b.until):
		return fmt.Errorf("%w, until %s", ErrPaused, b.until.UTC().Format(time.RFC3339))
	case b.rest == 0:
		return nil
	case b.probing:
		return fmt.Errorf("%w: one call is out to see whether it works again", ErrPaused)
	}
	b.probing = true
	return nil
}

// saw notes what became of a call.
func (b *breaker) saw(failed bool, asked time.Duration, now time.Time, jitter float64) {
	wasProbing := b.probing
	b.probing = false
	if !failed {
		*b = breaker{}
		return
	}
	b.failing++
	if asked > 0 {
		b.until = later(b.until, now.Add(min(asked, maxAsked)))
	}
	if b.failing < tolerance && !wasProbing {
		return
	}
	b.rest = min(max(2*b.rest, firstRest), maxRest)
	b.until = later(b.until, now.Add(b.rest/2+time.Duration(jitter*float64(b.rest/2))))
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// saw notes the outcome of a call that was admitted. ctx is the caller's: a
// call that he gave up says nothing about the server.
func (p *Pace) saw(ctx context.Context, k call, err error) {
	if p == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	outcome := Outcome(err)
	p.counts[outcome]++
	var failed *Error
	asked := time.Duration(0)
	bad := false
	if errors.As(err, &failed) {
		bad = failed.Transient() && (k.final == nil || !k.final(failed))
		if failed.Status == http.StatusTooManyRequests || failed.Status == http.StatusServiceUnavailable {
			asked = failed.RetryAfter
		}
	}
	if ctx.Err() != nil {
		p.breaker.probing = false
		return
	}
	if failed != nil && !IsNotFound(failed) {
		p.last = p.now().UTC().Format(time.RFC3339) + " " + failed.Error()
	}
	p.breaker.saw(bad, asked, p.now(), p.jitter())
}

// Outcome names what became of a call, for counting: ok, throttled, server,
// absent, refused, key, redirect, unreadable, timeout, cancelled, tls, network,
// budget, paused.
func Outcome(err error) string {
	var e *Error
	switch {
	case err == nil:
		return "ok"
	case errors.Is(err, ErrBudget):
		return "budget"
	case errors.Is(err, ErrPaused):
		return "paused"
	case errors.Is(err, context.Canceled):
		return "cancelled"
	case !errors.As(err, &e):
		return "other"
	case e.Status == http.StatusTooManyRequests:
		return "throttled"
	case e.Status >= 500:
		return "server"
	case IsAuth(err):
		return "key"
	case IsNotFound(err): // an answer, and often the one that is expected
		return "absent"
	case e.Status >= 400:
		return "refused"
	case e.Status >= 300:
		return "redirect"
	case e.Status != 0:
		return "unreadable"
	case e.trust:
		return "tls"
	case isTimeout(e.err):
		return "timeout"
	}
	return "network"
}
