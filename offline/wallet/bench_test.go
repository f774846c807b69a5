//go:build unix

package wallet_test

import (
	"fmt"
	"os"
	"sync/atomic"
	"testing"

	"coldkms/offline/hd/hdtest"
	"coldkms/offline/wallet"
	"coldkms/shared/chain"
)

// bigWallet has 25,000 entries, which is as many as Tatum KMS lists per chain.
func bigWallet(b *testing.B, mnemonics bool) string {
	b.Helper()
	path := newPath(b)
	w := must(store().New(path, []byte("pw")))(b)
	defer w.Close()
	one := must(wallet.FromMnemonic("x", hdtest.Coin(chain.Coin{Chain: chain.BTC, Network: chain.Mainnet}), []byte(words+" "+words), nil, when()))(b)
	for n := range 25_000 {
		e := one
		if !mnemonics {
			e = must(wallet.FromKey("x", hdtest.Coin(chain.Coin{Chain: chain.BTC, Network: chain.Mainnet}), keyOf(n), true, when()))(b)
		}
		e.ID = fmt.Sprintf("00000000-0000-4000-8000-%012d", n)
		ok(b, w.Add(e))
	}
	ok(b, w.Save())
	return path
}

// The derivation is cheap here: what is measured is what comes beyond it.
func BenchmarkOpen25000(b *testing.B) {
	for name, mnemonics := range map[string]bool{"keys": false, "mnemonics": true} {
		b.Run(name, func(b *testing.B) {
			path := bigWallet(b, mnemonics)
			info := must(os.Stat(path))(b)
			b.SetBytes(info.Size())
			for b.Loop() {
				must(store().Open(path, []byte("pw")))(b).Close()
			}
		})
	}
}

func BenchmarkSave25000(b *testing.B) {
	path := bigWallet(b, false)
	w := must(store().Open(path, []byte("pw")))(b)
	defer w.Close()
	for b.Loop() {
		ok(b, w.Save())
	}
}

func BenchmarkOpenDefaultCost(b *testing.B) {
	path := newPath(b)
	s := store()
	s.Cost = wallet.DefaultCost()
	must(s.Create(path, []byte("pw")))(b).Close()
	for b.Loop() {
		must(s.Open(path, []byte("pw")))(b).Close()
	}
}

func BenchmarkPrivateCached(b *testing.B) {
	w := must(store().New(newPath(b), []byte("pw")))(b)
	defer w.Close()
	sample(b, w)
	for b.Loop() {
		must(w.Private("words", 1))(b)
	}
}

// New indices of one mnemonic, on all cores.
func BenchmarkPrivateNew(b *testing.B) {
	w := must(store().New(newPath(b), []byte("pw")))(b)
	defer w.Close()
	sample(b, w)
	var next atomic.Int64
	b.RunParallel(func(p *testing.PB) {
		for p.Next() {
			must(w.Private("words", next.Add(1)))(b)
		}
	})
}
