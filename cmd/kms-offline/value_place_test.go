//go:build linux

package main

import (
	"bytes"
	"cmp"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/btcsuite/btcd/btcec/v2"
	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/wire/v2"

	"coldkms/offline/hd"
	"coldkms/offline/hd/hdtest"
	"coldkms/offline/wallet"
	"coldkms/shared/bundle"
	"coldkms/shared/chain"
	"coldkms/shared/chain/utxo"
	"coldkms/shared/durable"
	"coldkms/shared/psbt/psbttest"
)

// The entries of a purse, beside the key of its place, all of testnet.
const (
	keyB       = "00000000-0000-4000-8000-00000000000b" // BTC, another single key
	words      = "00000000-0000-4000-8000-0000000000cc" // BTC, a mnemonic
	otherWords = "00000000-0000-4000-8000-0000000000dd" // BTC, another one
	keyBCH     = "00000000-0000-4000-8000-0000000000ee"
)

// purse is a place whose wallet has several entries.
type purse struct {
	place
	salt *uint32
}

func newPurse(t *testing.T) purse {
	t.Helper()
	p := purse{newPlace(t), new(uint32)}
	p.adds(
		func() (wallet.Entry, error) {
			return wallet.FromKey(keyB, hdtest.Coin(chain.Coin{Chain: chain.BTC, Network: chain.Testnet}), secretB(),
				true, time.Now())
		},
		func() (wallet.Entry, error) {
			return wallet.FromMnemonic(words, hdtest.Coin(chain.Coin{Chain: chain.BTC, Network: chain.Testnet}),
				[]byte(phraseOf(words)), nil, time.Now())
		},
		func() (wallet.Entry, error) {
			return wallet.FromMnemonic(otherWords, hdtest.Coin(chain.Coin{Chain: chain.BTC, Network: chain.Testnet}),
				[]byte(phraseOf(otherWords)), nil, time.Now())
		},
		func() (wallet.Entry, error) {
			return wallet.FromKey(keyBCH, hdtest.Coin(chain.Coin{Chain: chain.BCH, Network: chain.Testnet}), secretB(),
				true, time.Now())
		},
	)
	return p
}

// adds puts entries into the wallet.
func (p purse) adds(list ...func() (wallet.Entry, error)) {
	p.t.Helper()
	a := &app{fs: durable.OS{}, random: hd.NewSource(rand.Reader), cost: quick(), now: time.Now, wall: time.Now}
	w, err := a.store().Open(p.path("w.kms"), []byte(deskPassword))
	if err != nil {
		p.t.Fatal(err)
	}
	defer w.Close()
	for _, make := range list {
		e, err := make()
		if err == nil {
			err = w.Add(e)
		}
		if err != nil {
			p.t.Fatal(err)
		}
	}
	if err := w.Save(); err != nil {
		p.t.Fatal(err)
	}
}

func secretB() []byte { return bytes.Repeat([]byte{11}, 32) }

func phraseOf(id string) string {
	if id == words {
		return "abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon about"
	}
	return "zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo wrong"
}

// scripts of keyB: P2PKH, P2WPKH, P2SH-P2WPKH, P2PK, P2TR.
func scriptsB() [][]byte {
	_, public := btcec.PrivKeyFromBytes(secretB())
	return psbttest.Scripts(public)
}

// childOf is the P2PKH script of a mnemonic's key.
func childOf(t *testing.T, id string, index int64) []byte {
	t.Helper()
	account, err := hd.AccountOf([]byte(phraseOf(id)), nil,
		hdtest.Coin(chain.Coin{Chain: chain.BTC, Network: chain.Testnet}))
	if err != nil {
		t.Fatal(err)
	}
	defer account.Wipe()
	_, public, err := account.Key(index)
	if err != nil {
		t.Fatal(err)
	}
	key, err := btcec.ParsePubKey(public)
	if err != nil {
		t.Fatal(err)
	}
	return psbttest.Scripts(key)[0]
}

func payee(n byte) []byte { return append([]byte{0, 20}, bytes.Repeat([]byte{n}, 20)...) }

func single(id string) chain.Key            { return chain.Key{SignatureID: id, Index: chain.NoIndex} }
func at(id string, index int64) chain.Key   { return chain.Key{SignatureID: id, Index: index} }
func out(value int64, s []byte) *wire.TxOut { return wire.NewTxOut(value, s) }

// spend is one item: what it spends and what it pays.
type spend struct {
	chain    chain.ID      // none: BTC
	network  chain.Network // none: testnet
	in, outs []*wire.TxOut
	keys     []chain.Key

	id    string              // none: a new one
	prev  *wire.MsgTx         // what it spends; nil: a new transaction with in
	made  int64               // when the request says that it was made; 0: in September 2026
	claim map[int]*wire.TxOut // inputs that are claimed, not proven
}

// earlier is a transaction that pays in, to be spent by several requests.
func (p purse) earlier(in ...*wire.TxOut) *wire.MsgTx {
	*p.salt++
	return &wire.MsgTx{Version: 2, TxIn: []*wire.TxIn{{Sequence: *p.salt}}, TxOut: in}
}

// ask writes a request of these items and returns its path.
func (p purse) ask(name string, list ...spend) string {
	p.t.Helper()
	r := bundle.Request{Signer: p.signer, Created: 1_790_000_000}
	for _, s := range list {
		r.Created = cmp.Or(s.made, r.Created)
		*p.salt++
		prev := s.prev
		if prev == nil {
			prev = p.earlier(s.in...)
		}
		number := -1
		if len(s.claim) < len(prev.TxOut) {
			var raw bytes.Buffer
			if err := prev.SerializeNoWitness(&raw); err != nil {
				p.t.Fatal(err)
			}
			number = slices.IndexFunc(r.Attached(utxo.Name), func(b []byte) bool { return bytes.Equal(b, raw.Bytes()) })
			if number < 0 {
				number = len(r.Attached(utxo.Name))
				r.Attach(utxo.Name, raw.Bytes())
			}
		}
		msg, claims := &wire.MsgTx{Version: 2, TxOut: s.outs}, make([]utxo.Claim, len(prev.TxOut))
		for n, out := range s.claim {
			claims[n] = utxo.Claim{Value: out.Value, Script: out.PkScript}
		}
		for n := range prev.TxOut {
			msg.AddTxIn(&wire.TxIn{
				PreviousOutPoint: wire.OutPoint{Hash: prev.TxHash(), Index: uint32(n)},
				Sequence:         wire.MaxTxInSequenceNum,
			})
		}
		input := -1
		tx, context := utxo.Encode(msg, func(chainhash.Hash) int { // asked for each input, in order
			if input++; s.claim[input] != nil {
				return -1
			}
			return number
		}, claims)
		id := s.chain
		if id == "" {
			id = chain.BTC
		}
		pending := cmp.Or(s.id, fmt.Sprintf("%024x", 0xabc000+*p.salt))
		r.Items = append(r.Items, bundle.Item{
			ID:      pending,
			Family:  utxo.Name,
			Coin:    chain.Coin{Chain: id, Network: cmp.Or(s.network, chain.Testnet)},
			Tx:      tx,
			Context: context,
			Keys:    s.keys,
		})
	}
	sealed, err := bundle.SealRequest(r, relayKey(1))
	if err == nil {
		err = os.WriteFile(p.path(name), sealed.File, 0o600)
	}
	if err != nil {
		p.t.Fatal(err)
	}
	return p.path(name)
}

// asked writes another request of one item of a request, as a relay does that
// asks for it again.
func (p purse) asked(request, name string, item int) string {
	p.t.Helper()
	b, err := os.ReadFile(request)
	if err != nil {
		p.t.Fatal(err)
	}
	from, err := bundle.OpenRequest(b)
	if err != nil {
		p.t.Fatal(err)
	}
	again := from.Request
	again.Created++
	again.Items = again.Items[item : item+1]
	sealed, err := bundle.SealRequest(again, relayKey(1))
	if err == nil {
		err = os.WriteFile(p.path(name), sealed.File, 0o600)
	}
	if err != nil {
		p.t.Fatal(err)
	}
	return p.path(name)
}

// reviewed is what review --json says.
type reviewed struct {
	Digest string
	Totals []struct{ Paid, Own, Fees, Burnt int64 }
	Items  []struct {
		ID      string
		Verdict string
		Codes   []chain.Code
		Reasons []string
		Outputs []struct {
			Value  int64
			Change bool
			Own    *struct {
				SignatureID      string
				Index            *int64
				Also             []string
				Change, Transfer int64
				FarIndex         bool
			}
		}
	}
}

func (p purse) review(request string, code int) reviewed {
	p.t.Helper()
	var r reviewed
	if err := json.Unmarshal([]byte(p.run(code, "review", request)), &r); err != nil {
		p.t.Fatal(err)
	}
	return r
}

// comparesWithUsual reports whether a finding compares a payment with those before.
// The payments of these tests are of any amount to one payee, within seconds: what
// is unusual about that is judged in tests of its own.
func comparesWithUsual(c chain.Code) bool {
	switch c {
	case chain.FlagSameAgain, chain.FlagAboveUsual, chain.FlagFirstLarge, chain.FlagManyPayments, chain.FlagFeeRate,
		chain.FlagShape:
		return true
	}
	return false
}

// judged wants a verdict with these codes of the only item of a request.
func (p purse) judged(request, verdict string, codes ...chain.Code) reviewed {
	p.t.Helper()
	exit := 0
	if verdict == "refused" {
		exit = 20
	}
	r := p.review(request, exit)
	it := r.Items[0]
	it.Codes = slices.DeleteFunc(it.Codes,
		func(c chain.Code) bool { return comparesWithUsual(c) && !slices.Contains(codes, c) })
	if it.Verdict == "flagged" && len(it.Codes) == 0 {
		it.Verdict = "ok"
	}
	slices.Sort(it.Codes)
	slices.Sort(codes)
	if it.Verdict != verdict || !slices.Equal(slices.Compact(it.Codes), codes) {
		p.t.Errorf("%s with %v, want %s with %v: %q", it.Verdict, it.Codes, verdict, codes, it.Reasons)
	}
	return r
}

// signs reviews a request and signs it by its digest.
func (p purse) signs(request string) {
	p.t.Helper()
	r := p.review(request, 0)
	p.run(0, "sign", request, "--out", p.path("out"), "--approve", r.Digest)
}

// noPlainYes answers the question with a plain y, which must sign nothing,
// and then declines. It returns what was shown.
func (p purse) noPlainYes(request string) string {
	p.t.Helper()
	s := sit(p.t, p.command("sign", request, "--out", p.path("plain"), "--plain"))
	s.sees("password")
	s.types(deskPassword + "\r")
	shown := s.sees(`type "sign 1"`)
	s.types("y\r")
	s.sees("A yes is not enough")
	s.types("n\r")
	if code := s.waits(); code != 21 {
		p.t.Errorf("exit %d", code)
	}
	if _, err := os.Stat(p.path("plain")); err == nil {
		p.t.Error("a result was written")
	}
	return shown
}

// setPolicy sets a policy for BTC and BCH on testnet with these rules.
func (p purse) setPolicy(rules, ofCoin string) {
	p.t.Helper()
	file := p.path(fmt.Sprintf("policy-%d.json", *p.salt))
	*p.salt++
	text := fmt.Sprintf(
		`{"version": 1, %s"chains": [{"chain": "BTC", "network": "testnet"%s}, {"chain": "BCH", "network": "testnet"}]}`,
		rules, ofCoin)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		p.t.Fatal(err)
	}
	p.run(0, "policy", "set", file)
}
