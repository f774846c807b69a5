//go:build linux

package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// roundAttacks name rounds that the ledger of this machine did not draw.
func roundAttacks() []attack {
	return []attack{
		{"24-round-drawn-elsewhere-decline", func(t *testing.T) {
			roundDrawnElsewhere(t, func(o office, file string) {
				for _, name := range []string{"alice", "bob"} {
					o.answers(21, []string{"approve", file, "--operator", name, "--operator-password-file", o.path(name)}, `or "no":`, "no")
				}
			})
		}},
		{"24-round-drawn-elsewhere-policies", func(t *testing.T) {
			roundDrawnElsewhere(t, func(o office, _ string) {
				o.policy("other.json", strings.Replace(quorumPolicy, "50000", "50001", 1))
				o.policy("payroll.json", quorumPolicy)
			})
		}},
		{"24-round-drawn-elsewhere-operators", func(t *testing.T) {
			roundDrawnElsewhere(t, func(o office, _ string) {
				o.run(0, "operator", "remove", "bob", "--yes")
				o.enrol("bob")
			})
		}},
		{"24-round-drawn-elsewhere-restore", func(t *testing.T) {
			roundDrawnElsewhere(t, func(o office, _ string) {
				o.run(0, "backup", o.path("copy.kms"))
				o.run(0, "restore", o.path("copy.kms"))
			})
		}},
		{"24-round-drawn-elsewhere-at-once", func(t *testing.T) { roundDrawnElsewhere(t, func(office, string) {}) }},
		{"24-round-made-up", roundMadeUp},
		{"24-rounds-of-before", roundsOfBefore},
	}
}

// elsewhere is another machine with a copy of the wallet as it is now.
func (o office) elsewhere() office {
	o.t.Helper()
	there := office{o.place}
	there.dir = filepath.Join(o.dir, "there")
	if err := os.Mkdir(there.dir, 0o700); err != nil {
		o.t.Fatal(err)
	}
	for _, name := range []string{"pw", "alice", "bob"} {
		there.put(files{name: []byte(readFile(o.t, o.path(name)))})
	}
	there.put(o.files())
	return there
}

// approvedIn approves a batch in a round that is named, and returns the file.
func (o office) approvedIn(file, digest, name, round string) (path string, elsewhere bool) {
	o.t.Helper()
	var r struct {
		Approval  string
		Elsewhere bool
	}
	out := o.run(0, "approve", file, "--operator", name, "--operator-password-file", o.path(name), "--digest", digest, "--round", round, "--out", o.path("stick"))
	if err := json.Unmarshal([]byte(out), &r); err != nil {
		o.t.Fatal(err)
	}
	return r.Approval, r.Elsewhere
}

// A machine with a copy draws a round before this one reviews. An approval in
// that round never counts here.
func roundDrawnElsewhere(t *testing.T, happens func(o office, file string)) {
	o := newOffice(t)
	there := o.elsewhere()
	file := o.salary(70)
	digest, round := there.reviewed(file)
	kept := there.approved(file, digest, "alice")
	o.reviewed(file)
	happens(o, file)
	o.reviewed(file)
	o.says(2, "did not draw", "approve", file, "--operator", "bob", "--operator-password-file", o.path("bob"), "--digest", digest, "--round", round)
	bobs, elsewhere := o.approvedIn(file, digest, "bob", round)
	if !elsewhere {
		t.Error("the reply does not say that the round is of another ledger")
	}
	kept = append(kept, bobs)
	for range 2 {
		o.says(20, "0 of 2", "sign", file, "--out", o.path("none"), "--approve", digest)
		for _, path := range kept {
			o.says(20, "round", "sign", file, "--out", o.path("none"), "--approve", digest, "--approval", path)
		}
		o.reviewed(file)
	}
	o.approved(file, digest, "alice", "bob")
	o.run(0, "sign", file, "--out", o.path("out"), "--approve", digest)
}

// A round that somebody made up withdraws nothing, and counts nothing.
func roundMadeUp(t *testing.T) {
	o := newOffice(t)
	file := o.salary(71)
	digest, _ := o.reviewed(file)
	o.approved(file, digest, "alice")
	path, _ := o.approvedIn(file, digest, "bob", strings.Repeat("f", 48))
	o.says(20, "1 of 2 (alice)", "sign", file, "--out", o.path("none"), "--approve", digest)
	o.says(20, "round", "sign", file, "--out", o.path("none"), "--approve", digest, "--approval", path)
	o.approved(file, digest, "bob")
	o.run(0, "sign", file, "--out", o.path("out"), "--approve", digest)
}

// The rounds of a ledger that an earlier version wrote name no ledger. It is
// read, and who approved then has to approve again.
func roundsOfBefore(t *testing.T) {
	o := office{newPlace(t)}
	for _, name := range []string{"w.kms", "w.kms.ledger", "w.kms.ledger.mark", "salary.kmsreq", "alice.kmsapproval"} {
		o.put(files{name: []byte(readFile(t, filepath.Join("testdata", "rounds-before", name)))})
	}
	for _, name := range []string{"alice", "bob"} {
		passwordFile(t, o.dir, name, "the password of "+name)
	}
	if time.Since(time.Unix(1795809461, 0)) > maxJump {
		o.answers(0, []string{"ledger", "clock"}, "Type clock", "clock")
	}
	file := o.path("salary.kmsreq")
	o.reexported(file)
	digest, round := o.reviewed(file)
	if len(round) != 48 {
		t.Errorf("round %s", round)
	}
	o.says(20, "0 of 2", "sign", file, "--out", o.path("none"), "--approve", digest)
	o.says(22, "version 1 or 2", "sign", file, "--out", o.path("none"), "--approve", digest, "--approval", o.path("alice.kmsapproval"))
	o.approved(file, digest, "alice", "bob")
	o.run(0, "sign", file, "--out", o.path("out"), "--approve", digest)
	o.run(0, "ledger", "verify")
}
