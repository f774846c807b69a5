//go:build linux

package main

import (
	"os"
	"strings"
	"testing"
)

// writerAttacks let two processes write one ledger.
func writerAttacks() []attack {
	return []attack{
		{"60-second-writer-after-rm-lock", lockRemoved},
		{"60-second-writer-by-hard-links", hardLinks},
		{"60-ledger-replaced-while-asked", ledgerReplaced},
	}
}

// held runs sign, does something before the password and before the yes.
func (p purse) held(request string, code int, first, meanwhile func()) {
	p.t.Helper()
	at := sit(p.t, p.command("sign", request, "--out", p.path("out"), "--plain"))
	at.sees("password")
	first()
	at.types(deskPassword + "\r")
	at.sees("Sign 2 transactions?")
	meanwhile()
	at.types("y\r")
	if got := at.waits(); got != code {
		p.t.Errorf("exit %d, want %d: %s", got, code, at.stderr.String())
	}
}

// shutOut wants every command of another process to find the wallet in use.
func (p purse) shutOut(request, path string) {
	p.t.Helper()
	for _, command := range [][]string{{"review", request}, {"ledger", "verify"},
		{"operator", "list"}, {"generatemanagedwallet", "BTC"}} {
		args := append([]string{"--path", path, "--password-file", p.path("pw")}, command...)
		if code, said := p.output(args...); code != 11 || !strings.Contains(string(said), "in use") {
			p.t.Errorf("%v: exit %d: %s", command, code, said)
		}
	}
}

// rm WALLET.lock beside a running process lets nobody else in: the ledger's own
// file is locked too.
func lockRemoved(t *testing.T) {
	p := newPurse(t)
	request := p.two("two.kmsreq")
	p.held(request, 0, func() {
		if err := os.Remove(p.path("w.kms.lock")); err != nil {
			t.Fatal(err)
		}
		p.shutOut(request, p.path("w.kms"))
	}, func() { p.shutOut(request, p.path("w.kms")) })
	p.run(0, "ledger", "verify")
}

// Another name of the same files has another WALLET.lock, and the same ledger.
func hardLinks(t *testing.T) {
	p := newPurse(t)
	request := p.two("two.kmsreq")
	p.held(request, 0, func() {
		for _, suffix := range []string{"", ".ledger", ".ledger.mark"} {
			if err := os.Link(p.path("w.kms"+suffix), p.path("w2.kms"+suffix)); err != nil {
				t.Skip(err)
			}
		}
		p.shutOut(request, p.path("w2.kms"))
	}, func() { p.shutOut(request, p.path("w2.kms")) })
	p.run(0, "ledger", "verify")
}

// A copy that takes the place of the ledger while a person reads is one that
// another process can lock: nothing is signed into the file that was moved away.
func ledgerReplaced(t *testing.T) {
	p := newPurse(t)
	request := p.two("two.kmsreq")
	results := p.results()
	p.held(request, 20, func() {}, func() {
		text := readFile(t, p.path("w.kms.ledger"))
		if err := os.Rename(p.path("w.kms.ledger"), p.path("moved")); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(p.path("w.kms.ledger"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	})
	if now := p.results(); now != results {
		t.Errorf("%d results, %d before", now, results)
	}
}

// results counts the results in "out".
func (p purse) results() int {
	entries, err := os.ReadDir(p.path("out"))
	if err != nil {
		p.t.Fatal(err)
	}
	return len(entries)
}
