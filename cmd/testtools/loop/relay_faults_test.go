//go:build unix

package loop

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"coldkms/cmd/testtools/faulttable"
)

// fault is something that goes wrong around a relay, and what the real
// kms-online must do about it.
type fault struct {
	name string // of the subtest, such as "lost-reply-and-lagging-index"
	run  func(*testing.T)
}

// relayFaults are all of them.
func relayFaults() []fault {
	return slices.Concat(truthFaults(), decisionFaults(), wordFaults(), paysFaults(), secretFaults(), loopFaults(), inputFaults(), journalFaults(), evidenceFaults(), oneVerdictFaults(), robustFaults(), opsFaults(), formFaults(), toldFaults(), anewFaults(), hintFaults(), undoneFaults(), unwantedFaults(), retryFaults(), restoredFaults(), tidyFaults(), plainFaults(), againFaults(), marksFaults(), partFaults(), trueFaults(), staleFaults(), spellingFaults(), cutFaults(), keyFaults(), limitFaults())
}

// TestRelayFaults drives the real kms-online through every fault, prints a
// line for each, and how many it withstood.
func TestRelayFaults(t *testing.T) {
	faulttable.Run(t, "relay fault", relayFaults(), func(f fault) faulttable.Row { return faulttable.Row{Name: f.name, Run: f.run} })
}

// A number with a letter names one fault, a bare number the faults of one point,
// and each mutant names a fault that there is.
func TestRelayFaultNames(t *testing.T) {
	lettered := regexp.MustCompile(`^[0-9]+[a-z]+-`)
	names, numbers := map[string]bool{}, map[string]string{}
	for _, f := range relayFaults() {
		if names[f.name] {
			t.Errorf("two faults are called %s", f.name)
		}
		names[f.name] = true
		number := lettered.FindString(f.name)
		if other := numbers[number]; number != "" && other != "" {
			t.Errorf("%s and %s have one number", other, f.name)
		}
		numbers[number] = f.name
	}
	for _, m := range mutants {
		if name, ok := strings.CutPrefix(m.test, "TestRelayFaults/"); ok && !names[name] {
			t.Errorf("mutant %q: there is no fault %s", m.name, name)
		}
	}
}
