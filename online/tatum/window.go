package tatum

import "time"

// slots is in how many parts the time of a budget is counted.
const slots = 60

// counts is what was used, by parts of a budget's time. One part more than fits
// is counted, so that no stretch of time of that length has more, wherever it
// begins.
type counts [slots + 1]int64

func (c *counts) sum() (n int64) {
	for _, used := range c {
		n += used
	}
	return n
}

// window counts the credits of one budget, by parts of its time and by purpose.
type window struct {
	budget Budget
	used   [purposes]counts
	at     int64 // number of the newest part
}

func (w *window) part(now time.Time) int64 { return now.UnixNano() / int64(w.budget.Per/slots) }

func (w *window) add(cost int64, p Purpose) { w.used[p][w.at%int64(len(w.used[p]))] += cost }

func (w *window) sumFor(p Purpose) int64 { return w.used[p].sum() }

func (w *window) sum() (n int64) {
	for p := range purposes {
		n += w.sumFor(p)
	}
	return n
}

// turn forgets what is too long ago. A clock that goes back a little forgets
// nothing. One that goes back by more than the budget's time was wrong before:
// all that is counted then counts as used now, and is forgotten after that time.
func (w *window) turn(now time.Time) {
	at := w.part(now)
	if w.at-at > slots {
		for p := range w.used {
			sum := w.used[p].sum()
			w.used[p] = counts{}
			w.used[p][at%int64(len(w.used[p]))] = sum
		}
		w.at = at
	}
	if at-w.at > slots {
		w.used, w.at = [purposes]counts{}, at
	}
	for w.at < at {
		w.at++
		for p := range w.used {
			w.used[p][w.at%int64(len(w.used[p]))] = 0
		}
	}
}

// Used is what was counted against one budget.
type Used struct {
	Budget  string             `json:"budget"` // such as "5000/hour"
	Credits int64              `json:"credits"`
	At      int64              `json:"at"`                 // number of the newest part of its time
	Parts   []int64            `json:"parts"`              // by parts, for a program that goes on with it
	Purpose map[string][]int64 `json:"purposes,omitempty"` // the same, by purpose
}

// report returns what was counted.
func (w *window) report() Used {
	u := Used{Budget: w.budget.String(), Credits: w.sum(), At: w.at, Parts: make([]int64, len(counts{})), Purpose: make(map[string][]int64)}
	for p := range purposes {
		if w.sumFor(p) == 0 {
			continue
		}
		u.Purpose[p.String()] = append([]int64(nil), w.used[p][:]...)
		for i, n := range w.used[p] {
			u.Parts[i] += n
		}
	}
	return u
}

// resume takes over what an earlier program counted. What it does not
// attribute to a purpose was used to prove: no reserve gets smaller by it.
func (w *window) resume(u Used) {
	if u.Budget != w.budget.String() || len(u.Parts) != len(counts{}) || u.At <= 0 {
		return
	}
	var used [purposes]counts
	for p := range purposes {
		if parts := u.Purpose[p.String()]; len(parts) == len(counts{}) {
			copy(used[p][:], parts)
		}
	}
	for i, total := range u.Parts {
		known := int64(0)
		for p := range purposes {
			used[p][i] = max(0, used[p][i])
			known += used[p][i]
		}
		used[Prove][i] += max(0, total-known)
	}
	w.used, w.at = used, u.At
}
