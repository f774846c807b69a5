//go:build linux

package main

import (
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/btcsuite/btcd/btcec/v2"
	library "github.com/btcsuite/btcd/psbt/v2"
	"github.com/btcsuite/btcd/wire/v2"

	"coldkms/offline/hd"
	"coldkms/offline/hd/hdtest"
	"coldkms/offline/wallet"
	"coldkms/shared/chain"
	"coldkms/shared/psbt/psbttest"
)

// holderAttacks are about keys that several entries of a wallet hold, and about
// signature ids whose key is not the one that was meant.
func holderAttacks() []attack {
	return []attack{
		{"45-change-to-a-key-of-two-entries", changeToSharedHolder},
		{"45-change-to-a-key-of-two-entries-by-psbt", sharedHolderByPSBT},
		{"45-far-index-by-psbt", farIndexByPSBT},
		{"45-stored-key-is-one-of-a-mnemonic", derivedIsSaid},
	}
}

// leaked is a signature id under which one derived key of a mnemonic is stored.
const leaked = "00000000-0000-4000-8000-0000000000a5"

// childSecret is a derived key of a mnemonic.
func childSecret(t *testing.T, id string, index int64) []byte {
	t.Helper()
	account, err := hd.AccountOf([]byte(phraseOf(id)), nil, hdtest.Coin(chain.Coin{Chain: chain.BTC, Network: chain.Testnet}))
	if err != nil {
		t.Fatal(err)
	}
	defer account.Wipe()
	secret, _, err := account.Key(index)
	if err != nil {
		t.Fatal(err)
	}
	return secret
}

// childScripts are the scripts of a mnemonic's key, as scriptsB.
func childScripts(t *testing.T, index int64) [][]byte {
	t.Helper()
	_, public := btcec.PrivKeyFromBytes(childSecret(t, words, index))
	return psbttest.Scripts(public)
}

// leaks stores one derived key of the mnemonic as an entry of its own.
func (p purse) leaks(index int64, compressed bool) {
	p.t.Helper()
	secret := childSecret(p.t, words, index)
	p.adds(func() (wallet.Entry, error) {
		return wallet.FromKey(leaked, hdtest.Coin(chain.Coin{Chain: chain.BTC, Network: chain.Testnet}), secret, compressed, time.Now())
	})
}

// An address of a mnemonic whose key another entry holds too is judged as that
// entry's, whatever keys the request names.
func changeToSharedHolder(t *testing.T) {
	for _, compressed := range []bool{true, false} {
		p := newPurse(t)
		p.known()
		p.leaks(3, compressed)
		weak := childScripts(t, 3)
		asks := func(name string, script []byte, keys ...chain.Key) string {
			return p.ask(name, spend{in: []*wire.TxOut{out(5*coinValue, childOf(t, words, 0))}, outs: p.outs(5*coinValue, script), keys: keys})
		}
		for i, keys := range [][]chain.Key{
			{at(words, 0)}, {at(words, 0), at(words, 3)}, {at(words, 3), at(words, 0)},
			{at(words, 0), at(words, 3), single(leaked)}, {at(words, 0), single(leaked), at(words, 3)},
		} {
			for _, script := range weak[:3] {
				want := []chain.Code{chain.OwnTransfer}
				if len(keys) > 1 {
					want = append(want, chain.FlagUnusedKey)
				}
				r := p.judged(asks("weak.kmsreq", script, keys...), "flagged", want...)
				own := r.Items[0].Outputs[1].Own
				if !strings.Contains(fmt.Sprint(r.Items[0].Reasons), "which is also the key "+words+" / 3") {
					t.Errorf("it says: %q", r.Items[0].Reasons)
				}
				if own == nil || own.Change != 0 || own.SignatureID != leaked || !slices.Equal(own.Also, []string{words + " / 3"}) {
					t.Errorf("%d: %+v", i, own)
				}
			}
		}
		request := asks("named.kmsreq", weak[1], at(words, 0), at(words, 3))
		shown := p.noPlainYes(request)
		for _, said := range []string{"(own, other key: " + leaked + ")", "(the same key: " + words + " / 3)"} {
			if !strings.Contains(shown, said) {
				t.Errorf("the screen does not say %q:\n%s", said, shown)
			}
		}
		p.dustOfSharedKey(weak[1], compressed)
		p.stays(weak[1])
		p.signs(request)
		if text := p.ledgerText(); !strings.Contains(text, fmt.Sprintf(`"key":%q,"also":[%q],"to"`, leaked, words)) {
			t.Error("the ledger does not name both entries")
		}
		p.setPolicy(`"ownTransfers": {"mode": "refuse"}, `, "")
		p.judged(asks("weak.kmsreq", weak[0], at(words, 0), at(words, 3)), "refused", chain.OwnTransfer, chain.FlagUnusedKey)
		p.setPolicy(fmt.Sprintf(`"ownTransfers": {"mode": "refuse", "groups": [[%q, %q]]}, `, words, leaked), "")
		p.judged(asks("weak.kmsreq", weak[0], at(words, 0), at(words, 3)), "flagged", chain.FlagUnusedKey)
	}
}

// dustOfSharedKey spends dust at the address of both beside the mnemonic's own:
// no more than the dust is change there.
func (p purse) dustOfSharedKey(weak []byte, compressed bool) {
	p.t.Helper()
	s := spend{in: []*wire.TxOut{out(5*coinValue, childOf(p.t, words, 0)), out(1_000, weak)},
		outs: p.outs(5*coinValue, weak)}
	for _, second := range []chain.Key{at(words, 3), single(leaked)} {
		s.keys = []chain.Key{at(words, 0), second}
		if second.SignatureID == leaked && !compressed { // which signs for no witness program
			continue
		}
		r := p.judged(p.ask("dust.kmsreq", s), "flagged", chain.OwnTransfer)
		if own := r.Items[0].Outputs[1].Own; own == nil || own.Change != 1_000 {
			p.t.Errorf("dust, named %v: %+v", second, own)
		}
	}
}

// stays spends from the address of both back to it: that is change.
func (p purse) stays(weak []byte) {
	p.t.Helper()
	asks := func(to []byte) string {
		return p.ask("stays.kmsreq", spend{in: []*wire.TxOut{out(coinValue, weak)}, outs: p.outs(coinValue, to), keys: []chain.Key{at(words, 3)}})
	}
	p.judged(asks(weak), "ok")
	p.judged(asks(childOf(p.t, words, 0)), "flagged", chain.OwnTransfer)
}

// outs pay a sum of their own to payee 1 and the rest to a script.
func (p purse) outs(value int64, script []byte) []*wire.TxOut {
	*p.salt++
	paid := 1_000_000 + int64(*p.salt)
	return []*wire.TxOut{out(paid, payee(1)), out(value-paid-2_000, script)}
}

// The same by a PSBT that says which key of the mnemonic it is.
func sharedHolderByPSBT(t *testing.T) {
	p := newPurse(t)
	p.known()
	p.leaks(3, true)
	file := p.packet("weak.psbt", 5*coinValue, 0, 3)
	p.judged(file, "flagged", chain.OwnTransfer)
	p.noPlainYes(file)
}

// A key that a mnemonic of the wallet derives is said to be one when it is stored.
func derivedIsSaid(t *testing.T) {
	p := newPurse(t)
	for index, want := range map[int64]bool{3: true, 20: true, 5000: false} {
		text, err := hd.EncodeWIF(childSecret(t, words, index), true, hdtest.Coin(chain.Coin{Chain: chain.BTC, Network: chain.Testnet}))
		if err != nil {
			t.Fatal(err)
		}
		id := fmt.Sprintf("00000000-0000-4000-8000-00000000%04d", index)
		dat := p.path(fmt.Sprintf("wallet-%d.dat", index))
		if err := os.WriteFile(dat, tatumWallet(t, fmt.Sprintf(`{%q: {"privateKey": %q, "chain": "BTC", "testnet": true}}`, id, text), deskPassword), 0o600); err != nil {
			t.Fatal(err)
		}
		var reply struct{ Warnings []importNote }
		if err := json.Unmarshal([]byte(p.run(0, "importwallet", dat, "--wallet-password-file", p.path("pw"))), &reply); err != nil {
			t.Fatal(err)
		}
		if said := fmt.Sprint(reply.Warnings); strings.Contains(said, fmt.Sprintf("mnemonic %s at index %d", words, index)) != want {
			t.Errorf("%d: %s", index, said)
		}
	}
}

// packet writes a PSBT that spends value from index 0 of the mnemonic and pays
// the rest to another index, with an origin for each.
func (p purse) packet(name string, value int64, from, to int64) string {
	p.t.Helper()
	prev, msg := p.earlier(out(value, childScripts(p.t, from)[1])), wire.NewMsgTx(2)
	id := prev.TxHash()
	msg.AddTxIn(wire.NewTxIn(wire.NewOutPoint(&id, 0), nil, nil))
	for _, out := range p.outs(value, childScripts(p.t, to)[1]) {
		msg.AddTxOut(out)
	}
	packet, err := library.NewFromUnsignedTx(msg)
	if err != nil {
		p.t.Fatal(err)
	}
	packet.Inputs[0].NonWitnessUtxo, packet.Inputs[0].WitnessUtxo = prev, prev.TxOut[0]
	packet.Inputs[0].Bip32Derivation = []*library.Bip32Derivation{origin(p.t, from)}
	packet.Outputs[1].Bip32Derivation = []*library.Bip32Derivation{origin(p.t, to)}
	if err := os.WriteFile(p.path(name), psbttest.Write(packet), 0o600); err != nil {
		p.t.Fatal(err)
	}
	return p.path(name)
}

// origin is the BIP 32 origin of a mnemonic's key under some master key.
func origin(t *testing.T, index int64) *library.Bip32Derivation {
	t.Helper()
	const hardened = 1 << 31
	_, public := btcec.PrivKeyFromBytes(childSecret(t, words, index))
	return &library.Bip32Derivation{PubKey: public.SerializeCompressed(), MasterKeyFingerprint: 1, Bip32Path: []uint32{hardened + 44, hardened + 1, hardened, 0, uint32(index)}}
}

// A PSBT names a far index of the wallet: it is judged as if a request had named
// it, and not as a payment to a stranger.
func farIndexByPSBT(t *testing.T) {
	p := newPurse(t)
	p.known()
	for _, index := range []int64{21, 100, 5000, chain.MaxIndex} {
		r := p.judged(p.packet("far.psbt", coinValue, 0, index), "refused", chain.FarIndex)
		if own := r.Items[0].Outputs[1].Own; own == nil || own.SignatureID != words || own.Index == nil || *own.Index != index {
			t.Errorf("%d: %+v", index, own)
		}
	}
	p.judged(p.packet("near.psbt", coinValue, 0, 20), "ok")
}
