package offline

import (
	"bytes"
	"errors"
	"testing"

	"coldkms/offline/policy"
	"coldkms/offline/sign"
	"coldkms/shared/bundle"
	"coldkms/shared/chain"
	"coldkms/shared/identity"
)

func seeded(t *testing.T, n byte) identity.Private {
	t.Helper()
	k, err := identity.FromSeed(bytes.Repeat([]byte{n}, identity.SeedSize))
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// Only a paired relay asks, only this signer, and only one that has seen this
// ledger or none.
func TestWhoMayAsk(t *testing.T) {
	s, relay := newSession(t, &memory{})
	item := bundle.Item{ID: "good", Family: "test", Coin: chain.Coin{Chain: chain.BTC, Network: chain.Testnet}, Tx: []byte{}, Context: []byte{}, Keys: []chain.Key{}}
	for name, c := range map[string]struct {
		relay  identity.Private
		signer identity.Public
		head   []byte
		want   error
	}{
		"the relay":              {relay, s.Identity.Public(), nil, nil},
		"it has seen a line":     {relay, s.Identity.Public(), s.Ledger.HeadBytes(), nil},
		"another relay":          {seeded(t, 9), s.Identity.Public(), nil, ErrOtherRelay},
		"another signer":         {relay, seeded(t, 9).Public(), nil, ErrOtherSigner},
		"a line that is no more": {relay, s.Identity.Public(), bytes.Repeat([]byte{1}, 32), ErrRolledBack},
	} {
		sealed, err := bundle.SealRequest(bundle.Request{Signer: c.signer, LedgerHead: c.head, Items: []bundle.Item{item}}, c.relay)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.Judge(sealed.File); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
}

// A session of one network refuses items of the other.
func TestSessionOfOneNetwork(t *testing.T) {
	s, relay := newSession(t, &memory{})
	s.Only = chain.Mainnet
	j, err := s.Judge(request(t, s, relay, "good").File)
	if err != nil {
		t.Fatal(err)
	}
	if r := j.Batch.Items[0].Refusals; len(r) != 1 || r[0].Code != chain.WrongNetwork {
		t.Errorf("refusals %v", r)
	}
}

// Two items that spend one outpoint are both refused.
func TestConflictsOfABatch(t *testing.T) {
	s, relay := newSession(t, &memory{})
	s.Signers[0] = one{}
	j, err := s.Judge(request(t, s, relay, "good", "other").File)
	if err != nil {
		t.Fatal(err)
	}
	for _, it := range j.Batch.Items {
		if len(it.Refusals) != 1 || it.Refusals[0].Code != chain.BatchConflict {
			t.Errorf("%s: refusals %v", it.ID, it.Refusals)
		}
	}
}

// one is a family whose transactions all spend one outpoint.
type one struct{ family }

func (o one) Open([][]byte) (sign.Opened, error) { return o, nil }

func (one) Prepare(item bundle.Item, _ sign.Keys) (sign.Job, error) {
	return spender(item.ID), nil
}

type spender string

func (s spender) Subject() policy.Subject {
	subject := job(s).Subject()
	subject.Facts.Exclusive = []string{"one:0"}
	return subject
}

func (s spender) Sign(a policy.Approval) (sign.Signed, error) { return job(s).Sign(a) }
