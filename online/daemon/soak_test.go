package daemon_test

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"runtime"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"coldkms/cmd/testtools/relaytest"
	"coldkms/online/daemon"
	"coldkms/online/tatum"
	"coldkms/shared/bundle"
	"coldkms/shared/chain"
)

// soakEnv is how many rounds TestSoak makes; a short run without it.
const soakEnv = "KMS_SOAK"

// figures are what must not grow.
type figures struct {
	heap       uint64
	goroutines int
	files      int
}

func measure() figures {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	entries, _ := os.ReadDir("/proc/self/fd")
	return figures{m.HeapAlloc, runtime.NumGoroutine(), len(entries)}
}

func (f figures) String() string {
	return fmt.Sprintf("%.1f MB on the heap, %d goroutines, %d open files", float64(f.heap)/1e6, f.goroutines, f.files)
}

// soakRounds returns how many rounds the soak has.
func soakRounds() int {
	if n, err := strconv.Atoi(os.Getenv(soakEnv)); err == nil {
		return n
	}
	if testing.Short() {
		return 100
	}
	return 600
}

// A relay that runs for months with ten ids and 5 % of all calls going wrong:
// memory, goroutines and open files stay as they are.
func TestSoak(t *testing.T) {
	rounds := soakRounds()
	synctest.Test(t, func(t *testing.T) {
		h := inBubble(t, tatum.Limits{Budgets: []tatum.Budget{{Credits: 100_000, Per: 24 * time.Hour}}})
		random := rand.New(rand.NewPCG(1, 2))
		var drawing sync.Mutex // requests come at once
		h.server.Fault(func(w http.ResponseWriter, _ *http.Request) bool {
			drawing.Lock()
			fails, how := random.Float64() < 0.05, random.IntN(3)
			drawing.Unlock()
			if !fails {
				return false
			}
			switch how {
			case 0:
				w.WriteHeader(500)
			case 1:
				w.WriteHeader(429)
			default:
				panic(http.ErrAbortHandler)
			}
			return true
		})
		for n := range 10 {
			h.pay(n+1, nil)
		}
		var early figures
		step := func(n int) {
			for range n {
				if _, err := h.d.Once(t.Context()); err != nil {
					t.Fatal(err)
				}
				if h.logs.Len() > 1<<20 {
					h.logs.Reset()
				}
				time.Sleep(h.d.Period)
			}
		}
		step(rounds / 10)
		early = measure()
		step(rounds - rounds/10)
		late := measure()
		fmt.Printf("soak: after %d rounds %s; after %d %s\n", rounds/10, early, rounds, late)
		if late.heap > early.heap+2<<20 || late.goroutines > early.goroutines || late.files > early.files {
			t.Error("it grows")
		}
		h.sign(nil)
		h.server.Fault(nil)
		time.Sleep(time.Hour)
		step(3)
		for n := range 10 {
			h.wantState(relaytest.ID(n+1), "completed")
		}
	})
}

// One round with as many ids as Tatum KMS allows a chain, and 10,000 pending.
func TestLargeRound(t *testing.T) {
	ids, waiting := 25_000, 10_000
	switch {
	case testing.Short():
		ids, waiting = 1000, 20
	case os.Getenv(soakEnv) == "":
		waiting = 100
	}
	h := newHouse(t, nil)
	var watch bundle.Watch
	watch.Created = 2
	for n := range ids {
		e := bundle.WatchEntry{SignatureID: fmt.Sprintf("%08d-0000-0000-0000-000000000000", n), Coin: chain.Coin{Chain: chain.BTC, Network: chain.Testnet}, PubKey: h.signer.Coin.PubKey().SerializeCompressed()}
		if n == 0 {
			e.SignatureID = relaytest.SignatureID
		}
		watch.Entries = append(watch.Entries, e)
	}
	h.pairWith(watch)
	for n := range waiting {
		h.pay(n+1, nil)
	}
	var first, idle, last daemon.Round
	begin := time.Now()
	first = h.round()
	took := time.Since(begin)
	if first.Fetched != waiting || first.Exported != waiting || len(first.Troubles) != 0 {
		t.Fatalf("%+v", first)
	}
	begin = time.Now()
	idle = h.round()
	tookIdle := time.Since(begin)
	h.sign(nil)
	begin = time.Now()
	last = h.round()
	tookLast := time.Since(begin)
	if idle.Fetched+idle.Exported != 0 || last.Imported != waiting || last.Completed != waiting {
		t.Fatalf("%+v %+v", idle, last)
	}
	fmt.Printf("large round: %d ids, %d pending: fetched, prepared and exported in %.1f s; nothing to do in %.2f s; imported, broadcast and completed in %.1f s; %s\n",
		ids, waiting, took.Seconds(), tookIdle.Seconds(), tookLast.Seconds(), measure())
}
