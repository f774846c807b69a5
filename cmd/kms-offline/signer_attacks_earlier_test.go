//go:build linux

package main

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/btcsuite/btcd/btcec/v2"
	"github.com/btcsuite/btcd/wire/v2"

	"coldkms/offline/hd/hdtest"
	"coldkms/offline/wallet"
	"coldkms/shared/bundle"
	"coldkms/shared/chain"
	"coldkms/shared/psbt/psbttest"
)

// earlierAttacks bring back what was signed before as if no signature were out.
func earlierAttacks() []attack {
	return []attack{
		{"45-signed-and-refused-now", signedAndRefused},
		{"45-signed-on-mainnet-and-asked-for-testnet", signedOnMainnet},
		{"45-claimed-then-proven-and-refused", claimedThenProven},
	}
}

// answered signs a request by its digest and wants one refusal of its only item.
func (p purse) answered(request string, want chain.Code, args ...string) {
	p.t.Helper()
	*p.salt++
	folder := p.path(fmt.Sprintf("answer-%d", *p.salt))
	common := []string{"--path", p.path("w.kms"), "--password-file", p.path("pw")}
	p.output(append(append(slices.Clone(common), "review", request), args...)...)
	code, said := p.output(append(append(common, "sign", request, "--out", folder, "--approve", p.asks(request)), args...)...)
	results, err := filepath.Glob(folder + "/*.kmsres")
	if err != nil || len(results) != 1 || code != 20 {
		p.t.Fatalf("exit %d, %v, %v: %s", code, results, err, said)
	}
	if signed, codes := p.signedBy(request, results[0]); signed != 0 || !maps.Equal(codes, map[chain.Code]int{want: 1}) {
		p.t.Errorf("%v: %d signed, %v, want %s", args, signed, codes, want)
	}
}

// Whatever a signed item is refused for, the result says that it was signed.
func signedAndRefused(t *testing.T) {
	p := newPurse(t)
	p.known()
	s := spend{id: "00112233445566778899aabb", in: []*wire.TxOut{out(coinValue, scriptsB()[1])}, outs: []*wire.TxOut{out(1_000_000, payee(1)), out(coinValue-1_001_000, scriptsB()[1])}, keys: []chain.Key{single(keyB)}}
	s.prev = p.earlier(s.in...)
	p.signs(p.ask("first.kmsreq", s))
	asks := func(change func(*spend)) string {
		again := s
		change(&again)
		return p.ask("again.kmsreq", again)
	}
	const nobody = "00000000-0000-4000-8000-0000000000ff"
	for name, change := range map[string]func(*spend){
		"one unknown id more":   func(s *spend) { s.keys = []chain.Key{single(nobody), single(keyB)} },
		"another own key":       func(s *spend) { s.keys = []chain.Key{single(deskKey)} },
		"no keys":               func(s *spend) { s.keys = nil },
		"another id":            func(s *spend) { s.id, s.keys = "0f112233445566778899aabb", []chain.Key{single(nobody)} },
		"claimed":               func(s *spend) { s.claim = map[int]*wire.TxOut{0: s.prev.TxOut[0]} },
		"claimed, another sum":  func(s *spend) { s.claim = map[int]*wire.TxOut{0: out(2*coinValue, s.prev.TxOut[0].PkScript)} },
		"claimed, too little":   func(s *spend) { s.claim = map[int]*wire.TxOut{0: out(1_000, s.prev.TxOut[0].PkScript)} },
		"claimed, odd script":   func(s *spend) { s.claim = map[int]*wire.TxOut{0: out(coinValue, []byte{0x51})} },
		"other outputs, its id": func(s *spend) { s.outs = []*wire.TxOut{out(coinValue-1_000, payee(2))} },
		"other label, its id":   func(s *spend) { s.chain = chain.LTC },
		"not built, its id":     func(s *spend) { s.chain = "XYZ" },
	} {
		t.Run(name, func(t *testing.T) {
			p := p
			p.t, p.place.t = t, t
			p.answered(asks(change), chain.SignedEarlier)
		})
	}
	p.answered(asks(func(s *spend) {
		s.id, s.keys, s.prev = "0e112233445566778899aabb", []chain.Key{single(nobody)}, p.earlier(s.in...)
	}), chain.UnknownKey)
	p.run(0, "removewallet", keyB, "--yes")
	p.answered(asks(func(*spend) {}), chain.SignedEarlier)
}

// A mainnet item that was signed is asked for again in a session for testnet.
func signedOnMainnet(t *testing.T) {
	p := newPurse(t)
	const main = "00000000-0000-4000-8000-0000000000f9"
	p.adds(func() (wallet.Entry, error) {
		return wallet.FromKey(main, hdtest.Coin(chain.Coin{Chain: chain.BTC, Network: chain.Mainnet}), append(secretB()[:31], 12), true, time.Now())
	})
	script := p.scriptOf(append(secretB()[:31], 12))
	request := p.ask("main.kmsreq", spend{network: chain.Mainnet, in: []*wire.TxOut{out(coinValue, script)}, outs: []*wire.TxOut{out(1_000_000, payee(1)), out(coinValue-1_001_000, script)}, keys: []chain.Key{single(main)}})
	p.signs(request)
	p.answered(request, chain.SignedEarlier, "--testnet")
}

// A taproot item that was signed on its claims, or proven, is taken out, or
// denied, when it comes the other way.
func claimedThenProven(t *testing.T) {
	p := newPurse(t)
	p.known()
	tr := scriptsB()[4]
	for i, first := range []bool{true, false} {
		prev := p.earlier(out(coinValue, tr))
		s := spend{id: fmt.Sprintf("00112233445566778899aa%02x", i), prev: prev, outs: []*wire.TxOut{out(1_000_000+int64(i), payee(byte(3+i))), out(coinValue-1_002_000, tr)}, keys: []chain.Key{single(keyB)}}
		claimed, proven := s, s
		claimed.claim = map[int]*wire.TxOut{0: prev.TxOut[0]}
		if !first {
			claimed, proven = proven, claimed
		}
		p.signs(p.ask("first.kmsreq", claimed))
		again := p.ask("again.kmsreq", proven)
		p.answered(again, chain.SignedEarlier, "--without", s.id)
		anew := proven
		anew.id = fmt.Sprintf("00112233445566778899ab%02x", i)
		p.answered(p.ask("anew.kmsreq", anew), chain.SignedEarlier, "--without", anew.id)
		p.setPolicy(fmt.Sprintf(`"deny": [{"chain": "BTC", "network": "testnet", "script": "%x"}], `, payee(byte(3+i))), "")
		p.answered(again, chain.SignedEarlier)
		p.setPolicy("", "")
	}
}

// asks is the digest of a request.
func (p purse) asks(request string) string {
	p.t.Helper()
	b, err := os.ReadFile(request)
	if err != nil {
		p.t.Fatal(err)
	}
	r, err := bundle.OpenRequest(b)
	if err != nil {
		p.t.Fatal(err)
	}
	return r.Digest.String()
}

// scriptOf is the P2WPKH script of a private key.
func (p purse) scriptOf(secret []byte) []byte {
	_, public := btcec.PrivKeyFromBytes(secret)
	return psbttest.Scripts(public)[1]
}
