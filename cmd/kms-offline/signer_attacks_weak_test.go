//go:build linux

package main

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/btcsuite/btcd/wire/v2"

	"coldkms/shared/chain"
)

// weakAttacks use keys that nobody holds, and what a no to a batch forgot.
func weakAttacks() []attack {
	return []attack{
		{"45-keys-that-anybody-signs-with", weakKeys},
		{"45-declined-and-back-by-one-satoshi", declinedAndBack},
	}
}

// A key of small order, or in another encoding than its own, is no approver's
// and no relay's.
func weakKeys(t *testing.T) {
	p := newPurse(t)
	for _, key := range []string{
		strings.Repeat("0", 64), "01" + strings.Repeat("0", 62), "01" + strings.Repeat("0", 60) + "80",
		"c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa", "ee" + strings.Repeat("f", 60) + "7f",
	} {
		file := p.path("weak.json")
		text := fmt.Sprintf(`{"version": 1, "approvers": {"needed": 1, "keys": [{"name": "desk", "key": %q}]}, "chains": [{"chain": "BTC", "network": "testnet"}]}`, key)
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		for _, command := range []string{"check", "set"} {
			if code, said := p.output("--path", p.path("w.kms"), "--password-file", p.path("pw"), "policy", command, file); code == 0 || !strings.Contains(string(said), "anyone could sign for it") {
				t.Errorf("policy %s of %s: exit %d, %s", command, key, code, said)
			}
		}
	}
	forged := append([]byte("CKMSID\x00\x01\x01"), make([]byte, 31+64)...) // the identity point, and R the same
	forged[8+32] = 1
	if err := os.WriteFile(p.path("weak.kmsid"), forged, 0o600); err != nil {
		t.Fatal(err)
	}
	if code, said := p.output("--path", p.path("w.kms"), "--password-file", p.path("pw"), "pair", p.path("weak.kmsid")); code == 0 || !strings.Contains(string(said), "anyone could sign for it") {
		t.Errorf("pair: exit %d, %s", code, said)
	}
}

// A batch that was declined comes back with another fee under its id, or of its
// outpoint: it is to be looked at until it, or that one, is signed.
func declinedAndBack(t *testing.T) {
	p := newPurse(t)
	p.known()
	s := spend{id: "aa112233445566778899aabb", prev: p.earlier(out(coinValue, p.script)), outs: []*wire.TxOut{out(1_000_000, payee(1)), out(coinValue-1_001_000, p.script)}, keys: []chain.Key{single(deskKey)}}
	first := p.ask("first.kmsreq", s)
	p.answers(21, []string{"sign", first, "--out", p.path("none"), "--plain"}, "Sign 1 transaction?", "n")
	p.judged(p.asked(first, "same.kmsreq", 0), "ok") // and a NOTICE, as before
	for name, change := range map[string]func(*spend){
		"its id and outpoint": func(s *spend) { s.outs[1] = out(coinValue-1_001_001, p.script) },
		"its outpoint":        func(s *spend) { s.id, s.outs[1] = "ab112233445566778899aabb", out(coinValue-1_001_001, p.script) },
		"its id":              func(s *spend) { s.prev = p.earlier(out(coinValue, p.script)) },
	} {
		again := s
		again.outs = []*wire.TxOut{s.outs[0], s.outs[1]}
		change(&again)
		request := p.ask("again.kmsreq", again)
		r := p.judged(request, "flagged", chain.FlagRejected)
		var shown struct{ Notices []string }
		if err := json.Unmarshal([]byte(p.run(0, "review", request)), &shown); err != nil {
			t.Fatal(err)
		}
		if said := fmt.Sprint(r.Items[0].Reasons, shown.Notices); !strings.Contains(said, "a person said no to a batch with another transaction") || !strings.Contains(said, "was declined as another transaction") {
			t.Errorf("%s: %s", name, said)
		}
	}
	p.noPlainYes(p.path("again.kmsreq"))
	p.signs(first)
	s.id, s.prev = "ac112233445566778899aabb", p.earlier(out(coinValue, p.script))
	s.outs = []*wire.TxOut{out(1_000_003, payee(1)), out(coinValue-1_001_003, p.script)}
	p.judged(p.ask("other.kmsreq", s), "ok")
}
