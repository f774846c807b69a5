//go:build unix

package loop

import (
	"slices"
	"testing"

	"coldkms/cmd/testtools/faulttable"
)

// fault is something that goes wrong around a relay, and what the real
// kms-online must do about it.
type fault struct {
	name string // of the subtest, such as "lost-reply-and-lagging-index"
	run  func(*testing.T)
}

// TestRelayFaults drives the real kms-online through every fault, prints a
// line for each, and how many it withstood.
func TestRelayFaults(t *testing.T) {
	all := slices.Concat(truthFaults(), decisionFaults(), wordFaults(), paysFaults(), secretFaults(), loopFaults(), inputFaults(), journalFaults(), evidenceFaults(), oneVerdictFaults(), robustFaults(), opsFaults(), formFaults(), toldFaults(), anewFaults(), hintFaults(), undoneFaults(), unwantedFaults())
	faulttable.Run(t, "relay fault", all, func(f fault) faulttable.Row { return faulttable.Row{Name: f.name, Run: f.run} })
}
