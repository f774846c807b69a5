//go:build unix

package loop

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"coldkms/cmd/testtools/relaytest"
)

// limitFaults are about Tatum's rate limit, and what is left alone for a while.
func limitFaults() []fault {
	return []fault{
		{"170a-a-command-waits-for-no-hour", waitsForNoHour},
		{"170b-a-command-says-that-it-waits", saysItWaits},
		{"170c-a-payment-waits-for-no-other-call", paymentIsNotLimited},
		{"170d-what-is-left-alone-is-said", leftAloneIsSaid},
	}
}

// limited answers the next call whose method and path begin so with a 429 that asks
// to wait for some seconds.
func (h *teller) limited(prefix, seconds string) {
	var done atomic.Bool
	h.server.Fault(func(w http.ResponseWriter, r *http.Request) bool {
		if !strings.HasPrefix(r.Method+" "+r.URL.Path, prefix) || done.Swap(true) {
			return false
		}
		tooMany(w, seconds)
		return true
	})
}

func tooMany(w http.ResponseWriter, seconds string) {
	w.Header().Set("Retry-After", seconds)
	w.WriteHeader(http.StatusTooManyRequests)
	_, _ = fmt.Fprint(w, `{"statusCode":429,"errorCode":"rate.limit","message":"slow down"}`)
}

// ends runs a command that must come to its end, and wants this exit code.
func (h *teller) ends(code int, args ...string) string {
	h.Helper()
	ctx, cancel := context.WithTimeout(h.Context(), 2*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, filepath.Join(h.bin, "kms-online"),
		append([]string{"--state", filepath.Join(h.dir, "relay"), "--testnet"}, args...)...)
	cmd.Env = h.env()
	out, _ := cmd.CombinedOutput()
	if got := cmd.ProcessState.ExitCode(); got != code {
		h.Fatalf("%s: exit code %d, want %d\n%s", args, got, code, out)
	}
	return string(out)
}

// One 429 asks to wait for an hour: the command ends, says until when, and leaves the
// state directory free.
func waitsForNoHour(t *testing.T) {
	h := newTeller(t)
	h.signed(nil, 1)
	for _, c := range []struct{ prefix, command string }{
		{"POST /v3/kms/pending/", "fetch"}, {"GET /v3/kms/", "broadcast"}, {"POST /v3/bitcoin/broadcast", "broadcast"},
	} {
		h.limited(c.prefix, "3600")
		words := h.ends(30, c.command)
		if !strings.Contains(words, "429") || !strings.Contains(words, "asked to wait until 20") ||
			!strings.Contains(words, "again after that time") || strings.Contains(words, "many failed calls") {
			t.Errorf("%s: %s", c.prefix, words)
		}
	}
	h.server.Fault(nil)
	h.run(0, "broadcast")
	h.wants(1, "completed", "")
}

// A short time is waited for, and that is said before.
func saysItWaits(t *testing.T) {
	h := newTeller(t)
	h.pay(nil, 1)
	h.limited("POST /v3/kms/pending/", "2")
	words := h.ends(0, "fetch")
	if !strings.Contains(words, "asked to wait until 20") ||
		!strings.Contains(words, "waiting for that, at most 30 seconds") {
		t.Error(words)
	}
	h.wants(1, "prepared", "")
	h.server.Fault(func(w http.ResponseWriter, r *http.Request) bool {
		tooMany(w, "20") // also the second time: more than a command waits for in all
		return true
	})
	words = h.ends(30, "fetch")
	if !strings.Contains(words, "waiting for that") || !strings.Contains(words, "after that time") {
		t.Error(words)
	}
}

// The daemon's list meets the rate limit: what is signed is sent all the same, and the
// daemon names the limit.
func paymentIsNotLimited(t *testing.T) {
	h := newTeller(t)
	h.signed(nil, 1)
	listed := make(chan struct{})
	var once sync.Once
	h.server.Fault(func(w http.ResponseWriter, r *http.Request) bool {
		if strings.HasPrefix(r.URL.Path, "/v3/kms/pending/") {
			tooMany(w, "3600")
			once.Do(func() { close(listed) })
			return true
		}
		select { // what is signed comes after that
		case <-listed:
			time.Sleep(100 * time.Millisecond)
		case <-r.Context().Done():
		}
		return false
	})
	cmd := exec.Command(filepath.Join(h.bin, "kms-online"), "--state", filepath.Join(h.dir, "relay"), "--testnet",
		"daemon", "--period", "1")
	cmd.Env = h.env()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		_ = cmd.Wait()
	})
	var list []itemStatus
	var words string
	for end := time.Now().Add(90 * time.Second); time.Now().Before(end); time.Sleep(time.Second) {
		list, words = nil, h.says(0, "status")
		if err := json.Unmarshal(h.run(0, "status", relaytest.ID(1)), &list); err != nil || len(list) != 1 {
			t.Fatal(err)
		}
		if list[0].State == "completed" && strings.Contains(words, "no request was made: Tatum answered 429") {
			break
		}
	}
	if list[0].State != "completed" {
		t.Errorf("the payment is %s (%s %s)", list[0].State, list[0].Code, list[0].Reason)
	}
	if !strings.Contains(words, "no request was made: Tatum answered 429 and asked to wait until 20") ||
		strings.Contains(words, "many failed calls") {
		t.Error(words)
	}
}

// After a round in vain the next fetch says what it leaves alone, and until when.
func leftAloneIsSaid(t *testing.T) {
	h := newTeller(t)
	h.pay(nil, 1)
	bad := "<html>bad gateway"
	h.answers(answer{"GET /v3/bitcoin/transaction/", bad, 502}, answer{"POST /v3/blockchain/node/", bad, 502})
	h.ends(3, "fetch")
	h.server.Fault(nil)
	h.sql("UPDATE items SET retry_at = retry_at + 3600000 WHERE retry_at > 0")
	h.leftAlone(1, "", "left alone until 20", "kms-online fetch --transaction-ids "+relaytest.ID(1))
	h.ends(0, "fetch", "--transaction-ids", relaytest.ID(1))
	h.wants(1, "prepared", "")
	h.ends(0, "fetch")

	h.pay(nil, numbers(2, 24)...) // many are summed up
	h.ends(0, "fetch")
	h.sql("UPDATE items SET state = 'fetched'")
	h.sql("UPDATE items SET code = 'network', tries = 1, retry_at = " +
		strconv.FormatInt(time.Now().Add(time.Hour).UnixMilli(), 10))
	h.leftAlone(21, "the last try of 4 more items was in vain", "left alone until 20")
}

// leftAlone has fetch name so many items that it leaves alone, the last one with words.
func (h *teller) leftAlone(n int, last string, words ...string) {
	h.Helper()
	var got struct {
		Problems []struct{ ID, Code, Reason string }
	}
	if err := json.Unmarshal(h.run(3, "fetch"), &got); err != nil || len(got.Problems) != n {
		h.Fatalf("%v: %+v", err, got)
	}
	for _, w := range words {
		if !strings.Contains(got.Problems[0].Reason, w) {
			h.Errorf("%+v lacks %q", got.Problems[0], w)
		}
	}
	if !strings.Contains(got.Problems[n-1].Reason, last) {
		h.Errorf("%+v lacks %q", got.Problems[n-1], last)
	}
}
