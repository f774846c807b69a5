//go:build linux

package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// wordAttacks lead somebody who follows what the program says to the wrong place.
func wordAttacks() []attack {
	return []attack{
		{"73-pictures-of-two-requests", picturesOfTwo},
		{"73-folder-of-pictures-without-qr", picturesWithoutQR},
		{"74-approvers-of-one-name", approversOfOneName},
		{"75-tokens-have-a-sentence", tokensHaveSentence},
		{"75-number-of-no-item", numberOfNoItem},
		{"75-nothing-to-sign", nothingToSign},
		{"75-target-is-tried-first", targetBeforePassword},
		{"75-words-of-policy-check-and-checkconfig", wordsThatWereGarbled},
	}
}

// pictures shows a file as pictures, and puts all of them but some into a folder.
func (p place) pictures(file, folder, prefix string, without int) {
	p.t.Helper()
	shown := filepath.Join(p.t.TempDir(), "shown")
	if err := os.MkdirAll(p.path(folder), 0o700); err != nil {
		p.t.Fatal(err)
	}
	p.run(0, "show", file, "--qr-out", shown, "--density", "10")
	found, err := filepath.Glob(filepath.Join(shown, "*.png"))
	if err != nil || len(found) <= without {
		p.t.Fatalf("%d pictures: %v", len(found), err)
	}
	for i, path := range found[without:] {
		p.write(filepath.Join(folder, fmt.Sprintf("%s-%03d.png", prefix, i)), []byte(readFile(p.t, path)))
	}
}

// A folder with the pictures of two requests, whole or not, is never read as one
// of them: both are named, and what to type for each.
func picturesOfTwo(t *testing.T) {
	p := newPlace(t)
	a := p.request("a.kmsreq", 95, []payout{{to: "a", value: 10_000, fee: 200}})
	b := p.request("b.kmsreq", 96, []payout{{to: "b", value: 20_000, fee: 200}})
	p.pictures(a, "both", "1", 0)
	p.pictures(a, "half", "1", 0)
	p.pictures(b, "both", "2", 0)
	p.pictures(b, "alone", "1", 0)
	for _, args := range [][]string{{"scan", p.path("both"), "--out", p.path("out")},
		{"sign", "--qr", p.path("both"), "--out", p.path("out")}, {"review", "--qr", p.path("both")}} {
		code, said := p.output(append([]string{"--path", p.path("w.kms"), "--password-file", p.path("pw")}, args...)...)
		if code != 22 || strings.Count(string(said), " --only coldkms-scan-") != 2 ||
			!strings.Contains(string(said), "more than one file") {
			t.Errorf("%v: exit %d: %s", args, code, said)
		}
	}
	if found, _ := filepath.Glob(p.path("out/*")); len(found) > 0 {
		t.Errorf("something was written: %v", found)
	}
	p.run(0, "scan", p.path("alone"), "--out", p.path("one"))
	found, _ := filepath.Glob(p.path("one/*.kmsreq"))
	if len(found) != 1 {
		t.Fatal(found)
	}
	p.run(0, "scan", p.path("both"), "--only", filepath.Base(found[0]), "--out", p.path("chosen"))
	if got := readFile(t, p.path("chosen/"+filepath.Base(found[0]))); got != readFile(t, b) {
		t.Error("another file than the one that was named")
	}
	found, _ = filepath.Glob(p.path("alone/*"))
	p.write("half/2-000.png", []byte(readFile(t, found[0]))) // of the other, a part
	if len(found) > 1 {
		code, said := p.output("scan", p.path("half"), "--out", p.path("out"))
		if code != 22 || !strings.Contains(string(said), "1 of which parts are missing") {
			t.Errorf("exit %d: %s", code, said)
		}
	}
}

func picturesWithoutQR(t *testing.T) {
	o := newOffice(t)
	o.pictures(o.salary(97), "shown", "1", 0)
	o.says(1, "pictures of QR symbols are read with --qr", "sign", o.path("shown"), "--out", o.path("none"))
}

// Two approvers of one name are one to a reader.
func approversOfOneName(t *testing.T) {
	p := newPlace(t)
	const rules = `{"version": 1, "approvers": {"needed": 2, "keys": [
		{"key": "%x", "name": "Risk"}, {"key": "%x", "name": "%s"}]},
		"chains": [{"chain": "BTC", "network": "testnet"}]}`
	for name, code := range map[string]int{"risk": 1, "Risk": 1, "Audit": 0} {
		file := p.write("policy.json", fmt.Appendf(nil, rules, relayKey(3).Public(), relayKey(4).Public(), name))
		got, said := p.output("policy", "check", file)
		if got != code || (code != 0) != strings.Contains(string(said), "a name of its own") {
			t.Errorf("%s: exit %d: %s", name, got, said)
		}
	}
}

// policy set shows a sentence for each token, and when its limits change.
func tokensHaveSentence(t *testing.T) {
	o := newOffice(t)
	const rules = `{"version": 1, "chains": [{"chain": "BTC", "network": "testnet",
		"tokens": [{"token": "usdx", "limits": [{"per": "day", "sum": %d}]}, {"token": "free"}]}]}`
	for _, sum := range []int{500, 700} {
		file := o.write("tokens.json", fmt.Appendf(nil, rules, sum))
		at := o.answers(0, []string{"policy", "set", file}, "Set this policy?", "y")
		shown := strings.Join(strings.Fields(at.screen.String()), " ")
		want := fmt.Sprintf(`token "usdx": at most %d of its smallest unit in any 24 hours`, sum)
		if !strings.Contains(shown, want) {
			t.Errorf("no %q in: %s", want, shown)
		}
	}
}

func numberOfNoItem(t *testing.T) {
	o := newOffice(t)
	file := o.request("two.kmsreq", 98, []payout{
		{to: "a", value: 10_000, fee: 200}, {to: "b", value: 11_000, fee: 200},
	})
	o.answers(21, []string{"sign", file, "--out", o.path("none"), "--plain"}, "Sign 2 transactions?", "undo 99",
		"there is no item 99, their numbers go from 1 to 2", "reject 3", "no item 3,", "n")
	o.unsigned()
}

func nothingToSign(t *testing.T) {
	o := newOffice(t)
	o.says(2, "kms-offline sign /media/usb/request.kmsreq --out /media/usb", "sign")
	o.says(2, "kms-offline review /media/usb/request.kmsreq", "review")
}

// Where a file cannot be written is said before a password is asked for: there is
// none here to be typed, and no terminal.
func targetBeforePassword(t *testing.T) {
	p := newPlace(t)
	for _, folder := range []string{"missing", "pw"} {
		for _, args := range [][]string{
			{"watch", "--out", p.path(folder + "/signer.kmswatch")}, {"backup", p.path(folder + "/copy.kms")},
		} {
			code, said := p.output(append([]string{"--path", p.path("w.kms")}, args...)...)
			if code != 1 || !strings.Contains(string(said), "folder") || strings.Contains(string(said), "password") {
				t.Errorf("%v: exit %d: %s", args, code, said)
			}
		}
	}
}

func wordsThatWereGarbled(t *testing.T) {
	p := newPlace(t)
	_, said := p.output("policy", "check", "--help")
	unwrapped := strings.Join(strings.Fields(string(said)), " ")
	if !strings.Contains(unwrapped, "with --path, also of those that do not fit that wallet") {
		t.Errorf("policy check --help: %s", said)
	}
	if said := p.run(0, "checkconfig"); strings.Contains(said, "not in force: no") {
		t.Errorf("checkconfig: %s", said)
	}
}
