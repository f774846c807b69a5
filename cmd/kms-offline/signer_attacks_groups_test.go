//go:build linux

package main

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/btcsuite/btcd/wire/v2"

	"coldkms/offline/hd/hdtest"
	"coldkms/offline/wallet"
	"coldkms/shared/chain"
)

// groupAttacks are about groups of entries within which value moves freely: nothing
// brings an entry into one but its very id in the policy.
func groupAttacks() []attack {
	return []attack{
		{"79-group-drained-to-its-outside", groupDrainedOutside},
		{"79-group-by-an-id-that-is-there-twice", groupTwice},
		{"79-group-by-the-case-of-letters", groupByCase},
		{"79-group-with-an-entry-of-another-coin", groupOfAnotherCoin},
		{"79-drain-among-many", drainAmongMany},
	}
}

// grouped sets a policy with these groups, which are JSON.
func (p purse) grouped(groups string) {
	p.t.Helper()
	p.setPolicy(`"ownTransfers": {"groups": `+groups+`}, `, "")
}

// drains is a request that spends a coin of each of the scripts, of a value each,
// and brings all but 11,000 to one script.
func (p purse) drains(to []byte, keys []chain.Key, in ...*wire.TxOut) string {
	p.t.Helper()
	sum := int64(0)
	for _, o := range in {
		sum += o.Value
	}
	return p.ask("drain.kmsreq", spend{in: in, keys: keys,
		outs: []*wire.TxOut{out(10_000, payee(1)), out(sum-11_000, to)}})
}

// Within a group value moves freely. What leaves it for another own key does not,
// also where that key supplies dust, or another member is named that supplies none.
func groupDrainedOutside(t *testing.T) {
	p := newPurse(t)
	p.known()
	a, b, outside := p.script, scriptsB()[1], childOf(t, words, 0)
	keys := []chain.Key{single(deskKey), single(keyB), at(words, 0)}
	p.grouped(fmt.Sprintf(`[[%q, %q]]`, deskKey, keyB))
	for _, to := range [][]byte{a, b} {
		p.judged(p.drains(to, keys[:2], out(5*coinValue, a), out(1_000, b)), "ok")
	}
	for name, in := range map[string][]*wire.TxOut{
		"a member":               {out(5*coinValue, a)},
		"two members":            {out(4*coinValue, a), out(coinValue, b)},
		"two members and dust":   {out(4*coinValue, a), out(coinValue, b), out(1_000, outside)},
		"the other member alone": {out(5*coinValue, b)},
	} {
		named := keys[:0:0]
		for _, k := range keys {
			for _, o := range in {
				if string(o.PkScript) == string(map[string][]byte{deskKey: a, keyB: b, words: outside}[k.SignatureID]) {
					named = append(named, k)
				}
			}
		}
		r := p.judged(p.drains(outside, named, in...), "flagged", chain.OwnTransfer)
		if r.Totals[0].Own < 4*coinValue {
			t.Errorf("%s: %d to own keys", name, r.Totals[0].Own)
		}
		p.noPlainYes(p.path("drain.kmsreq"))
	}
	// Into the group from outside of it is no change either.
	inward := p.drains(b, []chain.Key{keys[2], keys[1]}, out(5*coinValue, outside), out(1_000, b))
	p.judged(inward, "flagged", chain.OwnTransfer)
	// A member that is a mnemonic has its far indices refused, in a group or not.
	p.grouped(fmt.Sprintf(`[[%q, %q]]`, deskKey, words))
	p.judged(p.drains(outside, keys[:1], out(5*coinValue, a)), "ok")
	far := []chain.Key{keys[0], at(words, 70_000)}
	p.judged(p.drains(childOf(t, words, 70_000), far, out(5*coinValue, a)), "refused", chain.FarIndex, chain.FlagUnusedKey)
}

// An entry in two groups, or twice in one, would join what is to be apart: such a
// policy is refused, however the id is written.
func groupTwice(t *testing.T) {
	p := newPurse(t)
	escaped := strings.Replace(keyB, "0", `\u0030`, 1)
	for _, groups := range []string{
		fmt.Sprintf(`[[%q, %q], [%q, %q]]`, deskKey, keyB, keyB, words),
		fmt.Sprintf(`[[%q, %q], ["%s", %q]]`, deskKey, keyB, escaped, words),
		fmt.Sprintf(`[[%q, %q, "%s"]]`, deskKey, keyB, escaped),
		fmt.Sprintf(`[[%q, %q]]`, keyB, keyB),
		fmt.Sprintf(`[[%q]]`, keyB),
		fmt.Sprintf(`[[%q, %q]]`, deskKey, keyB+" "), // a space that cannot be seen
		fmt.Sprintf(`[[%q, "%s\u0000%s"]]`, deskKey, keyB, words),
		fmt.Sprintf(`[[%q, %q]], "groups": [[%q, %q]]`, deskKey, keyB, keyB, words),
	} {
		text := `{"version": 1, "ownTransfers": {"groups": ` + groups +
			`}, "chains": [{"chain": "BTC", "network": "testnet"}]}`
		if err := os.WriteFile(p.path("twice.json"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		p.run(1, "policy", "set", p.path("twice.json"))
	}
}

// An id in other letters is another entry, or none: it brings nothing into a group
// and signs nothing.
func groupByCase(t *testing.T) {
	p := newPurse(t)
	p.known()
	upper := strings.ToUpper(keyB)
	for _, groups := range []string{
		fmt.Sprintf(`[[%q, %q]]`, deskKey, upper),
		fmt.Sprintf(`[[%q, %q], [%q, %q]]`, deskKey, words, keyB, upper),
		fmt.Sprintf(`[[%q, %q], [%q, %q]]`, deskKey, upper, keyB, words),
	} {
		p.grouped(groups)
		drain := p.drains(scriptsB()[1], []chain.Key{single(deskKey)}, out(5*coinValue, p.script))
		p.judged(drain, "flagged", chain.OwnTransfer)
	}
	unknown := p.drains(scriptsB()[1], []chain.Key{single(upper)}, out(5*coinValue, scriptsB()[1]))
	p.judged(unknown, "refused", chain.UnknownKey)
}

// The entry of another coin that holds the same secret brings the key of this one
// into no group, and no value moves between coins; nor do the same words of the
// other network.
func groupOfAnotherCoin(t *testing.T) {
	const main = "00000000-0000-4000-8000-0000000000ff"
	p := newPurse(t)
	p.adds(func() (wallet.Entry, error) {
		at := hdtest.Coin(chain.Coin{Chain: chain.BTC, Network: chain.Mainnet})
		return wallet.FromKey(main, at, secretB(), false, time.Now())
	})
	p.known()
	for _, other := range []string{keyBCH, main} {
		p.grouped(fmt.Sprintf(`[[%q, %q]]`, deskKey, other))
		r := p.review(p.drains(scriptsB()[1], []chain.Key{single(deskKey)}, out(5*coinValue, p.script)), 0)
		it := r.Items[0]
		if own := it.Outputs[1].Own; own == nil || own.SignatureID != keyB || own.Change != 0 || it.Verdict != "flagged" {
			t.Errorf("in a group with %s: %+v, %s", other, own, it.Verdict)
		}
	}
}

// One item of a large batch drains a key: it is the one that is to be looked at,
// its sum is in the totals, and no yes to all of the batch signs it.
func drainAmongMany(t *testing.T) {
	p := newPurse(t)
	p.known()
	p.setPolicy(`"newDestination": "allow", "unusual": {"shape": "allow"}, `, "")
	n := itemsOf(t)
	list := make([]spend, n)
	for i := range list {
		list[i] = spend{in: []*wire.TxOut{out(100_000, p.script)}, keys: []chain.Key{single(deskKey)},
			outs: []*wire.TxOut{out(int64(20_000+i), hashed(i)), out(int64(79_000-i), p.script)}}
	}
	list[n/2].in[0].Value = 5 * coinValue
	list[n/2].outs[1] = out(5*coinValue-50_000, scriptsB()[1])
	request := p.ask("many.kmsreq", list...)
	r := p.review(request, 0)
	for i, it := range r.Items {
		own := false
		for _, c := range it.Codes {
			own = own || c == chain.OwnTransfer
		}
		if own != (i == n/2) {
			t.Fatalf("item %d: %s", i+1, it.Reasons)
		}
	}
	if r.Totals[0].Own != 5*coinValue-50_000 {
		t.Errorf("%d to own keys", r.Totals[0].Own)
	}
	at := sit(t, p.command("sign", request, "--out", p.path("out")))
	at.sees("password")
	at.types(deskPassword + "\r")
	if shown := at.sees("The batch"); !strings.Contains(shown, "own-transfer") && !strings.Contains(shown, "own key") {
		t.Errorf("the first page says nothing of it:\n%s", shown)
	}
	at.types("q")
	at.types("d")
	at.waits()
}

// hashed is a P2WPKH script that nobody has, by number.
func hashed(i int) []byte { return append([]byte{0, 20}, hashFor(fmt.Sprint("many-", i))...) }
