//go:build linux

package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/btcsuite/btcd/wire/v2"

	"coldkms/shared/bundle"
	"coldkms/shared/chain"
)

// claimAttacks lie about what taproot inputs are worth.
func claimAttacks() []attack {
	return []attack{
		{"18-other-claims-are-other-content", otherClaims},
		{"18-a-false-claim-freezes-no-coin", falseClaim},
		{"31-true-claim-proven-later", trueClaimProven},
		{"31-false-claim-beside-its-proof", falseBesideProof},
		{"31-same-transaction-under-another-id", otherID},
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

// signature is that of the only item of the newest result.
func (p purse) signature(request string) []byte {
	p.t.Helper()
	r := p.review(request, 0)
	*p.salt++
	dir := p.path(fmt.Sprintf("signature-%d", *p.salt))
	p.run(0, "sign", request, "--out", dir, "--approve", r.Digest)
	files, _ := filepath.Glob(filepath.Join(dir, "*.kmsres"))
	file, err := os.ReadFile(files[0])
	if err != nil {
		p.t.Fatal(err)
	}
	result, err := bundle.OpenResult(file)
	if err != nil {
		p.t.Fatal(err)
	}
	return bytes.Join(result.Outcomes[0].Signatures, nil)
}

// A transaction signed under a claim that is true is the same when its previous
// transaction comes later, and the other way round.
func trueClaimProven(t *testing.T) {
	p := newPurse(t)
	p.known()
	for i, claimedFirst := range []bool{true, false} {
		prev := p.earlier(out(2_090_000, scriptsB()[4]))
		ask := func(id string, claimed bool, value int64) string {
			s := spend{id: id, prev: prev, outs: []*wire.TxOut{out(2_000_000, payee(1))}, keys: []chain.Key{single(keyB)}}
			if claimed {
				s.claim = map[int]*wire.TxOut{0: out(value, prev.TxOut[0].PkScript)}
			}
			return p.ask("again.kmsreq", s)
		}
		id := fmt.Sprintf("%024x", 0x77000+i)
		first := p.signature(ask(id, claimedFirst, 2_090_000))
		again := ask(id, !claimedFirst, 2_090_000)
		r := p.review(again, 0)
		if !slices.Contains(r.Items[0].Codes, chain.FlagSignedBefore) {
			t.Errorf("claimed first: %t: %v", claimedFirst, r.Items[0].Codes)
		}
		if !bytes.Equal(p.signature(again), first) {
			t.Error("other bytes")
		}
		if again := p.signature(ask(id, claimedFirst, 2_090_000)); !bytes.Equal(again, first) {
			t.Error("other bytes the third time")
		}
		p.run(20, "review", ask(id, true, 2_090_001))
	}
	book, _ := os.ReadFile(p.path("w.kms.ledger"))
	for _, code := range []chain.Code{chain.ClaimsChanged, chain.AlreadySpent, chain.FlagDisproved} {
		if strings.Contains(string(book), string(code)) {
			t.Errorf("the ledger speaks of %s", code)
		}
	}
}

// What is claimed of a transaction that the request carries is compared with
// it. Nothing of it is frozen afterwards.
func falseBesideProof(t *testing.T) {
	p := newPurse(t)
	p.known()
	prev := p.earlier(out(1_000_000, scriptsB()[4]), out(2_000_000, scriptsB()[4]))
	ask := func(value int64, script []byte) string {
		return p.ask("beside.kmsreq", spend{prev: prev, claim: map[int]*wire.TxOut{1: out(value, script)}, outs: []*wire.TxOut{out(1_499_000, payee(1))}, keys: []chain.Key{single(keyB), single(deskKey)}})
	}
	for _, request := range []string{ask(500_000, scriptsB()[4]), ask(2_000_000, p.script)} {
		r := p.judged(request, "refused", chain.AmountMismatch)
		p.run(20, "sign", request, "--out", p.path("no"), "--approve", r.Digest)
	}
	first := spend{prev: prev, outs: []*wire.TxOut{out(2_990_000, payee(1))}, keys: []chain.Key{single(keyB)}}
	p.signs(p.ask("proven.kmsreq", first))
}

// The same transaction asked for under another id is said to be signed before,
// and where.
func otherID(t *testing.T) {
	p := newPurse(t)
	p.known()
	prev := p.earlier(out(coinValue, p.script))
	ask := func(id string) string {
		return p.ask("id.kmsreq", spend{id: id, prev: prev, outs: []*wire.TxOut{out(100_000, payee(1)), out(coinValue-101_000, p.script)}, keys: []chain.Key{single(deskKey)}})
	}
	first := p.signature(ask(claimedID))
	request := ask("fedcba9876543210fedcba98")
	r := p.judged(request, "flagged", chain.FlagSignedBefore, chain.FlagSameAgain)
	if text := strings.Join(r.Items[0].Reasons, " "); !strings.Contains(text, "signed before under pending id \""+claimedID+"\" (ledger line ") {
		t.Error(text)
	}
	if !bytes.Equal(p.signature(request), first) {
		t.Error("other bytes")
	}
}
