package daemon_test

import (
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"coldkms/cmd/testtools/tatumtest"
	"coldkms/online/tatum"
	"coldkms/shared/bundle"
)

// schedulesEnv is how many schedules TestSchedules runs; a short run without.
const schedulesEnv = "KMS_SCHEDULES"

// perHouse is how many schedules share a relay, one after the other.
const perHouse = 25

// storm is a Tatum, a network and a stick that misbehave by a seed, and books
// of what they saw.
type storm struct {
	*house
	mu      sync.Mutex
	random  *rand.Rand
	rate    float64
	billed  []bill
	deck    []int          // the kinds of faults that come next
	counts  map[string]int // faults by kind
	foreign int            // calls that went where the key must not go
	tries   int            // to broadcast
	ids     []string       // of all payments so far
	lost    int            // payments that went in a reorganisation

	height, highest int64 // of the chain, now and ever
}

type bill struct {
	at      time.Time
	credits int64
}

var hour400 = tatum.Budget{Credits: 400, Per: time.Hour}

// price is what Tatum bills, by its own price list and not by the client's.
func price(r *http.Request) int64 {
	path := r.Method + " " + r.URL.Path
	for _, p := range []struct {
		prefix  string
		credits int64
	}{
		{"POST /v3/kms/pending/", 1}, {"GET /v3/kms/", 1}, {"PUT /v3/kms/", 2}, {"DELETE /v3/kms/", 2}, {"POST /v3/bitcoin/broadcast", 2},
		{"POST /v3/offchain/withdrawal/broadcast", 2}, {"PUT /v3/offchain/", 2}, {"GET /v3/bitcoin/transaction/", 1}, {"GET /v3/bitcoin/utxo/", 1},
		{"POST /v3/blockchain/node/", 2}, {"GET /v3/bitcoin/info", 1}, {"POST /v3/tatum/kms/batch", 1}, {"GET /v3/offchain/withdrawal", 1},
	} {
		if strings.HasPrefix(path, p.prefix) {
			return p.credits
		}
	}
	return 1000 // a call that nobody expects
}

// RoundTrip implements http.RoundTripper.
func (s *storm) RoundTrip(r *http.Request) (*http.Response, error) {
	next := tatumtest.Transport(s.server)
	s.mu.Lock()
	s.billed = append(s.billed, bill{time.Now(), price(r)})
	if r.URL.Host != "127.0.0.1:1" {
		s.foreign++
	}
	if strings.HasSuffix(r.URL.Path, "/broadcast") {
		s.tries++
	}
	kind := -1
	if s.random.Float64() < s.rate {
		kind = s.draw()
		if strings.HasSuffix(r.URL.Path, "/broadcast") && s.random.IntN(2) == 0 {
			kind = 16 // few calls are broadcasts
		}
		s.counts[strconv.Itoa(kind)]++
	}
	wait := time.Duration(s.random.IntN(40)) * time.Second
	s.mu.Unlock()
	reply := func(status int, text string, header ...string) (*http.Response, error) {
		h := make(http.Header)
		for i := 0; i+1 < len(header); i += 2 {
			h.Set(header[i], header[i+1])
		}
		return &http.Response{StatusCode: status, Header: h, Body: io.NopCloser(strings.NewReader(text)), Request: r}, nil
	}
	switch kind {
	case 0:
		return reply(429, "")
	case 1:
		return reply(429, `{"message":"slow down"}`, "Retry-After", strconv.Itoa(int(wait/time.Second)))
	case 2:
		return reply(500, `{"errorCode":"server","message":"`+tatumtest.Key+`"}`)
	case 3:
		return reply(502, "<html>"+tatumtest.Key+"</html>")
	case 4:
		return reply(200, "<html>")
	case 5: // hangs
		<-r.Context().Done()
		return nil, r.Context().Err()
	case 6: // does its work, and hangs
		_, _ = next.RoundTrip(r)
		<-r.Context().Done()
		return nil, r.Context().Err()
	case 7, 8: // does its work, and the reply is lost
		_, _ = next.RoundTrip(r)
		return nil, io.ErrUnexpectedEOF
	case 9: // half a body
		resp, err := next.RoundTrip(r)
		if err == nil {
			resp.Body = io.NopCloser(io.MultiReader(io.LimitReader(resp.Body, 9), broken{}))
		}
		return resp, err
	case 10:
		return nil, syscall.ECONNREFUSED
	case 11:
		return reply(307, "", "Location", "https://evil.example/?"+tatumtest.Key)
	case 12:
		if wait > 30*time.Second {
			return reply(403, `{"errorCode":"kms.locked","message":"try again"}`)
		}
		time.Sleep(wait) // slow
	case 13, 14: // an index that lags: what is there is not found
		if strings.HasPrefix(r.Method+" "+r.URL.Path, "GET /v3/bitcoin/transaction/") {
			return reply(404, `{"errorCode":"tx.not.found","message":"not found"}`)
		}
	case 15: // a page of some proxy, in the place of any answer
		return reply(404, "<html>404 Not Found</html>")
	case 16: // it is known already, whether it is or not
		if strings.HasSuffix(r.URL.Path, "/broadcast") {
			if wait > 20*time.Second {
				_, _ = next.RoundTrip(r)
			}
			return reply(403, `{"errorCode":"bitcoin.broadcast.failed","message":"txn-already-known"}`)
		}
	case 17:
		s.shake()
	}
	return next.RoundTrip(r)
}

// faultKinds is how many kinds of faults RoundTrip knows.
const faultKinds = 18

type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

// draw returns the next kind of fault: every kind once in a random order, then
// again, so that a short run has each. It is called with mu held.
func (s *storm) draw() int {
	if len(s.deck) == 0 {
		s.deck = s.random.Perm(faultKinds)
	}
	kind := s.deck[0]
	s.deck = s.deck[1:]
	return kind
}

// newStorm makes a house whose Tatum misbehaves.
func newStorm(t *testing.T, seed uint64) *storm {
	s := &storm{random: rand.New(rand.NewPCG(seed, 7)), counts: make(map[string]int)}
	s.house = inBubble(t, tatum.Limits{Budgets: []tatum.Budget{hour400}})
	pace := tatum.NewPace(tatum.Limits{Budgets: []tatum.Budget{hour400}}, time.Now, s.float)
	c, err := tatum.New(tatum.Config{URL: "http://127.0.0.1:1", Key: tatumtest.Key, Transport: s, Pace: pace, Jitter: s.float})
	if err != nil {
		t.Fatal(err)
	}
	s.d.Keys[0].Client, s.d.Keys[0].Pace = c, pace
	s.d.WatchEvery = time.Minute
	return s
}

func (s *storm) float() float64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.random.Float64()
}

func (s *storm) n(n int) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.random.IntN(n)
}

// schedule takes some payments all the way: through a storm, and then calm.
func (s *storm) schedule(t *testing.T, first int) (payments int) {
	s.mu.Lock()
	s.rate = s.random.Float64() * 0.6
	s.mu.Unlock()
	payments = 1 + s.n(3)
	ids := make([]string, payments)
	for i := range ids {
		ids[i] = s.pay(first+i, func(p map[string]any) {
			if s.n(4) == 0 {
				p["withdrawalId"] = fmt.Sprintf("w-%d", first+i)
			}
		})
	}
	s.ids = append(s.ids, ids...)
	acknowledged := make(map[string]string)
	for turn := 0; ; turn++ {
		if turn == 8+s.n(8) || turn >= 16 {
			s.mu.Lock()
			s.rate = 0
			s.mu.Unlock()
		}
		s.server.Reply([]string{"", "", "failed", "incomplete"}[s.n(4)])
		r, err := s.d.Once(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, text := range r.Troubles {
			if strings.Contains(text, tatumtest.Key) {
				t.Fatalf("the API key is in %q", text)
			}
		}
		s.noneDead(t)
		if s.settled(t, ids, acknowledged) {
			return payments
		}
		if turn == 400 {
			t.Fatalf("does not come to an end: %+v %+v\n%s", s.known(ids[0]), r, s.logs.String()[max(0, s.logs.Len()-4000):])
		}
		time.Sleep(s.d.Period)
		if s.n(3) == 0 {
			s.signSome(t)
		}
	}
}

// signSome stands for the person: some requests are answered, perhaps torn,
// twice, or with another nonce.
func (s *storm) signSome(t *testing.T) {
	for _, path := range s.on("*.kmsreq") {
		req, err := bundle.OpenRequest(s.read(path))
		if err != nil {
			t.Fatalf("%s is on the stick and not whole: %v", path, err)
		}
		s.signer.OtherNonce = s.n(4) == 0
		result := s.signer.Sign(req, nil)
		if s.n(4) == 0 {
			s.write(fmt.Sprintf("torn-%d.kmsres", s.n(1000)), result[:s.n(len(result))])
		}
		s.write(fmt.Sprintf("%.8s-%d.kmsres", req.Digest, s.n(1000)), result)
	}
}

// settled looks at every item: what was acknowledged is never forgotten, and
// nothing is falsely done.
func (s *storm) settled(t *testing.T, ids []string, acknowledged map[string]string) bool {
	done := 0
	for _, id := range ids {
		st := s.known(id)
		if st == nil {
			continue
		}
		if was := acknowledged[id]; was != "" && was != st.TxID {
			t.Fatalf("%s was %s and is %q", id, was, st.TxID)
		}
		acknowledged[id] = st.TxID
		switch st.State {
		case "completed":
			if s.server.TxID(id) != st.TxID {
				t.Fatalf("%s is falsely done: %q", id, s.server.TxID(id))
			}
			done++
		case "failed", "refused":
			t.Fatalf("I9: the chain has it or gets it, and %s needs a person: %+v", id, st)
		}
	}
	return done == len(ids)
}

// Whatever happens on the way, by a seed, each payment is sent as one byte
// string and completed; the budget holds in every hour; the key goes nowhere.
func TestSchedules(t *testing.T) {
	total, seed := 50, uint64(20261123)
	if testing.Short() {
		total = 12
	}
	if n, err := strconv.Atoi(os.Getenv(schedulesEnv)); err == nil {
		total = n
	}
	var mu sync.Mutex
	var schedules, payments, calls, resent, refused, lost int
	kinds := make(map[string]int)
	t.Run("storms", func(t *testing.T) {
		for at := 0; at < total; at += perHouse {
			t.Run(strconv.Itoa(at), func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					s := newStorm(t, seed+uint64(at))
					n := 1
					for range min(perHouse, total-at) {
						n += s.schedule(t, n)
					}
					s.confirm(t)
					s.audit(t, n-1)
					mu.Lock()
					defer mu.Unlock()
					schedules, payments, calls, resent = schedules+min(perHouse, total-at), payments+n-1, calls+len(s.billed), resent+s.tries-(n-1)
					refused += int(s.d.Keys[0].Pace.Usage().Calls["budget"])
					lost += s.lost
					for k, v := range s.counts {
						kinds[k] += v
					}
				})
			})
		}
	})
	if t.Failed() {
		return
	}
	if len(kinds) != faultKinds || resent == 0 || refused == 0 || lost == 0 {
		t.Errorf("not every fault happened: %v, %d sent again, %d over budget, %d lost", kinds, resent, refused, lost)
	}
	fmt.Printf("schedules: %d, %d payments, %d calls, %d faults, %d times the budget said no, %d times the same bytes were tried again, %d payments were lost after they were in a block: one byte string each, all completed and confirmed, none called dead, never above the budget\n",
		schedules, payments, calls, sum(kinds), refused, resent, lost)
}

func sum(m map[string]int) (n int) {
	for _, v := range m {
		n += v
	}
	return n
}

// audit looks at the books.
func (s *storm) audit(t *testing.T, payments int) {
	byInput := make(map[string]map[string]bool)
	for _, raw := range s.server.Sent() {
		const input = 36 * 2 // after version, marker and count: the outpoint
		at := raw[14 : 14+input]
		if byInput[at] == nil {
			byInput[at] = make(map[string]bool)
		}
		byInput[at][raw] = true
	}
	if len(byInput) != payments {
		t.Errorf("%d payments, %d of them sent", payments, len(byInput))
	}
	for at, distinct := range byInput {
		if len(distinct) != 1 {
			t.Errorf("%d byte strings were sent that spend %s", len(distinct), at)
		}
	}
	if s.foreign > 0 {
		t.Errorf("%d calls went elsewhere", s.foreign)
	}
	first, sum := 0, int64(0)
	for i, b := range s.billed {
		for sum += b.credits; s.billed[i].at.Sub(s.billed[first].at) >= hour400.Per; first++ {
			sum -= s.billed[first].credits
		}
		if sum > hour400.Credits {
			t.Errorf("%d credits in the hour before %s", sum, b.at)
			break
		}
	}
}
