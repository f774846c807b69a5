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
	all := slices.Concat(truthFaults(), loopFaults(), inputFaults(), journalFaults())
	held := 0
	for _, f := range all {
		if t.Run(f.name, f.run) {
			held++
			fmt.Printf("relay fault: %s: held\n", f.name)
		} else {
			fmt.Printf("relay fault: %s: NOT HELD\n", f.name)
		}
	}
	fmt.Printf("relay faults: %d/%d held\n", held, len(all))
}
