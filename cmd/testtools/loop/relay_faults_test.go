//go:build unix

package loop

import (
	"fmt"
	"slices"
	"testing"
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
	held, tried := 0, 0
	for _, f := range all {
		ran := false // false where -run leaves it out, or the machine cannot run it
		passed := t.Run(f.name, func(t *testing.T) {
			defer func() { ran = !t.Skipped() }()
			f.run(t)
		})
		switch {
		case !ran:
			continue
		case passed:
			held++
			fmt.Printf("relay fault: %s: held\n", f.name)
		default:
			fmt.Printf("relay fault: %s: NOT HELD\n", f.name)
		}
		tried++
	}
	fmt.Printf("relay faults: %d/%d held\n", held, tried)
}
