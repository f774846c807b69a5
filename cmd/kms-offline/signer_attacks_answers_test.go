//go:build linux

package main

import (
	"fmt"
	"strings"
	"testing"
)

// answerAttacks answer questions with something else than what is seen.
func answerAttacks() []attack {
	list := []attack{
		{"70-yes-with-a-character-that-is-not-seen", yesNotSeen},
		{"70-letters-that-look-like-a-command", lettersAlike},
	}
	for _, a := range askers() {
		list = append(list, attack{"70-hidden-in-an-answer-to-" + a.name, a.hides})
	}
	return list
}

// A yes with a character that the terminal does not show is no yes, whichever
// character it is and wherever it stands. It is asked again.
func yesNotSeen(t *testing.T) {
	o := newOffice(t)
	o.policy("open.json", `{"version": 1, "name": "open", "chains": [{"chain": "BTC", "network": "testnet"}]}`)
	file := o.request("one.kmsreq", 90, []payout{{to: "a", value: 10_000, fee: 200}})
	dialogue := []string{}
	last := "Sign 1 transaction?"
	for i, hidden := range []rune{'\u00a0', '\u1680', '\u2003', '\u202f', '\u3000', '\u200b', '\u2060', '\ufeff', '\u00ad',
		'\u034f', '\u2800', '\u3164', '\ufe0f', '\t', '\u2028', '\u202e', '\u0085'} {
		where := []string{"y%c", "%cy", "ye%cs"}
		dialogue = append(dialogue, last, fmt.Sprintf(where[i%len(where)], hidden))
		last = fmt.Sprintf("(%U)", hidden)
	}
	dialogue = append(dialogue, last, " n ")
	o.answers(21, []string{"sign", file, "--out", o.path("none"), "--plain"}, dialogue...)
	o.unsigned()
	o.answers(0, []string{"sign", file, "--out", o.path("out"), "--plain"}, "Sign 1 transaction?", " yes ")
}

// A command is not matched by letters of another alphabet, even if their lower
// case is ASCII. An answer that is neither yes nor no is asked for again.
func lettersAlike(t *testing.T) {
	o := newOffice(t)
	o.policy("open.json", `{"version": 1, "name": "open", "chains": [{"chain": "BTC", "network": "testnet"}]}`)
	file := o.request("one.kmsreq", 91, []payout{{to: "a", value: 10_000, fee: 200}})
	o.answers(21, []string{"sign", file, "--out", o.path("none"), "--plain"}, "Sign 1 transaction?", "s\u0130gn 1",
		"Not understood", "later")
	o.unsigned()
	o.answers(21, []string{"getprivatekey", deskKey}, "Go on? [y/N]", "yep", "Answer y or n.", "no")
}

// hides answers with a yes that has a no-break space, and then with a no.
func (a typedAhead) hides(t *testing.T) {
	p := newPlace(t)
	at := sit(t, p.command(a.args(p)...))
	if a.password {
		at.sees("password")
		at.types(deskPassword + "\r")
	}
	at.sees(a.question)
	at.types(a.answer + "\u00a0\r")
	at.sees("not seen (U+00A0)")
	if a.name == "dice" {
		at.types("1\r")
		at.sees("1 of 50 throws:")
		return
	}
	at.types("no\r")
	if code := at.waits(); code != 21 || strings.TrimSpace(at.stdout.String()) != "" {
		t.Errorf("exit %d, want 21: %s%s", code, at.stdout.String(), at.stderr.String())
	}
}
