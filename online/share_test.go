//go:build unix

package online_test

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"coldkms/cmd/testtools/pgtest"
	"coldkms/cmd/testtools/relaytest"
	"coldkms/cmd/testtools/tatumtest"
	"coldkms/online"
	"coldkms/online/journal"
	"coldkms/online/tatum"
	"coldkms/shared/bundle"
	"coldkms/shared/chain"
	"coldkms/shared/durable"
	"coldkms/shared/identity"
)

// roundsEnv is how many rounds the races of relays go, together; a short run
// without it.
const roundsEnv = "KMS_ROUNDS"

// arena is a Tatum, a signer and relays that share a journal.
type arena struct {
	testing.TB
	server *tatumtest.Server
	signer sync.Mutex
	even   *relaytest.Signer
	odd    *relaytest.Signer // signs validly, and otherwise
	lease  time.Duration
	opens  []online.Options // one for each relay
	next   int              // payment
	mayDie bool             // relays are killed, and the database with them
}

func newArena(t testing.TB) *arena {
	a := &arena{TB: t, server: tatumtest.New(t), even: relaytest.NewSigner(2), odd: relaytest.NewSigner(2)}
	a.odd.OtherNonce = true
	return a
}

var seed = bytes.Repeat([]byte{1}, identity.SeedSize)

// onPostgres makes relays with a database in common and a folder each.
func (a *arena) onPostgres(n int, database string) {
	a.Helper()
	var first string
	for i := range n {
		dir := filepath.Join(a.TempDir(), "relay")
		if i == 0 {
			first = filepath.Join(dir, "identity.key")
		} else {
			if _, err := online.InitShared(a.Context(), durable.OS{}, dir, database, bytes.NewReader(seed), time.Now); !errors.Is(err, journal.ErrOtherRelay) {
				a.Fatalf("a relay with an identity of its own joins: %v", err)
			}
			key, err := os.ReadFile(first)
			if err == nil {
				err = os.WriteFile(filepath.Join(dir, "identity.key"), key, 0o600)
			}
			if err != nil {
				a.Fatal(err)
			}
		}
		if _, err := online.InitShared(a.Context(), durable.OS{}, dir, database, bytes.NewReader(seed), time.Now); err != nil {
			a.Fatal(err)
		}
		a.opens = append(a.opens, online.Options{Families: relaytest.Families(), Dir: dir, Database: database, FS: durable.OS{}, Now: time.Now})
	}
	a.pair()
}

// onSQLite makes two relays in one folder, one of them past the lock that
// keeps it out in real life.
func (a *arena) onSQLite() {
	a.Helper()
	dir := filepath.Join(a.TempDir(), "relay")
	if _, err := online.Init(a.Context(), durable.OS{}, dir, bytes.NewReader(seed), time.Now); err != nil {
		a.Fatal(err)
	}
	for _, past := range []bool{false, true} {
		a.opens = append(a.opens, online.Options{Families: relaytest.Families(), Dir: dir, FS: durable.OS{}, Now: time.Now, Read: past})
	}
	a.pair()
}

func (a *arena) pair() {
	a.Helper()
	r := a.open(0)
	defer r.Close()
	if _, err := r.Pair(a.Context(), a.even.Watch(1)); err != nil {
		a.Fatal(err)
	}
}

func (a *arena) open(i int) *online.Relay {
	a.Helper()
	o := a.opens[i]
	o.Lease = a.lease
	r, err := online.Open(context.Background(), o)
	for errors.Is(err, journal.ErrAway) && a.mayDie {
		time.Sleep(20 * time.Millisecond)
		r, err = online.Open(context.Background(), o)
	}
	if err == nil {
		brief := func(ctx context.Context, _ time.Duration) error { return tatum.Sleep(ctx, 10*time.Millisecond) }
		r.Sleep = brief
		r.Tatum, err = tatum.New(tatum.Config{URL: a.server.URL, Key: tatumtest.Key, Sleep: brief})
	}
	if err != nil {
		a.Error(err)
		a.FailNow()
	}
	return r
}

// round takes payments the whole way, all relays at once at every step.
func (a *arena) round(payments int, random *rand.Rand) {
	a.Helper()
	ids := make([]string, payments)
	for i := range ids {
		a.next++
		prev := a.even.Funding(a.next)
		a.server.Chain(relaytest.Hex(prev))
		a.server.Add(a.even.Payment(a.next, prev, nil))
		ids[i] = relaytest.ID(a.next)
	}
	stick := a.TempDir()
	before := len(a.server.Sent())
	for turn := 0; !a.completed(ids); turn++ {
		if turn == 100 {
			a.Fatal("comes to no end")
		}
		dice := make([]uint64, len(a.opens))
		for i := range dice {
			dice[i] = random.Uint64()
		}
		a.together(func(i int) { a.steps(i, filepath.Join(stick, strconv.Itoa(i)), stick, dice[i]) })
		if a.Failed() {
			a.FailNow()
		}
	}
	a.judge(ids, stick, a.server.Sent()[before:])
}

// together has every relay do something at the same time.
func (a *arena) together(f func(i int)) {
	var wg sync.WaitGroup
	for i := range a.opens {
		wg.Go(func() { f(i) })
	}
	wg.Wait()
}

// steps is one relay's turn: everything that can be done, in order.
func (a *arena) steps(i int, mine, stick string, dice uint64) {
	r := a.open(i)
	var dead atomic.Bool
	end := func() error { dead.Store(true); return r.Close() }
	defer func() { _ = end() }()
	if a.mayDie && dice%3 == 0 { // its claims stay behind
		killer := time.AfterFunc(time.Duration(dice>>8%30)*time.Millisecond, func() { _ = end() })
		defer killer.Stop()
	}
	fine := func(err error) bool {
		if err != nil && !dead.Load() && !errors.Is(err, journal.ErrLeased) && !errors.Is(err, journal.ErrState) {
			a.Errorf("relay %d: %v", i, err)
		}
		return err == nil
	}
	ctx := a.Context()
	if _, err := r.Fetch(ctx, online.FetchOptions{Network: chain.Testnet}); !fine(err) {
		return
	}
	if err := os.MkdirAll(mine, 0o700); err != nil {
		a.Error(err)
		return
	}
	if _, err := r.Export(ctx, online.ExportOptions{Dir: mine}); !fine(err) {
		return
	}
	for _, result := range a.sign(stick, dice) {
		if !fine(r.Import(ctx, result, &online.Imported{})) {
			return
		}
	}
	_, err := r.Broadcast(ctx, online.BroadcastOptions{})
	fine(err)
}

// requests reads what is on all sticks.
func (a *arena) requests(stick string) []bundle.SealedRequest {
	paths, _ := filepath.Glob(filepath.Join(stick, "*", "*.kmsreq"))
	var list []bundle.SealedRequest
	for _, path := range paths {
		file, err := os.ReadFile(path)
		if err != nil {
			a.Error(err)
			continue
		}
		req, err := bundle.OpenRequest(file)
		if err != nil {
			a.Errorf("%s: %v", path, err)
			continue
		}
		list = append(list, req)
	}
	return list
}

// sign signs what is on all sticks, in one of two ways.
func (a *arena) sign(stick string, dice uint64) (results [][]byte) {
	a.signer.Lock()
	defer a.signer.Unlock()
	for n, req := range a.requests(stick) {
		s := a.even
		if dice>>(16+n%32)&1 == 1 {
			s = a.odd
		}
		s.Lines = max(a.even.Lines, a.odd.Lines)
		results = append(results, s.Sign(req, nil))
	}
	return results
}

func (a *arena) completed(ids []string) bool {
	a.Helper()
	r := a.open(0)
	defer r.Close()
	list, err := r.Status(a.Context(), chain.UnknownNetwork)
	if err != nil {
		a.Fatal(err)
	}
	done := make(map[string]bool)
	for _, s := range list {
		done[s.ID] = s.State == journal.Completed && a.server.TxID(s.ID) == s.TxID
		if s.State == journal.Failed || s.State == journal.Refused {
			a.Fatalf("%+v", s)
		}
	}
	for _, id := range ids {
		if !done[id] {
			return false
		}
	}
	return true
}

// judge wants one byte string for each id, and no work done twice.
func (a *arena) judge(ids []string, stick string, sent []string) {
	a.Helper()
	times := make(map[string]int) // by unsigned transaction
	distinct := make(map[string]map[string]bool)
	for _, text := range sent {
		raw, _ := hex.DecodeString(text)
		unsigned := unsignedOf(a, raw)
		times[unsigned]++
		if distinct[unsigned] == nil {
			distinct[unsigned] = make(map[string]bool)
		}
		distinct[unsigned][text] = true
	}
	if len(distinct) != len(ids) {
		a.Errorf("%d transactions were sent for %d ids", len(distinct), len(ids))
	}
	for unsigned, texts := range distinct {
		if len(texts) != 1 {
			a.Errorf("I1: %d byte strings left for %s", len(texts), unsigned)
		}
		if times[unsigned] != 1 && !a.mayDie {
			a.Errorf("sent %d times: %s", times[unsigned], unsigned)
		}
	}
	in := make(map[string]map[bundle.Digest]bool)
	for _, req := range a.requests(stick) {
		for _, it := range req.Items {
			if in[it.ID] == nil {
				in[it.ID] = make(map[bundle.Digest]bool)
			}
			in[it.ID][req.Digest] = true
		}
	}
	for _, id := range ids {
		if len(in[id]) != 1 {
			a.Errorf("%s is in %d requests", id, len(in[id]))
		}
	}
}

// rounds splits what is to be run among the kinds of race.
func rounds(share float64, short int) int {
	if n, err := strconv.Atoi(os.Getenv(roundsEnv)); err == nil {
		return int(float64(n)*share) + 1
	}
	return short
}

// race runs rounds in arenas of their own, so that none gets too full.
func race(t *testing.T, name string, n int, arena func(t *testing.T) *arena) {
	const each = 25
	random := rand.New(rand.NewPCG(20261123, uint64(n)))
	for done := 0; done < n && !t.Failed(); {
		t.Run(strconv.Itoa(done), func(t *testing.T) {
			a := arena(t)
			for range min(each, n-done) {
				a.round(1+random.IntN(8), random)
				done++
			}
		})
	}
	if t.Failed() {
		return
	}
	fmt.Printf("relays: %s: %d rounds: one byte string for each id, each exported and sent once\n", name, n)
}

// Relays race for the same work on PostgreSQL. None does what another does,
// and of two signatures one leaves.
func TestRelaysOnPostgres(t *testing.T) {
	s := pgtest.Start(t)
	for relays, share := range map[int]float64{2: 0.4, 10: 0.2} {
		name := fmt.Sprintf("%d on PostgreSQL", relays)
		t.Run(name, func(t *testing.T) {
			race(t, name, rounds(share, 3), func(t *testing.T) *arena {
				a := newArena(t)
				a.onPostgres(relays, s.Database(t))
				return a
			})
		})
	}
}

// The same of two on SQLite, should the lock of the folder ever fail.
func TestRelaysOnSQLite(t *testing.T) {
	race(t, "2 on SQLite", rounds(0.4, 4), func(t *testing.T) *arena {
		a := newArena(t)
		a.onSQLite()
		return a
	})
}

// Relays die in the middle of it and the database crashes and comes back:
// claims run out, others go on, and still one byte string leaves.
func TestRelaysDie(t *testing.T) {
	s := pgtest.Start(t)
	n := rounds(0.05, 2)
	a := newArena(t)
	a.lease, a.mayDie = 500*time.Millisecond, true
	a.onPostgres(4, s.Database(t))
	random := rand.New(rand.NewPCG(5, 5))
	for range n {
		var wg sync.WaitGroup
		stop := make(chan struct{})
		crash, seed := time.Duration(50+random.IntN(150))*time.Millisecond, random.Uint64()
		if s.Ours() {
			wg.Go(func() {
				select {
				case <-stop:
					return
				case <-time.After(crash):
				}
				s.End(syscall.SIGQUIT)
				if err := s.Begin(); err != nil {
					t.Error(err)
				}
			})
		}
		a.round(12, rand.New(rand.NewPCG(uint64(n), seed)))
		close(stop)
		wg.Wait()
	}
	if t.Failed() {
		return
	}
	fmt.Printf("relays: 4 on PostgreSQL, killed, the server crashing: %d rounds: one byte string for each id\n", n)
}
