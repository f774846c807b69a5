//go:build linux

package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/btcsuite/btcd/btcec/v2"
	"github.com/btcsuite/btcd/wire/v2"

	"coldkms/offline/hd"
	"coldkms/offline/hd/hdtest"
	"coldkms/offline/wallet"
	"coldkms/shared/chain"
	"coldkms/shared/psbt/psbttest"
)

// sharedAttacks use that one secret is in the wallet for two coins or networks.
func sharedAttacks() []attack {
	return []attack{
		{"19-testnet-item-spends-a-coin-of-mainnet", mainnetAsTestnet},
		{"19-item-of-one-coin-spends-another", coinAsAnother},
		{"19-shared-key-of-a-mnemonic", sharedMnemonic},
		{"19-shared-key-is-told-when-stored", sharingTold},
		{"19-shared-key-is-told-when-imported", sharingImported},
		{"19-denied-by-another-address-of-the-key", deniedKey},
		{"19-change-to-a-bare-public-key", bareChange},
		{"19-a-time-that-cannot-be", impossibleTime},
		{"19-rules-that-do-not-fit-are-told", rulesThatDoNotFit},
	}
}

const (
	onMainnet = "00000000-0000-4000-8000-0000000000f1"
	onTestnet = "00000000-0000-4000-8000-0000000000f2"
	another   = "00000000-0000-4000-8000-0000000000f3"
)

func secretShared() []byte { return bytes.Repeat([]byte{23}, 32) }

// p2pkh is the script of a secret.
func p2pkh(secret []byte) []byte {
	_, public := btcec.PrivKeyFromBytes(secret)
	return psbttest.Scripts(public)[0]
}

// holds makes an entry of a secret.
func holds(id string, c chain.ID, n chain.Network, secret []byte) func() (wallet.Entry, error) {
	return func() (wallet.Entry, error) {
		return wallet.FromKey(id, hdtest.Coin(chain.Coin{Chain: c, Network: n}), secret, true, time.Now())
	}
}

// says makes an entry of the words of the purse.
func says(id string, c chain.ID, n chain.Network) func() (wallet.Entry, error) {
	return func() (wallet.Entry, error) {
		return wallet.FromMnemonic(id, hdtest.Coin(chain.Coin{Chain: c, Network: n}), []byte(phraseOf(words)), nil, time.Now())
	}
}

// from asks to pay one coin of a script to payee 1, as an item of a coin.
func (p purse) from(c chain.ID, n chain.Network, script []byte, key chain.Key) string {
	to := append(append([]byte{0x76, 0xa9, 20}, payee(1)[2:]...), 0x88, 0xac)
	return p.ask("shared.kmsreq", spend{chain: c, network: n, in: []*wire.TxOut{out(10*coinValue, script)}, outs: []*wire.TxOut{out(9*coinValue, to), out(coinValue-1_000_000, script)}, keys: []chain.Key{key}})
}

// everyCoin sets a policy for all coins, with which nothing but a shared key
// is to be said about the payments of these tests.
func (p purse) everyCoin(rules string) {
	p.t.Helper()
	var chains []string
	for _, c := range []chain.ID{chain.BTC, chain.LTC, chain.DOGE, chain.BCH} {
		for _, n := range []chain.Network{chain.Mainnet, chain.Testnet} {
			chains = append(chains, fmt.Sprintf(`{"chain": %q, "network": %q, "maxFeeRate": 1000000}`, c, n))
		}
	}
	file := p.path("every.json")
	text := fmt.Sprintf(`{"version": 1, %s"newDestination": "allow", "chains": [%s]}`, rules, strings.Join(chains, ", "))
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		p.t.Fatal(err)
	}
	p.run(0, "policy", "set", file)
}

// A coin of BTC mainnet is spent by an item that is labelled DOGE testnet, for
// which nothing is limited: the signature hash names no coin.
func mainnetAsTestnet(t *testing.T) {
	p := newPurse(t)
	p.adds(holds(onMainnet, chain.BTC, chain.Mainnet, secretShared()), holds(onTestnet, chain.DOGE, chain.Testnet, secretShared()))
	p.everyCoin("")
	request := p.from(chain.DOGE, chain.Testnet, p2pkh(secretShared()), single(onTestnet))
	r := p.judged(request, "refused", chain.SharedKey)
	for _, words := range []string{onTestnet, onMainnet, "BTC mainnet", "DOGE testnet"} {
		if !strings.Contains(r.Items[0].Reasons[0], words) {
			t.Errorf("it does not say %q: %s", words, r.Items[0].Reasons[0])
		}
	}
	p.run(20, "sign", request, "--out", p.path("no"), "--approve", r.Digest)
	p.judged(p.from(chain.BTC, chain.Mainnet, p2pkh(secretShared()), single(onMainnet)), "flagged", chain.SharedKey)
	p.noPlainYes(p.path("shared.kmsreq"))
	p.everyCoin(`"sharedKeys": "look", `)
	p.judged(p.from(chain.DOGE, chain.Testnet, p2pkh(secretShared()), single(onTestnet)), "flagged", chain.SharedKey)
	p.everyCoin(`"sharedKeys": "refuse", `)
	p.judged(p.from(chain.BTC, chain.Mainnet, p2pkh(secretShared()), single(onMainnet)), "refused", chain.SharedKey)
	p.everyCoin(`"sharedKeys": "allow", `)
	p.judged(p.from(chain.DOGE, chain.Testnet, p2pkh(secretShared()), single(onTestnet)), "ok")
}

// Between coins of mainnet it is looked at. Testnets, where nothing has value,
// and Bitcoin Cash, whose signatures nobody else takes, are left alone.
func coinAsAnother(t *testing.T) {
	p := newPurse(t)
	p.everyCoin("")
	script := p2pkh(secretShared())
	p.adds(holds(onMainnet, chain.LTC, chain.Mainnet, secretShared()), holds(onTestnet, chain.BCH, chain.Testnet, secretShared()))
	p.judged(p.from(chain.LTC, chain.Mainnet, script, single(onMainnet)), "ok")
	p.judged(p.from(chain.BCH, chain.Testnet, script, single(onTestnet)), "ok")
	p.adds(holds(another, chain.DOGE, chain.Mainnet, secretShared()))
	p.judged(p.from(chain.LTC, chain.Mainnet, script, single(onMainnet)), "flagged", chain.SharedKey)
	p.judged(p.from(chain.DOGE, chain.Mainnet, script, single(another)), "flagged", chain.SharedKey)
	p.noPlainYes(p.path("shared.kmsreq"))
	p.judged(p.from(chain.BCH, chain.Testnet, script, single(onTestnet)), "ok")
	const inLTC = "00000000-0000-4000-8000-0000000000f4"
	p.adds(says(inLTC, chain.LTC, chain.Testnet)) // as Tatum KMS keeps one mnemonic for all coins of testnet
	p.judged(p.from(chain.LTC, chain.Testnet, childOf(t, words, 3), at(inLTC, 3)), "ok")
	p.judged(p.from(chain.BTC, chain.Testnet, childOf(t, words, 3), at(words, 3)), "ok")
}

// A key of a mnemonic was imported as a single key; and Bitcoin Cash derives
// the same keys for both networks, at every index.
func sharedMnemonic(t *testing.T) {
	p := newPurse(t)
	p.everyCoin("")
	const main, test = onMainnet, another
	account, err := hd.AccountOf([]byte(phraseOf(words)), nil, hdtest.Coin(chain.Coin{Chain: chain.BTC, Network: chain.Mainnet}))
	if err != nil {
		t.Fatal(err)
	}
	private, _, err := account.Key(5)
	if err != nil {
		t.Fatal(err)
	}
	p.adds(says(main, chain.BTC, chain.Mainnet), holds(onTestnet, chain.LTC, chain.Testnet, private))
	p.judged(p.from(chain.LTC, chain.Testnet, p2pkh(private), single(onTestnet)), "refused", chain.SharedKey)
	p.judged(p.from(chain.BTC, chain.Mainnet, p2pkh(private), at(main, 5)), "flagged", chain.SharedKey)
	const bch = "00000000-0000-4000-8000-0000000000f4"
	p.adds(says(bch, chain.BCH, chain.Mainnet), says(test, chain.BCH, chain.Testnet))
	if account, err = hd.AccountOf([]byte(phraseOf(words)), nil, hdtest.Coin(chain.Coin{Chain: chain.BCH, Network: chain.Mainnet})); err != nil {
		t.Fatal(err)
	}
	for _, index := range []int64{0, 20, 5000, chain.MaxIndex} {
		private, _, err := account.Key(index)
		if err != nil {
			t.Fatal(err)
		}
		r := p.judged(p.from(chain.BCH, chain.Testnet, p2pkh(private), at(test, index)), "refused", chain.SharedKey)
		if want := fmt.Sprintf("%s / %d of BCH mainnet", bch, index); !strings.Contains(r.Items[0].Reasons[0], want) {
			t.Errorf("it does not name %s: %s", want, r.Items[0].Reasons[0])
		}
	}
}

// Storing a secret that the wallet has for another coin prints a warning.
func sharingTold(t *testing.T) {
	p := newPurse(t)
	p.adds(holds(onMainnet, chain.BTC, chain.Mainnet, secretShared()))
	stores := func(c chain.ID, n chain.Network, secret []byte) (id string, warnings []importNote, stderr string) {
		t.Helper()
		wif, err := hd.EncodeWIF(secret, false, hdtest.Coin(chain.Coin{Chain: c, Network: n}))
		if err != nil {
			t.Fatal(err)
		}
		args := []string{"--json", "storemanagedprivatekey", string(c)}
		if n == chain.Testnet {
			args = append(args, "--testnet")
		}
		s := sit(t, p.command(args...))
		s.sees("private key to store:")
		s.types(string(wif) + "\r")
		s.sees("access wallet storage:")
		s.types(deskPassword + "\r")
		if code := s.waits(); code != 0 {
			t.Fatalf("exit %d: %s", code, s.stderr.String())
		}
		var reply struct {
			SignatureID string
			Warnings    []importNote
		}
		if err := json.Unmarshal(s.stdout.Bytes(), &reply); err != nil {
			t.Fatal(err)
		}
		return reply.SignatureID, reply.Warnings, s.stderr.String()
	}
	for _, at := range []coinOn{{chain.DOGE, chain.Testnet}, {chain.LTC, chain.Mainnet}} {
		id, warnings, said := stores(at.c, at.n, secretShared()) // the uncompressed form: one secret all the same
		if len(warnings) == 0 || warnings[0].SignatureID != id || !strings.Contains(warnings[0].Reason, onMainnet) || !strings.Contains(warnings[0].Reason, "shared-key") ||
			!strings.Contains(said, "warning: "+id) || !strings.Contains(said, "kms-offline removewallet "+id) {
			t.Errorf("%s: %q, %s", at.c, warnings, said)
		}
	}
	for _, at := range []coinOn{{chain.BCH, chain.Mainnet}, {chain.BCH, chain.Testnet}} {
		secret := secretShared()
		if at.n == chain.Testnet {
			secret = bytes.Repeat([]byte{29}, 32)
		}
		if _, warnings, said := stores(at.c, at.n, secret); len(warnings) > 0 || strings.Contains(said, "warning") {
			t.Errorf("%s: %q, %s", at.c, warnings, said)
		}
	}
}

// A denied destination is not paid by another address of its key; an allowed
// one is exactly the one that was allowed.
func deniedKey(t *testing.T) {
	p := newPurse(t)
	stranger, _ := btcec.PrivKeyFromBytes(bytes.Repeat([]byte{77}, 32))
	forms := psbttest.Scripts(stranger.PubKey()) // P2PKH, P2WPKH, P2SH-P2WPKH, P2PK, P2TR
	const p2sh, p2pk, p2tr = 2, 3, 4
	pays := func(script []byte) string {
		return p.ask("deny.kmsreq", spend{in: []*wire.TxOut{out(coinValue, p.script)}, outs: []*wire.TxOut{out(1_000_000, script), out(coinValue-1_001_000, p.script)}, keys: []chain.Key{single(deskKey)}})
	}
	list := func(name string, script []byte) string {
		return fmt.Sprintf(`%q: [{"label": "the thief", "chain": "BTC", "network": "testnet", "script": "%x"}], `, name, script)
	}
	for denied, script := range forms {
		p.setPolicy(list("deny", script)+`"newDestination": "allow", `, "")
		for paid, to := range forms {
			hidden := paid != denied && (denied == p2tr || paid == p2tr && denied != p2pk || denied == p2sh && paid == p2sh)
			if hidden {
				p.judged(pays(to), "ok")
				continue
			}
			r := p.judged(pays(to), "refused", chain.Denied)
			if said := r.Items[0].Reasons[0]; !strings.Contains(said, "the thief") || (paid != denied) != strings.Contains(said, "pays the same key as") {
				t.Errorf("%d denied, %d paid: %s", denied, paid, said)
			}
		}
		p.setPolicy(list("allow", script)+`"unlisted": "refuse", `, "")
		for paid, to := range forms {
			if paid == denied {
				p.judged(pays(to), "ok")
			} else if r := p.review(pays(to), 20); r.Items[0].Verdict != "refused" {
				t.Errorf("%d allowed, %d paid: %+v", denied, paid, r.Items[0])
			}
		}
	}
}

// Change to a bare public key has no address, at which it would be looked for:
// it is an own transfer, which counts and which no plain y signs.
func bareChange(t *testing.T) {
	p := newPurse(t)
	const inLTC, inDOGE = onMainnet, onTestnet
	p.adds(holds(inLTC, chain.LTC, chain.Testnet, secretB()), holds(inDOGE, chain.DOGE, chain.Testnet, secretB()))
	p.everyCoin("")
	const p2pk, change = 3, coinValue / 2
	pays := func(c chain.ID, in []byte, to []byte, keys ...chain.Key) string {
		return p.ask("bare.kmsreq", spend{chain: c, in: []*wire.TxOut{out(10*coinValue, in)}, outs: []*wire.TxOut{out(9*coinValue, p2pkh(secretShared())), out(change, to), out(coinValue/2-1_000_000, in)}, keys: keys})
	}
	for c, id := range map[chain.ID]string{chain.BTC: keyB, chain.LTC: inLTC, chain.DOGE: inDOGE} {
		r := p.judged(pays(c, scriptsB()[0], scriptsB()[p2pk], single(id)), "flagged", chain.OwnTransfer)
		if own := r.Items[0].Outputs[1].Own; r.Items[0].Outputs[1].Change || own == nil || own.Transfer != change || r.Totals[0].Own != change || !strings.Contains(r.Items[0].Reasons[0], "has no address") {
			t.Errorf("%s: %+v", c, r)
		}
	}
	shown := p.noPlainYes(pays(chain.BTC, scriptsB()[0], scriptsB()[p2pk], single(keyB)))
	if !strings.Contains(shown, "of this to own keys 0.50000000 BTC") {
		t.Errorf("it shows:\n%s", shown)
	}
	p.judged(pays(chain.BTC, scriptsB()[0], scriptsB()[1], single(keyB)), "ok") // by an address it is change
	child := childOf(t, words, 300)
	account, err := hd.AccountOf([]byte(phraseOf(words)), nil, hdtest.Coin(chain.Coin{Chain: chain.BTC, Network: chain.Testnet}))
	if err != nil {
		t.Fatal(err)
	}
	_, public, err := account.Key(300)
	if err != nil {
		t.Fatal(err)
	}
	p.judged(pays(chain.BTC, child, append(append([]byte{33}, public...), 0xac), at(words, 300)), "refused", chain.FarIndex)
	p.setPolicy(`"newDestination": "allow", `, `, "maxFeeRate": 100000, "limits": [{"per": "transaction", "sum": 900000000}]`)
	p.judged(pays(chain.BTC, scriptsB()[0], scriptsB()[p2pk], single(keyB)), "refused", chain.LimitTx, chain.OwnTransfer)
	p.setPolicy(`"newDestination": "allow", "ownTransfers": {"mode": "refuse"}, `, `, "maxFeeRate": 100000`)
	p.judged(pays(chain.BTC, scriptsB()[0], scriptsB()[p2pk], single(keyB)), "refused", chain.OwnTransfer)
}

// A request dated before the program or in the far future is refused, and no
// absurd date is shown; one that is a little ahead is noted.
func impossibleTime(t *testing.T) {
	p := newPurse(t)
	p.known()
	made := func(unix int64) string {
		return p.ask("made.kmsreq", spend{made: unix, in: []*wire.TxOut{out(coinValue, p.script)}, outs: []*wire.TxOut{out(1_000_000, payee(1)), out(coinValue-1_001_000, p.script)}, keys: []chain.Key{single(deskKey)}})
	}
	const before2020, after2119 = 1_577_836_799, 4_733_510_400
	for _, unix := range []int64{math.MinInt64, -1, 1, before2020, after2119, 253_402_300_800, math.MaxInt64} {
		r := p.judged(made(unix), "refused", chain.RequestTime)
		p.run(20, "sign", p.path("made.kmsreq"), "--out", p.path("no"), "--approve", r.Digest)
		if r := p.runText(20, "review", p.path("made.kmsreq")); !strings.Contains(r, fmt.Sprintf("made               %d (Unix seconds, out of range) by the relay's clock", unix)) {
			t.Errorf("%d: it shows:\n%s", unix, r)
		}
	}
	p.judged(made(time.Now().Add(49*time.Hour).Unix()), "flagged", chain.RequestTime)
	p.judged(made(time.Now().Add(20*time.Hour).Unix()), "ok")
}

// Groups that name no entry of the wallet, or entries of several coins, and a
// largest fee of zero are told by policy check and by policy set.
func rulesThatDoNotFit(t *testing.T) {
	p := newPurse(t)
	file := p.path("odd.json")
	text := fmt.Sprintf(`{"version": 1, "ownTransfers": {"groups": [[%q, "nobody"], [%q, %q]]}, "chains": [{"chain": "BTC", "network": "testnet", "maxFee": 0}]}`, keyB, deskKey, keyBCH)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, command := range []string{"check", "set"} {
		var reply struct{ Warnings []string }
		if err := json.Unmarshal([]byte(p.run(0, "policy", command, file)), &reply); err != nil {
			t.Fatal(err)
		}
		said := strings.Join(reply.Warnings, "\n")
		for _, words := range []string{`no entry "nobody"`, fmt.Sprintf("%q is of BCH testnet, in a group with entries of BTC testnet", keyBCH), "BTC testnet: only what has no fee can be signed"} {
			if !strings.Contains(said, words) {
				t.Errorf("policy %s does not say %q:\n%s", command, words, said)
			}
		}
		if len(reply.Warnings) != 3 {
			t.Errorf("policy %s: %q", command, reply.Warnings)
		}
	}
}

// runText runs the program as a person without a terminal does.
func (p purse) runText(code int, args ...string) string {
	p.t.Helper()
	cmd := p.command(append([]string{"--password-file", p.path("pw")}, args...)...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	shown, _ := cmd.Output()
	if got := cmd.ProcessState.ExitCode(); got != code {
		p.t.Fatalf("%v: exit %d, want %d", args, got, code)
	}
	return string(shown)
}

// A wallet of Tatum KMS brings a secret that is there for mainnet, and two of
// its own that are the same.
func sharingImported(t *testing.T) {
	p := newPurse(t)
	p.adds(holds(onMainnet, chain.BTC, chain.Mainnet, secretShared()))
	wif := func(c chain.ID, n chain.Network, secret []byte) string {
		text, err := hd.EncodeWIF(secret, true, hdtest.Coin(chain.Coin{Chain: c, Network: n}))
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	const inDOGE, inLTC, inBTC = onTestnet, another, "00000000-0000-4000-8000-0000000000f4"
	own := bytes.Repeat([]byte{31}, 32)
	plain := fmt.Sprintf(`{%q: {"privateKey": %q, "chain": "DOGE", "testnet": true}, %q: {"privateKey": %q, "chain": "LTC", "testnet": false}, %q: {"privateKey": %q, "chain": "BTC", "testnet": false}}`,
		inDOGE, wif(chain.DOGE, chain.Testnet, secretShared()), inLTC, wif(chain.LTC, chain.Mainnet, own), inBTC, wif(chain.BTC, chain.Mainnet, own))
	if err := os.WriteFile(p.path("wallet.dat"), tatumWallet(t, plain, deskPassword), 0o600); err != nil {
		t.Fatal(err)
	}
	var reply struct{ Warnings []importNote }
	if err := json.Unmarshal([]byte(p.run(0, "importwallet", p.path("wallet.dat"), "--wallet-password-file", p.path("pw"))), &reply); err != nil {
		t.Fatal(err)
	}
	said := make(map[string]string)
	for _, w := range reply.Warnings {
		said[w.SignatureID] += w.Reason
	}
	if len(reply.Warnings) != 2 || !strings.Contains(said[inDOGE], onMainnet) || !strings.Contains(said[inLTC]+said[inBTC], "shared-key") {
		t.Errorf("%+v", reply.Warnings)
	}
}

type coinOn struct {
	c chain.ID
	n chain.Network
}
