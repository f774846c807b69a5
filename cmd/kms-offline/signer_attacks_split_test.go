//go:build linux

package main

import (
	"path/filepath"
	"strings"
	"testing"

	"coldkms/shared/chain"
)

// splitAttacks pay in parts, without operators, what operators have to approve.
func splitAttacks() []attack {
	return []attack{
		{"75-split-after-a-review", splitAfterReview},
		{"75-split-after-a-question", splitAfterQuestion},
		{"75-split-after-a-limit", splitAfterLimit},
		{"75-split-by-without", splitByWithout},
		{"75-split-by-rejecting", splitByRejecting},
		{"75-split-by-rejecting-in-the-parts", splitFurther},
		{"75-split-after-a-decline", splitAfterDecline},
		{"75-another-batch-is-no-part", otherBatchIsNoPart},
		{"75-all-rejected-is-told", allRejectedTold},
	}
}

// three payments of which any two need no operator together.
func threeParts() []payout {
	return []payout{{to: "a", value: 20_000, fee: 200},
		{to: "b", value: 20_100, fee: 200}, {to: "c", value: 20_300, fee: 200}}
}

const partsAsked = "what comes of that batch again, with what was signed of it, " +
	"pays 0.00061000 BTC (61000) in 3 payments and fees, and above"

// needsBoth asks again for what was not signed of a batch: it needs both
// operators, and is signed once they have approved.
func (o office) needsBoth(file string) {
	o.t.Helper()
	digest, _ := o.reviewed(file)
	o.says(20, partsAsked, "sign", file, "--out", o.path("none"), "--approve", digest)
	o.approved(file, digest, "alice")
	o.says(20, "1 of 2 (alice)", "sign", file, "--out", o.path("none"), "--approve", digest)
	o.approved(file, digest, "bob")
	o.run(0, "sign", file, "--out", o.path("out"), "--approve", digest)
}

// A batch that was reviewed, and needs operators, comes again in parts.
func splitAfterReview(t *testing.T) {
	o := newOffice(t)
	all := o.request("all.kmsreq", 178, threeParts())
	o.reviewed(all)
	o.inParts(178)
}

// A batch is refused on the terminal, because operators are missing, and comes
// again in parts.
func splitAfterQuestion(t *testing.T) {
	o := newOffice(t)
	all := o.request("all.kmsreq", 179, threeParts())
	o.answers(20, []string{"sign", all, "--out", o.path("none"), "--plain"})
	o.inParts(179)
}

// A batch is refused by a limit when it is reviewed, and comes again in parts.
func splitAfterLimit(t *testing.T) {
	o := newOffice(t)
	o.policy("limit.json", strings.Replace(quorumPolicy, `"quorum"`,
		`"limits": [{"per": "batch", "sum": 55000}], "quorum"`, 1))
	o.run(20, "review", o.request("all.kmsreq", 180, threeParts()))
	o.inParts(180)
}

// inParts asks for two of three payments, which need no operators, and then for
// the third.
func (o office) inParts(first int) {
	o.t.Helper()
	two := o.request("two.kmsreq", first, threeParts()[:2])
	digest, _ := o.reviewed(two)
	o.run(0, "sign", two, "--out", o.path("out"), "--approve", digest)
	rest := o.request("rest.kmsreq", first, append(threeParts(), payout{to: "d", value: 1_000, fee: 200}))
	digest, _ = o.reviewed(rest)
	o.says(20, partsAsked, "sign", rest, "--out", o.path("none"), "--approve", digest)
}

// What is left out by name counts in the batch it was left out of.
func splitByWithout(t *testing.T) {
	o := newOffice(t)
	file := o.request("all.kmsreq", 171, threeParts())
	digest, _ := o.reviewed(file)
	o.says(20, "0 of 2", "sign", file, "--out", o.path("none"), "--approve", digest)
	o.run(3, "review", file, "--without", itemID(171, 0))
	o.run(3, "sign", file, "--out", o.path("out"), "--approve", digest, "--without", itemID(171, 0))
	o.needsBoth(o.request("rest.kmsreq", 171, threeParts()[:1]))
}

// So does what is rejected in a session, though operators had approved all of it.
func splitByRejecting(t *testing.T) {
	o := newOffice(t)
	file := o.request("all.kmsreq", 172, threeParts())
	digest, _ := o.reviewed(file)
	o.approved(file, digest, "alice", "bob")
	o.answers(20, []string{"sign", file, "--out", o.path("none"), "--plain"}, "Sign 3 transactions?", "reject 1",
		"Take 1 transaction out", "y")
	o.answers(3, []string{"sign", file, "--out", o.path("out"), "--plain"}, "Sign 2 transactions?", "y")
	o.needsBoth(o.request("rest.kmsreq", 172, threeParts()[:1]))
}

// Parts are split further: each item counts in every batch that had it.
func splitFurther(t *testing.T) {
	o := newOffice(t)
	all := o.request("all.kmsreq", 173, threeParts())
	digest, _ := o.reviewed(all)
	o.run(3, "review", all, "--without", itemID(173, 0), "--without", itemID(173, 1))
	o.run(3, "sign", all, "--out", o.path("out"), "--approve", digest,
		"--without", itemID(173, 0), "--without", itemID(173, 1))
	two := o.request("two.kmsreq", 173, threeParts()[:2])
	digest, _ = o.reviewed(two)
	o.run(3, "review", two, "--without", itemID(173, 0))
	o.run(3, "sign", two, "--out", o.path("out"), "--approve", digest, "--without", itemID(173, 0))
	o.needsBoth(o.request("one.kmsreq", 173, threeParts()[:1]))
}

// A batch that was declined comes again as two.
func splitAfterDecline(t *testing.T) {
	o := newOffice(t)
	all := o.request("all.kmsreq", 174, threeParts())
	o.answers(21, []string{"approve", all, "--operator", "alice", "--operator-password-file", o.path("alice")},
		`or "no":`, "no")
	o.inParts(174)
}

// What has no item of a batch is no part of it.
func otherBatchIsNoPart(t *testing.T) {
	o := newOffice(t)
	all := o.request("all.kmsreq", 175, threeParts())
	digest, _ := o.reviewed(all)
	o.run(3, "review", all, "--without", itemID(175, 0))
	o.run(3, "sign", all, "--out", o.path("out"), "--approve", digest, "--without", itemID(175, 0))
	other := o.request("other.kmsreq", 176, threeParts()[:1])
	digest, _ = o.reviewed(other)
	o.run(0, "sign", other, "--out", o.path("out"), "--approve", digest)
}

// All that a person rejects is told to the relay, if they say so; the ledger's
// length is told whatever the answer is.
func allRejectedTold(t *testing.T) {
	o := newOffice(t)
	file := o.request("one.kmsreq", 177, threeParts()[:1])
	at := o.answers(21, []string{"sign", file, "--out", o.path("none"), "--plain"}, "Sign 1 transaction?", "reject 1",
		"Tell the relay that it is refused? [y/N]", "n")
	o.unsigned()
	if said := at.stderr.String(); !strings.Contains(said, "head words: ") {
		t.Errorf("after a decline the ledger is not named: %s", said)
	}
	o.answers(20, []string{"sign", file, "--out", o.path("out"), "--plain"}, "Sign 1 transaction?", "reject 1",
		"Tell the relay that it is refused? [y/N]", "y")
	results, _ := filepath.Glob(o.path("out/*-0of1-*.kmsres"))
	if len(results) != 1 {
		t.Fatalf("results: %v", results)
	}
	if signed, codes := o.signedBy(file, results[0]); signed != 0 || codes[chain.RefusedByPerson] != 1 {
		t.Errorf("%d signed, %v", signed, codes)
	}
}
