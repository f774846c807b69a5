//go:build linux

package main

import (
	"fmt"
	"os"
	"strings"
	"syscall"
	"testing"

	"coldkms/shared/bundle"
	"coldkms/shared/chain"
)

// rejectedAttacks ask again for what a person rejected of a batch that was not signed.
func rejectedAttacks() []attack {
	return []attack{
		{"82-rejected-by-an-operator-comes-back", rejectedByOperator},
		{"82-rejected-before-the-quorum-comes-back", rejectedBeforeQuorum},
		{"82-taken-out-before-the-quorum-comes-back", takenOutBeforeQuorum},
		{"82-rejected-and-declined-comes-back", rejectedAndDeclined},
		{"82-what-is-left-is-approved-once", leftIsApproved},
		{"82-approve-loses-nothing-by-a-kill", approveIsKilled},
		{"82-operators-rejections-bind-others", operatorsBindOthers},
	}
}

// renamed writes a request of one item of a request under another pending id.
func (p place) renamed(request, name string, item int) string {
	p.t.Helper()
	b, err := os.ReadFile(request)
	if err != nil {
		p.t.Fatal(err)
	}
	from, err := bundle.OpenRequest(b)
	if err != nil {
		p.t.Fatal(err)
	}
	again := from.Request
	again.Items = again.Items[item : item+1]
	again.Items[0].ID = strings.Repeat("e", 24)
	sealed, err := bundle.SealRequest(again, relayKey(1))
	if err == nil {
		err = os.WriteFile(p.path(name), sealed.File, 0o600)
	}
	if err != nil {
		p.t.Fatal(err)
	}
	return p.path(name)
}

// known fails unless the payment of an item is to be looked at, as rejected before,
// under another id and from another coin; others are not.
func (o office) known(request string, salt, item int) {
	o.t.Helper()
	other := (item + 1) % 3
	list := threeParts()
	for name, c := range map[string]struct {
		file string
		want bool
	}{
		"the same under another id": {o.renamed(request, "renamed.kmsreq", item), true},
		"the sum from another coin": {o.request("coin.kmsreq", salt+100, list[item:item+1]), true},
		"another payment":           {o.request("other.kmsreq", salt+101, list[other:other+1]), false},
	} {
		shown := o.run(0, "review", c.file)
		if strings.Contains(shown, string(chain.FlagRejected)) != c.want {
			o.t.Errorf("%s: %s", name, shown)
		}
		if c.want {
			o.answers(21, []string{"sign", c.file, "--out", o.path("none"), "--plain"},
				`type "sign 1"`, "y", "A yes is not enough", "n")
		}
	}
}

func rejectedByOperator(t *testing.T) {
	o := newOffice(t)
	file := o.request("all.kmsreq", 300, threeParts())
	at := o.operator("alice", file)
	at.sees(`"approve 3"`)
	at.types("reject 2\r")
	at.sees(`"approve 2"`)
	at.types("approve 2\r")
	at.approves("alice")
	o.known(file, 300, 1)
}

func rejectedBeforeQuorum(t *testing.T) {
	o := newOffice(t)
	file := o.request("all.kmsreq", 301, threeParts())
	digest, _ := o.reviewed(file)
	o.approved(file, digest, "alice", "bob")
	o.answers(20, []string{"sign", file, "--out", o.path("none"), "--plain"}, "Sign 3 transactions?", "reject 2",
		"Take 1 transaction out", "y")
	o.known(file, 301, 1)
}

func takenOutBeforeQuorum(t *testing.T) {
	o := newOffice(t)
	file := o.request("all.kmsreq", 302, []payout{{to: "a", value: 60_000, fee: 200}, threeParts()[1]})
	digest, _ := o.reviewed(file)
	o.approved(file, digest, "alice", "bob")
	o.says(20, "too few operators",
		"sign", file, "--out", o.path("none"), "--approve", digest, "--without", itemID(302, 1))
	o.known(file, 302, 1)
}

// A no to the whole leaves no weaker trace than a rejection, with and without a
// quorum, line by line and on a screen, of a request and of a PSBT.
func rejectedAndDeclined(t *testing.T) {
	o := newOffice(t)
	file := o.request("all.kmsreq", 303, threeParts())
	at := o.operator("alice", file)
	at.sees(`"approve 3"`)
	at.types("reject 2\r")
	at.sees(`"approve 2"`)
	at.types("no\r")
	if code := at.waits(); code != 21 {
		t.Errorf("exit %d: %s", code, at.stderr.String())
	}
	o.known(file, 303, 1)

	o = office{newPlace(t)}
	file = o.request("all.kmsreq", 304, threeParts())
	o.answers(21, []string{"sign", file, "--out", o.path("none"), "--plain"}, "Sign 3 transactions?", "reject 2",
		"Sign 2 transactions?", "n")
	o.known(file, 304, 1)

	o = office{newPlace(t)}
	file = o.request("all.kmsreq", 305, threeParts())
	at = purse{place: o.place}.desk(file, "The batch", "--session")
	at.types("lr")
	at.sees("rejected (u undoes)")
	at.types("q")
	at.sees("decline")
	at.types("d")
	if code := at.waits(); code != 21 {
		t.Errorf("exit %d: %s", code, at.stderr.String())
	}
	o.known(file, 305, 2) // the newest stands first

	o = office{newPlace(t)}
	file = o.psbt("pay.psbt")
	o.answers(21, []string{"sign", file, "--out", o.path("none"), "--plain"},
		"Sign 1 transaction?", "reject 1", "answer n", "n")
	if shown := o.run(0, "review", file); !strings.Contains(shown, string(chain.FlagRejected)) {
		t.Error(shown)
	}
}

// What is left of a batch is approved and signed once, also where it pays the same
// as what was taken out: the operators see it as rejected before.
func leftIsApproved(t *testing.T) {
	o := newOffice(t)
	file := o.request("twins.kmsreq", 306, []payout{{to: "a", value: 60_000, fee: 200}, {to: "a", value: 60_000, fee: 200},
		{to: "b", value: 60_000, fee: 200}})
	at := o.operator("alice", file)
	at.sees(`"approve 3"`)
	at.types("reject 2\r")
	at.sees(`"approve 2"`)
	at.types("approve 2\r")
	at.approves("alice")
	digest := o.reviewedAs(3, file).Digest
	o.run(0, "approve", file, "--operator", "bob", "--operator-password-file", o.path("bob"), "--digest", digest)
	o.run(3, "sign", file, "--out", o.path("out"), "--approve", digest)
}

// However approve ends after a decision, it is on the disk: the next one of the same
// operator takes it up, and others see what was rejected.
func approveIsKilled(t *testing.T) {
	for i, by := range []syscall.Signal{syscall.SIGHUP, syscall.SIGKILL} {
		for _, screen := range []bool{false, true} {
			o := newOffice(t)
			file := o.request("all.kmsreq", 310+i, threeParts())
			p := purse{place: o.place}
			if screen {
				at := o.operator("alice", file, "--session")
				at.sees("The batch")
				at.types("lr")
				at.sees("rejected (u undoes)")
				at.types("a")
				at.sees("approved 1")
				p.ends(at, by)
			} else {
				at := o.operator("alice", file, "--plain")
				at.sees(`"approve 3"`)
				at.types("reject 1\r")
				at.sees(`"approve 2"`)
				p.ends(at, by)
			}
			said := o.run(0, "review", file)
			if !strings.Contains(said, "an unfinished session about this batch has 1 rejected item") {
				t.Errorf("%s, screen %t: review: %s", by, screen, said)
			}
			digest := o.reviewedAs(0, file).Digest
			o.says(20, "1 rejected item", "approve", file, "--operator", "alice",
				"--operator-password-file", o.path("alice"), "--digest", digest)
			at := o.operator("alice", file, "--plain")
			want := "0 approved, 1 rejected, 2 undecided"
			if screen {
				want = "1 approved, 1 rejected, 1 undecided"
			}
			at.sees(want)
			at.sees("Take it up?")
			at.types("\r")
			at.asks(`To approve 2 transactions as alice type "approve 2", or "no":`)
			at.types("approve 2\r")
			at.approves("alice")
			rejected := 0
			if screen { // where the newest stands first
				rejected = 2
			}
			o.known(file, 310+i, rejected)
			if left := o.sessions(); len(left) != 0 {
				t.Errorf("%v are left", left)
			}
		}
	}
}

func (o office) sessions() (list []string) {
	o.t.Helper()
	files, err := os.ReadDir(o.dir)
	if err != nil {
		o.t.Fatal(err)
	}
	for _, f := range files {
		if strings.Contains(f.Name(), ".session-") {
			list = append(list, f.Name())
		}
	}
	return list
}

// What one operator rejected before a kill is rejected for whoever signs and for
// another operator; what they approved is not approved for another.
func operatorsBindOthers(t *testing.T) {
	o := newOffice(t)
	file := o.request("all.kmsreq", 320, threeParts())
	at := o.operator("alice", file, "--plain")
	at.sees(`"approve 3"`)
	for i, answer := range []string{"approve 3", "reject 1"} {
		if i == 0 {
			answer = "reject 2"
		}
		at.types(answer + "\r")
		at.sees(fmt.Sprintf(`"approve %d"`, 2-i))
	}
	purse{place: o.place}.ends(at, syscall.SIGKILL)
	bob := o.operator("bob", file, "--plain")
	bob.sees("2: rejected, noted")
	bob.sees(`"approve 1"`)
	bob.types("undo 2\r")
	bob.sees(`"approve 2"`)
	bob.types("approve 2\r")
	bob.approves("bob")
	o.known(file, 320, 0)
	digest := o.reviewedAs(3, file).Digest
	o.says(20, "1 rejected item", "sign", file, "--out", o.path("none"), "--approve", digest)
	o.answers(21, []string{"sign", file, "--out", o.path("none"), "--plain"},
		"2: rejected, noted", "", "Sign 1 transaction?", "n")
	if left := o.sessions(); len(left) != 0 {
		t.Errorf("%v are left", left)
	}
}
