//go:build unix

package loop

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"coldkms/cmd/testtools/relaytest"
)

// loopFaults are about what one slow or broken neighbour does to others.
func loopFaults() []fault {
	return []fault{
		{"03-budget-reserved-for-signed", budgetReserved},
		{"03-unprovable-backs-off", unprovableBacksOff},
		{"04-bad-items-hold-up-no-good-ones", badItemsFirst},
		{"05-approvals-kept-as-they-come", approvalsKept},
		{"07-slow-webhook-delays-no-payment", slowWebhook},
		{"07-refused-event-delays-no-other", refusedEvent},
		{"07-slow-list-delays-no-payment", slowList},
		{"07-dripping-reply-is-bounded", drippingReply},
		{"12-budget-position-in-the-future", budgetOfTheFuture},
		{"12-sigterm-blames-nobody", sigtermIsQuiet},
		{"14-veto-holds-until-lifted", vetoHolds},
	}
}

// numbers returns from … to.
func numbers(from, to int) (ns []int) {
	for n := from; n <= to; n++ {
		ns = append(ns, n)
	}
	return ns
}

// signed takes payments until they are signed and imported.
func (p *plainRelay) signed(ns ...int) {
	p.Helper()
	p.pay(ns...)
	p.must("fetch")
	p.must("import", p.result(p.export(), nil))
}

// unprovable puts payments in front of Tatum whose inputs nobody knows.
func (p *plainRelay) unprovable(ns ...int) {
	for _, n := range ns {
		p.server.Add(p.signer.Payment(n, p.signer.Funding(n), nil))
	}
}

// count is how many items are in a state.
func (p *plainRelay) count(state string) (n int) {
	p.Helper()
	for _, s := range p.states() {
		if s == state {
			n++
		}
	}
	return n
}

// eventually waits until something is so, however slow the machine is.
func (p *plainRelay) eventually(what string, is func() bool) {
	p.Helper()
	for end := time.Now().Add(2 * time.Minute); !is(); time.Sleep(100 * time.Millisecond) {
		if time.Now().After(end) {
			p.Fatalf("not within two minutes: %s", what)
		}
	}
}

// relayDaemon is a daemon that runs.
type relayDaemon struct {
	words bytes.Buffer
	stop  func()
}

// daemon starts a daemon with a short period.
func (p *plainRelay) daemon(args ...string) *relayDaemon {
	p.Helper()
	d := &relayDaemon{}
	cmd := p.command(append([]string{"--testnet", "daemon", "--period", "1", "--drop", p.stick()}, args...)...)
	cmd.Stderr = &d.words
	if err := cmd.Start(); err != nil {
		p.Fatal(err)
	}
	d.stop = sync.OnceFunc(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		_ = cmd.Wait()
	})
	p.Cleanup(d.stop)
	return d
}

func newPairedRelay(t *testing.T) *plainRelay {
	t.Helper()
	p := newPlainRelay(t, "", "")
	p.pair()
	if err := os.Mkdir(p.stick(), 0o700); err != nil {
		t.Fatal(err)
	}
	return p
}

// fails has calls that concern any of the ids answered with a status.
func fails(suffix string, status int, ids []string) func(http.ResponseWriter, *http.Request) bool {
	return func(w http.ResponseWriter, r *http.Request) bool {
		if !strings.HasSuffix(r.URL.Path, suffix) {
			return false
		}
		body, _ := io.ReadAll(r.Body)
		r.Body = io.NopCloser(bytes.NewReader(body))
		if !slices.ContainsFunc(ids, func(id string) bool { return bytes.Contains(body, []byte(id)) }) {
			return false
		}
		w.WriteHeader(status)
		return true
	}
}

// Payments that cannot be proven use up their share of a budget, and leave
// what is signed its own.
func budgetReserved(t *testing.T) {
	p := newPairedRelay(t)
	p.pay(1, 2, 3)
	p.must("fetch")
	result := p.result(p.export(), nil)
	p.unprovable(numbers(100, 499)...)
	round := func() { p.run("--budget", "1000/hour", "daemon", "--runOnce", "--drop", p.stick()) }
	round()
	p.must("import", result)
	round()
	if n := p.count("completed"); n != 3 {
		t.Errorf("%d of 3 signed payments completed, behind 400 that cannot be proven", n)
	}
}

// What cannot be proven is not asked for in every round.
func unprovableBacksOff(t *testing.T) {
	p := newPairedRelay(t)
	p.unprovable(numbers(1, 20)...)
	begin := time.Now()
	p.must("fetch")
	first := p.server.Calls("GET /v3/bitcoin/transaction/")
	for range 4 {
		p.must("fetch")
	}
	again := p.server.Calls("GET /v3/bitcoin/transaction/")
	if again != first && time.Since(begin) < 50*time.Second { // the first back-off is a minute
		t.Errorf("asked %d times at first, and %d times more at once", first, again-first)
	}
}

// The oldest items fail, all of them: those behind go out in the same run.
func badItemsFirst(t *testing.T) {
	p := newPairedRelay(t)
	p.signed(numbers(1, 24)...)
	var bad []string
	for _, n := range numbers(1, 18) {
		bad = append(bad, relaytest.ID(n))
	}
	p.server.Fault(fails("/broadcast", http.StatusInternalServerError, bad))
	p.must("broadcast")
	if n := p.count("completed"); n != 6 {
		t.Errorf("%d of 6 good payments completed behind 18 bad ones", n)
	}
}

// yesman answers by GET, as KMS asks, and counts.
type yesman struct {
	*httptest.Server
	mu        sync.Mutex
	asked     map[string]int
	now, most int
	says      func(id string, n int) int // the status; n is how many were asked about before
	total     int
}

func newApprover(t *testing.T, says func(id string, n int) int) *yesman {
	a := &yesman{asked: make(map[string]int), says: says}
	a.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		id := r.URL.Path[strings.LastIndex(r.URL.Path, "/")+1:]
		a.mu.Lock()
		n := a.total
		a.total, a.now = a.total+1, a.now+1
		a.most = max(a.most, a.now)
		a.asked[id]++
		a.mu.Unlock()
		status := a.says(id, n)
		a.mu.Lock()
		a.now--
		a.mu.Unlock()
		w.WriteHeader(status)
	}))
	t.Cleanup(a.Close)
	return a
}

// An export is killed while a slow service answers: the answers that came are
// not asked for again, and not too many questions are asked at a time.
func approvalsKept(t *testing.T) {
	p := newPairedRelay(t)
	p.pay(numbers(1, 60)...)
	p.must("fetch")
	reached, release := make(chan struct{}), make(chan struct{})
	var once sync.Once
	a := newApprover(t, func(_ string, n int) int {
		if n < 40 {
			return 200
		}
		select {
		case <-release: // after the kill
		default:
			if n >= 55 { // all sixteen at a time are out: earlier answers are on disk, but for the last ones
				once.Do(func() { close(reached) })
			}
			<-release
		}
		return 200
	})
	cmd := p.command("--testnet", "export", "--out", p.stick(), "--externalUrl", a.URL)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	<-reached
	time.Sleep(500 * time.Millisecond)
	_ = cmd.Process.Kill()
	_ = cmd.Wait()
	close(release)
	if req := p.export(); len(req.Items) != 60 {
		t.Errorf("%d items exported", len(req.Items))
	}
	twice := 0
	for _, n := range a.asked {
		if n > 1 {
			twice++
		}
	}
	if twice > 20 {
		t.Errorf("%d of 40 answers were thrown away", twice-16)
	}
	if a.most > 16 || a.most < 9 {
		t.Errorf("%d questions at a time", a.most)
	}
}

// A receiver of events that never answers holds up no payment.
func slowWebhook(t *testing.T) {
	p := newPairedRelay(t)
	p.server.Add(p.signer.Payment(1, p.signer.Funding(1), func(m map[string]any) { m["serializedTransaction"] = "nonsense" }))
	called, release := make(chan struct{}), make(chan struct{})
	var once sync.Once
	hook := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		once.Do(func() { close(called) })
		<-release
	}))
	defer hook.Close()
	defer close(release)
	d := p.daemon("--event-url", hook.URL)
	select {
	case <-called:
	case <-time.After(2 * time.Minute):
		t.Fatalf("no event: %s", &d.words)
	}
	p.pay(2)
	begin := time.Now()
	p.eventually("a new payment is exported", func() bool { return p.states()[relaytest.ID(2)] == "exported" })
	if took := time.Since(begin); took > 14*time.Second { // as long as a receiver may take
		t.Logf("it took %s", took)
	}
	d.stop()
}

// An event that is refused for ever is kept, and the others are told.
func refusedEvent(t *testing.T) {
	p := newPairedRelay(t)
	for _, n := range numbers(1, 6) {
		p.server.Add(p.signer.Payment(n, p.signer.Funding(n), func(m map[string]any) { m["serializedTransaction"] = "nonsense" }))
	}
	var mu sync.Mutex
	heard := make(map[string]bool)
	hook := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var e struct{ Item struct{ ID string } }
		_ = json.NewDecoder(r.Body).Decode(&e)
		if e.Item.ID == relaytest.ID(1) {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		mu.Lock()
		defer mu.Unlock()
		heard[e.Item.ID] = true
	}))
	defer hook.Close()
	var round struct{ EventsWaiting int }
	p.run("daemon", "--runOnce", "--event-url", hook.URL) // they come, are refused, and told
	got := p.run("daemon", "--runOnce", "--event-url", hook.URL)
	if err := json.Unmarshal([]byte(got.out), &round); err != nil {
		t.Fatal(err, got)
	}
	if len(heard) != 5 || round.EventsWaiting != 1 {
		t.Errorf("%d of 5 events heard, %d wait: %s", len(heard), round.EventsWaiting, got.out)
	}
}

// The list of what waits never comes: what is signed goes out.
func slowList(t *testing.T) {
	p := newPairedRelay(t)
	p.signed(1)
	release := make(chan struct{})
	p.server.Fault(func(_ http.ResponseWriter, r *http.Request) bool {
		if strings.HasPrefix(r.URL.Path, "/v3/kms/pending/") {
			select {
			case <-release:
			case <-r.Context().Done():
			}
			return true
		}
		return false
	})
	defer close(release)
	d := p.daemon()
	p.eventually("the signed payment is completed", func() bool { return p.states()[relaytest.ID(1)] == "completed" })
	d.stop()
}

// A reply that comes byte by byte is given up.
func drippingReply(t *testing.T) {
	var toTheEnd atomic.Bool
	p := newPairedRelay(t)
	p.server.Fault(func(w http.ResponseWriter, r *http.Request) bool {
		if !strings.HasPrefix(r.URL.Path, "/v3/kms/pending/") {
			return false
		}
		for range 3000 {
			if _, err := io.WriteString(w, " "); err != nil || r.Context().Err() != nil {
				return true
			}
			_ = http.NewResponseController(w).Flush()
			time.Sleep(100 * time.Millisecond)
		}
		toTheEnd.Store(true)
		return true
	})
	begin := time.Now()
	got := p.run("fetch", "--chain", "BTC")
	if got.code != 30 || !strings.Contains(got.err, "too slowly") || toTheEnd.Load() {
		t.Errorf("exit code %d after %s: %s", got.code, time.Since(begin), got.err)
	}
}

// What a daemon with a wrong clock counted is not kept for ever.
func budgetOfTheFuture(t *testing.T) {
	p := newPairedRelay(t)
	round := func() { p.must("--budget", "1000/hour", "daemon", "--runOnce") }
	round()
	path := filepath.Join(p.state(), "daemon.json")
	at := func(later time.Duration) int64 {
		var seen map[string]any
		text, err := os.ReadFile(path)
		if err == nil {
			err = json.Unmarshal(text, &seen)
		}
		if err != nil {
			t.Fatal(err)
		}
		budget := seen["round"].(map[string]any)["keys"].(map[string]any)[""].(map[string]any)["budgets"].([]any)[0].(map[string]any)
		was := int64(budget["at"].(float64))
		if later > 0 {
			budget["at"] = was + int64(later/time.Minute)
			if text, err = json.Marshal(seen); err != nil {
				t.Fatal(err)
			}
			p.write(path, text)
		}
		return was
	}
	at(365 * 24 * time.Hour)
	round()
	if minute := time.Now().Unix() / 60; at(0) > minute+60 {
		t.Errorf("the budget is counted at minute %d, it is %d", at(0), minute)
	}
}

// At the end of the daemon nothing is blamed on Tatum.
func sigtermIsQuiet(t *testing.T) {
	p := newPairedRelay(t)
	p.signed(numbers(1, 8)...)
	called := make(chan struct{}, 100)
	p.server.Fault(func(_ http.ResponseWriter, r *http.Request) bool {
		if r.Method == http.MethodGet && strings.HasPrefix(r.URL.Path, "/v3/kms/") {
			called <- struct{}{}
			<-r.Context().Done() // hangs
			return true
		}
		return false
	})
	d := p.daemon()
	select {
	case <-called:
	case <-time.After(2 * time.Minute):
		t.Fatal("nothing is asked")
	}
	d.stop()
	status := p.run("status")
	for _, words := range []string{d.words.String(), status.err} {
		if strings.Contains(words, "does not go on") || strings.Contains(words, "trouble with Tatum") || strings.Contains(words, "canceled") {
			t.Errorf("Tatum is blamed:\n%s", words)
		}
	}
	if strings.Contains(status.out, `"code"`) {
		t.Errorf("items are blamed: %s", status.out)
	}
}

// A veto is no matter of flags.
func vetoHolds(t *testing.T) {
	p := newPairedRelay(t)
	p.signed(1, 2, 3)
	no := true
	a := newApprover(t, func(string, int) int {
		if no {
			return http.StatusForbidden
		}
		return http.StatusOK
	})
	sent := func(want int, args ...string) {
		t.Helper()
		p.must(args...)
		if n := len(p.server.Sent()); n != want {
			t.Fatalf("%s: %d payments were sent, want %d", strings.Join(args, " "), n, want)
		}
	}
	sent(0, "broadcast", "--externalUrl", a.URL)
	asked := a.total
	sent(0, "broadcast")
	if a.total == asked {
		t.Error("the service is forgotten where it is not named")
	}
	sent(0, "broadcast", "--externalUrl", "none")
	sent(0, "daemon", "--runOnce")

	if got := p.run("unveto", relaytest.ID(1)); got.code != 2 {
		t.Errorf("lifted without a reason: %+v", got)
	}
	p.must("unveto", relaytest.ID(1), "--why", "by phone")
	sent(1, "broadcast")
	if got := p.must("report").out; !strings.Contains(got, `: by phone"`) || strings.Count(got, `"liftedVeto"`) != 1 || strings.Count(got, `"vetoes"`) != 2 {
		t.Errorf("who lifted what is not reported: %s", got)
	}
	got := p.must("reject", relaytest.ID(2), "--why", "vetoed")
	if !strings.Contains(got.out, "failed") || !strings.Contains(got.err, "stays valid") {
		t.Errorf("disarmed: %+v", got)
	}
	sent(1, "broadcast")
	if got := p.run("retry", relaytest.ID(3)); got.code == 0 {
		t.Errorf("retry lifts a veto: %+v", got)
	}
	no = false
	sent(2, "broadcast", "--externalUrl", a.URL)
	if s := p.states(); s[relaytest.ID(1)] != "completed" || s[relaytest.ID(2)] != "failed" || s[relaytest.ID(3)] != "completed" {
		t.Errorf("%v", s)
	}
}
