//go:build unix

package main

import (
	"os"
	"strconv"
	"testing"
)

// TestMain is the program where it starts itself as a Tatum.
func TestMain(m *testing.M) {
	if len(os.Args) == 3 && os.Args[1] == "-tatum" {
		n, _ := strconv.Atoi(os.Args[2])
		serveTatum(n)
		return
	}
	os.Exit(m.Run())
}

// The policy approves the largest transaction that is measured.
func TestManyInputs(t *testing.T) {
	p := newPurse()
	defer p.close()
	job, approval := p.job(600)
	must(job.Sign(approval))
}

// A few items go all the way through a relay.
func TestFewItemsOpen(t *testing.T) {
	table := &table{}
	costs, err := table.steps(func() (string, error) { return "", nil }, 3)
	if err != nil || len(costs) != 4 {
		t.Errorf("%v, %v", costs, err)
	}
}
