package daemon

import (
	"fmt"
	"sync"

	"coldkms/online"
	"coldkms/online/tatum"
)

// named says which API key an error is about. It never has the key in it.
func named(k Key, err error) error {
	if k.Name == "" {
		return err
	}
	return fmt.Errorf("API key %s: %w", k.Name, err)
}

// maxSaid bounds what is remembered of what was logged.
const maxSaid = 100_000

// speech remembers what was logged last of an item, a step or a file.
type speech struct {
	mu   sync.Mutex
	last map[string]string
}

// news reports whether a text differs from what was said last about something.
func (s *speech) news(about, text string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if was, known := s.last[about]; known && was == text {
		return false
	}
	if s.last == nil || len(s.last) > maxSaid {
		s.last = make(map[string]string)
	}
	s.last[about] = text
	return true
}

func (s *speech) forget(about string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.last, about)
}

// once logs a condition when it starts, not every round.
func (d *Daemon) once(event, about, text string) bool {
	if !d.speech.news(about, text) {
		return false
	}
	d.Log.Warn(text, "event", event, "about", about)
	return true
}

// trouble records what keeps a step from its end, nil for nothing.
func (d *Daemon) trouble(step string, err error) {
	if news := d.board.trouble(step, err); news && err != nil {
		d.Log.Error("step did not come to its end", "event", logStepFailed, "step", step, "error", err.Error(), "outcome", tatum.Outcome(err))
	}
}

// problems records what keeps items from going on.
func (d *Daemon) problems(round *Round, step string, list []online.Problem) {
	round.Problems = append(round.Problems, list...)
	for _, p := range list {
		if d.speech.news("item "+p.ID, string(p.Code)) {
			d.Log.Warn("item does not go on", "event", logItemProblem, "step", step, "id", p.ID, "code", string(p.Code), "reason", p.Reason)
		}
	}
}
