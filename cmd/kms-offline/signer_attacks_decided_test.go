//go:build linux

package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/btcsuite/btcd/wire/v2"

	"coldkms/shared/chain"
)

// decidedAttacks are about what a person decided and what comes of it later.
func decidedAttacks() []attack {
	return []attack{
		{"18-rejected-comes-back-as-ok", rejectedComesBack},
		{"18-without-comes-back-as-ok", withoutComesBack},
		{"18-declined-comes-back-unsaid", declinedComesBack},
		{"18-approve-over-an-unfinished-session", approveOverSession},
		{"18-session-judged-otherwise-forgets-a-no", sessionJudgedOtherwise},
		{"23-enter-keeps-rejections", enterKeepsRejections},
		{"23-declined-and-exported-again", declinedElsewhere},
	}
}

// two is a request of two payments to somebody who was paid before.
func (p purse) two(name string) string {
	p.t.Helper()
	p.usual()
	pays := func(value int64) spend {
		return spend{in: []*wire.TxOut{out(coinValue, p.script)}, outs: []*wire.TxOut{out(value, payee(1)), out(coinValue-value-1_000, p.script)}, keys: []chain.Key{single(deskKey)}}
	}
	return p.ask(name, pays(100_000), pays(200_000))
}

// types runs a command on a terminal, as office.answers does.
func (p purse) answers(code int, args []string, dialogue ...string) *person {
	p.t.Helper()
	return office{p.place}.answers(code, args, dialogue...)
}

// comesBack wants an item to be one that a person rejected before, and that no
// plain yes signs.
func (p purse) comesBack(request, id string) {
	p.t.Helper()
	r := p.review(request, 0)
	for _, it := range r.Items {
		if it.ID != id {
			continue
		}
		if it.Verdict != "flagged" || !strings.Contains(fmt.Sprint(it.Codes, it.Reasons), "rejected-before") ||
			!strings.Contains(fmt.Sprint(it.Reasons), "a person took this payment out of a batch on 20") {
			p.t.Errorf("%s: %v %q", it.Verdict, it.Codes, it.Reasons)
		}
	}
	p.answers(21, []string{"sign", request, "--out", p.path("plain"), "--plain"}, `type "sign`, "y", "A yes is not enough", "n")
	if _, err := os.Stat(p.path("plain")); err == nil {
		p.t.Error("a plain yes signed it")
	}
}

// What a person rejected is no plain payment when the same request, or another
// one with the same item, is reviewed again.
func rejectedComesBack(t *testing.T) {
	p := newPurse(t)
	request := p.two("two.kmsreq")
	r := p.review(request, 0)
	id := r.Items[0].ID
	p.answers(3, []string{"sign", request, "--out", p.path("out"), "--plain"}, "Sign 2 transactions?", "reject 1", "Sign 1 transaction?", "y")
	office{p.place}.says(20, "items were left out (ledger line", "sign", request, "--out", p.path("none"), "--approve", r.Digest)
	p.comesBack(request, id)
	p.comesBack(p.asked(request, "again.kmsreq", 0), id)
	// A review that shows it is consent enough, and what was signed is no more rejected.
	r = p.review(p.path("again.kmsreq"), 0)
	p.run(0, "sign", p.path("again.kmsreq"), "--out", p.path("late"), "--approve", r.Digest)
	if again := p.review(p.path("again.kmsreq"), 0); strings.Contains(fmt.Sprint(again.Items[0].Codes), "rejected-before") {
		t.Errorf("signed, and still %v", again.Items[0].Codes)
	}
}

func withoutComesBack(t *testing.T) {
	p := newPurse(t)
	request := p.two("two.kmsreq")
	id := p.review(request, 0).Items[1].ID
	p.answers(3, []string{"sign", request, "--out", p.path("out"), "--plain", "--without", id}, "Sign 1 transaction?", "y")
	p.comesBack(request, id)
	p.comesBack(p.asked(request, "again.kmsreq", 1), id)
}

func declinedComesBack(t *testing.T) {
	p := newPurse(t)
	request := p.two("two.kmsreq")
	digest := p.review(request, 0).Digest
	p.answers(21, []string{"sign", request, "--out", p.path("none"), "--plain"}, "Sign 2 transactions?", "n")
	office{p.place}.says(20, "somebody declined it (ledger line", "sign", request, "--out", p.path("none"), "--approve", digest)
	if got := p.notices(request); !strings.Contains(got, "this batch was declined on 20") {
		t.Errorf("notices: %s", got)
	}
	office{p.place}.says(20, "--approve does not name this batch", "sign", request, "--out", p.path("none"), "--approve", strings.Repeat("ab", 32))
}

// A session that has a rejection is no reviewed batch to be signed whole.
func approveOverSession(t *testing.T) {
	p := newPurse(t)
	request := p.two("two.kmsreq")
	digest := p.review(request, 0).Digest
	p.answers(21, []string{"sign", request, "--out", p.path("none"), "--plain"}, "Sign 2 transactions?", "reject 1", "Sign 1 transaction?", "later")
	const words = "an unfinished session about this batch has 1 rejected item; take it up or decline it first"
	for range 2 {
		office{p.place}.says(20, words, "sign", request, "--out", p.path("none"), "--approve", digest)
		if got := p.notices(request); !strings.Contains(got, words) {
			t.Errorf("notices: %s", got)
		}
	}
	if kept, _ := filepath.Glob(p.path("w.kms.session-*")); len(kept) != 1 {
		t.Errorf("sessions: %v", kept)
	}
	p.answers(3, []string{"sign", request, "--out", p.path("out"), "--plain"}, "Take it up?", "y", "Sign 1 transaction?", "y")
}

// What was rejected is taken up also where the batch is judged otherwise since.
func sessionJudgedOtherwise(t *testing.T) {
	p := newPurse(t)
	request := p.two("two.kmsreq")
	p.answers(21, []string{"sign", request, "--out", p.path("none"), "--plain"}, "Sign 2 transactions?", "reject 1", "Sign 1 transaction?", "later")
	p.setPolicy("", `, "maxFee": 999999`)
	p.setPolicy(`"unlisted": "flag", `, "")
	digest := p.review(request, 0).Digest
	office{p.place}.says(20, "1 rejected item", "sign", request, "--out", p.path("none"), "--approve", digest)
	p.answers(21, []string{"sign", request, "--out", p.path("none"), "--plain"}, "Sign 1 transaction?", "n")
}

// Rejections of an unfinished session are shown when it is taken up, and only a
// clear no forgets them.
func enterKeepsRejections(t *testing.T) {
	for answer, left := range map[string]string{"": "Sign 1 transaction?", "maybe": "Sign 1 transaction?", "n": "Sign 2 transactions?"} {
		p := newPurse(t)
		request := p.two("two.kmsreq")
		id := p.review(request, 0).Items[0].ID
		p.answers(21, []string{"sign", request, "--out", p.path("none"), "--plain"}, "Sign 2 transactions?", "reject 1", "Sign 1 transaction?", "later")
		at := sit(t, p.command("sign", request, "--out", p.path("none"), "--plain"))
		at.sees("password")
		at.types(deskPassword + "\r")
		shown := []string{at.sees("Take it up? [Y/n]")}
		at.types(answer + "\r")
		if answer == "maybe" { // is asked again, and Enter keeps them
			at.sees("Answer y or n.")
			at.types("\r")
		}
		if last := at.sees(left); answer != "n" {
			shown = append(shown, last)
		}
		for _, screen := range shown {
			if !strings.Contains(screen, "1: rejected, look, "+id) {
				t.Errorf("the rejection is not shown: %s", screen)
			}
		}
		at.types("later\r")
		at.waits()
	}
}

// A no to a batch is told where its transactions come back in another one,
// until they are signed.
func declinedElsewhere(t *testing.T) {
	p := newPurse(t)
	request := p.two("two.kmsreq")
	p.answers(21, []string{"sign", request, "--out", p.path("none"), "--plain"}, "Sign 2 transactions?", "n")
	again := p.asked(request, "again.kmsreq", 1)
	if got := p.notices(again); !strings.Contains(got, "1 of 1 transaction was declined in another batch, last on 20") {
		t.Errorf("notices: %s", got)
	}
	p.run(0, "sign", again, "--out", p.path("out"), "--approve", p.review(again, 0).Digest)
	if got := p.notices(again); strings.Contains(got, "declined") {
		t.Errorf("signed, and still: %s", got)
	}
}

// notices are what review says about a batch as a whole.
func (p purse) notices(request string) string {
	p.t.Helper()
	var r struct{ Notices []string }
	if err := json.Unmarshal([]byte(p.run(0, "review", request)), &r); err != nil {
		p.t.Fatal(err)
	}
	return strings.Join(r.Notices, "\n")
}
