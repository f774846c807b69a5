//go:build linux

package main

import (
	"encoding/json"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// laterAttacks are about sessions under a quorum that are left and taken up.
func laterAttacks() []attack {
	return []attack{
		{"44-later-under-a-quorum-goes-on", laterUnderQuorum},
		{"44-later-under-a-quorum-unasked", laterUnasked},
		{"44-result-has-no-folder", outIsNotThere},
		{"44-signed-again-pays-nothing-new", signedAgainPaysNothing},
		{"44-list-of-what-was-done", listOfWhatWasDone},
	}
}

// approveHint finds the command that operators are to type.
var approveHint = regexp.MustCompile(`kms-offline --path (?:\S+) approve \S+ --operator NAME( --without \S+)*( --round [0-9a-f]{48})?`)

// A session under a quorum that rejected an item and was left: signing the same
// request again goes on from the rejection, and each hint, typed as printed,
// leads to the signature of what is left.
func laterUnderQuorum(t *testing.T) {
	o := newOffice(t)
	file, digest, _ := o.ready(90)
	const whole = "that is of the whole batch: where items of it are rejected, operators approve what is left anew"
	notices, _ := o.noticesOf(0, file)
	if !strings.Contains(notices, "so far 2 (alice, bob)") || !strings.Contains(notices, whole) {
		t.Errorf("it is not said what was approved: %s", notices)
	}
	o.answers(21, []string{"sign", file, "--out", o.path("none"), "--plain"}, "Sign 2 transactions?", "reject 1", "Take 1 transaction out, for the operators to approve the other 1?", "later")
	at := o.answers(20, []string{"sign", file, "--out", o.path("none"), "--plain"}, "Take 1 rejected item out of the batch now, so that they can?", "y")
	hint := approveHint.FindStringSubmatch(at.stderr.String())
	if hint == nil || hint[1] == "" || hint[2] == "" {
		t.Fatalf("the hint is not whole: %s", at.stderr.String())
	}
	for _, name := range []string{"alice", "bob"} {
		typed := strings.TrimPrefix(hint[0], "kms-offline --path "+o.path("w.kms")+" ")
		o.run(0, append(strings.Fields(strings.NewReplacer("NAME", name).Replace(typed)), "--operator-password-file", o.path(name), "--digest", digest)...)
	}
	o.unsigned()
	o.answers(3, []string{"sign", file, "--out", o.path("out"), "--plain"}, "Sign 1 transaction?", "y")
}

// The list of a day has what was signed, with who approved it, what was signed
// again, refused and declined; its length is bounded, and what is not in it is said.
func listOfWhatWasDone(t *testing.T) {
	o := newOffice(t)
	no := o.request("no.kmsreq", 94, []payout{{to: "a", value: 1_000, fee: 200}})
	o.answers(21, []string{"sign", no, "--out", o.path("none"), "--plain"}, "Sign 1 transaction?", "n")
	file, digest, _ := o.ready(95)
	for range 2 {
		o.run(0, "sign", file, "--out", o.path("out"), "--approve", digest)
	}
	type entry struct {
		Done, Chain, Network, TxID string
		Paid                       int64
		Items, Destinations        int
		Operators                  []string
	}
	list := func(args ...string) (got struct {
		Entries []entry
		Earlier int
	}) {
		t.Helper()
		if err := json.Unmarshal([]byte(o.run(0, append([]string{"ledger", "list"}, args...)...)), &got); err != nil {
			t.Fatal(err)
		}
		return got
	}
	all := list().Entries
	var done []string
	var paid int64
	for _, e := range all {
		if done = append(done, e.Done); e.Done == "signed" {
			paid += e.Paid
			if len(e.TxID) != 64 || e.Destinations != 1 || e.Chain+" "+e.Network != "BTC testnet" ||
				!slices.Equal(e.Operators, []string{"alice", "bob"}) {
				t.Errorf("signed: %+v", e)
			}
		}
	}
	want := []string{"declined", "signed", "signed", "signed again", "signed again"}
	if !slices.Equal(done, want) || paid != 121_000 || all[0].Items != 1 {
		t.Errorf("done %v, paid %d, declined %+v", done, paid, all[0])
	}
	if got := list("--limit", "2"); len(got.Entries) != 2 || got.Earlier != 3 || got.Entries[1].Done != "signed again" {
		t.Errorf("the newest two: %+v", got)
	}
	o.run(2, "ledger", "list", "--limit", "0")
	out, err := o.command("--password-file", o.path("pw"), "ledger", "list").Output()
	line := regexp.MustCompile(`(?m)^\d+ +\S+Z +signed +\S+ +BTC testnet +0\.0006\d+ +1 +[0-9a-f]{64} +alice,bob$`)
	if err != nil || !line.Match(out) {
		t.Errorf("%v:\n%s", err, out)
	}
}

// What was signed before is not told as paid anew, neither in the totals nor in
// the question: who reads 0.00121000 twice may believe that it is paid twice.
func signedAgainPaysNothing(t *testing.T) {
	o := office{newPlace(t)}
	file := o.salary(93)
	sign := []string{"--password-file", o.path("pw"), "sign", file, "--out", o.path("out"), "--plain"}
	for _, told := range [][]string{
		{"pays out 0.00121000 BTC (121000)", "Sign 2 transactions?"},
		{"of this new 0.00000000 BTC (0)", "signed before 0.00121000 BTC (121000) in 2 items",
			"2 of 2 were signed before and pay nothing new. Sign 2 transactions?"},
	} {
		at := sit(t, o.command(sign...))
		for _, words := range told {
			at.sees(words)
		}
		at.types("y\r")
		if got := at.waits(); got != 0 {
			t.Errorf("exit %d: %s", got, at.stderr.String())
		}
	}
	for key, want := range map[string]string{"signedBefore": "2", "paidBefore": "121000"} {
		if out := o.run(0, "review", file); !strings.Contains(out, `"`+key+`": `+want) {
			t.Errorf("no %s of %s: %s", key, want, out)
		}
	}
}

// Without a terminal, and after a no, nothing is taken out and nothing signed;
// a no keeps the rejections.
func laterUnasked(t *testing.T) {
	o := newOffice(t)
	file, digest, _ := o.ready(91)
	o.answers(21, []string{"sign", file, "--out", o.path("none"), "--plain"}, "Sign 2 transactions?", "reject 1", "Take 1 transaction out, for the operators to approve the other 1?", "later")
	o.says(20, "an earlier session rejected 1 item", "sign", file, "--out", o.path("none"), "--approve", digest)
	o.says(20, "an earlier session rejected 1 item", "sign", file, "--out", o.path("none"))
	for range 2 {
		o.answers(20, []string{"sign", file, "--out", o.path("none"), "--plain"}, "Take 1 rejected item out of the batch now, so that they can?", "n")
	}
	o.unsigned()
}

// A folder for the result is made inside one that is there, and said; none is
// made below a stick that is not mounted, and nothing is signed then.
func outIsNotThere(t *testing.T) {
	o := newOffice(t)
	file, digest, _ := o.ready(92)
	for flag, dir := range map[string]string{"--out": o.path("media/usb/results"), "--raw": o.path("media/usb/raw")} {
		args := []string{"sign", file, "--approve", digest, flag, dir}
		if flag == "--raw" {
			args = append(args, "--out", o.path("none"))
		}
		o.says(1, "there is no folder "+o.path("media/usb"), args...)
	}
	o.says(1, "is no folder", "sign", file, "--approve", digest, "--out", file)
	if lines := readFile(t, o.path("w.kms.ledger")); strings.Contains(lines, `"signed"`) {
		t.Error("it was signed")
	}
	cmd := o.command("--password-file", o.path("pw"), "sign", file, "--approve", digest, "--out", o.path("out"))
	var stderr strings.Builder
	cmd.Stderr = &stderr
	if err := cmd.Run(); err != nil || !strings.Contains(stderr.String(), "made the folder "+o.path("out")) {
		t.Errorf("%v: %s", err, stderr.String())
	}
}
