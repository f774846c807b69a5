package policy

import (
	"bytes"
	"fmt"
	"slices"
	"testing"

	"coldkms/shared/chain"
)

// What is done about a key that another coin or network has too: by default an
// item for testnet never spends a coin of mainnet, and nothing is said between
// testnets.
func TestSharedKeys(t *testing.T) {
	const nothing, look, refuse = "nothing", "look", "refuse"
	for _, c := range []struct {
		item, other                   chain.Network
		unset, allowed, looked, never string
	}{
		{chain.Testnet, chain.Testnet, nothing, nothing, nothing, nothing},
		{chain.Testnet, chain.Mainnet, refuse, nothing, look, refuse},
		{chain.Mainnet, chain.Testnet, look, nothing, look, refuse},
		{chain.Mainnet, chain.Mainnet, look, nothing, look, refuse},
	} {
		for rule, want := range map[string]string{"": c.unset, "allow": c.allowed, "look": c.looked, "refuse": c.never} {
			text := ""
			if rule != "" {
				text = fmt.Sprintf(`"sharedKeys": %q, `, rule)
			}
			p := mustParse(t, `{"version": 1, `+text+`"chains": [{"chain": "BTC", "network": "mainnet"}, {"chain": "BTC", "network": "testnet"}]}`)
			s := sound()
			s.Facts.Network = c.item
			s.Shared = []SharedKey{{Key: *ownKey(), Other: chain.Key{SignatureID: "other", Index: 3}, Coin: chain.Coin{Chain: chain.LTC, Network: c.other}}}
			v := judge(p, s, knowing("a"))
			got := nothing
			switch {
			case v.Refused():
				got = refuse
			case slices.Contains(v.Codes(), chain.SharedKey):
				got = look
			}
			if got != want {
				t.Errorf("item of %s, key of %s, rule %q: %s, want %s", c.item, c.other, rule, got, want)
			}
		}
	}
}

// A file that says nothing about shared keys has the hash that it always had.
func TestSharedKeysLeftOutChangeNoHash(t *testing.T) {
	without := mustParse(t, Example())
	canonical, err := without.Canonical()
	if err != nil || bytes.Contains(canonical, []byte("sharedKeys")) {
		t.Errorf("%v\n%s", err, canonical)
	}
	if _, err := Parse(utxoCoins{}, []byte(`{"version": 1, "chains": [], "sharedKeys": "flag"}`)); err == nil {
		t.Error("another mode is taken")
	}
}
