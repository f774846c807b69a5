//go:build unix

package wallet_test

import (
	"bytes"
	"errors"
	"sync"
	"testing"

	"coldkms/offline/hd"
	"coldkms/offline/hd/hdtest"
	"coldkms/offline/wallet"
	"coldkms/shared/chain"
)

func TestKeys(t *testing.T) {
	w := must(store().New(newPath(t), []byte("pw")))(t)
	defer w.Close()
	sample(t, w)
	account := must(hd.AccountOf([]byte(words), []byte("TREZOR"), hdtest.Coin(chain.Coin{Chain: chain.LTC, Network: chain.Mainnet})))(t)
	for _, index := range []int64{0, 5, 5, chain.MaxIndex} {
		private, public, err := account.Key(index)
		ok(t, err)
		if got := must(w.Private("passphrase", index))(t); got.Curve != hd.Secp256k1 || !bytes.Equal(got.Bytes, private) {
			t.Errorf("private key %d differs", index)
		} else {
			got.Wipe() // the caller's copy; the next round must not see it
		}
		if got := must(w.Public("passphrase", index))(t); !bytes.Equal(got, public) {
			t.Errorf("public key %d differs", index)
		}
	}
	for _, index := range []int64{chain.NoIndex, chain.MaxIndex + 1} {
		if _, err := w.Private("words", index); !errors.Is(err, hd.ErrIndex) {
			t.Errorf("index %d: %v", index, err)
		}
	}
	for id, size := range map[string]int{"key": 33, "old key": 65} {
		for _, index := range []int64{chain.NoIndex, 0, 7} { // Tatum KMS ignores it too
			if public := must(w.Public(id, index))(t); len(public) != size {
				t.Errorf("%s: public key of %d bytes", id, len(public))
			}
		}
	}
	if got := must(w.Private("key", chain.NoIndex))(t); !bytes.Equal(got.Bytes, keyOf(1)) {
		t.Error("private key differs")
	}
	if _, err := w.Private("foreign", 0); !errors.Is(err, wallet.ErrForeign) {
		t.Errorf("got %v", err)
	}
	if _, err := w.Public("nobody", 0); !errors.Is(err, wallet.ErrNoEntry) {
		t.Errorf("got %v", err)
	}
}

func TestLookup(t *testing.T) {
	w := must(store().New(newPath(t), []byte("pw")))(t)
	defer w.Close()
	sample(t, w)
	if coin, have := w.Lookup("old key"); coin != (chain.Coin{Chain: chain.BCH, Network: chain.Testnet}) || !have {
		t.Errorf("%s %v", coin, have)
	}
	if _, have := w.Lookup("nobody"); have {
		t.Error("nobody is there")
	}
	if !w.IsMnemonic("words") || w.IsMnemonic("key") || w.IsMnemonic("foreign") || w.IsMnemonic("nobody") {
		t.Error("IsMnemonic")
	}
}

// Signing uses all cores; meanwhile something may be added or closed.
func TestKeysConcurrently(t *testing.T) {
	w := must(store().New(newPath(t), []byte("pw")))(t)
	sample(t, w)
	want := must(w.Public("words", 1))(t)
	var wg sync.WaitGroup
	for i := range 4 {
		wg.Go(func() {
			for n := range int64(20) {
				if got, err := w.Public("words", n); err == nil && n == 1 && !bytes.Equal(got, want) {
					t.Errorf("%x", got)
				}
				if _, err := w.Private("key", chain.NoIndex); err != nil && !errors.Is(err, wallet.ErrNoEntry) && !errors.Is(err, wallet.ErrClosed) {
					t.Error(err)
				}
				w.Lookup("words")
			}
			if i == 0 {
				w.Close()
			}
		})
	}
	wg.Wait()
}
