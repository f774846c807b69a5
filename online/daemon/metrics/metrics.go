// Package metrics shows a relay that runs by itself to machines that watch
// it: Prometheus metrics at /metrics and one word about its health at
// /healthz. No pending id, address, amount or key is in either.
package metrics

import (
	"encoding/json"
	"net/http"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"coldkms/online/daemon"
)

// Metrics collects what rounds and calls say of themselves.
type Metrics struct {
	registry *prometheus.Registry
	now      func() time.Time
	stale    time.Duration // without a round after which something is wrong

	rounds   prometheus.Counter
	seconds  prometheus.Histogram
	last     prometheus.Gauge
	items    *prometheus.GaugeVec
	done     *prometheus.CounterVec
	troubles *prometheus.CounterVec
	problems *prometheus.CounterVec
	calls    *prometheus.CounterVec
	callTime *prometheus.HistogramVec
	credits  *prometheus.GaugeVec
	budget   *prometheus.GaugeVec
	paused   *prometheus.GaugeVec
	drop     prometheus.Gauge
	alarms   prometheus.Gauge
	started  time.Time

	mu    sync.Mutex
	round daemon.Round
	since map[string]time.Time // steps that have not come to their end, and since when
}

// New makes the collectors. period is the time between two rounds.
func New(now func() time.Time, period time.Duration) *Metrics {
	m := &Metrics{registry: prometheus.NewRegistry(), now: now, stale: 3*period + 5*time.Minute, started: now(), since: make(map[string]time.Time)}
	gauge := func(name, help string, labels ...string) *prometheus.GaugeVec {
		v := prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "kms_" + name, Help: help}, labels)
		m.registry.MustRegister(v)
		return v
	}
	counter := func(name, help string, labels ...string) *prometheus.CounterVec {
		v := prometheus.NewCounterVec(prometheus.CounterOpts{Name: "kms_" + name, Help: help}, labels)
		m.registry.MustRegister(v)
		return v
	}
	m.rounds = counter("rounds_total", "Rounds made.").WithLabelValues()
	m.last = gauge("last_round_timestamp_seconds", "When the last round ended.").WithLabelValues()
	m.items = gauge("items", "Pending transactions in each state but completed and rejected.", "state")
	m.done = counter("done_total", "What rounds did.", "what")
	m.troubles = counter("troubles_total", "Steps that did not come to their end.", "step")
	m.problems = counter("problems_total", "Items that did not go on, by code, counted in each round.", "code")
	m.calls = counter("tatum_calls_total", "Calls to Tatum, each try.", "key", "kind", "outcome")
	m.credits = gauge("tatum_credits_used", "Credits used since the program began, as Tatum bills them.", "key")
	m.budget = gauge("tatum_budget_used_credits", "Credits counted against a budget now.", "key", "budget")
	m.paused = gauge("tatum_paused", "1 while Tatum is left alone.", "key")
	m.drop = gauge("drop_present", "1 while the drop folder is there.").WithLabelValues()
	m.alarms = gauge("alarms", "Alarms that nobody has dealt with yet.").WithLabelValues()
	m.seconds = prometheus.NewHistogram(prometheus.HistogramOpts{Name: "kms_round_seconds", Help: "How long rounds took.", Buckets: prometheus.ExponentialBuckets(0.01, 4, 9)})
	m.callTime = prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "kms_tatum_call_seconds", Help: "How long calls to Tatum took.", Buckets: prometheus.ExponentialBuckets(0.01, 4, 8)}, []string{"kind"})
	m.registry.MustRegister(m.seconds, m.callTime, collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

// Call counts one try of a call. It is for tatum.Config.Observe.
func (m *Metrics) Call(key string) func(kind, outcome string, took time.Duration) {
	return func(kind, outcome string, took time.Duration) {
		m.calls.WithLabelValues(key, kind, outcome).Inc()
		m.callTime.WithLabelValues(kind).Observe(took.Seconds())
	}
}

// Saw takes what a round did. It is for daemon.Daemon.Saw.
func (m *Metrics) Saw(r daemon.Round) {
	now := m.now()
	m.rounds.Inc()
	m.seconds.Observe(r.Took.Seconds())
	m.last.Set(float64(now.UnixMilli()) / 1000)
	for state, n := range r.Counts {
		m.items.WithLabelValues(state).Set(float64(n))
	}
	for what, n := range map[string]int{"fetched": r.Fetched, "prepared": r.Prepared, "exported": r.Exported, "imported": r.Imported, "refused": r.Refused,
		"broadcast": r.Broadcast, "completed": r.Completed, "confirmed": r.Confirmed, "told": r.Told} {
		m.done.WithLabelValues(what).Add(float64(n))
	}
	for step := range r.Troubles {
		m.troubles.WithLabelValues(step).Inc()
	}
	for _, p := range r.Problems {
		m.problems.WithLabelValues(string(p.Code)).Inc()
	}
	for key, u := range r.Usage {
		m.credits.WithLabelValues(key).Set(float64(u.Credits))
		m.paused.WithLabelValues(key).Set(one(!u.Paused.IsZero()))
		for _, b := range u.Budgets {
			m.budget.WithLabelValues(key, b.Budget).Set(float64(b.Credits))
		}
	}
	m.alarms.Set(float64(r.Alarms))
	m.drop.Set(one(r.Drop == "there"))
	m.remember(r, now)
}

func one(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

func (m *Metrics) remember(r daemon.Round, now time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	r.Problems = nil
	m.round = r
	for step := range m.since {
		if r.Troubles[step] == "" {
			delete(m.since, step)
		}
	}
	for step := range r.Troubles {
		if m.since[step].IsZero() {
			m.since[step] = now
		}
	}
}

// bearable is how long a step may be in trouble before the whole is unwell:
// networks come and go.
const bearable = 10 * time.Minute

// Health is the answer of /healthz.
type Health struct {
	OK       bool              `json:"ok"`
	Round    int64             `json:"round"`
	Ended    time.Time         `json:"ended,omitzero"`     // the last round
	Troubles map[string]string `json:"troubles,omitempty"` // steps, and since when they do not come to their end
	Why      string            `json:"why,omitempty"`
	Alarms   int               `json:"alarms"` // that are open
}

// Health says how it is.
func (m *Metrics) Health() Health {
	m.mu.Lock()
	defer m.mu.Unlock()
	now := m.now()
	h := Health{OK: true, Round: m.round.Number, Alarms: m.round.Alarms}
	if h.Alarms > 0 {
		h.OK, h.Why = false, "an alarm is open: see kms-online alarms"
	}
	begin := m.started
	if h.Round > 0 {
		h.Ended = m.round.At.Add(m.round.Took).UTC()
		begin = h.Ended
	}
	if now.Sub(begin) > m.stale {
		h.OK, h.Why = false, "no round has ended for a long time"
	}
	for step, since := range m.since {
		if h.Troubles == nil {
			h.Troubles = make(map[string]string)
		}
		h.Troubles[step] = since.UTC().Format(time.RFC3339)
		if now.Sub(since) > bearable {
			h.OK, h.Why = false, "a step has not come to its end for a long time"
		}
	}
	return h
}

// Handler serves /metrics and /healthz, and nothing else.
func (m *Metrics) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{}))
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) {
		h := m.Health()
		w.Header().Set("Content-Type", "application/json")
		if !h.OK {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
		_ = json.NewEncoder(w).Encode(h)
	})
	return mux
}
