//go:build linux

package main

import (
	"encoding/json"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/btcsuite/btcd/txscript/v2"

	"coldkms/shared/bundle"
	"coldkms/shared/chain"
	"coldkms/shared/chain/utxo"
)

// legacy is a request of items that spend so many P2PKH outputs each. Each of
// their signatures hashes the whole transaction.
func (p place) legacy(name string, inputs ...int) string {
	p.t.Helper()
	script := append([]byte{txscript.OP_DUP, txscript.OP_HASH160, 20}, p.script[2:]...)
	script = append(script, txscript.OP_EQUALVERIFY, txscript.OP_CHECKSIG)
	r := bundle.Request{}
	for i, n := range inputs {
		r.Attach(utxo.Name, fund(uint32(i), n, 2000, script))
		r.Items = append(r.Items, p.wide(i, n, 1, i, 0))
	}
	return p.sealed(name, r)
}

func times(n, inputs int) []int {
	list := make([]int, n)
	for i := range list {
		list[i] = inputs
	}
	return list
}

// A few kilobytes ask for hours of hashing: a transaction is signed up to a
// bound that no node would relay, and a request up to some seconds. The most
// that is signed is measured with KMS_ITEMS set.
func manyLegacyInputs(t *testing.T) {
	p := newPlace(t)
	o := office{p}
	const words = "KiB hashed for legacy signatures (P2PKH, P2PK), a request has at most"
	much := p.legacy("much.kmsreq", times(20, 2_000)...)
	for _, args := range [][]string{{"review", much}, {"sign", much, "--out", p.path("none"), "--approve", strings.Repeat("ab", 32)}} {
		u := p.measure(args...)
		u.bounded(t, "a request with too many legacy inputs: "+args[0])
		u.refused(t, words)
	}
	o.unsigned()

	honest := p.legacy("honest.kmsreq", 600, 4_000)
	u := p.measure("review", honest)
	var said struct {
		Digest string
		Items  []struct {
			Verdict string
			Codes   []chain.Code
		}
	}
	if err := json.Unmarshal([]byte(u.stdout), &said); err != nil || len(said.Items) != 2 {
		t.Fatalf("%v: %s", err, u.stderr)
	}
	if said.Items[0].Verdict == "refused" || len(said.Items[1].Codes) != 1 || said.Items[1].Codes[0] != chain.TooLarge {
		t.Errorf("%+v", said.Items)
	}
	s := p.measure("sign", honest, "--out", p.path("out"), "--approve", said.Digest)
	t.Logf("600 legacy inputs: review %s, sign %s", u, s)
	if s.code != 3 || !strings.Contains(s.stdout, string(chain.TooLarge)) {
		t.Errorf("sign: %s: %.500s", s, s.stdout)
	}
	if os.Getenv("KMS_ITEMS") == "" {
		return
	}
	p = newPlace(t)                                     // nothing is spent yet
	most := p.legacy("most.kmsreq", times(140, 600)...) // larger items are refused: nodes relay none
	digest := struct{ Digest string }{}
	if err := json.Unmarshal([]byte(p.measure("review", most).stdout), &digest); err != nil {
		t.Fatal(err)
	}
	s = p.measure("sign", most, "--out", p.path("out"), "--approve", digest.Digest)
	s.within(t, "the most legacy inputs of a request: sign", time.Minute) // two signatures and a check for each of 84,000
	if s.code != 0 {
		t.Errorf("exit %d: %.500s", s.code, s.stderr)
	}
}
