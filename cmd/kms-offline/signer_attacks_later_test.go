package main

import (
	"regexp"
	"strings"
	"testing"
)

// laterAttacks are about sessions under a quorum that are left and taken up.
func laterAttacks() []attack {
	return []attack{
		{"44-later-under-a-quorum-goes-on", laterUnderQuorum},
		{"44-later-under-a-quorum-unasked", laterUnasked},
	}
}

// approveHint finds the command that operators are to type.
var approveHint = regexp.MustCompile(`kms-offline approve FILE --operator NAME( --without \S+)*( --round [0-9a-f]{48})?`)

// A session under a quorum that rejected an item and was left: signing the same
// request again goes on from the rejection, and each hint, typed as printed,
// leads to the signature of what is left.
func laterUnderQuorum(t *testing.T) {
	o := newOffice(t)
	file, digest, _ := o.ready(90)
	o.answers(21, []string{"sign", file, "--out", o.path("none"), "--plain"}, "Sign 2 transactions?", "reject 1", "Sign 1 transaction?", "later")
	at := o.answers(20, []string{"sign", file, "--out", o.path("none"), "--plain"}, "Take 1 rejected item out of the batch now, so that they can?", "y")
	hint := approveHint.FindStringSubmatch(at.stderr.String())
	if hint == nil || hint[1] == "" || hint[2] == "" {
		t.Fatalf("the hint is not whole: %s", at.stderr.String())
	}
	for _, name := range []string{"alice", "bob"} {
		args := strings.Fields(strings.NewReplacer("kms-offline ", "", "FILE", file, "NAME", name).Replace(hint[0]))
		o.run(0, append(args, "--operator-password-file", o.path(name), "--digest", digest)...)
	}
	o.unsigned()
	o.answers(3, []string{"sign", file, "--out", o.path("out"), "--plain"}, "Sign 1 transaction?", "y")
}

// Without a terminal, and after a no, nothing is taken out and nothing signed;
// a no keeps the rejections.
func laterUnasked(t *testing.T) {
	o := newOffice(t)
	file, digest, _ := o.ready(91)
	o.answers(21, []string{"sign", file, "--out", o.path("none"), "--plain"}, "Sign 2 transactions?", "reject 1", "Sign 1 transaction?", "later")
	o.says(20, "an earlier session rejected 1 item", "sign", file, "--out", o.path("none"), "--approve", digest)
	o.says(20, "an earlier session rejected 1 item", "sign", file, "--out", o.path("none"))
	for range 2 {
		o.answers(20, []string{"sign", file, "--out", o.path("none"), "--plain"}, "Take 1 rejected item out of the batch now, so that they can?", "n")
	}
	o.unsigned()
}
