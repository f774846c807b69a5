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

// minBudget is the least that makes sense: the part of it that is kept for
// what is signed lets as many transactions as are sent at a time come to their
// end. With less they could use it up by looking, and be sent never.
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

// slots is in how many parts the time of a budget is counted.
const slots = 60

// window counts the credits of one budget, by parts of its time. One part
// more than fits is counted, so that no stretch of time of that length has
// more, wherever it begins.
type window struct {
	budget Budget
	used   [slots + 1]int64
	at     int64 // number of the newest part
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

// rank says what a call is for, and so which part of a budget it may use.
type rank uint8

const (
	settling rank = iota // what is signed already, and everything that is not below: all of it
	newWork              // looking for what is to be signed: three quarters
	curious              // how deep in the chain it is: one half
)

// limit is up to where a budget may be used.
func (k rank) limit(credits int64) int64 { return credits - credits*int64(k)/4 }

// admit books a call that costs so many credits, and says how long to wait
// before it is made.
func (p *Pace) admit(cost int64, what rank) (time.Duration, error) {
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
		if w := &p.windows[i]; !w.has(now, cost, what) {
			p.breaker.probing = false
			p.counts["budget"]++
			return 0, fmt.Errorf("%w: %s", ErrBudget, w.budget)
		}
	}
	for i := range p.windows {
		p.windows[i].used[p.windows[i].at%int64(len(p.windows[i].used))] += cost
	}
	p.credits += cost
	wait := max(0, p.next.Sub(now))
	p.next = now.Add(wait + p.every)
	return wait, nil
}

// has says whether a budget has room.
func (w *window) has(now time.Time, cost int64, what rank) bool {
	w.turn(now)
	return w.sum()+cost <= what.limit(w.budget.Credits)
}

// turn forgets what is too long ago. A clock that goes back forgets nothing.
func (w *window) turn(now time.Time) {
	at := now.UnixNano() / int64(w.budget.Per/slots)
	if at-w.at >= int64(len(w.used)) {
		w.used, w.at = [slots + 1]int64{}, at
	}
	for w.at < at {
		w.at++
		w.used[w.at%int64(len(w.used))] = 0
	}
}

func (w *window) sum() (n int64) {
	for _, used := range w.used {
		n += used
	}
	return n
}

// Used is what was counted against one budget.
type Used struct {
	Budget  string  `json:"budget"` // such as "5000/hour"
	Credits int64   `json:"credits"`
	At      int64   `json:"at"`    // number of the newest part of its time
	Parts   []int64 `json:"parts"` // by parts, for a program that goes on with it
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
		u.Budgets = append(u.Budgets, Used{Budget: w.budget.String(), Credits: w.sum(), At: w.at, Parts: append([]int64(nil), w.used[:]...)})
	}
	return u
}

// Resume takes over what an earlier program has used of the same budgets.
func (p *Pace) Resume(u Usage) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for i := range p.windows {
		w := &p.windows[i]
		for _, b := range u.Budgets {
			if b.Budget == w.budget.String() && len(b.Parts) == len(w.used) && b.At > 0 {
				w.at = b.At
				copy(w.used[:], b.Parts)
			}
		}
	}
}
