package metrics_test

import (
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"coldkms/online"
	"coldkms/online/daemon"
	"coldkms/online/daemon/metrics"
	"coldkms/online/tatum"
	"coldkms/shared/chain"
)

// watcher is a program that asks a daemon for its metrics and health.
type watcher struct {
	t   *testing.T
	m   *metrics.Metrics
	now time.Time
}

func newWatcher(t *testing.T) *watcher {
	w := &watcher{t: t, now: time.Unix(1_800_000_000, 0)}
	w.m = metrics.New(func() time.Time { return w.now }, 10*time.Second)
	return w
}

func (w *watcher) get(path string) (int, string) {
	reply := httptest.NewRecorder()
	w.m.Handler().ServeHTTP(reply, httptest.NewRequest(http.MethodGet, path, nil))
	return reply.Code, reply.Body.String()
}

func (w *watcher) want(path string, code int, text string) {
	w.t.Helper()
	if got, body := w.get(path); got != code || !strings.Contains(body, text) {
		w.t.Errorf("%s: %d %s, want %d with %q", path, got, body, code, text)
	}
}

// report is a daemon's report in which everything happened.
func (w *watcher) report(n int64) daemon.Round {
	return daemon.Round{
		Number: n, At: w.now, Took: time.Second, Fetched: 3, Told: 2, Unheard: 5, DeadLetters: 1, Drop: "there", Counts: map[string]int{"exported": 7},
		Oldest: w.now.Add(-90 * time.Second), Troubles: map[string]string{"fetch": "tatum: secret words"},
		Loops:    map[string]daemon.Loop{"fetch": {Passes: 4, Ended: w.now, Took: 1500 * time.Millisecond}},
		Usage:    map[string]tatum.Usage{"": {Credits: 9, Paused: w.now, Budgets: []tatum.Used{{Budget: "400/day", Credits: 8}}}},
		Problems: []online.Problem{{ID: "an-id", Code: "network", Reason: "a reason"}},
	}
}

func TestMetrics(t *testing.T) {
	w := newWatcher(t)
	w.m.Call("")("pending", "ok", time.Second)
	w.m.Saw(w.report(1))
	second := w.report(2)
	second.Alarms = map[chain.Code]int{"double-spend": 2}
	l := second.Loops["fetch"]
	l.Passes = 6
	second.Loops["fetch"] = l
	w.m.Saw(second)
	_, text := w.get("/metrics")
	for _, line := range []string{
		`kms_items{state="exported"} 7`, `kms_item_outcomes_total{outcome="fetched"} 6`, `kms_item_outcomes_total{outcome="notified"} 4`,
		`kms_step_failures_total{step="fetch"} 2`, `kms_item_problems_total{code="network"} 2`, `kms_reports_total 2`,
		`kms_tatum_requests_total{key="default",kind="pending",outcome="ok"} 1`, `kms_tatum_credits_total{key="default"} 9`,
		`kms_tatum_budget_used_credits{budget="400/day",key="default"} 8`, `kms_tatum_circuit_open{key="default"} 1`, `kms_drop_folder_present 1`, `kms_events_waiting 5`, `kms_events_dead_letters 1`,
		`kms_oldest_open_item_age_seconds 90`, `kms_alarms{code="double-spend"} 2`, `kms_loop_passes_total{loop="fetch"} 6`,
		`kms_loop_last_pass_duration_seconds{loop="fetch"} 1.5`, `kms_loop_last_pass_timestamp_seconds{loop="fetch"} 1.8e+09`,
	} {
		if !strings.Contains(text, line+"\n") {
			t.Errorf("no %s in\n%s", line, text)
		}
	}
	if !strings.Contains(text, "kms_build_info{goversion=") {
		t.Error("no kms_build_info")
	}
	for _, private := range []string{"an-id", "a reason", "secret"} {
		if strings.Contains(text, private) {
			t.Errorf("metrics have %q", private)
		}
	}
	w.m.Saw(w.report(3))
	if _, text := w.get("/metrics"); strings.Contains(text, "kms_alarms{") {
		t.Error("an alarm that was dealt with is still counted")
	}
}

func TestHealth(t *testing.T) {
	w := newWatcher(t)
	w.want("/livez", 200, "ok")
	w.want("/readyz", 503, "starting")
	w.want("/healthz", 200, `"ok":true`)
	w.m.Saw(w.report(1))
	w.want("/readyz", 200, "ok")
	w.want("/healthz", 200, `"fetch":"2027-`)
	if _, text := w.get("/healthz"); strings.Contains(text, "secret") {
		t.Error("health has the words of an error")
	}
	w.now = w.now.Add(11 * time.Minute)
	w.m.Saw(w.report(2))
	w.want("/healthz", 503, "more than ten minutes")
	w.want("/livez", 200, "ok") // Tatum being away is no reason for a restart
	w.want("/readyz", 200, "ok")

	well := w.report(3)
	well.Troubles = nil
	w.m.Saw(well)
	w.want("/healthz", 200, `"ok":true`)
	well.Alarms = map[chain.Code]int{"double-spend": 2}
	w.m.Saw(well)
	w.want("/healthz", 503, `"alarms":2`)
	w.want("/livez", 200, "ok")

	away := w.report(4)
	away.Troubles = map[string]string{"count": "no database"}
	w.m.Saw(away)
	w.want("/readyz", 503, "journal")
	w.want("/livez", 200, "ok")

	stuck := w.report(5)
	stuck.Loops["fetch"] = daemon.Loop{Passes: 1, Since: w.now.Add(-21 * time.Minute)}
	w.m.Saw(stuck)
	w.want("/livez", 503, "loop fetch is stuck")
	w.m.Saw(well)
	w.now = w.now.Add(6 * time.Minute)
	w.want("/livez", 503, "no report")
	w.want("/healthz", 503, "no report")
	if code, _ := w.get("/debug/pprof"); code != 404 {
		t.Errorf("something else is served: %d", code)
	}
}

// The table in the documentation has each metric, and no other.
func TestMetricsAreDocumented(t *testing.T) {
	w := newWatcher(t)
	w.m.Call("")("pending", "ok", time.Second)
	r := w.report(1)
	r.Alarms = map[chain.Code]int{"double-spend": 1}
	w.m.Saw(r)
	_, text := w.get("/metrics")
	page, err := os.ReadFile("../../../docs/DAEMON.md")
	if err != nil {
		t.Fatal(err)
	}
	exported := names(regexp.MustCompile(`(?m)^# TYPE (kms_\w+)`), text)
	documented := names(regexp.MustCompile("(?m)^\\| `(kms_\\w+)"), string(page))
	if !slices.Equal(exported, documented) {
		t.Errorf("exported:   %v\ndocumented: %v", exported, documented)
	}
}

func names(pattern *regexp.Regexp, text string) []string {
	var all []string
	for _, match := range pattern.FindAllStringSubmatch(text, -1) {
		all = append(all, match[1])
	}
	slices.Sort(all)
	return slices.Compact(all)
}
