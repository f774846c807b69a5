package metrics_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"coldkms/online"
	"coldkms/online/daemon"
	"coldkms/online/daemon/metrics"
	"coldkms/online/tatum"
)

func TestMetrics(t *testing.T) {
	now := time.Unix(1_800_000_000, 0)
	m := metrics.New(func() time.Time { return now }, 10*time.Second)
	get := func(path string) (int, string) {
		w := httptest.NewRecorder()
		m.Handler().ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
		return w.Code, w.Body.String()
	}
	if code, _ := get("/healthz"); code != 200 {
		t.Errorf("at the start: %d", code)
	}
	m.Call("main")("pending", "ok", time.Second)
	round := daemon.Round{
		Number: 1, At: now, Took: time.Second, Fetched: 3, Drop: "there", Counts: map[string]int{"exported": 7}, Troubles: map[string]string{"fetch": "tatum: secret words"},
		Usage:    map[string]tatum.Usage{"main": {Credits: 9, Paused: now, Budgets: []tatum.Used{{Budget: "400/day", Credits: 8}}}},
		Problems: []online.Problem{{ID: "an-id", Code: "network", Reason: "a reason"}},
	}
	m.Saw(round)
	_, text := get("/metrics")
	for _, line := range []string{
		`kms_items{state="exported"} 7`, `kms_done_total{what="fetched"} 3`, `kms_troubles_total{step="fetch"} 1`, `kms_problems_total{code="network"} 1`, `kms_rounds_total 1`,
		`kms_tatum_calls_total{key="main",kind="pending",outcome="ok"} 1`, `kms_tatum_credits_used{key="main"} 9`, `kms_tatum_budget_used_credits{budget="400/day",key="main"} 8`,
		`kms_tatum_paused{key="main"} 1`, `kms_drop_present 1`,
	} {
		if !strings.Contains(text, line+"\n") {
			t.Errorf("no %s", line)
		}
	}
	for _, private := range []string{"an-id", "a reason", "secret"} {
		if strings.Contains(text, private) {
			t.Errorf("metrics have %q", private)
		}
	}
	if code, text := get("/healthz"); code != 200 || strings.Contains(text, "secret") || !strings.Contains(text, `"fetch":"2027-`) {
		t.Errorf("%d %s", code, text)
	}
	later := func(d time.Duration, troubles map[string]string) int {
		now = now.Add(d)
		round.Number, round.At, round.Troubles = round.Number+1, now, troubles
		m.Saw(round)
		code, _ := get("/healthz")
		return code
	}
	if code := later(11*time.Minute, round.Troubles); code != 503 {
		t.Errorf("in trouble for eleven minutes: %d", code)
	}
	if code := later(time.Minute, nil); code != 200 {
		t.Errorf("well again: %d", code)
	}
	round.Alarms = 2
	if code := later(time.Second, nil); code != 503 {
		t.Errorf("an alarm is open: %d", code)
	}
	if _, text := get("/metrics"); !strings.Contains(text, "kms_alarms 2\n") {
		t.Error("no kms_alarms")
	}
	round.Alarms = 0
	if code := later(time.Second, nil); code != 200 {
		t.Errorf("somebody dealt with it: %d", code)
	}
	now = now.Add(6 * time.Minute)
	if code, text := get("/healthz"); code != 503 || !strings.Contains(text, "no round") {
		t.Errorf("no round for six minutes: %d %s", code, text)
	}
	if code, _ := get("/debug/pprof"); code != 404 {
		t.Errorf("something else is served: %d", code)
	}
}
