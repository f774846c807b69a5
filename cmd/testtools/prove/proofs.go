//go:build unix

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

// proofs are all that make prove runs. A new long count is one more line.
var proofs = [...]proof{
	{"hostile requests, each refused or flagged as the index says", "", "./cmd/testtools/adversarial", "TestHostile$",
		"20m", line("hostile")},
	{"policy: properties over random transactions, policies and histories", "KMS_CASES=100000", "./offline/policy",
		"TestProperties$", "20m", line("policy")},
	{"signer: a bit flipped in key, nonce, digest or signature", "KMS_FAULTS=10000", "./offline/sign/utxo",
		"TestSignerFaults$", "20m", line("faults")},
	{"signer: every operation on the disk fails once", "KMS_DISK_FAULTS=all", "./cmd/kms-offline",
		"TestEveryFailedOperation$", "30m", line("faults of the disk")},
	{"signer: SIGKILL at any moment of signing", "KMS_SIGN_KILLS=2000", "./cmd/kms-offline", "TestSignKilled$", "30m",
		line("kill -9")},
	{"signer: system calls under strace, over the acceptance scripts", "KMS_AIRGAP=all", "./cmd/kms-offline",
		"TestNoSocketUnderStrace$", "30m", line("air gap")},
	{"symbols read, of the recorded pictures", "", "./shared/qr", "TestFrames$", "10m", line("frames")},
	{"the loop by pictures alone, one in ten missing", "KMS_OPTICAL=1,100,1000", "./cmd/testtools/loop",
		"TestLoopByPictures$", "30m", line("by pictures")},
	{"hostile Tatum: seeded schedules of the whole cycle under a fake clock", "KMS_SCHEDULES=10000", "./online/daemon",
		"TestSchedules$", "60m", line("schedules")},
	{"sticks: every truncation and every sector zeroed", "", "./online/daemon", "TestTornFiles$|TestFullStick$", "20m",
		line("media")},
	{"soak: rounds of the daemon under a fake clock, memory and goroutines", "KMS_SOAK=1000000", "./online/daemon",
		"TestSoak$|TestLargeRound$", "60m", regexp.MustCompile(`(?m)^(soak|large round): .*$`)},
	{"crash: SIGKILL of the real relay at random moments, against a Tatum that misbehaves", "KMS_KILLS=10000",
		"./cmd/testtools/loop", "TestCrash$", "90m", line("crash")},
	{"races: relays on one journal, and a database that crashes", "KMS_ROUNDS=1000", "./online", "TestRelays", "60m",
		line("relays")},
	{"model: relay, signer and chain explored exhaustively from the real table of states", "KMS_MODEL=1",
		"./online/journal", "TestModel", "10m", line("model")},
	{"faults around the real relay, each withstood", "", "./cmd/testtools/loop", "TestRelayFaults$", "30m",
		line("relay faults")},
	{"attacks on the real signer, each withstood", "KMS_ITEMS=25000", "./cmd/kms-offline", "TestSignerAttacks$", "30m",
		line("attacks")},
	{"policy: own funds move between entries only with a flag; sums count all that leaves", "KMS_CASES=100000",
		"./offline/policy", "TestOwnTransferProperties$", "20m", line("own transfers")},
	{"frauds: 25 kinds in batches of three companies, on the first page or not; flags in clean batches", "KMS_SEEDS=4",
		"./cmd/testtools/fraud", "TestFrauds$", "60m", regexp.MustCompile(`(?m)^(?:frauds|fraud table|fraud flags): .*$`)},
	{"mutants: faults seeded into the relay, each caught", "KMS_MUTANTS=1", "./cmd/testtools/loop", "TestMutants$",
		"180m", regexp.MustCompile(`(?m)^relay mutants.*$`)},
	{"mutants: faults seeded into the signer's guards, each caught", "KMS_MUTANTS=1", "./cmd/testtools/loop",
		"TestSignerMutants$", "120m", line("signer mutants")},
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
