//go:build linux

package main

import (
	"bytes"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"coldkms/shared/chain"
)

// partAttacks sign a batch in parts.
func partAttacks() []attack {
	return []attack{
		{"24-batch-limit-in-two-parts", batchLimitInParts},
		{"24-rejected-after-signing", rejectedAfterSigning},
		{"24-copy-of-another-wallet", copyOfAnotherWallet},
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
			asked := []string{"Tell the relay that all 2 are refused?", "y"}
			if name == "quorum" { // it is not refused: operators have to approve it first
				asked = nil
			}
			at := o.answers(20, []string{"sign", first, "--out", o.path("refusals"), "--plain", "--without", itemID(80, 0)}, asked...)
			if said := at.stderr.String() + at.stdout.String(); !strings.Contains(said, c.says) {
				t.Errorf("it does not say %q: %s", c.says, said)
			}
		})
	}
}

// itemID is the pending id of an item of a request with this salt.
func itemID(salt, i int) string { return fmt.Sprintf("%024x", 0x1000*salt+i) }

// A person leaves out what was signed before: each screen says so, and the
// result says nothing from which the relay could conclude that no signature is
// out.
func rejectedAfterSigning(t *testing.T) {
	o := newOffice(t)
	list := []payout{{to: "a", value: 10_000, fee: 200}, {to: "b", value: 11_000, fee: 200}}
	file := o.request("pay.kmsreq", 82, list)
	digest, _ := o.reviewed(file)
	o.run(0, "sign", file, "--out", o.path("out"), "--approve", digest)
	const warns, line = "takes nothing back", "(ledger line "
	said := o.run(3, "review", file, "--without", itemID(82, 0))
	if !strings.Contains(said, warns) || strings.Count(said, line) != 2 {
		t.Errorf("the review does not say that both were signed: %s", said)
	}
	at := sit(t, o.command("sign", file, "--out", o.path("again"), "--plain"))
	at.sees("password")
	at.types(deskPassword + "\r")
	at.sees("[y/N]")
	at.types("reject 1\r")
	at.sees("1 item was signed before: the signature may be out")
	at.types("y\r")
	if code := at.waits(); code != 3 {
		t.Errorf("exit %d: %s", code, at.stderr.String())
	}
	if !strings.Contains(at.stdout.String(), `"signed-earlier"`) {
		t.Errorf("the reply: %s", at.stdout.String())
	}
	desk := sit(t, o.command("sign", file, "--out", o.path("none"), "--session"))
	desk.sees("password")
	desk.types(deskPassword + "\r")
	desk.sees("The batch")
	desk.types("l")
	desk.types("o")       // by number
	desk.types("jrkkaaq") // the second is rejected; of the first there is more than the list shows
	desk.sees("rejected 1")
	desk.types("s")
	desk.sees("SIGNED BEFORE      1 item")
	desk.types("\x03")
	desk.waits()
	o.answers(3, []string{"sign", file, "--out", o.path("without"), "--plain", "--without", itemID(82, 1)}, "SIGNED BEFORE      1 item", "sign 1")
	for _, folder := range []string{"again", "without"} {
		results, err := filepath.Glob(o.path(folder + "/*.kmsres"))
		if err != nil || len(results) != 1 {
			t.Fatal(results, err)
		}
		if signed, codes := o.signedBy(file, results[0]); signed != 1 || codes[chain.SignedEarlier] != 1 {
			t.Errorf("%s: %d signed, %v", folder, signed, codes)
		}
	}
	// the policy refuses it now: no less signed
	o.policy("none.json", `{"version": 1, "name": "none", "chains": [{"chain": "BTC", "network": "mainnet"}]}`)
	o.run(20, "sign", file, "--out", o.path("refused"))
	results, _ := filepath.Glob(o.path("refused/*.kmsres"))
	if signed, codes := o.signedBy(file, results[0]); signed != 0 || codes[chain.SignedEarlier] != 2 {
		t.Errorf("refused: %d signed, %v", signed, codes)
	}
}

// Restoring another wallet's copy says so, and does not advise moving this
// wallet's ledger away.
func copyOfAnotherWallet(t *testing.T) {
	o, other := office{newPlace(t)}, office{newPlace(t)}
	other.run(0, "backup", other.path("copy.kms"))
	before := o.files()
	copied := other.path("copy.kms")
	cmd := o.command("--password-file", o.path("pw"), "restore", copied)
	out, _ := cmd.CombinedOutput()
	if code := cmd.ProcessState.ExitCode(); code != 20 || !strings.Contains(string(out), "copy of another wallet") || strings.Contains(string(out), "damaged") || strings.Contains(string(out), "away") {
		t.Errorf("exit %d: %s", code, out)
	}
	for name, b := range o.files() {
		if !bytes.Equal(b, before[name]) {
			t.Errorf("%s was changed", name)
		}
	}
}
