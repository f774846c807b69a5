package daemon_test

import (
	"context"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
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
)

// Everything that a person would type, by itself.
func TestLoop(t *testing.T) {
	l := &heard{}
	h := newHouse(t, func(h *house) { h.d.Tell = []daemon.Teller{l} })
	h.pay(1, nil)
	h.pay(2, func(p map[string]any) { p["withdrawalId"] = "w-2" })
	if r := h.round(); r.Fetched != 2 || r.Prepared != 2 || r.Exported != 2 || r.Drop != "there" || len(r.Troubles) != 0 {
		t.Fatalf("%+v", r)
	}
	if r := h.round(); r.Fetched+r.Exported != 0 || len(h.on("*.kmsreq")) != 1 {
		t.Errorf("%+v, %v", r, h.on("*"))
	}
	h.sign(nil)
	if r := h.round(); r.Imported != 2 || r.Broadcast != 2 || r.Completed != 2 || r.Told != 2 {
		t.Errorf("%+v\n%s", r, h.logs.String())
	}
	if len(h.on("*.kms*")) != 0 || len(h.on("done/*.kmsreq")) != 1 || len(h.on("done/*.kmsres")) != 1 {
		t.Errorf("on the stick: %v %v", h.on("*"), h.on("done/*"))
	}
	h.wantState(relaytest.ID(1), "completed")
	h.wantState(relaytest.ID(2), "completed")
	if h.server.TxID(relaytest.ID(1)) == "" || len(h.server.Sent()) != 2 {
		t.Errorf("sent %d", len(h.server.Sent()))
	}
	if len(l.events) != 2 || l.events[0].Event != "completed" || l.events[0].Item.TxID == "" || l.events[0].Message == "" {
		t.Errorf("%+v", l.events)
	}
	h.server.Mine(1)
	if r := h.round(); r.Confirmed != 0 || h.status(relaytest.ID(1)).Depth != 1 {
		t.Errorf("%+v", h.status(relaytest.ID(1)))
	}
	h.server.Mine(2)
	if r := h.round(); r.Confirmed != 2 || h.status(relaytest.ID(1)).Depth != 3 {
		t.Errorf("%+v", r)
	}
	before := h.server.Calls("GET /v3/bitcoin/transaction/")
	if r := h.round(); r.Confirmed != 0 || h.server.Calls("GET /v3/bitcoin/transaction/") != before {
		t.Errorf("what is deep enough is looked at still: %+v", r)
	}
}

// Who does not ask for confirmations pays for no looks.
func TestNoWatch(t *testing.T) {
	h := newHouse(t, func(h *house) { h.d.Unwatched = true })
	h.pay(1, nil)
	h.round()
	h.sign(nil)
	h.round()
	h.wantState(relaytest.ID(1), "completed")
	before := h.server.Calls("GET /v3/bitcoin/transaction/")
	h.round()
	if got := h.server.Calls("GET /v3/bitcoin/transaction/"); got != before {
		t.Errorf("%d looks", got-before)
	}
}

// While the stick is away nothing is exported, and nothing is written where it
// would be; another stick gets the requests that still wait.
func TestSticksComeAndGo(t *testing.T) {
	h := newHouse(t, nil)
	if err := os.Remove(h.usb); err != nil {
		t.Fatal(err)
	}
	id := h.pay(1, nil)
	if r := h.round(); r.Drop != "away" || r.Prepared != 1 || r.Exported != 0 || len(r.Troubles) != 0 {
		t.Errorf("%+v", r)
	}
	h.wantState(id, "prepared")
	if _, err := os.Stat(h.usb); !errors.Is(err, os.ErrNotExist) {
		t.Fatal("a folder was made where the stick would be")
	}
	stick := func() {
		if err := os.Mkdir(h.usb, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	stick()
	if r := h.round(); r.Exported != 1 {
		t.Errorf("%+v", r)
	}
	first := h.on("*.kmsreq")
	want := h.read(first[0])
	if err := os.RemoveAll(h.usb); err != nil { // lost
		t.Fatal(err)
	}
	h.round()
	stick()
	h.pay(2, nil)
	h.round()
	h.round()
	all := h.on("*.kmsreq")
	if len(all) != 2 || filepath.Base(all[0]) != filepath.Base(first[0]) || string(h.read(all[0])) != string(want) {
		t.Fatalf("on the other stick: %v", all)
	}
	h.sign(nil)
	h.round()
	h.wantState(id, "completed")
	h.wantState(relaytest.ID(2), "completed")
}

// A new request is not made more often than asked for, and has no more items.
func TestEveryAndMax(t *testing.T) {
	h := newHouse(t, func(h *house) { h.d.Every, h.d.Max = time.Minute, 2 })
	for n := range 3 {
		h.pay(n+1, nil)
	}
	if r := h.round(); r.Exported != 2 {
		t.Errorf("%+v", r)
	}
	for range 5 {
		if r := h.round(); r.Exported != 0 {
			t.Errorf("too soon: %+v", r)
		}
	}
	if r := h.round(); r.Exported != 1 {
		t.Errorf("%+v", r)
	}
}

// Trouble with one API key holds up no other, and each item is handled with
// the key that fetched it.
func TestKeys(t *testing.T) {
	var second *tatumtest.Server
	h := newHouse(t, func(h *house) {
		second = tatumtest.Memory()
		h.d.Keys = []daemon.Key{h.key("north", tatumtest.Transport(h.server)), h.key("south", tatumtest.Transport(second))}
	})
	id := h.pay(1, nil)
	prev := h.signer.Funding(2)
	second.Chain(relaytest.Hex(prev))
	second.Add(h.signer.Payment(2, prev, nil))
	if r := h.round(); r.Fetched != 2 || r.Exported != 2 {
		t.Fatalf("%+v\n%s", r, h.logs.String())
	}
	if h.status(id).Account != "north" || h.status(relaytest.ID(2)).Account != "south" {
		t.Errorf("%+v", h.status(relaytest.ID(2)))
	}
	h.server.Fault(func(w http.ResponseWriter, _ *http.Request) bool {
		w.WriteHeader(http.StatusUnauthorized)
		_, _ = w.Write([]byte(`{"errorCode":"subscription.invalid","message":"Unable to find valid subscription for '` + tatumtest.Key + `'"}`))
		return true
	})
	h.sign(nil)
	r := h.round()
	if !strings.Contains(r.Troubles["broadcast"], "north") || !strings.Contains(r.Troubles["fetch"], "north") || strings.Contains(r.Troubles["fetch"], "south") || strings.Contains(r.Troubles["fetch"], tatumtest.Key) {
		t.Errorf("%q", r.Troubles)
	}
	h.wantState(id, "signed")
	h.wantState(relaytest.ID(2), "completed")
	if len(h.server.Sent()) != 0 || len(second.Sent()) != 1 {
		t.Errorf("sent %d and %d", len(h.server.Sent()), len(second.Sent()))
	}
	before := h.server.Calls("POST /v3/kms/pending/")
	if r := h.round(); !strings.Contains(r.Troubles["fetch"], "north") || h.server.Calls("POST /v3/kms/pending/") != before {
		t.Errorf("a key that was not accepted is not left alone: %+v", r.Troubles)
	}
	h.server.Fault(nil)
	h.now = h.now.Add(15 * time.Minute)
	if r := h.round(); len(r.Troubles) != 0 {
		t.Errorf("%q", r.Troubles)
	}
	h.wantState(id, "completed")

	// With another key nothing is done with what the first one fetched.
	h.d.Keys = []daemon.Key{h.key("west", tatumtest.Transport(tatumtest.Memory()))}
	h.d.Depths = online.Depths{chain.BTC: 9}
	h.d.WatchEvery = 0
	h.round()
	if s := h.status(id); s.Code != online.CodeOtherKey || s.State != "completed" {
		t.Errorf("%+v", s)
	}
}

// Events are told until somebody hears them, once then; what is late, once for
// each state.
func TestEvents(t *testing.T) {
	l := &heard{deaf: true}
	h := newHouse(t, func(h *house) { h.d.Tell = []daemon.Teller{l} })
	h.pay(1, func(p map[string]any) { p["serializedTransaction"] = "nonsense" })
	late := h.pay(2, nil)
	if r := h.round(); r.Troubles["tell"] == "" || r.Told != 0 {
		t.Errorf("%+v", r)
	}
	l.deaf = false
	if r := h.round(); r.Told != 1 || l.events[0].Event != "refused" || l.events[0].Item.Code == "" {
		t.Errorf("%+v %+v", r, l.events)
	}
	h.now = h.now.Add(2 * time.Hour)
	if r := h.round(); r.Told != 1 || l.events[1].Event != "late" || l.events[1].Item.ID != late || !strings.Contains(l.events[1].Message, "exported since 2026-11-23T10:15") {
		t.Errorf("%+v %+v", r, l.events)
	}
	h.now = h.now.Add(2 * time.Hour)
	if r := h.round(); r.Told != 0 {
		t.Errorf("told again: %+v", l.events)
	}
	h.sign(func(r *bundle.Result) { relaytest.Refuse(late, chain.RefusedByPerson)(r) })
	if r := h.round(); r.Told != 1 || l.events[2].Event != "refused" || l.events[2].Item.Code != chain.RefusedByPerson {
		t.Errorf("%+v %+v", r, l.events)
	}
}

// A command works while the daemon does, and the other way round; a second
// daemon is refused.
func TestBesideCommands(t *testing.T) {
	h := newHouse(t, nil)
	id := h.pay(1, nil)
	r, err := h.open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if got := h.round(); got.Exported != 1 || len(got.Troubles) != 0 {
		t.Errorf("%+v", got)
	}
	if list, err := r.Status(t.Context(), 0, id); err != nil || list[0].State != "exported" {
		t.Errorf("%+v, %v", list, err)
	}
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	lock, err := durable.NewLock(filepath.Join(h.state, "daemon.lock"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := h.d.Once(t.Context()); !errors.Is(err, durable.ErrLocked) {
		t.Errorf("beside another daemon: %v", err)
	}
	_ = lock.Close()
}

// A call that never ends holds up nothing but its own loop.
func TestLoopsAreApart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := inBubble(t, tatum.Limits{})
		id := h.pay(1, nil)
		if _, err := h.d.Once(t.Context()); err != nil {
			t.Fatal(err)
		}
		h.sign(nil)
		network(pendings, forever, hangs)(h)
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- h.d.Run(ctx) }()
		time.Sleep(time.Minute)
		h.wantState(id, "completed")
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}

// A database that is away is waited for; no relay is an error.
func TestOpen(t *testing.T) {
	h := newHouse(t, nil)
	tries := 0
	h.d.Open = func(ctx context.Context) (*online.Relay, func() error, error) {
		if tries++; tries < 3 {
			return nil, nil, journal.ErrAway
		}
		return h.opened(ctx)
	}
	if got := h.round(); tries != 3 || len(got.Troubles) != 0 {
		t.Errorf("%d tries, %+v", tries, got)
	}
	h.d.Open = func(context.Context) (*online.Relay, func() error, error) {
		return nil, nil, errors.New("no such relay")
	}
	if err := h.d.Run(t.Context()); err == nil {
		t.Error("runs without a relay")
	}
}

// At a signal the step in hand comes to its end, and no further one begins.
func TestStops(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		h := newHouse(t, nil)
		h.d.Now, h.d.Sleep = time.Now, func(ctx context.Context, d time.Duration) error {
			select {
			case <-ctx.Done():
				return ctx.Err()
			case <-time.After(d):
				return nil
			}
		}
		h.pay(1, nil)
		h.server.Fault(func(_ http.ResponseWriter, r *http.Request) bool {
			if strings.HasPrefix(r.URL.Path, "/v3/kms/pending") {
				cancel()
				select { // slow, and then it answers
				case <-time.After(2 * time.Second):
				case <-r.Context().Done():
				}
			}
			return false
		})
		begin := time.Now()
		if err := h.d.Run(ctx); err != nil {
			t.Error(err)
		}
		if took := time.Since(begin); took != 2*time.Second {
			t.Errorf("stopped after %s", took)
		}
		h.wantState(relaytest.ID(1), "prepared")
		if len(h.on("*")) != 0 {
			t.Errorf("another step was begun: %v", h.on("*"))
		}

		// One that hangs is cut short.
		again, cancel := context.WithCancel(t.Context())
		h.server.Fault(func(_ http.ResponseWriter, r *http.Request) bool {
			cancel()
			<-r.Context().Done()
			return true
		})
		begin = time.Now()
		if err := h.d.Run(again); err != nil {
			t.Error(err)
		}
		if took := time.Since(begin); took != 5*time.Second {
			t.Errorf("stopped after %s", took)
		}
		synctest.Wait()
	})
}
