//go:build linux

package main

import (
	"slices"
	"testing"

	"coldkms/cmd/testtools/faulttable"
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
	all := slices.Concat(valueAttacks(), claimAttacks(), approvalAttacks(), processAttacks(), resourceAttacks(), decidedAttacks(), toldAttacks(), shownAttacks(), restoreAttacks(), sharedAttacks(), roundAttacks(), settledAttacks(), partAttacks(), keptAttacks(), foreignAttacks(), usedAttacks(), lostAttacks(), laterAttacks(), holderAttacks(), earlierAttacks(), weakAttacks(), deskAttacks(), writerAttacks(), mendedAttacks(), answerAttacks(), psbtAttacks(), wordAttacks(), splitAttacks(), pictureAttacks(), freedAttacks(), copyAttacks(), rolledAttacks(), groupAttacks(), edgeAttacks(), clockAttacks(), rejectedAttacks())
	faulttable.Run(t, "attack", all, func(a attack) faulttable.Row { return faulttable.Row{Name: a.name, Run: a.run} })
}
