package main

import (
	"regexp"
	"strings"
)

// proof is one long count: a test of this module, the environment that makes
// it long, and where in its output the figures are.
type proof struct {
	name    string // as the page calls it
	env     string // NAME=VALUE NAME=VALUE
	pkg     string
	test    string // regular expression, for go test -run
	timeout string
	figure  *regexp.Regexp // each match is a line of the page
}

// line matches whole lines that begin with a word.
func line(word string) *regexp.Regexp { return regexp.MustCompile(`(?m)^` + word + `: .*$`) }

// passed matches the tests that passed.
var passed = regexp.MustCompile(`(?m)^ *--- PASS: (\S+/\S+)`)

// proofs are all that make prove runs. A new long count is one more line.
var proofs = [...]proof{
	{"crash: SIGKILL of the real relay at random moments, against a Tatum that misbehaves", "KMS_KILLS=10000", "./cmd/internal/loop", "TestCrash$", "30m", line("crash")},
	{"races: relays on one journal, and a database that crashes", "KMS_ROUNDS=1000", "./online", "TestRelays", "30m", line("relays")},
	{"model: relay, signer and chain explored exhaustively from the real table of states", "KMS_MODEL=1", "./online/journal", "TestModel", "10m", line("model")},
	{"mutants: faults seeded into the relay, each caught", "KMS_MUTANTS=1", "./cmd/internal/loop", "TestMutants$", "10m", passed},
}

func (p proof) named(part string) bool { return strings.Contains(p.name, part) }

// args are what go is called with.
func (p proof) args() []string {
	return []string{"test", "-count=1", "-v", "-timeout", p.timeout, "-run", p.test, p.pkg}
}

// command is what a person types for the same.
func (p proof) command() string {
	return strings.TrimSpace(p.env + " go test -count=1 -v -timeout " + p.timeout + " -run '" + p.test + "' " + p.pkg)
}
