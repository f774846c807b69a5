package offline

import (
	"fmt"
	"testing"
	"time"

	"github.com/btcsuite/btcd/btcec/v2"

	"coldkms/offline/hd/hdtest"
	"coldkms/offline/sign"
	"coldkms/offline/wallet"
	"coldkms/shared/chain"
)

func keyEntry(t testing.TB, id string, c chain.ID, n chain.Network, secret byte, compressed bool) wallet.Entry {
	t.Helper()
	key := make([]byte, 32)
	key[31] = secret
	e, err := wallet.FromKey(id, hdtest.Coin(chain.Coin{Chain: c, Network: n}), key, compressed, time.Unix(0, 0))
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func wordsEntry(t testing.TB, id string, c chain.ID, n chain.Network) wallet.Entry {
	t.Helper()
	e, err := wallet.FromMnemonic(id, hdtest.Coin(chain.Coin{Chain: c, Network: n}), []byte("zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo wrong"), nil, time.Unix(0, 0))
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// Pairs of one secret are told where a signature is valid for both and mainnet
// is among them.
func TestSharedBy(t *testing.T) {
	btc := keyEntry(t, "btc", chain.BTC, chain.Mainnet, 1, true)
	for name, c := range map[string]struct {
		have, added wallet.Entry
		shared      bool
	}{
		"mainnet, testnet":      {btc, keyEntry(t, "new", chain.DOGE, chain.Testnet, 1, true), true},
		"testnet, mainnet":      {keyEntry(t, "old", chain.DOGE, chain.Testnet, 1, true), keyEntry(t, "new", chain.BTC, chain.Mainnet, 1, true), true},
		"another encoding":      {btc, keyEntry(t, "new", chain.LTC, chain.Mainnet, 1, false), true},
		"one coin":              {btc, keyEntry(t, "new", chain.BTC, chain.Testnet, 1, true), true},
		"the same coin":         {btc, keyEntry(t, "new", chain.BTC, chain.Mainnet, 1, true), false},
		"another secret":        {btc, keyEntry(t, "new", chain.LTC, chain.Mainnet, 2, true), false},
		"Bitcoin Cash":          {btc, keyEntry(t, "new", chain.BCH, chain.Mainnet, 1, true), false},
		"two testnets":          {keyEntry(t, "old", chain.BTC, chain.Testnet, 1, true), keyEntry(t, "new", chain.LTC, chain.Testnet, 1, true), false},
		"words of two testnets": {wordsEntry(t, "old", chain.BTC, chain.Testnet), wordsEntry(t, "new", chain.LTC, chain.Testnet), false},
		"words, other paths":    {wordsEntry(t, "old", chain.BTC, chain.Mainnet), wordsEntry(t, "new", chain.LTC, chain.Mainnet), false},
		"words of Bitcoin Cash": {wordsEntry(t, "old", chain.BCH, chain.Mainnet), wordsEntry(t, "new", chain.BCH, chain.Testnet), true},
	} {
		list := SharedBy(sign.Families{family{}}, []wallet.Entry{c.have, c.added}, []wallet.Entry{c.added})
		if shared := len(list) == 1 && list[0].Added.ID == "new" && list[0].Other.ID == c.have.ID; shared != c.shared || !shared && len(list) > 0 {
			t.Errorf("%s: %v", name, list)
		}
	}
	if both := SharedBy(sign.Families{family{}}, []wallet.Entry{btc, keyEntry(t, "ltc", chain.LTC, chain.Mainnet, 1, true)}, []wallet.Entry{btc, keyEntry(t, "ltc", chain.LTC, chain.Mainnet, 1, true)}); len(both) != 1 {
		t.Errorf("two that are imported together: %v", both)
	}
}

// faulty is a wallet that panics when it is listed for the first time.
type faulty struct {
	sign.Keys
	listed bool
}

func (f *faulty) Entries() []wallet.Entry {
	if !f.listed {
		f.listed = true
		panic("a fault")
	}
	return nil
}

// After a fault in making the index no item passes as one that shares nothing.
func TestSharingAfterAFault(t *testing.T) {
	s := &Session{Keys: &faulty{}}
	for n := range 2 {
		var err error
		func() {
			defer contain(&err)
			s.shared(chain.Facts{})
		}()
		if chain.CodeOf(err) != chain.InternalFailure || err == nil {
			t.Errorf("item %d passes: %v", n, err)
		}
	}
}

// The index of a large wallet is made once for each session.
func BenchmarkHolders(b *testing.B) {
	entries := make([]wallet.Entry, 25_000)
	for i := range entries {
		private, public := btcec.PrivKeyFromBytes([]byte(fmt.Sprintf("secret %025d", i)))
		entries[i] = wallet.Entry{ID: fmt.Sprint(i), Coin: chain.Coin{Chain: []chain.ID{chain.BTC, chain.LTC}[i%2], Network: chain.Mainnet}, Kind: wallet.PrivateKey,
			Key: private.Serialize(), Compressed: true, Public: public.SerializeCompressed()}
	}
	for b.Loop() {
		if len(holdersOf(entries, firstIndices)) != len(entries) {
			b.Fatal("keys are missing")
		}
	}
}
