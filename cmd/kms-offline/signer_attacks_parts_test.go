package main

import (
	"fmt"
	"strings"
	"testing"
)

// partAttacks sign a batch in parts.
func partAttacks() []attack {
	return []attack{
		{"24-batch-limit-in-two-parts", batchLimitInParts},
	}
}

// What was signed of a batch counts towards its limit and its quorum when the
// rest of it is signed.
func batchLimitInParts(t *testing.T) {
	const rules = `{"version": 1, "name": "batch", "chains": [{"chain": "BTC", "network": "testnet", %s}]}`
	for name, c := range map[string]struct{ rule, says string }{
		"limit":       {`"limits": [{"per": "batch", "sum": 100000}]`, "limit-batch"},
		"destination": {`"destinationLimits": [{"per": "batch", "sum": 100000}]`, "limit-destination"},
		"quorum":      {`"quorum": [{"per": "batch", "above": 100000, "operators": 2}]`, "0 of 2"},
	} {
		t.Run(name, func(t *testing.T) {
			o := newOffice(t)
			o.policy("batch.json", fmt.Sprintf(rules, c.rule))
			list := []payout{{to: "a", value: 60_000, fee: 200}, {to: "a", value: 60_001, fee: 200}}
			first := o.request("first.kmsreq", 80, list)
			o.answers(3, []string{"sign", first, "--out", o.path("out"), "--plain", "--without", itemID(80, 1)}, "Sign 1 transaction?", "y")
			if name == "quorum" { // item 1 is left out until somebody says no to the whole
				o.answers(21, []string{"sign", first, "--out", o.path("none"), "--plain"}, "Sign 1 transaction?", "n")
			}
			at := o.answers(20, []string{"sign", first, "--out", o.path("refusals"), "--plain", "--without", itemID(80, 0)})
			if said := at.stderr.String() + at.stdout.String(); !strings.Contains(said, c.says) {
				t.Errorf("it does not say %q: %s", c.says, said)
			}
		})
	}
}

// itemID is the pending id of an item of a request with this salt.
func itemID(salt, i int) string { return fmt.Sprintf("%024x", 0x1000*salt+i) }
