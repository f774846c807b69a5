//go:build linux

package main

import (
	"encoding/json"
	"strings"
	"testing"
)

// shownAttacks are about what a person is shown of a batch, and of what was
// decided about it before.
func shownAttacks() []attack {
	return []attack{
		{"21-quorum-of-what-can-be-signed", quorumOfSignable},
		{"22-version-1-is-verified-and-copied", versionOneVerified},
	}
}

// noticesOf reviews a batch and returns its notices and digest.
func (o office) noticesOf(code int, file string) (notices, digest string) {
	o.t.Helper()
	var r struct {
		Digest  string
		Notices []string
	}
	if err := json.Unmarshal([]byte(o.run(code, "review", file)), &r); err != nil {
		o.t.Fatal(err)
	}
	return strings.Join(r.Notices, "\n"), r.Digest
}

// Operators approve what can be signed. What is refused is no part of the sum
// that they are shown, nor of the one that calls them.
func quorumOfSignable(t *testing.T) {
	o := newOffice(t)
	const absurd = 300_000 // more per vB than the policy takes
	file := o.request("much.kmsreq", 51, []payout{{to: "a", value: 60_000, fee: 200}, {to: "b", value: 500_000, fee: absurd}, {to: "c", value: 61_000, fee: 200}})
	const words = "without what is refused, this batch pays 0.00121400 BTC (121400) in 2 payments and fees, and above"
	notices, digest := o.noticesOf(3, file)
	if !strings.Contains(notices, words) {
		t.Errorf("notices: %s", notices)
	}
	o.says(20, words, "sign", file, "--out", o.path("none"), "--approve", digest)
	o.approved(file, digest, "alice")
	o.says(20, "1 of 2 (alice)", "sign", file, "--out", o.path("none"), "--approve", digest)
	o.approved(file, digest, "bob")
	o.run(3, "sign", file, "--out", o.path("out"), "--approve", digest)

	file = o.request("little.kmsreq", 52, []payout{{to: "a", value: 20_000, fee: 200}, {to: "b", value: 500_000, fee: absurd}})
	if notices, digest = o.noticesOf(3, file); strings.Contains(notices, "operators") {
		t.Errorf("notices: %s", notices)
	}
	o.run(3, "sign", file, "--out", o.path("out"), "--approve", digest)
}
