package offline

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"coldkms/offline/ledger"
	"coldkms/offline/policy"
	"coldkms/shared/bundle"
	"coldkms/shared/chain"
	"coldkms/shared/identity"
)

const day = 24 * time.Hour

// machine is a signer that is started again and again, with a real ledger on
// a disk and a clock that anybody can turn. Each payment of the test family
// is of 99,800 to "a".
type machine struct {
	t     *testing.T
	disk  memory
	clock time.Time
	rules policy.Policy
}

func newMachine(t *testing.T, coin string) *machine {
	t.Helper()
	rules, err := policy.Parse(coins{}, []byte(`{"version": 1, "chains": [{"chain": "BTC", "network": "testnet", `+coin+`}]}`))
	if err != nil {
		t.Fatal(err)
	}
	m := &machine{t: t, clock: time.Unix(1_790_000_000, 0), rules: rules}
	if _, err := ledger.Create(&m.disk, ledger.OwnerOf(person(t, 2)), m.now); err != nil {
		t.Fatal(err)
	}
	return m
}

func (m *machine) now() time.Time { return m.clock }

// start is a session after a restart.
func (m *machine) start() (*Session, identity.Private) {
	m.t.Helper()
	s, relay := newSession(m.t, &memory{})
	book, err := ledger.Open(&m.disk, ledger.OwnerOf(person(m.t, 2)), m.now)
	if err != nil {
		m.t.Fatal(err)
	}
	s.Ledger, s.Policy = book, m.rules
	return s, relay
}

// sign starts, judges and signs one batch, and returns the code of each item.
func (m *machine) sign(ids ...string) []chain.Code {
	m.t.Helper()
	s, relay := m.start()
	sealed := request(m.t, s, relay, ids...)
	j, err := s.Judge(sealed.File)
	if err != nil {
		m.t.Fatal(err)
	}
	done, err := s.Sign(j, policy.Agree(sealed.Digest), "typed")
	if err != nil {
		m.t.Fatal(err)
	}
	if !bytes.Equal(done.Result.Policy, m.rules.Hash()) {
		m.t.Error("the result does not name the policy")
	}
	codes := make([]chain.Code, len(ids))
	for i, o := range done.Result.Outcomes {
		codes[i] = o.Code
	}
	return codes
}

func (m *machine) want(ids string, codes ...chain.Code) {
	m.t.Helper()
	if got := m.sign(strings.Fields(ids)...); fmt.Sprint(got) != fmt.Sprint(codes) {
		m.t.Errorf("%s: %q, want %q", ids, got, codes)
	}
}

// Limits are of the ledger: they survive a restart and any turn of the
// machine's clock, and end only when the time has passed.
func TestLimitsSurviveRestartAndClock(t *testing.T) {
	m := newMachine(t, `"limits": [{"per": "day", "sum": 200000}]`) // two payments and their fees
	m.want("a", "")
	m.want("b c", chain.LimitDay, chain.LimitDay) // together they are one too many
	m.want("b", "")
	m.want("c", chain.LimitDay)
	m.want("a", "") // again: the same bytes, not counted, not refused
	for _, turn := range []time.Duration{-50 * 365 * day, 50*365*day - time.Second, time.Hour, day - time.Hour - 1} {
		m.clock = m.clock.Add(turn)
		m.want("d", chain.LimitDay)
	}
	m.clock = time.Unix(1_790_000_000, 0).Add(day)
	m.want("d e", "", "")
	m.want("f", chain.LimitDay)
	m.clock = time.Unix(0, 0) // the battery is empty
	m.want("f", chain.LimitDay)
}

// Setting the ledger's clock back by hand frees nothing either: what lies in
// its future counts from then on.
func TestLimitsSurviveAResetOfTheLedgersClock(t *testing.T) {
	m := newMachine(t, `"limits": [{"per": "week", "count": 1}]`)
	m.clock = m.clock.Add(20 * 365 * day) // a wrong clock
	m.want("a", "")
	m.clock = time.Unix(1_790_000_000, 0)
	s, _ := m.start()
	if err := s.Ledger.Append(ledger.Line{Kind: ledger.KindClock}); err != nil {
		t.Fatal(err)
	}
	m.clock = m.clock.Add(7*day - 1)
	m.want("b", chain.LimitWeek)
	m.clock = m.clock.Add(1)
	m.want("b", "")
}

// Two requests that were reviewed side by side are counted together when they
// are signed: neither review has seen the other.
func TestReviewedSideBySideSignedTogether(t *testing.T) {
	m := newMachine(t, `"limits": [{"per": "day", "count": 1}]`)
	s, relay := m.start()
	var judged []*Judged
	for _, id := range []string{"a", "b"} {
		j, err := s.Judge(request(t, s, relay, id).File)
		if err != nil {
			t.Fatal(err)
		}
		if j.items[0].verdict.Refused() {
			t.Fatalf("%s is refused by itself", id)
		}
		judged = append(judged, j)
	}
	for i, want := range []chain.Code{"", chain.LimitDay} {
		done, err := s.Sign(judged[i], policy.Agree(judged[i].Request.Digest), "typed")
		if err != nil {
			t.Fatal(err)
		}
		if got := done.Result.Outcomes[0].Code; got != want {
			t.Errorf("request %d: %q, want %q", i, got, want)
		}
	}
}

// What was refused when it was shown is not signed, though time has passed.
func TestRefusedWhenShownStaysRefused(t *testing.T) {
	m := newMachine(t, `"limits": [{"per": "day", "count": 1}]`)
	m.want("a", "")
	s, relay := m.start()
	sealed := request(t, s, relay, "b")
	j, err := s.Judge(sealed.File)
	if err != nil {
		t.Fatal(err)
	}
	m.clock = m.clock.Add(2 * day)
	done, err := s.Sign(j, policy.Agree(sealed.Digest), "typed")
	if err != nil {
		t.Fatal(err)
	}
	if got := done.Result.Outcomes[0].Code; got != chain.LimitDay {
		t.Errorf("signed what was shown as refused: %q", got)
	}
}

// The operators that a policy asks for are counted when it is signed.
func TestQuorumIsAsked(t *testing.T) {
	m := newMachine(t, `"quorum": [{"per": "day", "above": 100000, "operators": 2}]`)
	m.want("a", "")
	m.want("b", chain.QuorumMissing)
	s, relay := m.start()
	sealed := request(t, s, relay, "b")
	j, err := s.Judge(sealed.File)
	if err != nil {
		t.Fatal(err)
	}
	for i, who := range [][]identity.Public{{{1}}, {{1}, {1}}, {{1}, {2}}} {
		done, err := s.Sign(j, policy.Agree(sealed.Digest, who...), "typed")
		if err != nil {
			t.Fatal(err)
		}
		if signed := done.Result.Outcomes[0].Signed(); signed != (i == 2) {
			t.Errorf("%d keys: signed %v", len(who), signed)
		}
	}
}

// The policy in force is the one that was set last, or nothing is.
func TestInForce(t *testing.T) {
	one := newMachine(t, `"maxFee": 1`).rules
	two := newMachine(t, `"maxFee": 2`).rules
	kept := func(p policy.Policy) []byte {
		canonical, err := p.Canonical()
		if err != nil {
			t.Fatal(err)
		}
		return canonical
	}
	flipped := kept(two)
	flipped[len(flipped)/2] ^= 1
	set := func(policies ...policy.Policy) *ledger.Ledger {
		book, err := ledger.Create(&memory{}, ledger.OwnerOf(person(t, 2)), time.Now)
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range policies {
			if err := book.Append(ledger.Line{Kind: ledger.KindPolicy, Policy: hex.EncodeToString(p.Hash())}); err != nil {
				t.Fatal(err)
			}
		}
		return book
	}
	for name, c := range map[string]struct {
		kept []byte
		book *ledger.Ledger
		want *policy.Policy
	}{
		"none was ever set":           {nil, set(), new(policy.Policy)},
		"set":                         {kept(one), set(one), &one},
		"set again":                   {kept(two), set(one, two), &two},
		"and back":                    {kept(one), set(one, two, one), &one},
		"an old wallet":               {kept(one), set(one, two), nil},
		"recorded, but not kept":      {nil, set(one), nil},
		"kept, but not recorded":      {kept(one), set(), nil},
		"unreadable":                  {flipped, set(two), nil},
		"not in its one encoding":     {append(kept(two), '\n'), set(two), nil},
		"the built-in one, unwritten": {kept(policy.Default(coins{})), set(), nil},
	} {
		p, err := InForce(coins{}, c.kept, c.book)
		switch {
		case c.want == nil && (!errors.Is(err, ErrPolicy) || len(p.Explain()) != 1):
			t.Errorf("%s: %v", name, err)
		case c.want != nil && err != nil:
			t.Errorf("%s: %v", name, err)
		case c.want != nil && !bytes.Equal(p.Hash(), c.want.Hash()):
			t.Errorf("%s: another policy is in force", name)
		}
	}
}

// A policy's hash is in every line about a batch.
func TestPolicyIsOnRecord(t *testing.T) {
	m := newMachine(t, `"maxFee": 100000`)
	m.want("a foreign", "", chain.NoKeyForInput)
	hash := hex.EncodeToString(m.rules.Hash())
	if n := strings.Count(string(m.disk.log), `"policy":"`+hash+`"`); n != 3 {
		t.Errorf("%d lines name the policy, want agreed, signed and refused", n)
	}
	s, relay := m.start()
	j, err := s.Judge(request(t, s, relay, "b").File)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.RecordReview(j); err != nil {
		t.Fatal(err)
	}
	s.Policy = policy.Default(coins{})
	if _, err := s.AgreeByDigest(j, j.Request.Digest); !errors.Is(err, ErrNotReviewed) {
		t.Errorf("a review counts under another policy: %v", err)
	}
}

// When a request was made, and whether the machine is off the network, reach
// the rules about them.
func TestCircumstancesReachThePolicy(t *testing.T) {
	m := newMachine(t, `"maxFee": 100000`)
	var err error
	m.rules, err = policy.Parse(coins{}, []byte(`{"version": 1, "chains": [{"chain": "BTC", "network": "testnet"}], "maxRequestAgeHours": 1, "requireOffline": true}`))
	if err != nil {
		t.Fatal(err)
	}
	s, relay := m.start()
	for _, c := range []struct {
		age     time.Duration
		offline bool
		want    []chain.Code
	}{
		{time.Hour, true, nil},
		{time.Hour + time.Second, true, []chain.Code{chain.RequestTooOld}},
		{0, false, []chain.Code{chain.NotOffline}},
	} {
		s.Offline = c.offline
		item := request(t, s, relay, "a").Items[0]
		sealed, err := bundle.SealRequest(bundle.Request{Signer: s.Identity.Public(), Created: m.clock.Add(-c.age).Unix(), Items: []bundle.Item{item}}, relay)
		if err != nil {
			t.Fatal(err)
		}
		j, err := s.Judge(sealed.File)
		if err != nil {
			t.Fatal(err)
		}
		var got []chain.Code
		for _, r := range j.Batch.Items[0].Refusals {
			got = append(got, r.Code)
		}
		if fmt.Sprint(got) != fmt.Sprint(c.want) {
			t.Errorf("%v old, offline %v: %v, want %v", c.age, c.offline, got, c.want)
		}
	}
}
