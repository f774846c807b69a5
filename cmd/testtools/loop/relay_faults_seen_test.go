//go:build unix

package loop

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"

	"coldkms/cmd/testtools/relaytest"
	"coldkms/cmd/testtools/tatumtest"
)

// seenFaults are about where an alarm, a letter or a key that is refused is seen.
func seenFaults() []fault {
	return []fault{
		{"23-each-key-is-checked", checksEachKey},
		{"23-totals-of-what-is-chosen", chosenTotals},
		{"23-restore-without-an-identity", restoreWithoutIdentity},
		{"23-an-alarm-is-seen-everywhere", alarmEverywhere},
		{"23-dead-letters-are-kept-and-resent", deadLetters},
		{"23-one-round-with-elements-left-out", roundWithLeftOut},
	}
}

// checkconfig asks with each key, and names the one that is refused.
func checksEachKey(t *testing.T) {
	p := newPairedRelay(t)
	a := newApprover(t, func(string, int) int { return http.StatusOK })
	p.must("export", "--out", p.stick(), "--externalUrl", a.URL+"/with-a-secret")
	path := filepath.Join(p.dir, "keys")
	p.write(path, []byte("good testnet "+tatumtest.Key+"\nrevoked mainnet a-key-that-is-refused\n"))
	got := p.run("checkconfig", "--api-key-file", path, "--budget", "1000/day")
	var reply struct {
		Keys            []struct{ Name, Network, Tatum string }
		ApprovalService string
		Alarms          *int
		Confirmations   map[string]int
		Budgets         []string
	}
	if err := json.Unmarshal([]byte(got.out), &reply); err != nil || got.code != 30 || len(reply.Keys) != 2 {
		t.Fatalf("%v: %+v", err, got)
	}
	if k := reply.Keys; k[0].Name != "good" || k[0].Tatum != "ok" || k[1].Name != "revoked" || k[1].Network != "mainnet" || !strings.Contains(k[1].Tatum, "401") {
		t.Errorf("%+v", k)
	}
	if reply.ApprovalService != "GET "+a.URL || reply.Alarms == nil || reply.Confirmations["BTC"] != 6 || len(reply.Budgets) != 1 {
		t.Errorf("%+v", reply)
	}
	if strings.Contains(got.out+got.err, "a-key-that") || strings.Contains(got.out+got.err, tatumtest.Key) || strings.Contains(got.out, "with-a-secret") {
		t.Errorf("a secret is shown: %+v", got)
	}
	p.write(path, []byte("good testnet "+tatumtest.Key+"\n"))
	p.must("checkconfig", "--api-key-file", path)
}

// status --totals counts what the other flags choose.
func chosenTotals(t *testing.T) {
	p := newPairedRelay(t)
	p.signed(1, 2)
	p.pay(3)
	p.must("fetch")
	for _, c := range []struct {
		args           string
		open, prepared int
	}{
		{"--totals", 3, 1},
		{"--totals --item-state signed", 2, 0},
		{"--totals --chain LTC", 0, 0},
		{"--totals --chain BTC --testnet", 3, 1},
		{"--totals --since 2999-01-01", 0, 0},
		{"--totals " + relaytest.ID(3), 1, 1},
	} {
		var totals struct {
			Open  int
			Items map[string]int
		}
		p.json(&totals, append([]string{"status"}, strings.Fields(c.args)...)...)
		if totals.Open != c.open || totals.Items["prepared"] != c.prepared {
			t.Errorf("%s: %+v", c.args, totals)
		}
	}
}

// A backup is restored beside the identity that made it: nobody is told to make
// another one.
func restoreWithoutIdentity(t *testing.T) {
	p := newPairedRelay(t)
	backup := filepath.Join(p.dir, "b.kmsbackup")
	p.must("backup", backup)
	p.where = []string{"--state", filepath.Join(p.dir, "empty")}
	for _, args := range [][]string{{"restore", backup}, {"restore", "--check", backup}} {
		got := p.run(args...)
		if got.code != 1 || !strings.Contains(got.err, "copy of that relay's identity.key") || strings.Contains(got.err, "kms-online init") {
			t.Errorf("%v: %+v", args, got)
		}
	}
}

// alarmEverywhere raises an alarm and looks for it wherever people look.
func alarmEverywhere(t *testing.T) {
	p := newPairedRelay(t)
	p.pay(1, 2)
	p.must("fetch")
	result := p.result(p.export(), nil)
	p.must("reject", relaytest.ID(1), "--why", "a mistake")
	if got := p.run("import", result); got.code != 3 {
		t.Errorf("import: %+v", got)
	}
	type event struct {
		Event string
		Item  struct{ ID, Chain, State string }
		Alarm struct {
			Alarm int
			Code  string
		}
	}
	var mu sync.Mutex
	var heard []event
	hook := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		var e event
		_ = json.NewDecoder(r.Body).Decode(&e)
		mu.Lock()
		defer mu.Unlock()
		if e.Event == "alarm" {
			heard = append(heard, e)
		}
	}))
	defer hook.Close()
	d, get := p.listening("--event-url", hook.URL)
	p.eventually("it is counted", func() bool {
		_, text := get("metrics")
		return metric(text, `kms_alarms{code="signed-after-drop"}`) == "1"
	})
	if code, text := get("healthz"); code != 503 || !strings.Contains(text, `"alarms":1`) || !strings.Contains(text, "kms-online alarms") {
		t.Errorf("healthz: %d %s", code, text)
	}
	for _, path := range []string{"readyz", "livez"} {
		if code, text := get(path); code != 200 { // an alarm is no reason for a restart
			t.Errorf("%s: %d %s", path, code, text)
		}
	}
	p.eventually("it is told", func() bool { mu.Lock(); defer mu.Unlock(); return len(heard) == 1 })
	if e := heard[0]; e.Alarm.Code != "signed-after-drop" || e.Item.ID != relaytest.ID(1) || e.Item.Chain != "BTC" || e.Item.State != "failed" {
		t.Errorf("event: %+v", e)
	}
	if got := p.run("status"); !strings.Contains(got.err, "alarm 1: ") || !strings.Contains(got.err, "1 open alarms") {
		t.Errorf("status: %s", got.err)
	}
	if got := p.run("alarms"); got.code != 3 || !strings.Contains(got.out, "signed-after-drop") {
		t.Errorf("alarms: %+v", got)
	}
	p.must("acknowledge", "1", "--why", "destroyed")
	p.eventually("nothing needs a person", func() bool { code, _ := get("healthz"); return code == 200 })
	_ = d.cmd.Process.Signal(syscall.SIGTERM)
	_ = d.cmd.Wait()
	if got := p.run("alarms"); got.code != 0 {
		t.Errorf("alarms: %+v", got)
	}
}

// deadLetters has a receiver that refuses an event until it is given up.
func deadLetters(t *testing.T) {
	p := newPairedRelay(t)
	p.nonsense(1)
	var takes atomic.Bool
	var heard atomic.Int64
	hook := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !takes.Load() {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		heard.Add(1)
	}))
	defer hook.Close()
	var round struct{ EventsWaiting, EventsGivenUp int }
	rounds := 0
	for ; rounds < 13 && round.EventsGivenUp == 0; rounds++ {
		got := p.run("daemon", "--runOnce", "--event-url", hook.URL)
		if err := json.Unmarshal([]byte(got.out), &round); err != nil {
			t.Fatalf("%+v", got)
		}
		p.journal("UPDATE letters SET retry_at = 0") // time goes by
	}
	if round.EventsGivenUp != 1 || round.EventsWaiting != 0 || rounds < 10 {
		t.Errorf("after %d rounds: %+v", rounds, round)
	}
	var letters []struct {
		ID, Event, Reason string
		Tries             int
	}
	p.json(&letters, "--json", "letters")
	if len(letters) != 1 || letters[0].ID != relaytest.ID(1) || letters[0].Event != "refused" || letters[0].Tries != 10 || !strings.Contains(letters[0].Reason, "400") {
		t.Errorf("%+v", letters)
	}
	takes.Store(true)
	p.must("daemon", "--runOnce", "--event-url", hook.URL)
	if n := heard.Load(); n != 0 {
		t.Errorf("what was given up is told %d times by itself", n)
	}
	var resent struct{ Resent int }
	p.json(&resent, "letters", "--resend")
	p.must("daemon", "--runOnce", "--event-url", hook.URL)
	if n := heard.Load(); n != 1 || resent.Resent != 1 {
		t.Errorf("%d resent, heard %d times", resent.Resent, n)
	}
}

// roundWithLeftOut has an element in Tatum's list that cannot be used: all else is
// done, and the exit status says that this is not.
func roundWithLeftOut(t *testing.T) {
	p := newPairedRelay(t)
	p.lists(func(w http.ResponseWriter, good string) { _, _ = w.Write([]byte(`[{"id":"!"},` + good + `]`)) })
	got := p.run("daemon", "--runOnce", "--drop", p.stick())
	if got.code != 3 || p.states()[relaytest.ID(1)] != "exported" || got.err == "" {
		t.Errorf("%v: %+v", p.states(), got)
	}
}
