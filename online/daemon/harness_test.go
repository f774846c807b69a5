package daemon_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"coldkms/cmd/testtools/relaytest"
	"coldkms/cmd/testtools/tatumtest"
	"coldkms/online"
	"coldkms/online/daemon"
	"coldkms/online/journal"
	"coldkms/online/tatum"
	"coldkms/shared/bundle"
	"coldkms/shared/chain"
	"coldkms/shared/durable"
	"coldkms/shared/transport/file"
)

// house is a Tatum in memory, a relay with a daemon, a stick and a signer.
type house struct {
	testing.TB
	server *tatumtest.Server
	signer *relaytest.Signer
	state  string
	usb    string
	now    time.Time
	logs   bytes.Buffer
	outer  func(*http.Request, http.RoundTripper) (*http.Response, error) // what the network makes of a call; nil: nothing
	d      *daemon.Daemon
	held   *online.Relay // open all the time; nil: opened for each use
}

// inBubble makes a house that lives by the clock of a testing/synctest bubble.
func inBubble(t testing.TB, limits tatum.Limits) *house {
	t.Helper()
	return newHouse(t, func(h *house) {
		h.d.Now, h.d.Sleep = time.Now, tatum.Sleep
		r, err := online.Open(t.Context(), online.Options{Families: relaytest.Families(), Dir: h.state, FS: durable.OS{}, Now: time.Now})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = r.Close() })
		h.held = r
		h.d.Open = func(context.Context) (*online.Relay, func() error, error) { return r, func() error { return nil }, nil }
		pace := tatum.NewPace(limits, time.Now, func() float64 { return 0.5 })
		c, err := tatum.New(tatum.Config{URL: "http://127.0.0.1:1", Key: tatumtest.Key, Transport: h, Pace: pace, Jitter: func() float64 { return 0.5 }})
		if err != nil {
			t.Fatal(err)
		}
		h.d.Keys = []daemon.Key{{Network: chain.Testnet, Client: c, Pace: pace}}
	})
}

// RoundTrip implements http.RoundTripper: the network between relay and Tatum.
func (h *house) RoundTrip(r *http.Request) (*http.Response, error) {
	next := tatumtest.Transport(h.server)
	if h.outer != nil {
		return h.outer(r, next)
	}
	return next.RoundTrip(r)
}

func newHouse(t testing.TB, change func(*house)) *house {
	t.Helper()
	h := &house{TB: t, server: tatumtest.Memory(), signer: relaytest.NewSigner(2), state: filepath.Join(t.TempDir(), "state"), usb: filepath.Join(t.TempDir(), "usb"),
		now: time.Date(2026, 11, 23, 10, 15, 0, 0, time.UTC)}
	if err := os.Mkdir(h.usb, 0o700); err != nil {
		t.Fatal(err)
	}
	if _, err := online.Init(t.Context(), durable.OS{}, h.state, bytes.NewReader(bytes.Repeat([]byte{1}, 64)), h.clock); err != nil {
		t.Fatal(err)
	}
	h.relay(func(r *online.Relay) error { _, err := r.Pair(t.Context(), h.signer.Watch(1)); return err })
	drop := file.On(h.usb)
	h.d = &daemon.Daemon{
		Options: daemon.Options{Period: 10 * time.Second, Depths: online.Depths{chain.BTC: 3}, LateAfter: time.Hour},
		Open:    h.opened, Drop: &drop, Now: h.clock, Sleep: h.sleep, Log: slog.New(slog.NewTextHandler(&h.logs, nil)),
		Keys: []daemon.Key{h.key("", tatumtest.Transport(h.server))},
	}
	if change != nil {
		change(h)
	}
	t.Cleanup(func() {
		if strings.Contains(h.logs.String(), tatumtest.Key) {
			t.Error("the API key is in the logs")
		}
	})
	return h
}

func (h *house) clock() time.Time { return h.now }

func (h *house) sleep(ctx context.Context, d time.Duration) error {
	h.now = h.now.Add(d)
	return ctx.Err()
}

func (h *house) key(name string, transport http.RoundTripper) daemon.Key {
	h.Helper()
	pace := tatum.NewPace(tatum.Limits{}, h.clock, func() float64 { return 0.5 })
	c, err := tatum.New(tatum.Config{URL: "http://127.0.0.1:1", Key: tatumtest.Key, Transport: transport, Now: h.clock, Sleep: h.sleepQuietly, Pace: pace})
	if err != nil {
		h.Fatal(err)
	}
	return daemon.Key{Name: name, Network: chain.Testnet, Client: c, Pace: pace}
}

// sleepQuietly is for the client, whose calls are made at once by many.
func (h *house) sleepQuietly(ctx context.Context, _ time.Duration) error { return ctx.Err() }

func (h *house) open(ctx context.Context) (*online.Relay, error) {
	r, err := online.Open(ctx, online.Options{Families: relaytest.Families(), Dir: h.state, FS: durable.OS{}, Now: h.clock})
	if err == nil {
		r.Sleep = h.sleepQuietly
	}
	return r, err
}

func (h *house) opened(ctx context.Context) (*online.Relay, func() error, error) {
	r, err := online.Open(ctx, online.Options{Families: relaytest.Families(), Dir: h.state, FS: durable.OS{}, Now: h.clock, Daemon: true})
	if err != nil {
		return nil, nil, err
	}
	r.Sleep = h.sleepQuietly
	return r, r.Close, nil
}

func (h *house) relay(do func(*online.Relay) error) {
	h.Helper()
	if h.held != nil {
		if err := do(h.held); err != nil {
			h.Fatal(err)
		}
		return
	}
	r, err := h.open(h.Context())
	if err == nil {
		err = do(r)
	}
	if err != nil {
		h.Fatal(err)
	}
	if err := r.Close(); err != nil {
		h.Fatal(err)
	}
}

// pairWith pairs the relay with the signer once more.
func (h *house) pairWith(w bundle.Watch) {
	h.Helper()
	sealed, err := bundle.SealWatch(w, h.signer.Identity)
	if err != nil {
		h.Fatal(err)
	}
	h.relay(func(r *online.Relay) error { _, err := r.Pair(h.Context(), sealed.File); return err })
}

// round makes one, and lets the time of a period pass.
func (h *house) round() daemon.Round {
	h.Helper()
	got, err := h.d.Once(h.Context())
	if err != nil {
		h.Fatal(err)
	}
	h.now = h.now.Add(h.d.Period)
	return got
}

// pay makes payment n wait.
func (h *house) pay(n int, change func(map[string]any)) string {
	prev := h.signer.Funding(n)
	h.server.Chain(relaytest.Hex(prev))
	h.server.Add(h.signer.Payment(n, prev, change))
	return relaytest.ID(n)
}

// sign stands for the person with the stick: every request on it is answered.
func (h *house) sign(change func(*bundle.Result)) {
	h.Helper()
	for _, path := range h.on("*.kmsreq") {
		req, err := bundle.OpenRequest(h.read(path))
		if err != nil {
			h.Fatal(err)
		}
		h.write(req.Digest.String()[:12]+".kmsres", h.signer.Sign(req, change))
	}
}

func (h *house) on(pattern string) []string {
	h.Helper()
	paths, err := filepath.Glob(filepath.Join(h.usb, pattern))
	if err != nil {
		h.Fatal(err)
	}
	return paths
}

func (h *house) read(path string) []byte {
	h.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		h.Fatal(err)
	}
	return b
}

func (h *house) write(name string, b []byte) {
	h.Helper()
	if err := os.WriteFile(filepath.Join(h.usb, name), b, 0o600); err != nil {
		h.Fatal(err)
	}
}

func (h *house) status(id string) online.Status {
	h.Helper()
	var s online.Status
	h.relay(func(r *online.Relay) error {
		list, err := r.Status(h.Context(), 0, id)
		if err == nil {
			s = list[0]
		}
		return err
	})
	return s
}

// known is the status of an item that may not be in the journal yet.
func (h *house) known(id string) *online.Status {
	h.Helper()
	var s *online.Status
	h.relay(func(r *online.Relay) error {
		list, err := r.Status(h.Context(), 0, id)
		if errors.Is(err, journal.ErrNoItem) {
			return nil
		}
		if err == nil {
			s = &list[0]
		}
		return err
	})
	return s
}

func (h *house) wantState(id, want string) {
	h.Helper()
	if got := h.status(id); string(got.State) != want {
		h.Errorf("%s is %s (%s %s), want %s\n%s", id, got.State, got.Code, got.Reason, want, h.logs.String())
	}
}

// heard keeps what was told.
type heard struct {
	mu     sync.Mutex
	events []daemon.Event
	deaf   bool
}

func (l *heard) Tell(_ context.Context, e daemon.Event) error {
	if l.deaf {
		return io.ErrUnexpectedEOF
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.events = append(l.events, e)
	return nil
}
