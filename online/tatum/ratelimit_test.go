package tatum_test

import (
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"coldkms/cmd/testtools/tatumtest"
	"coldkms/online/tatum"
	"coldkms/shared/chain"
)

// watchmaker is a clock that moves when somebody sleeps.
type watchmaker struct{ at time.Time }

func (w *watchmaker) now() time.Time { return w.at }

func (w *watchmaker) sleep(_ context.Context, d time.Duration) error {
	w.at = w.at.Add(d)
	return nil
}

func (w *watchmaker) half() float64 { return 0.5 }

// pacedClient sleeps by its clock.
func pacedClient(t *testing.T, l tatum.Limits, h http.HandlerFunc) (*tatum.Client, *tatum.Pace, *watchmaker) {
	t.Helper()
	w := &watchmaker{at: time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC)}
	pace := tatum.NewPace(l, w.now, w.half)
	c, err := tatum.New(tatum.Config{URL: "http://127.0.0.1:1", Key: tatumtest.Key, Now: w.now, Jitter: w.half, Pace: pace, Transport: tatumtest.Transport(h), Sleep: w.sleep})
	if err != nil {
		t.Fatal(err)
	}
	return c, pace, w
}

// In no stretch of time of a budget's length are more credits used than it
// has, wherever the stretch begins.
func TestBudgetHolds(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	type spent struct {
		at      time.Time
		credits int64
	}
	const credits = 60
	for round := range 50 {
		var all []spent
		c, pace, w := pacedClient(t, tatum.Limits{Budgets: []tatum.Budget{{Credits: credits, Per: time.Hour}}}, func(w http.ResponseWriter, _ *http.Request) {
			_, _ = w.Write([]byte(`{"id":"x","serializedTransaction":"y","txId":null}`))
		})
		refused := 0
		for range 600 {
			w.at = w.at.Add(time.Duration(random.Int64N(int64(time.Minute) * int64(1+round%5))))
			before := pace.Usage().Credits
			var err error
			if random.IntN(2) == 0 {
				_, err = c.TxIDOf(t.Context(), "x")
			} else {
				_, err = c.Broadcast(t.Context(), chain.LTC, "x", "00")
			}
			if errors.Is(err, tatum.ErrBudget) {
				refused++
			} else if err != nil {
				t.Fatal(err)
			}
			all = append(all, spent{w.at, pace.Usage().Credits - before})
		}
		if refused == 0 {
			t.Fatal("the budget was never reached: this test cannot fail")
		}
		for i := range all {
			var sum int64
			for k := i; k < len(all) && all[k].at.Sub(all[i].at) < time.Hour; k++ {
				sum += all[k].credits
			}
			if sum > credits {
				t.Fatalf("%d credits in the hour from %s", sum, all[i].at)
			}
		}
	}
}

// Calls for any other purpose leave alone what is reserved for settling what
// is signed, and for each other.
func TestBudgetReserve(t *testing.T) {
	for _, greedy := range []tatum.Purpose{tatum.Retry, tatum.List, tatum.Prove, tatum.Watch} {
		c, _, _ := pacedClient(t, tatum.Limits{Budgets: []tatum.Budget{{Credits: 100, Per: time.Hour}}}, func(w http.ResponseWriter, r *http.Request) {
			_, _ = w.Write([]byte(`{"id":"x","serializedTransaction":"y","txId":null}`))
		})
		uses := func(p tatum.Purpose) (n int) {
			for {
				_, err := c.For(p).TxIDOf(t.Context(), "x")
				if errors.Is(err, tatum.ErrBudget) {
					if !tatum.IsTransient(err) || !strings.Contains(err.Error(), "no request was made: the budget of credits is used up: 100/hour") {
						t.Error(err)
					}
					return n
				}
				if n++; err != nil || n > 1000 {
					t.Fatal(n, err)
				}
			}
		}
		total := uses(greedy)
		if total > 40 {
			t.Errorf("%s: %d credits, more than are anybody's", greedy, total)
		}
		for _, p := range []tatum.Purpose{tatum.Watch, tatum.Prove, tatum.List, tatum.Retry} {
			if p == greedy {
				continue
			}
			n := uses(p)
			if total += n; n < 10 || n > 15 {
				t.Errorf("after %s used all it may, %s has %d", greedy, p, n)
			}
		}
		if n := uses(tatum.Settle); n < 40 || total+n != 100 {
			t.Errorf("after all others used all they may, %s has %d", tatum.Settle, n)
		}
	}
}

// A position in the future, of a clock that was wrong, is not kept for ever.
func TestBudgetOfTheFuture(t *testing.T) {
	h := func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte(`{"id":"x","serializedTransaction":"y"}`))
	}
	limits := tatum.Limits{Budgets: []tatum.Budget{{Credits: 3, Per: time.Hour}}}
	c, pace, ahead := pacedClient(t, limits, h)
	ahead.at = ahead.at.Add(24 * 365 * time.Hour)
	for range 3 {
		if _, err := c.TxIDOf(t.Context(), "x"); err != nil {
			t.Fatal(err)
		}
	}
	c, again, w := pacedClient(t, limits, h)
	again.Resume(pace.Usage())
	if _, err := c.TxIDOf(t.Context(), "x"); !errors.Is(err, tatum.ErrBudget) {
		t.Errorf("what was used may have been used now: %v", err)
	}
	w.at = w.at.Add(62 * time.Minute)
	if _, err := c.TxIDOf(t.Context(), "x"); err != nil {
		t.Errorf("an hour later: %v", err)
	}
}

// What a version counted that knew no purposes counts on.
func TestBudgetWithoutPurposes(t *testing.T) {
	c, pace, w := pacedClient(t, tatum.Limits{Budgets: []tatum.Budget{{Credits: 3, Per: time.Hour}}}, func(http.ResponseWriter, *http.Request) {})
	parts := make([]int64, 61)
	parts[0] = 3
	pace.Resume(tatum.Usage{Budgets: []tatum.Used{{Budget: "3/hour", Credits: 3, At: w.at.UnixNano() / int64(time.Minute), Parts: parts}}})
	if _, err := c.TxIDOf(t.Context(), "x"); !errors.Is(err, tatum.ErrBudget) {
		t.Error(err)
	}
}

// What an earlier program used counts for the next one, until it is long ago.
func TestBudgetResumes(t *testing.T) {
	h := func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte(`{"id":"x","serializedTransaction":"y"}`))
	}
	limits := tatum.Limits{Budgets: []tatum.Budget{{Credits: 3, Per: time.Hour}, {Credits: 100, Per: 24 * time.Hour}}}
	c, pace, _ := pacedClient(t, limits, h)
	for range 3 {
		if _, err := c.TxIDOf(t.Context(), "x"); err != nil {
			t.Fatal(err)
		}
	}
	next, again, w := pacedClient(t, limits, h)
	again.Resume(pace.Usage())
	if _, err := next.TxIDOf(t.Context(), "x"); !errors.Is(err, tatum.ErrBudget) {
		t.Error(err)
	}
	w.at = w.at.Add(62 * time.Minute)
	if _, err := next.TxIDOf(t.Context(), "x"); err != nil {
		t.Error(err)
	}
	if u := again.Usage(); u.Budgets[0].Credits != 1 || u.Budgets[1].Credits != 4 {
		t.Errorf("%+v", u.Budgets)
	}
}

// So many calls a second, however many are made at once.
func TestRate(t *testing.T) {
	c, _, w := pacedClient(t, tatum.Limits{PerSecond: 5}, func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte(`{"id":"x","serializedTransaction":"y"}`))
	})
	begin := w.at
	for range 51 {
		if _, err := c.TxIDOf(t.Context(), "x"); err != nil {
			t.Fatal(err)
		}
	}
	if took := w.at.Sub(begin); took != 10*time.Second {
		t.Errorf("51 calls in %s", took)
	}
}

// After many failures in a row no call is repeated. After many more none is made
// for a while; then some are, and the rest grows while all fail.
func TestBreaker(t *testing.T) {
	var calls atomic.Int32
	well := false
	c, pace, w := pacedClient(t, tatum.Limits{}, func(w http.ResponseWriter, _ *http.Request) {
		calls.Add(1)
		if well {
			_, _ = w.Write([]byte(`{"id":"x","serializedTransaction":"y"}`))
			return
		}
		w.WriteHeader(http.StatusBadGateway)
	})
	var err error
	for range 3 { // the third one is not repeated any more, and says what became of it
		if _, err = c.TxIDOf(t.Context(), "x"); errors.Is(err, tatum.ErrPaused) {
			t.Error(err)
		}
	}
	if calls.Load() != 12 {
		t.Fatalf("%d calls, then %v", calls.Load(), err)
	}
	fails := func() {
		before := calls.Load()
		for range 64 {
			if _, err = c.TxIDOf(t.Context(), "x"); errors.Is(err, tatum.ErrPaused) {
				t.Error(err)
			}
		}
		_, err = c.TxIDOf(t.Context(), "x")
		if !errors.Is(err, tatum.ErrPaused) || !tatum.IsUnreachable(err) || calls.Load() != before+64 {
			t.Fatalf("%d calls, then %v", calls.Load()-before, err)
		}
	}
	fails()
	for n, rest := range []time.Duration{3750 * time.Millisecond, 7500 * time.Millisecond, 15 * time.Second, 30 * time.Second} {
		until := pace.Usage().Paused
		if got := until.Sub(w.at); got > rest || got < rest-time.Second/2 { // the call before it has slept meanwhile
			t.Errorf("rest %d is %s, want %s", n, got, rest)
		}
		w.at = until
		fails()
	}
	well = true
	w.at = pace.Usage().Paused
	for range 3 {
		if _, err := c.TxIDOf(t.Context(), "x"); err != nil {
			t.Error(err)
		}
	}
	if u := pace.Usage(); u.Calls["server"] != 12+5*64 || u.Calls["ok"] != 3 || u.Failing != 0 || !strings.Contains(u.Trouble, "HTTP 502") {
		t.Errorf("%+v", u)
	}
}

// A server that names a time is left alone until then by every call but those for a
// payment, each kind of which tries once.
func TestAskedToWait(t *testing.T) {
	calls := 0
	c, pace, w := pacedClient(t, tatum.Limits{}, func(w http.ResponseWriter, _ *http.Request) {
		calls++
		w.Header().Set("Retry-After", "600")
		w.WriteHeader(http.StatusTooManyRequests)
	})
	if _, err := c.Broadcast(t.Context(), chain.BTC, "x", "00"); err == nil {
		t.Fatal("no error")
	}
	if got := pace.Usage().Paused.Sub(w.at); got != 10*time.Minute {
		t.Errorf("paused for %s", got)
	}
	if _, err := c.For(tatum.List).TxIDOf(t.Context(), "x"); !errors.Is(err, tatum.ErrPaused) || calls != 1 {
		t.Errorf("%d calls, %v", calls, err)
	}
	for range 2 {
		if _, err := c.TxIDOf(t.Context(), "x"); !tatum.LeftAlone(err) || calls != 2 ||
			!strings.Contains(err.Error(), "asked to wait until") {
			t.Errorf("%d calls, %v", calls, err)
		}
	}
}

// Calls wait as the server asks for thirty seconds together, until one succeeds.
func TestWaitsThirtySeconds(t *testing.T) {
	well := true
	c, _, _ := pacedClient(t, tatum.Limits{}, func(w http.ResponseWriter, _ *http.Request) {
		if well = !well; well {
			_, _ = w.Write([]byte(`{"id":"x","serializedTransaction":"y"}`))
			return
		}
		w.Header().Set("Retry-After", "12")
		w.WriteHeader(http.StatusTooManyRequests)
	})
	for range 5 {
		if _, err := c.TxIDOf(t.Context(), "x"); err != nil {
			t.Fatal(err)
		}
	}
	c, _, clock := pacedClient(t, tatum.Limits{}, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Retry-After", "12")
		w.WriteHeader(http.StatusTooManyRequests)
	})
	begin := clock.at
	if _, err := c.TxIDOf(t.Context(), "x"); !tatum.LeftAlone(err) || clock.at.Sub(begin) != 24*time.Second {
		t.Errorf("after %s: %v", clock.at.Sub(begin), err)
	}
}

// A server cannot stop a relay for longer than an hour, whatever it asks for.
func TestAskedToWaitForLong(t *testing.T) {
	for _, header := range []string{"3601", "86400", "1048575", "Fri, 31 Dec 9999 23:59:59 GMT"} {
		c, pace, w := pacedClient(t, tatum.Limits{}, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Retry-After", header)
			w.WriteHeader(http.StatusServiceUnavailable)
		})
		if _, err := c.Broadcast(t.Context(), chain.BTC, "x", "00"); err == nil {
			t.Fatal("no error")
		}
		if got := pace.Usage().Paused.Sub(w.at); got != time.Hour {
			t.Errorf("%s: paused for %s", header, got)
		}
	}
}

// What somebody gives up says nothing about the server.
func TestBreakerIgnoresCancelled(t *testing.T) {
	c, pace, _ := pacedClient(t, tatum.Limits{}, func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	for range 20 {
		ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		_, _ = c.TxIDOf(ctx, "x")
		cancel()
	}
	if u := pace.Usage(); u.Failing != 0 || !u.Paused.IsZero() {
		t.Errorf("%+v", u)
	}
}

func TestParseBudget(t *testing.T) {
	for text, ok := range map[string]bool{"5000/hour": true, "400/day": true, "999/minute": true, "399/day": false, "5000": false, "0/day": false, "-1/day": false, "x/day": false, "5/week": false, "5/": false, "": false} {
		b, err := tatum.ParseBudget(text)
		if (err == nil) != ok || (ok && b.String() != text) {
			t.Errorf("%q: %v, %v", text, b, err)
		}
	}
}

// trickle returns a byte a second.
type trickle struct{ w *watchmaker }

func (r trickle) Read(p []byte) (int, error) {
	r.w.at = r.w.at.Add(time.Second)
	p[0] = ' '
	return 1, nil
}

// A reply that comes too slowly is given up, and after the second one the call.
func TestDrip(t *testing.T) {
	w := &watchmaker{at: time.Unix(1_800_000_000, 0)}
	calls := 0
	begin := w.at
	transport := roundTrip(func(r *http.Request) (*http.Response, error) {
		calls++
		return &http.Response{StatusCode: 200, Header: make(http.Header), Body: io.NopCloser(io.LimitReader(trickle{w}, 100_000)), Request: r}, nil
	})
	c, err := tatum.New(tatum.Config{URL: "http://127.0.0.1:1", Key: tatumtest.Key, Now: w.now, Jitter: w.half, Transport: transport, Sleep: w.sleep})
	if err != nil {
		t.Fatal(err)
	}
	_, err = c.TxIDOf(t.Context(), "x")
	if err == nil || !strings.Contains(err.Error(), "too slowly") || !tatum.IsTransient(err) || calls != 2 || w.at.Sub(begin) > 30*time.Second {
		t.Errorf("%d calls in %s: %v", calls, w.at.Sub(begin), err)
	}
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }
