package metrics

import (
	"encoding/json"
	"net/http"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus/promhttp"

	"coldkms/online/daemon"
)

// health judges a daemon by its reports.
type health struct {
	now     func() time.Time
	started time.Time
	silence time.Duration // longest time between two reports of a live daemon
	stale   time.Duration // longest time for which a report says that it can work

	mu       sync.Mutex
	reported time.Time
	round    daemon.Round
	since    map[string]time.Time // step: since when it fails
}

func newHealth(now func() time.Time, period time.Duration) *health {
	return &health{now: now, started: now(), silence: 3*period + 5*time.Minute, stale: 3*period + 30*time.Second, since: make(map[string]time.Time)}
}

func (h *health) saw(r daemon.Round) {
	h.mu.Lock()
	defer h.mu.Unlock()
	now := h.now()
	r.Problems = nil
	h.reported, h.round = now, r
	for step := range h.since {
		if r.Troubles[step] == "" {
			delete(h.since, step)
		}
	}
	for step := range r.Troubles {
		if h.since[step].IsZero() {
			h.since[step] = now
		}
	}
}

const (
	longestPass  = 20 * time.Minute // twice the deadline of a loop's pass: it is stuck
	longestFault = 10 * time.Minute // a step may fail for so long: networks come and go
)

// Alive returns why the daemon should be restarted, "" if it need not be. That
// never depends on Tatum, the database or a stick: a restart repairs none.
func (m *Metrics) Alive() string {
	h := m.health
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.alive()
}

func (h *health) alive() string {
	now, last := h.now(), h.reported
	if last.IsZero() {
		last = h.started
	}
	if now.Sub(last) > h.silence {
		return "no report for too long"
	}
	for name, l := range h.round.Loops {
		if !l.Since.IsZero() && now.Sub(l.Since) > longestPass {
			return "loop " + name + " is stuck"
		}
	}
	return ""
}

// Ready returns why the daemon cannot work now, "" if it can: the journal must
// be open, writable and answer. It does not depend on Tatum.
func (m *Metrics) Ready() string {
	h := m.health
	h.mu.Lock()
	defer h.mu.Unlock()
	switch {
	case h.alive() != "":
		return h.alive()
	case h.reported.IsZero():
		return "starting"
	case !h.writable():
		return "the journal cannot be written: run kms-online status"
	case h.now().Sub(h.reported) > h.stale:
		return "no report for too long"
	}
	return ""
}

// writable reports whether the journal could be opened, written and read for the
// last report.
func (h *health) writable() bool {
	return h.round.Troubles["open"] == "" && h.round.Troubles["journal"] == "" && h.round.Troubles["count"] == ""
}

// Health is the answer of /healthz.
type Health struct {
	OK       bool              `json:"ok"`
	Report   int64             `json:"report"`
	Reported time.Time         `json:"reported,omitzero"`  // when the last report was made
	Troubles map[string]string `json:"troubles,omitempty"` // step: since when it fails, RFC 3339
	Alarms   int               `json:"alarms"`             // open ones
	Why      []string          `json:"why,omitempty"`      // each reason that it is not ok
}

// Health returns whether a person should look: it is not alive or ready, a
// step has failed for ten minutes, or an alarm is open.
func (m *Metrics) Health() Health {
	ready := m.Ready()
	h := m.health
	h.mu.Lock()
	defer h.mu.Unlock()
	reply := Health{Report: h.round.Number, Reported: h.reported}
	if ready != "" && ready != "starting" {
		reply.Why = append(reply.Why, ready)
	}
	for _, n := range h.round.Alarms {
		reply.Alarms += n
	}
	if reply.Alarms > 0 {
		reply.Why = append(reply.Why, "alarms are open: run kms-online alarms")
	}
	failed := false
	for step, since := range h.since {
		if reply.Troubles == nil {
			reply.Troubles = make(map[string]string)
		}
		reply.Troubles[step] = since.UTC().Format(time.RFC3339)
		failed = failed || h.now().Sub(since) > longestFault
	}
	if failed {
		reply.Why = append(reply.Why, "a step has failed for more than ten minutes: run kms-online status")
	}
	reply.OK = len(reply.Why) == 0
	return reply
}

// Handler serves /metrics, /livez, /readyz and /healthz, and nothing else.
func (m *Metrics) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{}))
	mux.HandleFunc("GET /livez", probe(m.Alive))
	mux.HandleFunc("GET /readyz", probe(m.Ready))
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) {
		h := m.Health()
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Cache-Control", "no-store")
		if !h.OK {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
		_ = json.NewEncoder(w).Encode(h)
	})
	return mux
}

// probe answers 200 "ok", or 503 with the reason.
func probe(why func() string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		w.Header().Set("Cache-Control", "no-store")
		text := why()
		if text == "" {
			text = "ok"
		} else {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
		_, _ = w.Write([]byte(text + "\n"))
	}
}
