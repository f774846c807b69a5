//go:build linux

package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/btcsuite/btcd/txscript/v2"
	"github.com/btcsuite/btcd/wire/v2"

	"coldkms/shared/chain"
)

// valueAttacks are about where money goes: own keys, change and fees.
func valueAttacks() []attack {
	return []attack{
		{"01-clean-payment-gains-no-flag", cleanPayment},
		{"01-change-to-another-own-key", changeToAnotherKey},
		{"01-change-to-a-key-nobody-named", changeToUnnamedKey},
		{"01-far-index", farIndex},
		{"01-far-index-in-two-steps", farIndexInSteps},
		{"01-own-transfers-rule-and-groups", ownTransferRules},
		{"01-own-outputs-are-named-everywhere", ownOutputsNamed},
		{"01-bch-p2pk-is-no-change", unspendableChange},
		{"05-fees-count", feesCount},
		{"05-fee-cap", feeCap},
		{"05-pays-nobody", paysNobody},
		{"05-burnt-value-is-fee", burntValue},
		{"09-taken-out-counts-towards-nothing", takenOut},
	}
}

const coinValue = 100_000_000

// known signs one payment to payee 1, so that it is no new destination.
func (p purse) known() {
	p.t.Helper()
	p.signs(p.ask("known.kmsreq", spend{in: []*wire.TxOut{out(100_000, p.script)}, outs: []*wire.TxOut{out(10_001, payee(1)), out(89_000, p.script)}, keys: []chain.Key{single(deskKey)}}))
}

// usual signs a payment to payee 1 of about what some requests pay it, so that
// nothing of these is above what is usual.
func (p purse) usual() {
	p.t.Helper()
	p.signs(p.ask("usual.kmsreq", spend{
		in:   []*wire.TxOut{out(coinValue, p.script)},
		outs: []*wire.TxOut{out(210_000, payee(1)), out(coinValue-211_000, p.script)},
		keys: []chain.Key{single(deskKey)},
	}))
}

// An ordinary payment with change to its own address, to index 0, to a near
// index or to an index used before has nothing said about it.
func cleanPayment(t *testing.T) {
	p := newPurse(t)
	p.known()
	pays := func(in, change []byte, keys ...chain.Key) {
		t.Helper()
		r := p.judged(p.ask("clean.kmsreq", spend{in: []*wire.TxOut{out(coinValue, in)}, outs: []*wire.TxOut{out(1_000_000, payee(1)), out(coinValue-1_000_000-1_000, change)}, keys: keys}), "ok")
		if change := r.Items[0].Outputs[1]; !change.Change || change.Own == nil || r.Totals[0].Paid != 1_000_000 || r.Totals[0].Own != 0 {
			t.Errorf("%+v, %+v", change, r.Totals)
		}
	}
	pays(p.script, p.script, single(deskKey))
	far := childOf(t, words, 500)
	pays(far, far, at(words, 500))
	pays(far, childOf(t, words, 0), at(words, 500))
	pays(far, childOf(t, words, 20), at(words, 500))
	p.signs(p.ask("use.kmsreq", spend{in: []*wire.TxOut{out(coinValue, far)}, outs: []*wire.TxOut{out(1_000_001, payee(1)), out(coinValue-1_002_001, far)}, keys: []chain.Key{at(words, 500)}}))
	p.signs(p.ask("near.kmsreq", spend{in: []*wire.TxOut{out(coinValue, far)}, outs: []*wire.TxOut{out(1_000_002, payee(1)), out(coinValue-1_002_002, childOf(t, words, 20))}, keys: []chain.Key{at(words, 500)}}))
	pays(childOf(t, words, 3), childOf(t, words, 40), at(words, 3)) // 20 above the highest reached
}

// drain is the attack: 5 BTC of the place's key and 1,000 satoshi that anyone
// sent to another one; the change of both goes to the other.
func (p purse) drain() spend {
	return spend{
		in:   []*wire.TxOut{out(5*coinValue, p.script), out(1_000, scriptsB()[1])},
		outs: []*wire.TxOut{out(10_000, payee(1)), out(5*coinValue-10_000, scriptsB()[1])},
		keys: []chain.Key{single(deskKey), single(keyB)},
	}
}

func changeToAnotherKey(t *testing.T) {
	p := newPurse(t)
	p.known()
	request := p.ask("drain.kmsreq", p.drain())
	r := p.judged(request, "flagged", chain.OwnTransfer)
	if got, want := r.Totals[0].Paid, int64(5*coinValue-1_000); got != want || r.Totals[0].Own != want-10_000 {
		t.Errorf("pays out %d, %d of it to own keys, want %d", got, r.Totals[0].Own, want)
	}
	if own := r.Items[0].Outputs[1].Own; own == nil || own.SignatureID != keyB || own.Change != 1_000 || own.Transfer != 5*coinValue-11_000 {
		t.Errorf("own output: %+v", own)
	}
	shown := p.noPlainYes(request)
	for _, words := range []string{"LOOK AT", "of this to own keys 4.99989000 BTC"} {
		if !strings.Contains(shown, words) {
			t.Errorf("the screen does not say %q:\n%s", words, shown)
		}
	}
	p.setPolicy("", `, "limits": [{"per": "transaction", "sum": 100000000}]`)
	p.judged(request, "refused", chain.LimitTx, chain.OwnTransfer)
	p.setPolicy("", `, "quorum": [{"per": "day", "above": 100000000, "operators": 1}]`)
	r = p.review(request, 0)
	p.run(20, "sign", request, "--out", p.path("quorum"), "--approve", r.Digest)
	p.setPolicy(fmt.Sprintf(`"unlisted": "refuse", "allow": [{"chain": "BTC", "network": "testnet", "script": "%x"}], `, payee(1)), "")
	p.judged(request, "refused", chain.NotAllowed, chain.OwnTransfer)
}

// A key that the request does not name is the wallet's all the same: the first
// time and, when it is no new destination any more, the second.
func changeToUnnamedKey(t *testing.T) {
	p := newPurse(t)
	p.known()
	paid := int64(20_000)
	for name, script := range map[string][]byte{"single key": scriptsB()[1], "taproot": scriptsB()[4], "mnemonic": childOf(t, words, 7), "index 0": childOf(t, otherWords, 0)} {
		paid += 10
		s := spend{in: []*wire.TxOut{out(coinValue, p.script)}, outs: []*wire.TxOut{out(paid, payee(1)), out(coinValue-1_000-paid, script)}, keys: []chain.Key{single(deskKey)}}
		p.judged(p.ask("first.kmsreq", s), "flagged", chain.OwnTransfer)
		p.signs(p.path("first.kmsreq"))
		s.outs = []*wire.TxOut{out(paid+1, payee(1)), out(coinValue-1_001-paid, script)}
		p.judged(p.ask("second.kmsreq", s), "flagged", chain.OwnTransfer)
		if t.Failed() {
			t.Fatal(name)
		}
	}
}

// Change to an index that nobody would look for is refused, also where dust at
// that index is among the inputs.
func farIndex(t *testing.T) {
	p := newPurse(t)
	p.known()
	for _, index := range []int64{21, 1000, chain.MaxIndex} {
		far, near := childOf(t, words, index), childOf(t, words, 0)
		outs := []*wire.TxOut{out(10_000, payee(1)), out(coinValue-11_000, far)}
		p.judged(p.ask("far.kmsreq", spend{in: []*wire.TxOut{out(coinValue, near)}, outs: outs, keys: []chain.Key{at(words, 0), at(words, index)}}),
			"refused", chain.FarIndex, chain.FlagUnusedKey)
		r := p.judged(p.ask("dust.kmsreq", spend{in: []*wire.TxOut{out(coinValue, near), out(1_000, far)}, outs: outs, keys: []chain.Key{at(words, 0), at(words, index)}}),
			"refused", chain.FarIndex)
		if own := r.Items[0].Outputs[1].Own; own == nil || own.Index == nil || *own.Index != index || own.Change != 1_000 || !own.FarIndex {
			t.Errorf("own output: %+v", own)
		}
	}
	p.ownFarAddress()
	p.setPolicy(`"ownTransfers": {"farIndex": "look"}, `, "")
	p.judged(p.path("dust.kmsreq"), "flagged", chain.FarIndex)
	p.noPlainYes(p.path("dust.kmsreq"))
}

// ownFarAddress spends from a far index and a near one: change back to the far
// index's own address is change, as far as that address supplied it; beyond
// that, and at another address of its key, it is not.
func (p purse) ownFarAddress() {
	p.t.Helper()
	far, near := childOf(p.t, words, 7000), childOf(p.t, words, 20)
	keys := []chain.Key{at(words, 7000), at(words, 20)}
	pays := func(change int64, to []byte) string {
		return p.ask("own-far.kmsreq", spend{in: []*wire.TxOut{out(coinValue, far), out(coinValue/2, near)},
			outs: []*wire.TxOut{out(coinValue*3/2-1_000-change, payee(1)), out(change, to)}, keys: keys})
	}
	p.judged(pays(coinValue, far), "ok")
	r := p.judged(pays(coinValue+1, far), "refused", chain.FarIndex)
	if said := fmt.Sprint(r.Items[0].Reasons); strings.Contains(said, "never used") || !strings.Contains(said, "beyond what that very address supplies here") {
		p.t.Errorf("it says: %s", said)
	}
	if own := r.Items[0].Outputs[1].Own; own == nil || own.Change != coinValue || own.Transfer != 1 {
		p.t.Errorf("own output: %+v", own)
	}
	p.judged(pays(coinValue, witness(far)), "refused", chain.FarIndex)
}

// witness is the P2WPKH script of a P2PKH script's key.
func witness(p2pkh []byte) []byte { return append([]byte{0, 20}, p2pkh[3:23]...) }

// The rule of its own: refuse, allow, and groups within which value moves
// freely. Allowed transfers still count.
func ownTransferRules(t *testing.T) {
	p := newPurse(t)
	p.known()
	request := p.ask("drain.kmsreq", p.drain())
	p.setPolicy(`"ownTransfers": {"mode": "refuse"}, `, "")
	p.judged(request, "refused", chain.OwnTransfer)
	p.setPolicy(`"ownTransfers": {"mode": "allow"}, `, "")
	p.judged(request, "ok")
	p.setPolicy(`"ownTransfers": {"mode": "allow"}, `, `, "limits": [{"per": "day", "sum": 100000000}]`)
	p.judged(request, "refused", chain.LimitDay)
	groups := fmt.Sprintf(`"ownTransfers": {"groups": [[%q, %q]]}, `, keyB, deskKey)
	p.setPolicy(groups, `, "limits": [{"per": "day", "sum": 100000000}]`)
	if r := p.judged(request, "ok"); r.Totals[0].Own != 0 || !r.Items[0].Outputs[1].Change {
		t.Errorf("within a group: %+v", r)
	}
	s := p.drain()
	s.outs[1].PkScript = childOf(t, words, 0)
	p.judged(p.ask("outside.kmsreq", s), "refused", chain.LimitDay, chain.OwnTransfer)
}

// Every own output names its key in the review, the session, the JSON, all
// forms of the summary and the ledger.
func ownOutputsNamed(t *testing.T) {
	p := newPurse(t)
	p.known()
	s := p.drain()
	s.outs = append(s.outs, out(500_000, childOf(t, words, 3)))
	s.outs[1].Value -= 500_000
	request := p.ask("named.kmsreq", s)
	r := p.review(request, 0)
	names := []string{keyB, words + " / 3"}
	look := sit(t, p.command("review", request))
	look.sees("password")
	look.types(deskPassword + "\r")
	look.waits()
	texts := map[string]string{"review": look.stdout.String()}
	desk := sit(t, p.command("sign", request, "--out", p.path("no"), "--session"))
	desk.sees("password")
	desk.types(deskPassword + "\r")
	desk.sees("The batch")
	desk.types("l\r")
	texts["session"] = desk.sees("The item, undecided")
	desk.types("\x03")
	desk.waits()
	for _, ending := range []string{"txt", "json", "csv", "html"} {
		summary := p.path("summary." + ending)
		p.run(0, "sign", request, "--out", p.path("out-"+ending), "--approve", r.Digest, "--summary", summary)
		b, err := os.ReadFile(summary)
		if err != nil {
			t.Fatal(err)
		}
		texts[ending] = string(b)
	}
	for name, text := range texts {
		for _, key := range names {
			if name == "json" {
				key, _, _ = strings.Cut(key, " / ")
			}
			if !strings.Contains(text, key) {
				t.Errorf("%s does not name %s:\n%s", name, key, text)
			}
		}
	}
	if !strings.Contains(texts["json"], `"index": 3`) || !strings.Contains(texts["review"], "(own, other key: "+words+" / 3)") {
		t.Errorf("index or words are missing:\n%s", texts["review"])
	}
	book, err := os.ReadFile(p.path("w.kms.ledger"))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		`"from":[{"key":"` + deskKey + `","value":500000000},{"key":"` + keyB + `","value":1000}]`,
		`"own":[{"key":"` + keyB + `","to":"`, `"value":499490000,"change":1000}`, `{"key":"` + words + `","index":3,"to":"`,
	} {
		if !strings.Contains(string(book), want) {
			t.Errorf("the ledger has no %s", want)
		}
	}
}

// A P2PK output to an own key of Bitcoin Cash is spendable by nobody here.
func unspendableChange(t *testing.T) {
	p := newPurse(t)
	in := []*wire.TxOut{out(coinValue, scriptsB()[0])}
	r := p.judged(p.ask("p2pk.kmsreq", spend{chain: chain.BCH, in: in, outs: []*wire.TxOut{out(coinValue-1_000, scriptsB()[3])}, keys: []chain.Key{single(keyBCH)}}), "flagged", chain.OwnTransfer)
	if r.Items[0].Outputs[0].Change || r.Totals[0].Paid != coinValue-1_000 {
		t.Errorf("it is change: %+v", r)
	}
	p.noPlainYes(p.path("p2pk.kmsreq"))
	p.judged(p.ask("p2pkh.kmsreq", spend{chain: chain.BCH, in: in, outs: []*wire.TxOut{out(10_000, scriptsB()[0]), out(coinValue-11_000, scriptsB()[0])}, keys: []chain.Key{single(keyBCH)}}), "flagged", chain.FlagRoundTrip)
}

// Fees count in every sum and for the quorum, also of a transaction that pays
// nobody.
func feesCount(t *testing.T) {
	p := newPurse(t)
	p.known() // 10,001 and a fee of 999
	pays := func(value, fee int64) string {
		return p.ask("fee.kmsreq", spend{in: []*wire.TxOut{out(coinValue, p.script)}, outs: []*wire.TxOut{out(value, payee(1)), out(coinValue-value-fee, p.script)}, keys: []chain.Key{single(deskKey)}})
	}
	for per, code := range map[string]chain.Code{"transaction": chain.LimitTx, "batch": chain.LimitBatch, "day": chain.LimitDay, "week": chain.LimitWeek} {
		before := int64(0)
		if per == "day" || per == "week" {
			before = 11_000
		}
		p.setPolicy("", fmt.Sprintf(`, "limits": [{"per": %q, "sum": %d}]`, per, 21_000+before))
		p.judged(pays(20_000, 1_000), "ok")
		p.judged(pays(20_000, 1_001), "refused", code)
	}
	p.setPolicy("", `, "limits": [{"per": "transaction", "sum": 0}]`)
	burn := []*wire.TxOut{out(0, append([]byte{txscript.OP_RETURN, 5}, "burnt"...)), out(coinValue-900_000, p.script)}
	p.judged(p.ask("burn.kmsreq", spend{in: []*wire.TxOut{out(coinValue, p.script)}, outs: burn, keys: []chain.Key{single(deskKey)}}),
		"refused", chain.FeeAbovePolicy, chain.LimitTx, chain.FlagRoundTrip, chain.FlagData)
	p.setPolicy("", `, "maxFeeRate": 100000, "quorum": [{"per": "transaction", "above": 800000, "operators": 1}]`)
	r := p.judged(p.path("burn.kmsreq"), "flagged", chain.FlagRoundTrip, chain.FlagData)
	p.run(20, "sign", p.path("burn.kmsreq"), "--out", p.path("quorum"), "--approve", r.Digest)
}

// A fee above the cap in coins is refused, unless policy has another cap.
func feeCap(t *testing.T) {
	p := newPurse(t)
	p.known()
	in := make([]*wire.TxOut, 100) // large enough for the fee rate to be in order
	keys := []chain.Key{single(deskKey)}
	for i := range in {
		in[i] = out(coinValue, p.script)
	}
	costs := func(fee int64) string {
		return p.ask("cap.kmsreq", spend{in: in, outs: []*wire.TxOut{out(50*coinValue, payee(1)), out(50*coinValue-fee, p.script)}, keys: keys})
	}
	p.judged(costs(1_000_000), "ok")
	p.judged(costs(1_000_001), "refused", chain.FeeAbovePolicy)
	p.setPolicy("", `, "maxFee": 2000000`)
	p.judged(p.path("cap.kmsreq"), "ok")
	p.setPolicy("", `, "maxFee": 1000`)
	p.judged(p.path("cap.kmsreq"), "refused", chain.FeeAbovePolicy)
}

// A fee above what is paid, or of a transaction that pays nobody, never passes
// with a plain y, and is described as what it is.
func paysNobody(t *testing.T) {
	p := newPurse(t)
	p.known()
	keys := []chain.Key{single(deskKey)}
	in := []*wire.TxOut{out(coinValue, p.script)}
	p.judged(p.ask("above.kmsreq", spend{in: in, outs: []*wire.TxOut{out(10_000, payee(1)), out(coinValue-20_001, p.script)}, keys: keys}), "flagged", chain.FlagHighFee)
	p.noPlainYes(p.path("above.kmsreq"))
	p.judged(p.ask("nobody.kmsreq", spend{in: in, outs: []*wire.TxOut{out(coinValue-1_000, p.script)}, keys: keys}), "flagged", chain.FlagRoundTrip)
	shown := p.noPlainYes(p.path("nobody.kmsreq"))
	if !strings.Contains(shown, "pays out 0.00000000 BTC (0)") {
		t.Errorf("it shows:\n%s", shown)
	}
	data := []*wire.TxOut{out(0, append([]byte{txscript.OP_RETURN, 4}, "data"...)), out(coinValue-20_000, p.script)}
	p.judged(p.ask("data.kmsreq", spend{in: in, outs: data, keys: keys}), "flagged", chain.FlagData, chain.FlagRoundTrip)
	p.noPlainYes(p.path("data.kmsreq"))
	look := sit(t, p.command("review", p.path("data.kmsreq")))
	look.sees("password")
	look.types(deskPassword + "\r")
	look.waits()
	for _, words := range []string{"round-trip: pays nobody: all but the fee of 0.00020000 BTC (20000) comes back", "per vB, and nothing is paid"} {
		if !strings.Contains(look.stdout.String(), words) {
			t.Errorf("the review does not say %q:\n%s", words, look.stdout.String())
		}
	}
}

// What a person takes out of a batch is not counted with the rest.
func takenOut(t *testing.T) {
	p := newPurse(t)
	p.known()
	pays := func(value int64) spend {
		return spend{in: []*wire.TxOut{out(coinValue, p.script)}, outs: []*wire.TxOut{out(value, payee(1)), out(coinValue-value-1_000, p.script)}, keys: []chain.Key{single(deskKey)}}
	}
	request := p.ask("three.kmsreq", pays(100_000), pays(200_000), pays(300_000))
	p.setPolicy("", `, "limits": [{"per": "batch", "sum": 402000}]`)
	r := p.review(request, 20)
	if len(r.Items) != 3 || !slices.Contains(r.Items[0].Codes, chain.LimitBatch) {
		t.Fatalf("%+v", r)
	}
	id := r.Items[1].ID
	s := sit(t, p.command("sign", request, "--out", p.path("out"), "--plain", "--without", id))
	s.sees("password")
	s.types(deskPassword + "\r")
	s.sees("Sign 2 transactions?")
	s.types("sign 2\r")
	if code := s.waits(); code != 3 {
		t.Errorf("exit %d: %s", code, s.stderr.String())
	}
	var said struct{ Result string }
	if err := json.Unmarshal(s.stdout.Bytes(), &said); err != nil {
		t.Fatal(err)
	}
	if signed, codes := p.signedBy(request, said.Result); signed != 2 || codes[chain.RefusedByPerson] != 1 {
		t.Errorf("%d signed, refused %v", signed, codes)
	}
	p.run(2, "review", request, "--without", "nobody")
	p.run(2, "review", request, request, "--without", id)
}

// Value in an output that nobody can ever spend is a fee by another name.
func burntValue(t *testing.T) {
	p := newPurse(t)
	p.known()
	burns := func(script []byte, value, paid int64) string {
		outs := []*wire.TxOut{out(value, script), out(10*coinValue-value-paid-1_000, p.script)}
		if paid > 0 {
			outs = append(outs, out(paid, payee(1)))
		}
		return p.ask("burn.kmsreq", spend{in: []*wire.TxOut{out(10*coinValue, p.script)}, outs: outs, keys: []chain.Key{single(deskKey)}})
	}
	data := append([]byte{txscript.OP_RETURN, 4}, "burn"...)
	p.judged(burns(data, 95_000_000, 0), "refused", chain.FeeAbovePolicy, chain.FlagBurn, chain.FlagData, chain.FlagRoundTrip, chain.FlagHighFee)
	p.setPolicy("", `, "maxFeeRate": 100000`) // the cap in coins remains
	p.judged(burns(data, 1_000_000, coinValue), "refused", chain.FeeAbovePolicy, chain.FlagBurn, chain.FlagData)
	r := p.judged(burns(data, 999_000, coinValue), "flagged", chain.FlagBurn, chain.FlagData)
	if r.Totals[0].Paid != coinValue || r.Totals[0].Burnt != 999_000 || r.Totals[0].Fees != 1_000 {
		t.Errorf("%+v", r.Totals)
	}
	if shown := p.noPlainYes(p.path("burn.kmsreq")); !strings.Contains(shown, "burn 0.00999000 BTC (999000)") {
		t.Errorf("the question does not say what is burnt:\n%s", shown)
	}
	p.judged(burns(data, 600_000, 1_000_000), "flagged", chain.FlagBurn, chain.FlagData, chain.FlagHighFee)
	for name, script := range map[string][]byte{
		"return behind a push": {txscript.OP_0, txscript.OP_RETURN}, "a push that is cut": {txscript.OP_PUSHDATA1, 9, 1},
		"no taproot key": append([]byte{txscript.OP_1, 32}, bytes.Repeat([]byte{0xff}, 32)...), "no version 0 program": append([]byte{txscript.OP_0, 5}, "hello"...),
	} {
		if r := p.review(burns(script, 1_000_000, coinValue), 20); !slices.Contains(r.Items[0].Codes, chain.FeeAbovePolicy) || !slices.Contains(r.Items[0].Codes, chain.FlagBurn) {
			t.Errorf("%s: %v", name, r.Items[0].Codes)
		}
	}
	p.setPolicy("", `, "maxFeeRate": 100000, "limits": [{"per": "day", "sum": 1010000}]`)
	p.judged(burns(data, 500_000, 0), "flagged", chain.FlagBurn, chain.FlagData, chain.FlagRoundTrip)
	p.signs(p.path("burn.kmsreq"))
	p.judged(burns(data, 500_000, 0), "refused", chain.LimitDay, chain.FlagBurn, chain.FlagData, chain.FlagRoundTrip)
}

// An index far beyond does not become known by having its own dust returned;
// it does by a person who signs under the finding that it is far.
func farIndexInSteps(t *testing.T) {
	p := newPurse(t)
	p.known()
	far, near := childOf(t, words, chain.MaxIndex), childOf(t, words, 0)
	p.signs(p.ask("dust.kmsreq", spend{in: []*wire.TxOut{out(coinValue, near), out(600, far)}, keys: []chain.Key{at(words, 0), at(words, chain.MaxIndex)},
		outs: []*wire.TxOut{out(100_000, payee(1)), out(coinValue-101_000, near), out(600, far)}}))
	drain := p.ask("drain.kmsreq", spend{in: []*wire.TxOut{out(500*coinValue, near)}, keys: []chain.Key{at(words, 0)},
		outs: []*wire.TxOut{out(100_001, payee(1)), out(500*coinValue-101_001, far)}})
	p.judged(drain, "refused", chain.FarIndex)
	steps := []*wire.TxOut{out(coinValue, near)}
	keys := []chain.Key{at(words, 0)}
	outs := []*wire.TxOut{out(100_002, payee(1)), out(coinValue-101_002, near)}
	for index := int64(20); index <= 200; index += 20 { // many steps in one transaction are one
		script := childOf(t, words, index)
		steps, outs, keys = append(steps, out(600, script)), append(outs, out(600, script)), append(keys, at(words, index))
	}
	p.signs(p.ask("steps.kmsreq", spend{in: steps, outs: outs, keys: keys}))
	change := func(index int64) string {
		return p.ask("change.kmsreq", spend{in: []*wire.TxOut{out(coinValue, near)}, keys: []chain.Key{at(words, 0)},
			outs: []*wire.TxOut{out(100_003, payee(1)), out(coinValue-101_003, childOf(t, words, index))}})
	}
	p.judged(change(40), "ok")
	p.judged(change(60), "refused", chain.FarIndex)
	p.setPolicy(`"ownTransfers": {"farIndex": "look"}, `, "")
	p.judged(drain, "flagged", chain.FarIndex)
	p.signs(drain)
	p.setPolicy("", "")
	p.judged(p.ask("back.kmsreq", spend{in: []*wire.TxOut{out(coinValue, near)}, keys: []chain.Key{at(words, 0)},
		outs: []*wire.TxOut{out(100_004, payee(1)), out(coinValue-101_004, far)}}), "ok")
}
