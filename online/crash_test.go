package online_test

import (
	"context"
	"net/http"
	"os"
	"testing"

	"coldkms/online"
	"coldkms/shared/bundle"
	"coldkms/shared/chain"
)

// Whatever call to Tatum the relay is ended at, before it is acted on there or
// after, the same command run again goes on: every payment is sent as one byte
// string only, completed, and counted once.
func TestEndedAtEveryCall(t *testing.T) {
	t.Parallel()
	for _, mode := range []string{"", "failed"} {
		for _, acted := range []bool{false, true} {
			for n := 1; ; n++ {
				w := newWorld(t)
				w.pay(1, nil)
				w.pay(2, withdrawal)
				w.server.Reply(mode)
				if !w.interrupted(n, acted) {
					if n < 8 {
						t.Fatalf("only %d calls", n)
					}
					break
				}
			}
		}
	}
}

// interrupted goes the whole way with the n-th call cut, and reports whether
// there were that many.
func (w *world) interrupted(n int, acted bool) bool {
	w.Helper()
	ctx, cancel := context.WithCancel(w.Context())
	defer cancel()
	calls := 0
	hit := make(chan struct{}, 1)
	w.server.Fault(func(http.ResponseWriter, *http.Request) bool {
		w.faults.Lock()
		defer w.faults.Unlock()
		if calls++; calls != n {
			return false
		}
		cancel()
		hit <- struct{}{}
		if !acted {
			panic(http.ErrAbortHandler)
		}
		return false
	})
	again := func(step func(context.Context, *online.Relay) error) {
		w.Helper()
		for _, ctx := range []context.Context{ctx, w.Context()} {
			r := w.open()
			err := step(ctx, r)
			if cerr := r.Close(); cerr != nil {
				w.Fatal(cerr)
			}
			if ctx.Err() == nil && err != nil {
				w.Fatalf("call %d, acted %v: %v", n, acted, err)
			}
			if ctx.Err() == nil {
				return
			}
		}
	}
	again(func(ctx context.Context, r *online.Relay) error {
		_, err := r.Fetch(ctx, online.FetchOptions{Network: chain.Testnet})
		return err
	})
	var path string
	again(func(ctx context.Context, r *online.Relay) error {
		got, err := r.Export(ctx, online.ExportOptions{Dir: w.out})
		if err == nil {
			path = *got.Request
		}
		return err
	})
	file, err := os.ReadFile(path)
	if err != nil {
		w.Fatal(err)
	}
	req, err := bundle.OpenRequest(file)
	if err != nil {
		w.Fatal(err)
	}
	again(func(ctx context.Context, r *online.Relay) error {
		return r.Import(ctx, w.signer.Sign(req, nil), &online.Imported{})
	})
	again(func(ctx context.Context, r *online.Relay) error {
		_, err := r.Broadcast(ctx, online.BroadcastOptions{})
		return err
	})
	distinct := make(map[string]bool)
	for _, raw := range w.server.Sent() {
		distinct[raw] = true
	}
	for _, id := range []string{id(1), id(2)} {
		if s := w.status(id); s.State != "completed" || w.server.TxID(id) != s.TxID {
			w.Errorf("call %d, acted %v: %+v, Tatum has %q", n, acted, s, w.server.TxID(id))
		}
	}
	if len(distinct) != 2 || len(req.Items) != 2 {
		w.Errorf("call %d, acted %v: %d items, %d byte strings sent", n, acted, len(req.Items), len(distinct))
	}
	return len(hit) == 1
}
