package offline

import (
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"testing"
	"time"

	"coldkms/offline/hd"
	"coldkms/offline/ledger"
	"coldkms/offline/policy"
	"coldkms/offline/sign"
	signutxo "coldkms/offline/sign/utxo"
	"coldkms/shared/bundle"
	"coldkms/shared/chain"
	"coldkms/shared/chain/chaintest"
	"coldkms/shared/chain/utxo"
	"coldkms/shared/identity"
)

// memory is a ledger's storage that can fail.
type memory struct {
	log, mark []byte
	fail      error
	after     int // writes, of lines or of the mark, before it fails
}

func (m *memory) fails() error {
	if m.fail != nil && m.after > 0 {
		m.after--
		return nil
	}
	return m.fail
}

func (m *memory) Load() ([]byte, error) { return bytes.Clone(m.log), nil }
func (m *memory) Append(b []byte) error {
	if err := m.fails(); err != nil {
		return err
	}
	m.log = append(m.log, b...)
	return nil
}
func (m *memory) Truncate(n int64) error    { m.log = m.log[:n]; return nil }
func (m *memory) LoadMark() ([]byte, error) { return m.mark, nil }
func (m *memory) StoreMark(b []byte) error  { m.mark = bytes.Clone(b); return m.fails() }

// coins are those of the UTXO family.
type coins struct{}

func (coins) Coins() []chain.Coin { return utxo.Coins() }

func (coins) Coin(c chain.Coin) (policy.Coin, bool) {
	p, err := utxo.ParamsOf(c)
	return p, err == nil
}

func (coins) Derivation(c chain.Coin) (hd.Coin, bool) { return signutxo.Signer{}.Derivation(c) }

func (coins) Interchangeable(a, b chain.Coin) bool {
	return signutxo.Signer{}.Interchangeable(a, b)
}

// family signs whatever it is asked, or does what the item's id says.
type family struct{ coins }

func (family) Family() string { return "test" }

func (family) Count(bundle.Item) (sources, movements int) { return 0, 0 }

func (f family) Open([][]byte) (sign.Opened, error) { return f, nil }

func (family) Prepare(item bundle.Item, _ sign.Keys) (sign.Job, error) {
	if item.ID == "panics" {
		panic("hostile bytes")
	}
	return job(item.ID), nil
}

type job string

func (j job) Subject() policy.Subject {
	return policy.Subject{ID: string(j), Content: [32]byte{j[0]}, Facts: chaintest.Complete(chain.Facts{
		Coin: chain.Coin{Chain: chain.BTC, Network: chain.Testnet}, Fee: chain.NewAmount(200), Size: 140,
		Sources:   []chain.Source{{ID: string(j) + ":0", Amount: chain.NewAmount(100_000), Proven: true, Own: j != "foreign"}},
		Movements: []chain.Movement{{Address: "a", Kind: "P2WPKH", Amount: chain.NewAmount(99_800)}},
	})}
}

func (j job) Sign(a policy.Approval) (sign.Signed, error) {
	if j == "panics-late" {
		panic("hostile bytes")
	}
	if !a.Covers([32]byte{j[0]}) {
		return sign.Signed{}, errors.New("no approval")
	}
	return sign.Signed{Signatures: [][]byte{{1}}, TxID: "tx-" + string(j), Raw: []byte{1}}, nil
}

func newSession(t *testing.T, m *memory) (*Session, identity.Private) {
	t.Helper()
	own, err := identity.FromSeed(bytes.Repeat([]byte{2}, identity.SeedSize))
	if err != nil {
		t.Fatal(err)
	}
	relay, err := identity.FromSeed(bytes.Repeat([]byte{1}, identity.SeedSize))
	if err != nil {
		t.Fatal(err)
	}
	book, err := ledger.Create(m, ledger.OwnerOf(own), func() time.Time { return time.Unix(1_790_000_000, 0) })
	if err != nil {
		t.Fatal(err)
	}
	return &Session{Identity: own, Paired: func(p identity.Public) bool { return p == relay.Public() }, Ledger: book, Random: rand.Reader,
		Policy: policy.Default(coins{}), Signers: []sign.Signer{family{}}}, relay
}

func request(t *testing.T, s *Session, relay identity.Private, ids ...string) bundle.SealedRequest {
	t.Helper()
	r := bundle.Request{Signer: s.Identity.Public()}
	for _, id := range ids {
		r.Items = append(r.Items, bundle.Item{ID: id, Family: "test", Coin: chain.Coin{Chain: chain.BTC, Network: chain.Testnet}, Tx: []byte{}, Context: []byte{}, Keys: []chain.Key{}})
	}
	sealed, err := bundle.SealRequest(r, relay)
	if err != nil {
		t.Fatal(err)
	}
	return sealed
}

// A panic over one item is that item's refusal; the others are signed.
func TestOnePanicStopsNoOther(t *testing.T) {
	s, relay := newSession(t, &memory{})
	sealed := request(t, s, relay, "good", "panics", "panics-late", "foreign")
	j, err := s.Judge(sealed.File)
	if err != nil {
		t.Fatal(err)
	}
	done, err := s.Sign(j, policy.Agree(sealed.Digest), "typed")
	if err != nil {
		t.Fatal(err)
	}
	want := []chain.Code{"", chain.InternalFailure, chain.InternalFailure, chain.NoKeyForInput}
	for i, o := range done.Result.Outcomes {
		if o.Code != want[i] || o.Signed() != (want[i] == "") {
			t.Errorf("%s: code %q, want %q", o.ID, o.Code, want[i])
		}
	}
}

// A ledger that does not take the line lets nothing out.
func TestNothingLeavesWithoutTheLedger(t *testing.T) {
	for after := range 4 { // the line of the consent and its mark, then the item's
		m := &memory{}
		s, relay := newSession(t, m)
		sealed := request(t, s, relay, "good")
		j, err := s.Judge(sealed.File)
		if err != nil {
			t.Fatal(err)
		}
		m.fail, m.after = errors.New("disk full"), after
		done, err := s.Sign(j, policy.Agree(sealed.Digest), "typed")
		if err == nil || done.Result.File != nil || len(done.Outcomes) > 0 {
			t.Errorf("signatures came out of a session whose ledger failed after %d writes: %v", after, err)
		}
	}
}

// Without a consent, or with one for another batch, everything is refused.
func TestConsentIsForOneBatch(t *testing.T) {
	s, relay := newSession(t, &memory{})
	sealed, other := request(t, s, relay, "good"), request(t, s, relay, "other")
	j, err := s.Judge(sealed.File)
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]policy.Consent{"none": {}, "other": policy.Agree(other.Digest)} {
		done, err := s.Sign(j, c, "typed")
		if err != nil {
			t.Fatal(err)
		}
		if signed, _ := done.Count(); signed != 0 {
			t.Errorf("consent %s: signed", name)
		}
	}
	if _, err := s.AgreeByDigest(j, sealed.Digest); !errors.Is(err, ErrNotReviewed) {
		t.Errorf("approved by digest without a review: %v", err)
	}
	if err := s.RecordReview(j); err != nil {
		t.Fatal(err)
	}
	if _, err := s.AgreeByDigest(j, other.Digest); !errors.Is(err, ErrNotReviewed) {
		t.Errorf("approved by another batch's digest: %v", err)
	}
	if _, err := s.AgreeByDigest(j, sealed.Digest); err != nil {
		t.Error(err)
	}
}

// The order of the outcomes is the request's, on any number of cores.
func TestOrderIsTheRequests(t *testing.T) {
	s, relay := newSession(t, &memory{})
	var ids []string
	for i := range 200 {
		ids = append(ids, fmt.Sprintf("item%d", i))
	}
	sealed := request(t, s, relay, ids...)
	j, err := s.Judge(sealed.File)
	if err != nil {
		t.Fatal(err)
	}
	done, err := s.Sign(j, policy.Agree(sealed.Digest), "typed")
	if err != nil {
		t.Fatal(err)
	}
	for i, o := range done.Result.Outcomes {
		if o.ID != ids[i] {
			t.Fatalf("outcome %d is of %s, want %s", i, o.ID, ids[i])
		}
	}
}
