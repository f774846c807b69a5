package online_test

import (
	"bytes"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"coldkms/online"
	"coldkms/shared/chain"
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
