//go:build unix

package wallet_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"testing"

	"coldkms/offline/hd"
	"coldkms/offline/hd/hdtest"
	"coldkms/offline/wallet"
	"coldkms/shared/chain"
)

func TestNewKeys(t *testing.T) {
	path := newPath(t)
	w := must(store().New(path, []byte("pw")))(t)
	defer w.Close()
	var told []int
	entries := must(w.NewKeys(chain.Coin{Chain: chain.DOGE, Network: chain.Testnet}, 1201, when(), func(n int) { told = append(told, n) }))(t)
	if len(entries) != 1201 || fmt.Sprint(told) != "[500 1000 1201]" {
		t.Fatalf("%d entries, told %v", len(entries), told)
	}
	ok(t, w.Save())
	again := must(store().Open(path, []byte("pw")))(t)
	defer again.Close()
	seen := map[string]bool{}
	for _, e := range entries {
		kept, there := again.Entry(e.ID)
		if !there || !kept.SameSecret(e) || kept.Chain != chain.DOGE || kept.Network != chain.Testnet || kept.Kind != wallet.PrivateKey || !kept.Compressed {
			t.Fatalf("%s is %s on %s %s", e.ID, kept.Kind, kept.Chain, kept.Network)
		}
		public := must(again.Public(e.ID, chain.NoIndex))(t)
		if want := must(hd.Public(e.Key, true))(t); !bytes.Equal(public, want) || !bytes.Equal(kept.Public, want) {
			t.Fatalf("%s has another public key", e.ID)
		}
		if seen[string(e.Key)] {
			t.Fatalf("%s has a key for the second time", e.ID)
		}
		seen[string(e.Key)] = true
	}
}

func TestNewKeysBounds(t *testing.T) {
	w := must(store().New(newPath(t), []byte("pw")))(t)
	defer w.Close()
	for _, count := range []int{-1, 0, wallet.MaxBatch + 1} {
		if _, err := w.NewKeys(chain.Coin{Chain: chain.BTC, Network: chain.Mainnet}, count, when(), nil); err == nil || w.Len() > 0 {
			t.Errorf("%d keys: %v", count, err)
		}
	}
	if _, err := w.NewKeys(chain.Coin{Chain: "SOL", Network: chain.Mainnet}, 1, when(), nil); err == nil || w.Len() > 0 {
		t.Errorf("SOL: %v", err)
	}
}

// counter is randomness that starts over each time it is made, as that of a
// machine that is restored from a snapshot.
type counter struct {
	n     uint64
	limit uint64
}

func (c *counter) Read(b []byte) (int, error) {
	if c.n == c.limit {
		return 0, io.ErrUnexpectedEOF
	}
	c.n++
	sum := sha256.Sum256(binary.BigEndian.AppendUint64(nil, c.n))
	return copy(b, sum[:]), nil
}

func TestNewKeysFromASnapshot(t *testing.T) {
	path, s := newPath(t), store()
	random := &counter{limit: 1 << 20}
	s.Rand = random
	w := must(s.New(path, []byte("pw")))(t)
	snapshot := *random
	must(w.NewKeys(chain.Coin{Chain: chain.BTC, Network: chain.Mainnet}, 10, when(), nil))(t)
	ok(t, w.Save())
	w.Close()

	s.Rand = &snapshot
	w = must(s.Open(path, []byte("pw")))(t)
	defer w.Close()
	if _, err := w.NewKeys(chain.Coin{Chain: chain.BTC, Network: chain.Mainnet}, 10, when(), nil); !errors.Is(err, hd.ErrEntropy) || w.Len() != 10 {
		t.Errorf("the same keys again: %v, %d entries", err, w.Len())
	}
}

// looped returns the same 1,000 blocks over and over.
type looped struct{ n uint64 }

func (l *looped) Read(b []byte) (int, error) {
	sum := sha256.Sum256(binary.BigEndian.AppendUint64(nil, l.n%1001))
	l.n++
	return copy(b, sum[:]), nil
}

func TestNewKeysFromALoop(t *testing.T) {
	s := store()
	s.Rand = &looped{}
	w := must(s.New(newPath(t), []byte("pw")))(t)
	defer w.Close()
	if _, err := w.NewKeys(chain.Coin{Chain: chain.BTC, Network: chain.Mainnet}, 2000, when(), nil); !errors.Is(err, hd.ErrEntropy) || w.Len() > 0 {
		t.Errorf("%v, %d entries", err, w.Len())
	}
}

func TestNewKeysFailClosed(t *testing.T) {
	s := store()
	s.Rand = &counter{limit: 700}
	w := must(s.New(newPath(t), []byte("pw")))(t)
	defer w.Close()
	if _, err := w.NewKeys(chain.Coin{Chain: chain.BTC, Network: chain.Mainnet}, 600, when(), nil); !errors.Is(err, io.ErrUnexpectedEOF) || w.Len() > 0 {
		t.Errorf("%v, %d entries", err, w.Len())
	}
}

func TestCostOf(t *testing.T) {
	path := newPath(t)
	s := store()
	must(s.Create(path, []byte("pw")))(t).Close()
	if cost := must(s.CostOf(path))(t); cost != s.Cost {
		t.Errorf("%+v, want %+v", cost, s.Cost)
	}
	if _, err := s.CostOf(path + "none"); err == nil {
		t.Error("a missing file has a cost")
	}
}

// 25,000 new keys and their one durable write. The password's derivation is
// cheap here: what is measured is what comes beyond it.
func BenchmarkNewKeys25000(b *testing.B) {
	for b.Loop() {
		w := must(store().New(newPath(b), []byte("pw")))(b)
		must(w.NewKeys(chain.Coin{Chain: chain.BTC, Network: chain.Mainnet}, wallet.MaxBatch, when(), nil))(b)
		ok(b, w.Save())
		w.Close()
	}
	b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N*wallet.MaxBatch), "µs/key")
}

// The same as Tatum KMS does it: a mnemonic a key, of which child 1 is kept.
func BenchmarkNewKeyByMnemonic(b *testing.B) {
	source := hd.NewSource(&counter{limit: 1 << 60})
	for b.Loop() {
		words := must(hd.NewMnemonic(source, hd.Words))(b)
		account := must(hd.AccountOf(words, nil, hdtest.Coin(chain.Coin{Chain: chain.BTC, Network: chain.Mainnet})))(b)
		if _, _, err := account.Key(1); err != nil {
			b.Fatal(err)
		}
	}
}
