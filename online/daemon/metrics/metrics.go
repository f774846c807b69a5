// Package metrics exports what a daemon does: Prometheus metrics at /metrics,
// and its health at /livez, /readyz and /healthz. No pending id, address,
// amount or API key is in any of them.
package metrics

import (
	"runtime"
	"runtime/debug"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"coldkms/online/daemon"
)

// defaultKey is the label of the API key that has no name.
const defaultKey = "default"

// Metrics collects what rounds and calls report. Names and units follow
// Prometheus' conventions; docs/DAEMON.md has the table, which a test compares.
type Metrics struct {
	registry *prometheus.Registry
	now      func() time.Time
	health   *health

	reports     prometheus.Counter
	lastReport  prometheus.Gauge
	passes      *prometheus.CounterVec
	passSeconds *prometheus.GaugeVec
	passEnded   *prometheus.GaugeVec
	items       *prometheus.GaugeVec
	oldest      prometheus.Gauge
	alarms      *prometheus.GaugeVec
	outcomes    *prometheus.CounterVec
	failures    *prometheus.CounterVec
	problems    *prometheus.CounterVec
	requests    *prometheus.CounterVec
	duration    *prometheus.HistogramVec
	credits     *prometheus.CounterVec
	budget      *prometheus.GaugeVec
	breaker     *prometheus.GaugeVec
	drop        prometheus.Gauge
	waiting     prometheus.Gauge
	dead        prometheus.Gauge
	journal     prometheus.Gauge

	last daemon.Round // for counters that rounds report as totals
}

// New returns metrics of a daemon whose loops rest for period.
func New(now func() time.Time, period time.Duration) *Metrics {
	m := &Metrics{registry: prometheus.NewRegistry(), now: now, health: newHealth(now, period)}
	gauge := func(name, help string, labels ...string) *prometheus.GaugeVec {
		v := prometheus.NewGaugeVec(prometheus.GaugeOpts{Namespace: "kms", Name: name, Help: help}, labels)
		m.registry.MustRegister(v)
		return v
	}
	counter := func(name, help string, labels ...string) *prometheus.CounterVec {
		v := prometheus.NewCounterVec(prometheus.CounterOpts{Namespace: "kms", Name: name, Help: help}, labels)
		m.registry.MustRegister(v)
		return v
	}
	m.reports = counter("reports_total", "Reports of the daemon, one a period.").WithLabelValues()
	m.lastReport = gauge("last_report_timestamp_seconds", "Unix time of the last report.").WithLabelValues()
	m.passes = counter("loop_passes_total", "Completed passes of each loop.", "loop")
	m.passSeconds = gauge("loop_last_pass_duration_seconds", "Duration of each loop's last pass.", "loop")
	m.passEnded = gauge("loop_last_pass_timestamp_seconds", "Unix time when each loop's last pass ended.", "loop")
	m.items = gauge("items", "Pending transactions in each state, without completed and rejected ones.", "state")
	m.oldest = gauge("oldest_open_item_age_seconds", "Age of the oldest pending transaction that is on its way; 0 if there is none.").WithLabelValues()
	m.alarms = gauge("alarms", "Alarms that no person has dealt with, by code.", "code")
	m.outcomes = counter("item_outcomes_total", "Items that reached a stage.", "outcome")
	m.failures = counter("step_failures_total", "Reports in which a step had failed.", "step")
	m.problems = counter("item_problems_total", "Problems that kept an item from going on, by code.", "code")
	m.requests = counter("tatum_requests_total", "HTTP requests to Tatum, each try.", "key", "kind", "outcome")
	m.credits = counter("tatum_credits_total", "Tatum credits used, by Tatum's price list.", "key")
	m.budget = gauge("tatum_budget_used_credits", "Credits counted against each budget now.", "key", "budget")
	m.breaker = gauge("tatum_circuit_open", "1 while the circuit breaker keeps requests from Tatum.", "key")
	m.drop = gauge("drop_folder_present", "1 while the drop folder is present.").WithLabelValues()
	m.waiting = gauge("events_waiting", "Events that were not delivered yet.").WithLabelValues()
	m.dead = gauge("events_dead_letters", "Events that could not be delivered and were given up.").WithLabelValues()
	m.journal = gauge("journal_writable", "1 while the journal can be written and read.").WithLabelValues()
	m.duration = prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Namespace: "kms", Name: "tatum_request_duration_seconds",
		Help: "Duration of HTTP requests to Tatum.", Buckets: prometheus.ExponentialBuckets(0.01, 4, 8),
	}, []string{"kind"})
	m.registry.MustRegister(m.duration, collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	version, revision := build()
	gauge("build_info", "1, labelled with the version of this program.", "version", "revision", "goversion").WithLabelValues(version, revision, runtime.Version()).Set(1)
	return m
}

// build returns the module version and VCS revision of this program.
func build() (version, revision string) {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown", "unknown"
	}
	revision = "unknown"
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" {
			revision = s.Value
		}
	}
	return info.Main.Version, revision
}

func label(key string) string {
	if key == "" {
		return defaultKey
	}
	return key
}

// Call returns a counter of requests with an API key, for tatum.Config.Observe.
func (m *Metrics) Call(key string) func(kind, outcome string, took time.Duration) {
	return func(kind, outcome string, took time.Duration) {
		m.requests.WithLabelValues(label(key), kind, outcome).Inc()
		m.duration.WithLabelValues(kind).Observe(took.Seconds())
	}
}

// Saw takes a report. It is for daemon.Daemon.Saw, which calls it one at a time.
func (m *Metrics) Saw(r daemon.Round) {
	m.reports.Inc()
	m.lastReport.Set(seconds(m.now()))
	m.sawItems(r)
	for name, l := range r.Loops {
		m.passes.WithLabelValues(name).Add(float64(max(0, l.Passes-m.last.Loops[name].Passes)))
		m.passSeconds.WithLabelValues(name).Set(l.Took.Seconds())
		m.passEnded.WithLabelValues(name).Set(seconds(l.Ended))
	}
	for step := range r.Troubles {
		m.failures.WithLabelValues(step).Inc()
	}
	for key, u := range r.Usage {
		m.credits.WithLabelValues(label(key)).Add(float64(max(0, u.Credits-m.last.Usage[key].Credits)))
		m.breaker.WithLabelValues(label(key)).Set(one(!u.Paused.IsZero()))
		for _, b := range u.Budgets {
			m.budget.WithLabelValues(label(key), b.Budget).Set(float64(b.Credits))
		}
	}
	m.waiting.Set(float64(r.Unheard))
	m.dead.Set(float64(r.DeadLetters))
	m.drop.Set(one(r.Drop == "there"))
	m.health.saw(r)
	m.journal.Set(one(m.health.writable()))
	r.Problems = nil
	m.last = r
}

func (m *Metrics) sawItems(r daemon.Round) {
	for state, n := range r.Counts {
		m.items.WithLabelValues(state).Set(float64(n))
	}
	m.oldest.Set(0)
	if !r.Oldest.IsZero() {
		m.oldest.Set(max(0, m.now().Sub(r.Oldest).Seconds()))
	}
	m.alarms.Reset()
	for code, n := range r.Alarms {
		m.alarms.WithLabelValues(string(code)).Set(float64(n))
	}
	for outcome, n := range map[string]int{"fetched": r.Fetched, "prepared": r.Prepared, "exported": r.Exported, "imported": r.Imported, "refused": r.Refused,
		"broadcast": r.Broadcast, "completed": r.Completed, "confirmed": r.Confirmed,
		"healed": r.Healed, "notified": r.Told} {
		m.outcomes.WithLabelValues(outcome).Add(float64(n))
	}
	for _, p := range r.Problems {
		m.problems.WithLabelValues(string(p.Code)).Inc()
	}
}

// seconds is a Unix time with milliseconds; 0 for the zero time.
func seconds(t time.Time) float64 {
	if t.IsZero() {
		return 0
	}
	return float64(t.UnixMilli()) / 1000
}

func one(b bool) float64 {
	if b {
		return 1
	}
	return 0
}
