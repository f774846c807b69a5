package tatum

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// ErrBudget is returned where a call would go above the credits that the
// person has set aside. Nothing was sent.
var ErrBudget = errors.New("the budget of credits is used up")

// Budget is how many credits may be used in any stretch of time of a length.
type Budget struct {
	Credits int64
	Per     time.Duration
}

// ParseBudget reads "5000/hour" or "50000/day".
func ParseBudget(s string) (Budget, error) {
	count, per, _ := strings.Cut(s, "/")
	n, err := strconv.ParseInt(count, 10, 64)
	length := map[string]time.Duration{"minute": time.Minute, "hour": time.Hour, "day": 24 * time.Hour}[per]
	if err != nil || n < minBudget || length == 0 {
		return Budget{}, fmt.Errorf("%.40q is no budget: want credits per time, at least %d, such as 5000/hour or 50000/day", s, minBudget)
	}
	return Budget{Credits: n, Per: length}, nil
}

// minBudget is the least that makes sense: the part of it that is reserved for
// what is signed suffices to settle as many transactions as are sent at a time.
// With less they could use it up by looking, and be sent never.
const minBudget = 400

// String is the form that ParseBudget reads.
func (b Budget) String() string {
	for name, per := range map[string]time.Duration{"minute": time.Minute, "hour": time.Hour, "day": 24 * time.Hour} {
		if b.Per == per {
			return fmt.Sprintf("%d/%s", b.Credits, name)
		}
	}
	return fmt.Sprintf("%d/%s", b.Credits, b.Per)
}

// Limits is what one API key may be used for.
type Limits struct {
	PerSecond int      // calls; 0: no limit
	Budgets   []Budget // each of them holds
}

// Pace holds the calls of one API key to its limits, and leaves a server alone
// that is in trouble. Clients of one key share one Pace.
type Pace struct {
	now    func() time.Time
	jitter func() float64

	mu      sync.Mutex
	every   time.Duration // between two calls
	next    time.Time     // no call before
	windows []window
	lines   map[string]*breaker
	until   time.Time            // that a 429 has asked for
	own     map[string]time.Time // the same of calls for a payment, by line
	busy    map[string]time.Time // that a 503 has asked for, by line
	waiting time.Time            // since when calls wait as asked, and none has succeeded; zero: none waits
	counts  map[string]int64
	credits int64
	last    string // the last trouble, in words
}

// NewPace makes a Pace. jitter gives 0 … 1.
func NewPace(l Limits, now func() time.Time, jitter func() float64) *Pace {
	p := &Pace{
		now: now, jitter: jitter, counts: make(map[string]int64), lines: make(map[string]*breaker),
		own: make(map[string]time.Time), busy: make(map[string]time.Time),
	}
	if l.PerSecond > 0 {
		p.every = time.Second / time.Duration(l.PerSecond)
	}
	for _, b := range l.Budgets {
		p.windows = append(p.windows, window{budget: b})
	}
	return p
}

// admit books a call, and returns how long to wait before it is made; again is set
// for one that is repeated.
func (p *Pace) admit(k call, why Purpose, again bool) (time.Duration, error) {
	if p == nil {
		return 0, nil
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	now := p.now()
	for i := range p.windows {
		w := &p.windows[i]
		if w.turn(now); !w.has(k.cost, why) {
			p.counts["budget"]++
			return 0, fmt.Errorf("%w: %s", ErrBudget, w.budget)
		}
	}
	if err := p.open(k.line, why, now, again); err != nil {
		p.counts["paused"]++
		return 0, err
	}
	for i := range p.windows {
		p.windows[i].add(k.cost, why)
	}
	p.credits += k.cost
	wait := max(0, p.next.Sub(now))
	p.next = now.Add(wait + p.every)
	return wait, nil
}

// open returns why no call of a line is made now, nil if one may be.
func (p *Pace) open(line string, why Purpose, now time.Time, again bool) error {
	limited := p.until
	if why.pays() {
		limited = p.own[line]
	}
	if now.Before(limited) {
		return asks(http.StatusTooManyRequests, limited)
	}
	if busy := p.busy[line]; now.Before(busy) {
		return asks(http.StatusServiceUnavailable, busy)
	}
	return p.line(line).admit(now, again, p.jitter)
}

// Usage is how a Pace stands.
type Usage struct {
	Credits int64            `json:"credits"` // since the program began
	Budgets []Used           `json:"budgets,omitempty"`
	Calls   map[string]int64 `json:"calls"`             // by outcome
	Paused  time.Time        `json:"paused,omitzero"`   // some calls, or all, are not made until then
	Lines   []string         `json:"lines,omitempty"`   // which, such as "kms", "list BTC"; none: all but for payments
	Limited time.Time        `json:"limited,omitzero"`  // a 429 asked to wait until then
	Trouble string           `json:"trouble,omitempty"` // the last one, in words
	Failing int              `json:"failing,omitempty"` // calls of a line in a row that came to nothing
}

// Usage says how it stands now.
func (p *Pace) Usage() Usage {
	if p == nil {
		return Usage{}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	now := p.now()
	u := Usage{Credits: p.credits, Calls: make(map[string]int64, len(p.counts)), Trouble: p.last}
	for k, n := range p.counts {
		u.Calls[k] = n
	}
	p.pauses(&u, now)
	for i := range p.windows {
		w := &p.windows[i]
		w.turn(now)
		u.Budgets = append(u.Budgets, w.report())
	}
	return u
}

// pauses adds which calls are not made now.
func (p *Pace) pauses(u *Usage, now time.Time) {
	for name, b := range p.lines {
		u.Failing = max(u.Failing, b.failing)
		if until := later(b.until, later(p.busy[name], p.own[name])); until.After(now) {
			u.Paused, u.Lines = later(u.Paused, until), append(u.Lines, name)
		}
	}
	slices.Sort(u.Lines)
	if p.until.After(now) {
		u.Paused, u.Lines, u.Limited = p.until, nil, p.until
	}
}

// Resume takes over what an earlier program has used of the same budgets.
func (p *Pace) Resume(u Usage) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for i := range p.windows {
		for _, b := range u.Budgets {
			p.windows[i].resume(b)
		}
	}
}
