package daemon

import (
	"errors"
	"maps"
	"slices"
	"sync"
	"time"

	"coldkms/online/tatum"
	"coldkms/shared/chain"
)

// Loop is how one loop is.
type Loop struct {
	Passes int64         `json:"passes"`
	Ended  time.Time     `json:"ended,omitzero"` // the last pass
	Took   time.Duration `json:"took"`           // the last pass
	Since  time.Time     `json:"since,omitzero"` // when the pass that is running began
}

// board gathers what concurrent loops report, until the next report.
type board struct {
	mu       sync.Mutex
	reports  int64
	at       time.Time // when the period that is reported began
	sum      Round
	troubles map[string]error
	loops    map[string]Loop
	counts   map[string]int
	alarms   map[chain.Code]int
	unheard  int
	dead     int
	oldest   time.Time
	drop     string
}

// begin sets when the period began that is reported next.
func (b *board) begin(at time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.at = at
}

func (b *board) began(name string, now time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.loops == nil {
		b.loops = make(map[string]Loop)
	}
	l := b.loops[name]
	l.Since = now
	b.loops[name] = l
}

func (b *board) ended(name string, now time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	l := b.loops[name]
	b.loops[name] = Loop{Passes: l.Passes + 1, Ended: now, Took: now.Sub(l.Since).Round(time.Millisecond)}
}

// add adds what a step did.
func (b *board) add(r Round) {
	b.mu.Lock()
	defer b.mu.Unlock()
	s := &b.sum
	s.Fetched, s.Prepared, s.Exported = s.Fetched+r.Fetched, s.Prepared+r.Prepared, s.Exported+r.Exported
	s.Imported, s.Refused = s.Imported+r.Imported, s.Refused+r.Refused
	s.Broadcast, s.Completed, s.Confirmed = s.Broadcast+r.Broadcast, s.Completed+r.Completed, s.Confirmed+r.Confirmed
	s.Told, s.Approved, s.Healed = s.Told+r.Told, s.Approved+r.Approved, s.Healed+r.Healed
	s.Problems = append(s.Problems, r.Problems...)
	if r.Drop != "" {
		b.drop = r.Drop
	}
	if r.Counts != nil {
		b.counts, b.alarms, b.oldest, b.unheard, b.dead = r.Counts, r.Alarms, r.Oldest, r.Unheard, r.DeadLetters
	}
}

// moved reports whether an item came into another state since the last report,
// or has a problem.
func (b *board) moved() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.sum.moved() || len(b.sum.Problems) > 0
}

// trouble sets what keeps a step from its end, nil for nothing. It reports
// whether that is news.
func (b *board) trouble(step string, err error) (news bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	was := b.troubles[step]
	if err == nil {
		delete(b.troubles, step)
		return was != nil
	}
	if b.troubles == nil {
		b.troubles = make(map[string]error)
	}
	b.troubles[step] = err
	return was == nil || was.Error() != err.Error()
}

// troubled reports whether a step did not come to its end the last time.
func (b *board) troubled(step string) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.troubles[step] != nil
}

// take returns the report of the period that ends now.
func (b *board) take(now time.Time) Round {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.reports++
	r := b.sum
	r.Number, r.At = b.reports, b.at
	if b.at.IsZero() {
		r.At = now
	}
	r.Took = now.Sub(r.At).Round(time.Millisecond)
	r.Drop, r.Counts, r.Alarms, r.Oldest, r.Loops = b.drop, maps.Clone(b.counts), maps.Clone(b.alarms), b.oldest, maps.Clone(b.loops)
	r.Unheard, r.DeadLetters = b.unheard, b.dead
	r.Troubles = make(map[string]string, len(b.troubles))
	for _, step := range slices.Sorted(maps.Keys(b.troubles)) {
		r.Troubles[step] = b.troubles[step].Error()
		r.Err = errors.Join(r.Err, b.troubles[step])
	}
	b.sum, b.at = Round{}, now
	return r
}

// report hands out what the loops did in the period that ends now.
func (d *Daemon) report() Round {
	round := d.board.take(d.Now())
	round.Usage = make(map[string]tatum.Usage, len(d.Keys))
	for _, k := range d.Keys {
		round.Usage[k.Name] = k.Pace.Usage()
	}
	if round.moved() {
		d.Log.Info("round", "event", logReport, "number", round.Number, "took", round.Took.String(), "fetched", round.Fetched, "prepared", round.Prepared, "exported", round.Exported,
			"imported", round.Imported, "refused", round.Refused, "broadcast", round.Broadcast, "completed", round.Completed, "confirmed", round.Confirmed, "healed", round.Healed)
	}
	if d.Saw != nil {
		d.Saw(round)
	}
	return round
}
