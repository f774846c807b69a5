package main

import (
	"fmt"
	"slices"
	"testing"
)

// attack is a way to make the signer sign, count or show what it must not,
// tried on the real kms-offline.
type attack struct {
	name string // of the subtest, such as "change-to-another-own-key"
	run  func(*testing.T)
}

// TestSignerAttacks tries every attack on the real kms-offline, prints a line
// for each, and how many it withstood.
func TestSignerAttacks(t *testing.T) {
	all := slices.Concat(valueAttacks(), claimAttacks(), approvalAttacks(), processAttacks(), resourceAttacks(), decidedAttacks(), toldAttacks(), shownAttacks(), restoreAttacks(), sharedAttacks(), roundAttacks(), settledAttacks(), partAttacks(), keptAttacks(), foreignAttacks(), usedAttacks(), lostAttacks(), laterAttacks())
	held, tried := 0, 0
	for _, a := range all {
		ran := false // false where -run leaves it out, or the machine cannot run it
		passed := t.Run(a.name, func(t *testing.T) {
			defer func() { ran = !t.Skipped() }()
			a.run(t)
		})
		switch {
		case !ran:
			continue
		case passed:
			held++
			fmt.Printf("attack: %s: held\n", a.name)
		default:
			fmt.Printf("attack: %s: NOT HELD\n", a.name)
		}
		tried++
	}
	fmt.Printf("attacks: %d/%d held\n", held, tried)
}
