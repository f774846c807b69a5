package tatum

import (
	"errors"
	"fmt"
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
	breaker breaker
	counts  map[string]int64
	credits int64
	last    string // the last trouble, in words
}

// NewPace makes a Pace. jitter gives 0 … 1.
func NewPace(l Limits, now func() time.Time, jitter func() float64) *Pace {
	p := &Pace{now: now, jitter: jitter, counts: make(map[string]int64)}
	if l.PerSecond > 0 {
		p.every = time.Second / time.Duration(l.PerSecond)
	}
	for _, b := range l.Budgets {
		p.windows = append(p.windows, window{budget: b})
	}
	return p
}

// admit books a call that costs so many credits, and says how long to wait
// before it is made.
func (p *Pace) admit(cost int64, why Purpose) (time.Duration, error) {
	if p == nil {
		return 0, nil
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	now := p.now()
	if err := p.breaker.admit(now); err != nil {
		p.counts["paused"]++
		return 0, err
	}
	for i := range p.windows {
		w := &p.windows[i]
		if w.turn(now); !w.has(cost, why) {
			p.breaker.probing = false
			p.counts["budget"]++
			return 0, fmt.Errorf("%w: %s", ErrBudget, w.budget)
		}
	}
	for i := range p.windows {
		p.windows[i].add(cost, why)
	}
	p.credits += cost
	wait := max(0, p.next.Sub(now))
	p.next = now.Add(wait + p.every)
	return wait, nil
}

// Usage is how a Pace stands.
type Usage struct {
	Credits int64            `json:"credits"` // since the program began
	Budgets []Used           `json:"budgets,omitempty"`
	Calls   map[string]int64 `json:"calls"`             // by outcome
	Paused  time.Time        `json:"paused,omitzero"`   // nothing is sent until then
	Trouble string           `json:"trouble,omitempty"` // the last one, in words
	Failing int              `json:"failing,omitempty"` // calls in a row that came to nothing
}

// Usage says how it stands now.
func (p *Pace) Usage() Usage {
	if p == nil {
		return Usage{}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	now := p.now()
	u := Usage{Credits: p.credits, Calls: make(map[string]int64, len(p.counts)), Trouble: p.last, Failing: p.breaker.failing}
	for k, n := range p.counts {
		u.Calls[k] = n
	}
	if p.breaker.until.After(now) {
		u.Paused = p.breaker.until
	}
	for i := range p.windows {
		w := &p.windows[i]
		w.turn(now)
		u.Budgets = append(u.Budgets, w.report())
	}
	return u
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
