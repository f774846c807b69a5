package main

import (
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/btcsuite/btcd/wire"

	"coldkms/shared/chain"
)

// claimAttacks lie about what taproot inputs are worth.
func claimAttacks() []attack {
	return []attack{
		{"18-other-claims-are-other-content", otherClaims},
		{"18-a-false-claim-freezes-no-coin", falseClaim},
	}
}

// claims is a payment of 2,000,000 from a taproot input that is said to be
// worth value.
func (p purse) claims(prev *wire.MsgTx, id string, value int64) string {
	return p.ask("claims.kmsreq", spend{id: id, prev: prev, claim: map[int]*wire.TxOut{0: out(value, scriptsB()[4])},
		outs: []*wire.TxOut{out(2_000_000, payee(1))}, keys: []chain.Key{single(keyB)}})
}

const claimedID = "0123456789abcdef01234567"

// A signature made under one claim excuses none under another: the bytes would
// be new ones, valid where the first are not.
func otherClaims(t *testing.T) {
	p := newPurse(t)
	p.known()
	p.setPolicy(`"samePayment": "allow", `, `, "limits": [{"per": "transaction", "sum": 2010000}, {"per": "day", "sum": 2030000}]`)
	prev := p.earlier(out(2_090_000, scriptsB()[4]))
	p.judged(p.claims(prev, claimedID, 2_090_000), "refused", chain.LimitTx, chain.LimitDay, chain.FlagCommitted)
	first := p.claims(prev, claimedID, 2_002_000)
	p.judged(first, "flagged", chain.FlagCommitted)
	p.noPlainYes(first) // a claim is looked at
	p.signs(first)
	p.judged(p.claims(prev, claimedID, 2_002_000), "flagged", chain.FlagCommitted, chain.FlagSignedBefore)
	p.signs(p.path("claims.kmsreq"))
	for _, value := range []int64{2_090_000, 2_002_001} {
		request := p.claims(prev, claimedID, value)
		r := p.review(request, 20)
		if codes := r.Items[0].Codes; !slices.Contains(codes, chain.ClaimsChanged) || !slices.Contains(codes, chain.AlreadySpent) || slices.Contains(codes, chain.FlagSignedBefore) {
			t.Errorf("%v", codes)
		}
		text := strings.Join(r.Items[0].Reasons, "\n")
		for _, words := range []string{"input 0 was 0.02002000 BTC (2002000) and is ", "the fee was 0.00002000 BTC (2000)", "kms-offline ledger release " + claimedID} {
			if !strings.Contains(text, words) {
				t.Errorf("it does not say %q: %s", words, text)
			}
		}
		p.run(20, "sign", request, "--out", p.path("no"), "--approve", r.Digest)
	}
	p.judged(p.claims(prev, "another", 2_002_001), "refused", chain.AlreadySpent, chain.LimitDay, chain.FlagCommitted)
	p.release(claimedID)
	p.setPolicy(`"samePayment": "allow", `, `, "limits": [{"per": "transaction", "sum": 2010000}]`)
	p.judged(p.claims(prev, claimedID, 2_090_000), "refused", chain.LimitTx, chain.FlagCommitted)
	p.judged(p.claims(prev, claimedID, 2_002_001), "flagged", chain.FlagCommitted)
	p.signs(p.path("claims.kmsreq"))
}

// release frees what was signed under an id, as a person does.
func (p purse) release(id string) {
	p.t.Helper()
	s := sit(p.t, p.command("ledger", "release", id))
	s.sees("password")
	s.types(deskPassword + "\r")
	s.sees("release")
	s.types("release\r")
	if code := s.waits(); code != 0 {
		p.t.Fatalf("exit %d: %s", code, s.stderr.String())
	}
}

// A coin of another kind that was claimed to be taproot can be spent: what is
// proven shows the earlier signature to be invalid. A claim that is true keeps
// the coin taken.
func falseClaim(t *testing.T) {
	p := newPurse(t)
	p.known()
	p.setPolicy(`"samePayment": "allow", `, "")
	pays := func(prev *wire.MsgTx, key string) string {
		return p.ask("proven.kmsreq", spend{prev: prev, outs: []*wire.TxOut{out(1_000_000, payee(1)), out(prev.TxOut[0].Value-1_001_000, prev.TxOut[0].PkScript)}, keys: []chain.Key{single(key)}})
	}
	wpkh := p.earlier(out(5*coinValue, p.script))
	p.signs(p.claims(wpkh, "", 2_002_000))
	p.judged(pays(wpkh, deskKey), "flagged", chain.FlagDisproved)
	p.signs(p.path("proven.kmsreq"))
	book, err := os.ReadFile(p.path("w.kms.ledger"))
	if err != nil || !strings.Contains(string(book), `"code":"claim-disproved"`) {
		t.Errorf("the ledger does not say that an outpoint was taken over: %v", err)
	}
	p.judged(p.claims(wpkh, "again", 2_002_000), "refused", chain.AlreadySpent, chain.FlagCommitted)
	worth := p.earlier(out(5_000_000, scriptsB()[4])) // the amount alone is false
	p.signs(p.claims(worth, "", 2_002_000))
	p.judged(pays(worth, keyB), "flagged", chain.FlagDisproved)
	real := p.earlier(out(3_000_000, scriptsB()[4]))
	p.signs(p.ask("true.kmsreq", spend{prev: real, claim: map[int]*wire.TxOut{0: real.TxOut[0]}, outs: []*wire.TxOut{out(2_997_000, payee(1))}, keys: []chain.Key{single(keyB)}}))
	p.judged(pays(real, keyB), "refused", chain.AlreadySpent)
}
