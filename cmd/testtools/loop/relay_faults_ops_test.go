//go:build unix

package loop

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"coldkms/cmd/testtools/pgtest"
	"coldkms/cmd/testtools/relaytest"
)

// opsFaults are about what people who run a relay see of it.
func opsFaults() []fault {
	return append(seenFaults(), []fault{
		{"22-events-that-were-never-tried", untriedEvents},
		{"22-ready-without-a-database", readyWithoutDatabase},
		{"22-ready-on-a-full-disk", readyOnFullDisk},
		{"22-a-daemon-that-is-gone", goneDaemon},
		{"22-secrets-that-others-read", readableSecrets},
		{"22-request-whose-only-item-is-rejected", onlyItemRejected},
		{"22-stick-that-is-not-mounted", notMounted},
		{"22-log-of-json-alone", jsonLog},
	}...)
}

// metric returns the value of a metric, "" where there is none.
func metric(text, name string) string {
	m := regexp.MustCompile("(?m)^" + regexp.QuoteMeta(name) + " (.*)$").FindStringSubmatch(text)
	if m == nil {
		return ""
	}
	return m[1]
}

// listening starts a daemon that serves its metrics, and returns a client of
// them.
func (p *plainRelay) listening(args ...string) (d *running, get func(path string) (int, string)) {
	p.Helper()
	d = &running{cmd: p.command(append([]string{"--testnet", "daemon", "--period", "1", "--listen", "127.0.0.1:0", "--log-json"}, args...)...)}
	words, err := d.cmd.StderrPipe()
	if err != nil {
		p.Fatal(err)
	}
	if err := d.cmd.Start(); err != nil {
		p.Fatal(err)
	}
	p.Cleanup(func() {
		_ = d.cmd.Process.Kill()
		_ = d.cmd.Wait()
	})
	found, read := make(chan string, 1), make(chan struct{})
	go func() {
		defer close(read)
		address := regexp.MustCompile(`http://[0-9.:]+/`)
		for lines := bufio.NewScanner(words); lines.Scan(); {
			d.words.Write(append(lines.Bytes(), '\n'))
			if m := address.FindString(lines.Text()); m != "" && strings.Contains(lines.Text(), "serves") {
				found <- m
			}
		}
	}()
	select {
	case base := <-found:
		return d, func(path string) (int, string) {
			resp, err := http.Get(base + path)
			if err != nil {
				return 0, err.Error()
			}
			defer resp.Body.Close()
			body, _ := io.ReadAll(resp.Body)
			return resp.StatusCode, string(body)
		}
	case <-read:
		p.Fatalf("the daemon ended: %s", &d.words)
	case <-time.After(2 * time.Minute):
		p.Fatal("the daemon serves nothing")
	}
	return nil, nil
}

// nonsense makes payments that are refused at the first look.
func (p *plainRelay) nonsense(ns ...int) {
	for _, n := range ns {
		p.server.Add(p.signer.Payment(n, p.signer.Funding(n), func(m map[string]any) { m["serializedTransaction"] = "nonsense" }))
	}
}

// A receiver that never answers keeps 20 events waiting, of which eight are
// tried: all 20 are counted.
func untriedEvents(t *testing.T) {
	p := newPairedRelay(t)
	p.nonsense(numbers(1, 20)...)
	release := make(chan struct{})
	hook := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-release }))
	defer hook.Close()
	defer close(release)
	_, get := p.listening("--event-url", hook.URL)
	p.eventually("20 events wait", func() bool {
		_, text := get("metrics")
		return metric(text, "kms_events_waiting") == "20"
	})
	p.eventually("status counts them", func() bool { return strings.Contains(p.run("status").err, "20 events were not delivered yet") })
	if got := p.run("daemon", "--runOnce"); got.code != 11 {
		t.Errorf("%+v", got)
	}
}

// The database stops: the daemon is not ready, and says so everywhere, until it
// is back.
func readyWithoutDatabase(t *testing.T) {
	server, err := pgtest.New()
	if err != nil {
		t.Skip(err)
	}
	t.Cleanup(server.Remove)
	if !server.Ours() {
		t.Skip("the server of PostgreSQL is not ours to stop")
	}
	p := newPlainRelay(t, "", server.Database(t))
	p.pair()
	d, get := p.listening()
	ready := func(want int) func() bool {
		return func() bool { code, _ := get("readyz"); return code == want }
	}
	p.eventually("it is ready", ready(200))
	server.End(syscall.SIGQUIT)
	begin := time.Now()
	p.eventually("it is not ready", ready(503))
	t.Logf("not ready after %s", time.Since(begin).Round(time.Millisecond))
	if took := time.Since(begin); took > 50*time.Second { // a step waits a minute for the database
		t.Errorf("not ready after %s only", took)
	}
	if code, text := get("readyz"); code != 503 || !strings.Contains(text, "journal cannot be written") {
		t.Errorf("%d %s", code, text)
	}
	if code, _ := get("livez"); code != 200 {
		t.Errorf("a restart would mend nothing: %d", code)
	}
	if code, text := get("healthz"); code != 503 || !strings.Contains(text, "journal cannot be written") {
		t.Errorf("%d %s", code, text)
	}
	if _, text := get("metrics"); metric(text, "kms_journal_writable") != "0" || metric(text, `kms_step_failures_total{step="journal"}`) == "" {
		t.Errorf("%s", text)
	}
	if err := server.Begin(); err != nil {
		t.Fatal(err)
	}
	p.eventually("it is ready again", ready(200))
	if _, text := get("metrics"); metric(text, "kms_journal_writable") != "1" {
		t.Errorf("%s", text)
	}
	_ = d.cmd.Process.Signal(syscall.SIGTERM)
	_ = d.cmd.Wait()
	if words := d.words.String(); !strings.Contains(words, `"event":"step_failed","step":"journal"`) {
		t.Errorf("%s", words)
	}
}

// status says of a daemon what is known of it, and a second one which the first
// one is.
func goneDaemon(t *testing.T) {
	p := newPairedRelay(t)
	host, _ := os.Hostname()
	d, _ := p.listening()
	p.eventually("it runs", func() bool {
		return strings.Contains(p.run("status").err, fmt.Sprintf("daemon: process %d on %s: round ", d.cmd.Process.Pid, host))
	})
	if got := p.run("daemon"); got.code != 11 || !strings.Contains(got.err, fmt.Sprintf("daemon, process %d on %s, since 2", d.cmd.Process.Pid, host)) {
		t.Errorf("the second one: %+v", got)
	}
	_ = d.cmd.Process.Signal(syscall.SIGTERM)
	_ = d.cmd.Wait()
	if got := p.run("status"); !strings.Contains(got.err, "daemon: stopped at 2") || strings.Contains(got.err, "NOT RUNNING") {
		t.Errorf("stopped: %s", got.err)
	}

	d, _ = p.listening()
	p.eventually("it runs again", func() bool { return !strings.Contains(p.run("status").err, "stopped at") })
	_ = d.cmd.Process.Kill()
	_ = d.cmd.Wait()
	if got := p.run("status"); !strings.Contains(got.err, "NOT RUNNING") || !strings.Contains(got.err, "was last seen at 2") {
		t.Errorf("killed: %s", got.err)
	}
	p.must("daemon", "--runOnce")
	if got := p.run("status"); !strings.Contains(got.err, "daemon: stopped at 2") {
		t.Errorf("one round: %s", got.err)
	}
}

// What others may read or exchange is refused, with what to type.
func readableSecrets(t *testing.T) {
	p := newPairedRelay(t)
	key, journal := filepath.Join(p.state(), "identity.key"), filepath.Join(p.state(), "journal.db")
	env := filepath.Join(p.dir, "env")
	p.write(env, []byte("TATUM_API_KEY=an-api-key\n"))
	for _, c := range []struct {
		path string
		bad  os.FileMode
		good os.FileMode
		says string
		args []string
	}{
		{key, 0o644, 0o600, "chmod 600 " + key, []string{"status"}},
		{key, 0o640, 0o600, "chmod 600 " + key, []string{"daemon", "--runOnce"}},
		{key, 0o660, 0o600, "chmod 600 " + key, []string{"fetch"}},
		{journal, 0o644, 0o600, "chmod 600 " + journal, []string{"broadcast"}},
		{p.state(), 0o777, 0o700, "chmod go-w " + p.state(), []string{"status"}},
		{p.state(), 0o770, 0o700, "chmod go-w " + p.state(), []string{"export", "--out", p.stick()}},
		{env, 0o644, 0o600, "chmod 600 " + env, []string{"status", "--env-file", env}},
	} {
		if err := os.Chmod(c.path, c.bad); err != nil {
			t.Fatal(err)
		}
		if got := p.run(c.args...); got.code == 0 || !strings.Contains(got.err, c.says) || strings.Contains(got.err, "an-api-key") {
			t.Errorf("%s with mode %04o: %+v", c.path, c.bad, got)
		}
		if err := os.Chmod(c.path, c.good); err != nil {
			t.Fatal(err)
		}
		p.must(c.args...)
	}
}

// Each line on stderr of a daemon that logs as JSON is a JSON object, also where
// it cannot begin and where it ends with an error.
func jsonLog(t *testing.T) {
	p := newPairedRelay(t)
	approver := newApprover(t, func(string, int) int { return http.StatusOK })
	d, _ := p.listening("--externalUrl", approver.URL)
	second := p.run("daemon", "--log-json", "--externalUrl", "none")
	p.eventually("a round", func() bool { return strings.Contains(p.run("status").err, "daemon: process") })
	_ = d.cmd.Process.Signal(syscall.SIGTERM)
	_ = d.cmd.Wait()
	once := p.run("daemon", "--runOnce", "--log-json", "--externalUrl", "none")
	if err := os.Rename(filepath.Join(p.state(), "identity.key"), filepath.Join(p.dir, "away")); err != nil {
		t.Fatal(err)
	}
	without := p.run("daemon", "--log-json")
	if second.code != 11 || without.code != 1 || once.code != 0 {
		t.Errorf("%+v\n%+v\n%+v", second, without, once)
	}
	for name, text := range map[string]string{"it": d.words.String(), "a second one": second.err, "once": once.err, "not initialised": without.err} {
		if !strings.Contains(text, `"event":"`) {
			t.Errorf("%s: %q", name, text)
		}
		for line := range bytes.Lines([]byte(text)) {
			var record struct{ Event, Level, Time, Msg string }
			if err := json.Unmarshal(line, &record); err != nil || record.Event == "" || record.Msg == "" {
				t.Errorf("%s: %s", name, line)
			}
		}
	}
	if !strings.Contains(without.err, `"event":"daemon_failed"`) || !strings.Contains(without.err, "kms-online init") {
		t.Errorf("%s", without.err)
	}
}

// A request of which nothing is wanted any more is not one that is done.
func onlyItemRejected(t *testing.T) {
	p := newStick(t, 1)
	p.round()
	p.wantRequest(1)
	p.must("reject", relaytest.ID(1), "--why", "wrong amount")
	p.round()
	if done, _ := p.requests(filepath.Join(p.stick(), "done")); len(done) != 0 {
		t.Errorf("it is done: %v", done)
	}
	if void, _ := p.requests(filepath.Join(p.stick(), "void")); len(void) != 1 {
		t.Errorf("it is not void: %v", void)
	}
	reasons, _ := filepath.Glob(filepath.Join(p.stick(), "void", "*.reason.txt"))
	if len(reasons) != 1 {
		t.Fatalf("reasons: %v", reasons)
	}
	if text, err := os.ReadFile(reasons[0]); err != nil || !strings.Contains(string(text), "item "+relaytest.ID(1)+" was rejected.") || !strings.Contains(string(text), "Destroy it") {
		t.Errorf("%s, %v", text, err)
	}

	p = newStick(t, 2) // what the signer refuses is answered
	p.round()
	req := p.wantRequest(2)
	p.must("import", p.result(req, relaytest.Refuse(relaytest.ID(2), "refused-by-person")))
	p.round()
	if done, _ := p.requests(filepath.Join(p.stick(), "done")); len(done) != 1 {
		t.Errorf("it is not done: %v", done)
	}
}

// Where the stick is not mounted, nothing is made in its place and nothing
// counts as exported.
func notMounted(t *testing.T) {
	p := newPlainRelay(t, "", "")
	p.pair()
	p.pay(1)
	p.must("fetch")
	media := filepath.Join(p.dir, "media", "usb")
	for _, psbt := range [][]string{nil, {"--psbt"}} {
		got := p.run(append([]string{"export", "--out", media}, psbt...)...)
		if got.code != 1 || !strings.Contains(got.err, media+": folder does not exist, and nothing was exported") || !strings.Contains(got.err, "mkdir -p") {
			t.Errorf("%+v", got)
		}
	}
	if _, err := os.Lstat(filepath.Dir(media)); err == nil {
		t.Error("a folder was made where the stick belongs")
	}
	if s := p.states()[relaytest.ID(1)]; s != "prepared" {
		t.Errorf("it is %s", s)
	}
	if err := os.MkdirAll(media, 0o700); err != nil {
		t.Fatal(err)
	}
	p.must("export", "--out", media)
}
