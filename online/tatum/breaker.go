package tatum

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"coldkms/shared/chain"
)

// ErrPaused is returned while Tatum is left alone after many calls that came
// to nothing, or because it asked for that. Nothing was sent.
var ErrPaused = errors.New("no call to Tatum is made for a while")

// paused is ErrPaused with the reason and the time in words.
type paused string

func (p paused) Error() string { return string(p) }
func (paused) Unwrap() error   { return ErrPaused }

// asks returns why no call is made that the server asked not to make.
func asks(status int, until time.Time) error {
	return paused(fmt.Sprintf("Tatum answered %d and asked to wait until %s", status, until.UTC().Format(time.RFC3339)))
}

// When calls of a line come to nothing in a row, none of them is repeated any more,
// and some are made to see whether others work. Where all of these fail none is made
// for a while; then some are again, and the rest is longer each time.
const (
	tolerance = 12 // calls in a row: more than are made at a time
	sample    = 64 // calls, to tell a server in trouble from items in trouble
	firstRest = 5 * time.Second
	maxRest   = 5 * time.Minute
	maxAsked  = time.Hour // that a Retry-After may ask for
)

// Lines of calls that name no chain.
const (
	lineKMS         = "kms" // about pending transactions
	lineWithdrawals = "withdrawals"
	lineOther       = "other"
)

// lineOf is the line of calls about a chain: where those about one chain come to
// nothing, the others' go on.
func lineOf(id chain.ID) string { return "chain " + string(id) }

// lineOfNode is the line of a chain's node, which is another server.
func lineOfNode(id chain.ID) string { return "node " + string(id) }

// lineOfList is the line of a chain's list.
func lineOfList(id chain.ID) string { return "list " + string(id) }

// breaker tells a server in trouble from a call in trouble. Each line of calls has
// its own.
type breaker struct {
	failing int       // calls in a row
	tried   int       // calls of the sample
	sampled time.Time // when it began
	rest    time.Duration
	until   time.Time
}

// admit returns why a call may not be made, nil if it may; again is set for one that
// is repeated.
func (b *breaker) admit(now time.Time, again bool, jitter func() float64) error {
	if now.Sub(b.sampled) > maxRest { // that a few items fail now and then is not the server's trouble
		b.tried, b.sampled = 0, now
	}
	switch {
	case now.Before(b.until):
	case b.failing < tolerance:
		return nil
	case again:
		return paused("after many failed calls none is repeated for now")
	case b.tried < sample:
		b.tried++
		return nil
	default:
		b.tried, b.sampled, b.rest = 0, now, min(max(2*b.rest, firstRest), maxRest)
		b.until = now.Add(b.rest/2 + time.Duration(jitter()*float64(b.rest/2)))
	}
	return paused("after many failed calls Tatum is left alone until " + b.until.UTC().Format(time.RFC3339))
}

// saw notes what became of a call. A success says nothing about a time that the
// server has asked for.
func (b *breaker) saw(failed bool) {
	if !failed {
		*b = breaker{}
		return
	}
	b.failing++
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// line returns the breaker of a line of calls. The lock is held.
func (p *Pace) line(name string) *breaker {
	b := p.lines[name]
	if b == nil {
		b = &breaker{}
		p.lines[name] = b
	}
	return b
}

// saw notes the outcome of a call that was admitted. ctx is the caller's: a
// call that he gave up says nothing about the server.
func (p *Pace) saw(ctx context.Context, k call, why Purpose, err error) {
	if p == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.counts[Outcome(err)]++
	if ctx.Err() != nil {
		return
	}
	if err == nil {
		p.waiting = time.Time{}
	}
	var failed *Error
	bad := false
	if errors.As(err, &failed) {
		bad = failed.Transient() && (k.final == nil || !k.final(failed))
		p.asked(k, why, failed)
		if !IsNotFound(failed) {
			p.last = p.now().UTC().Format(time.RFC3339) + " " + failed.Error()
		}
	}
	p.line(k.line).saw(bad)
}

// asked notes until when the server wants to be left alone: by all calls with this
// key where there were too many, else by those of the line. Calls for a payment go
// on until one of their own line is told so.
func (p *Pace) asked(k call, why Purpose, said *Error) {
	if said.until.IsZero() {
		return
	}
	switch said.Status {
	case http.StatusTooManyRequests:
		p.until = later(p.until, said.until)
		if why.pays() {
			p.own[k.line] = later(p.own[k.line], said.until)
		}
	case http.StatusServiceUnavailable:
		p.busy[k.line] = later(p.busy[k.line], said.until)
	}
}

// waits reports whether a call waits as long as the server asked: calls with a key
// wait maxWait together, until one of them succeeds. first is set for the first one.
func (p *Pace) waits(asked time.Duration) (ok, first bool) {
	if p == nil {
		return asked <= maxWait, true
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	now := p.now()
	since := p.waiting
	if first = since.IsZero(); first {
		since = now
	}
	if now.Add(asked).After(since.Add(maxWait)) {
		return false, false
	}
	p.waiting = since
	return true, first
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
