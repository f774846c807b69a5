//go:build linux

package main

import (
	"encoding/json"
	"os"
	"regexp"
	"strings"
	"testing"
)

// toldAttacks are about what the program tells an operator who relies on it.
func toldAttacks() []attack {
	return []attack{
		{"19-diverged-ledgers-are-no-old-one", divergedLedgers},
		{"19-disagreement-is-told-everywhere", disagreementTold},
		{"20-hint-without-its-flags", hintHasFlags},
		{"20-lost-approvals-are-explained", lostApprovalsTold},
		{"20-part-of-a-quorum-is-told-at-once", partOfQuorumTold},
		{"20-two-summaries", twoSummaries},
		{"20-quorum-above-the-enrolled", quorumAboveEnrolled},
	}
}

// madeIDs finds the ids of keys that were made.
var madeIDs = regexp.MustCompile(`"signatureId": *"([^"]+)"`)

// A ledger in place and a copy's that both have lines of their own: neither is
// the older one.
func divergedLedgers(t *testing.T) {
	o := newOffice(t)
	copied := o.path("copy.kms")
	o.run(0, "backup", copied)
	before := o.files()
	made := ""
	for range 3 {
		made += o.run(0, "generatemanagedprivatekeybatch", "BTC", "1")
	}
	longer := o.files()
	o.put(before)
	o.run(0, "generatemanagedprivatekeybatch", "BTC", "1")
	o.run(0, "backup", o.path("other.kms"))
	o.put(longer)
	lines := o.book().Lines
	o.says(20, "the two ledgers went different ways after line ", "restore", o.path("other.kms"))
	o.says(20, "(in place "+decimal(lines)+" lines, copy "+decimal(lines-1)+" lines): one of both has forgotten signatures of the other", "restore", o.path("other.kms"))
	o.says(20, "do not replace either", "restore", o.path("other.kms"))
	if o.book().Lines != lines {
		t.Error("the ledger in place was changed")
	}
	lacks := []string{"restore", copied}
	for _, m := range madeIDs.FindAllStringSubmatch(made, -1) {
		lacks = append(lacks, "--lose", m[1])
	}
	o.run(0, lacks...) // one that is only older is no matter
	ahead := o.path("ahead.kms")
	o.run(0, "backup", ahead)
	now := o.files()
	o.put(longer, "w.kms.ledger", "w.kms.ledger.mark")
	o.says(20, "ends before that of the copy", "restore", ahead)
	o.put(now)
}

// Where review refuses because wallet and ledger do not agree, no other command
// says that all is well.
func disagreementTold(t *testing.T) {
	o := newOffice(t)
	file := o.salary(30)
	everywhere := func(sentence string) {
		t.Helper()
		for _, args := range [][]string{{"review", file}, {"checkconfig"}, {"operator", "list"}, {"ledger", "verify"}, {"ledger"}} {
			o.says(20, sentence, args...)
		}
	}
	settled := o.files()
	o.run(0, "operator", "list")
	o.run(0, "checkconfig")

	o.run(0, "operator", "remove", "bob", "--yes")
	o.copyPrevious()
	everywhere("operator bob")
	var list []listedOperator
	if err := json.Unmarshal([]byte(o.run(20, "operator", "list")), &list); err != nil {
		t.Fatal(err)
	}
	if len(list) != 2 || !list[0].Counts || list[1].Counts || list[1].Why == "" {
		t.Errorf("%+v", list)
	}
	var config configReply
	if err := json.Unmarshal([]byte(o.run(20, "checkconfig")), &config); err != nil || config.Ledger == nil || config.Ledger.OK || !strings.Contains(config.Ledger.Error, "operator bob") {
		t.Errorf("%v: %+v", err, config.Ledger)
	}

	o.put(settled)
	o.policy("strict.json", strings.Replace(quorumPolicy, `"operators": 2`, `"operators": 1`, 1))
	o.copyPrevious()
	everywhere("policy in the wallet is not the one")
	o.says(20, "policy in the wallet is not the one", "ledger", "settle")
	o.says(20, "policy set FILE", "ledger", "settle")

	o.put(settled)
	o.run(0, "generatemanagedprivatekeybatch", "BTC", "1")
	o.put(settled, "w.kms.ledger", "w.kms.ledger.mark")
	everywhere("the ledger is an old copy")
	at := o.answers(0, []string{"ledger", "settle"}, "forgotten here: outpoints already signed, what limits have been used up", "settle")
	if strings.Contains(at.stdout.String(), "operators and relays") {
		t.Errorf("it speaks of operators: %s", at.stdout.String())
	}
	o.run(0, "checkconfig")
	if _, err := os.Stat(o.path("none")); err == nil {
		t.Error("something was written")
	}
}

// What an operator is told to type approves exactly what is asked about.
// Approvals of what is left count after the rest was left out, those of all
// never, whether --without or a person in the session leaves it out.
func hintHasFlags(t *testing.T) {
	for i, leaveOut := range []func(o office, file, digest, id, says string){
		func(o office, file, digest, id, says string) {
			sign := []string{"sign", file, "--out", o.path("none"), "--approve", digest, "--without", id}
			o.says(20, "1 of 2 (alice)", sign...)
			o.says(20, "bob approved in an earlier round, which ended: items were left out", sign...)
			o.says(20, says, sign...)
		},
		func(o office, file, _, _, says string) {
			at := o.answers(20, []string{"sign", file, "--out", o.path("none"), "--plain"}, "Sign 3 transactions?", "reject 2", "Take 1 transaction out, for the operators to approve the other 2?", "y")
			if !strings.Contains(o.placeless(at.stderr.String()), says) {
				t.Errorf("stderr: %s", at.stderr.String())
			}
		},
	} {
		o := newOffice(t)
		file := o.request("three.kmsreq", 31+10*i, []payout{{to: "a", value: 60_000, fee: 200}, {to: "b", value: 61_000, fee: 200}, {to: "c", value: 62_000, fee: 200}})
		r := o.reviewOf(0, file)
		id, digest := r.Items[1].ID, r.Digest
		round := o.reviewOf(3, file, "--without", id).Round
		as := func(name string, more ...string) []string {
			return append([]string{"approve", file, "--operator", name, "--operator-password-file", o.path(name), "--digest", digest}, more...)
		}
		o.run(0, as("alice", "--without", id)...)
		o.run(0, as("bob")...) // all of it, by mistake
		if i > 0 {
			o.run(0, as("alice")...) // a person asks where all was approved
		}
		leaveOut(o, file, digest, id, "kms-offline approve "+file+" --operator NAME --without "+id+" --round "+round)
		o.unsigned()
		o.says(20, "1 of 2 (alice)", "sign", file, "--out", o.path("none"), "--approve", digest)
		o.run(0, as("bob", "--without", id, "--round", round)...)
		o.run(3, "sign", file, "--out", o.path("out"), "--approve", digest, "--without", id)
		o.says(20, "it was signed (ledger line", as("alice", "--without", id, "--round", round)...)
	}
}

type reviewReply struct {
	Digest, Round string
	Items         []struct{ ID string }
}

// reviewOf reviews a request.
func (o office) reviewOf(code int, file string, args ...string) (r reviewReply) {
	o.t.Helper()
	if err := json.Unmarshal([]byte(o.run(code, append([]string{"review", file}, args...)...)), &r); err != nil {
		o.t.Fatal(err)
	}
	return r
}

func lostApprovalsTold(t *testing.T) {
	o := newOffice(t)
	o.enrol("carol")
	file := o.salary(32)
	digest, _ := o.reviewed(file)
	o.approved(file, digest, "alice")
	o.run(0, "operator", "remove", "bob", "--yes")
	o.says(20, "this batch was reviewed, but since then bob was removed (ledger line", "approve", file, "--operator", "carol", "--operator-password-file", o.path("carol"), "--digest", digest)
	o.reviewed(file)
	o.says(20, "alice approved in an earlier round, which ended: bob was removed (ledger line", "sign", file, "--out", o.path("none"), "--approve", digest)
	o.approved(file, digest, "alice", "carol")
	o.run(0, "sign", file, "--out", o.path("out"), "--approve", digest)
}

func partOfQuorumTold(t *testing.T) {
	o := newOffice(t)
	file, _, _ := o.ready(33)
	o.answers(20, []string{"sign", file, "--out", o.path("none"), "--plain"}, "Sign 2 transactions?", "reject 2",
		"A yes to less signs nothing:", "y")
	o.unsigned()
}

func twoSummaries(t *testing.T) {
	o := newOffice(t)
	file := o.salary(34)
	for _, command := range []string{"review", "sign"} {
		o.says(2, "given twice", command, file, "--summary", o.path("a.txt"), "--summary", o.path("b.txt"))
	}
}

func quorumAboveEnrolled(t *testing.T) {
	o := newOffice(t)
	o.says(0, "the policy wants up to 2 operators, and 1 are enrolled", "operator", "remove", "bob", "--yes")
	if err := os.WriteFile(o.path("three.json"), []byte(strings.Replace(quorumPolicy, `"operators": 2`, `"operators": 3`, 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	o.says(0, "the policy wants up to 3 operators, and 1 are enrolled", "policy", "set", o.path("three.json"))
}
