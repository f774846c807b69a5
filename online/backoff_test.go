package online_test

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"coldkms/cmd/testtools/relaytest"
	"coldkms/online"
	"coldkms/online/approval"
	"coldkms/online/tatum"
	"coldkms/shared/chain"
	"coldkms/shared/durable"
)

// An item that cannot be proven is tried again ever more seldom, also by
// another process; one that is named is tried now. One input that nobody knows
// costs no look for the others.
func TestUnprovenBacksOff(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.server.Add(w.signer.Payment(1, w.signer.Funding(1), nil)) // its input is on no chain
	for range 40 {
		if _, err := w.tryFetch(); err != nil {
			t.Fatal(err)
		}
		w.now = w.now.Add(10 * time.Second)
	}
	if n := w.server.Calls("GET /v3/bitcoin/transaction/"); n < 2 || n > 4 { // at 0 s, 60 s, 180 s
		t.Errorf("looked for %d times in 400 s", n)
	}
	before := w.server.Calls("GET /v3/bitcoin/transaction/")
	if _, err := with(w, func(r *online.Relay) (online.Fetched, error) {
		return r.Fetch(w.Context(), online.FetchOptions{Network: chain.Testnet, IDs: []string{id(1)}})
	}); err != nil || w.server.Calls("GET /v3/bitcoin/transaction/") != before+1 {
		t.Errorf("named: %v", err)
	}
}

// Sixteen items that fail in a row are sixteen items: those behind them go on,
// as long as Tatum answers anything.
func TestBadItemsFirst(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	var ns []int
	for n := range 40 {
		ns = append(ns, n+1)
	}
	w.toSigned(nil, ns...)
	bad := make(map[string]bool)
	for n := range 30 {
		bad[id(n+1)] = true
	}
	w.server.Fault(func(hw http.ResponseWriter, r *http.Request) bool {
		if !strings.HasSuffix(r.URL.Path, "/broadcast") {
			return false
		}
		body, _ := io.ReadAll(r.Body)
		r.Body = io.NopCloser(bytes.NewReader(body))
		for id := range bad {
			if bytes.Contains(body, []byte(id)) {
				hw.WriteHeader(http.StatusInternalServerError)
				return true
			}
		}
		return false
	})
	got, err := with(w, func(r *online.Relay) (online.Broadcasted, error) {
		return r.Broadcast(w.Context(), online.BroadcastOptions{Due: true})
	})
	if err != nil || len(got.Completed) != 10 || len(got.Problems) != 30 {
		t.Errorf("%d completed, %d problems, %v", len(got.Completed), len(got.Problems), err)
	}
	before := w.server.Calls("POST /v3/bitcoin/broadcast")
	if _, err := with(w, func(r *online.Relay) (online.Broadcasted, error) {
		return r.Broadcast(w.Context(), online.BroadcastOptions{Due: true})
	}); err != nil || w.server.Calls("POST /v3/bitcoin/broadcast") != before {
		t.Errorf("tried again at once: %v", err)
	}
}

// A noted veto holds where nobody is asked any more, until a person lifts it.
func TestVetoHolds(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.toSigned(nil, 1)
	f := w.fourEye("GET")
	f.says = func(rw http.ResponseWriter, _ *http.Request) bool { rw.WriteHeader(403); return true }
	w.broadcastAsking(f)
	send := func() online.Broadcasted {
		got, err := with(w, func(r *online.Relay) (online.Broadcasted, error) {
			return r.Broadcast(w.Context(), online.BroadcastOptions{})
		})
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	if got := send(); codes(got.Problems) != "four-eye-refused " || len(w.server.Sent()) != 0 {
		t.Errorf("%+v", got)
	}
	if _, err := with(w, func(r *online.Relay) (any, error) { return r.Unveto(w.Context(), id(1), "by phone") }); err != nil {
		t.Fatal(err)
	}
	if got := send(); len(got.Completed) != 1 {
		t.Errorf("%+v", got)
	}
}

// Whoever takes longer for an item than a lease lasts does not lose the others.
func TestLeaseKept(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for n := range 33 { // three turns of sixteen at a time
		w.pay(n+1, nil)
	}
	w.fetch()
	f := w.fourEye("GET")
	f.Client = w.slowApprover(1500 * time.Millisecond)
	r, err := online.Open(w.Context(), online.Options{Families: relaytest.Families(), Dir: w.dir, FS: durable.OS{}, Now: time.Now, Lease: 2500 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	r.FourEye = f.Client
	got, err := r.Approve(w.Context(), online.ApproveOptions{})
	if err != nil || got.Approved != 33 || len(got.Problems) != 0 {
		t.Errorf("%+v, %v", got, err)
	}
}

// slowApprover says yes after a while.
func (w *world) slowApprover(wait time.Duration) *approval.Client {
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { time.Sleep(wait) }))
	w.Cleanup(server.Close)
	c, err := approval.New(approval.Config{URL: server.URL, Now: time.Now, Sleep: tatum.Sleep})
	if err != nil {
		w.Fatal(err)
	}
	return c
}

// What is cut short when the program is to end is no item's trouble.
func TestEndBlamesNobody(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.toSigned(nil, 1)
	ctx, cancel := context.WithCancel(w.Context())
	w.server.Fault(func(_ http.ResponseWriter, r *http.Request) bool {
		cancel()
		<-r.Context().Done()
		return true
	})
	got, err := with(w, func(r *online.Relay) (online.Broadcasted, error) {
		got, err := r.Broadcast(ctx, online.BroadcastOptions{})
		if err == nil {
			t.Error("cut short without an error")
		}
		return got, nil
	})
	if err != nil || len(got.Problems) != 0 || w.status(id(1)).Code != "" {
		t.Errorf("%+v, %v, %+v", got, err, w.status(id(1)))
	}
}
