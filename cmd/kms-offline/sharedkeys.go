package main

import (
	"fmt"

	"coldkms/cmd/internal/cli"
	"coldkms/offline"
	"coldkms/offline/wallet"
)

// warnOfSharing tells which of the added entries share a key with an entry of
// another coin or network, and what that means. It returns the warnings for
// the reply, in which the signature ids come first.
func (a *app) warnOfSharing(w *opened, added ...wallet.Entry) []importNote {
	list := []importNote{}
	for _, s := range offline.SharedBy(w.Entries(), added) {
		does := "an item that is signed with it is to be looked at (shared-key)"
		if s.Added.Network != s.Other.Network {
			does = "items for testnet that are signed with it are refused, those for mainnet are to be looked at (shared-key)"
		}
		note := importNote{s.Added.ID, fmt.Sprintf("its key, of %s, is also that of %s, of %s: a signature for one is valid for the other, so whoever makes the requests could choose whose rules apply; %s",
			placeOf(s.Added), s.Other.ID, placeOf(s.Other), does)}
		list = append(list, note)
		fmt.Fprintf(a.Err, "warning: %s: %s\nuse a key of its own for each: kms-offline removewallet %s\n", cli.Printable(note.SignatureID), cli.Printable(note.Reason), cli.Printable(note.SignatureID))
	}
	return list
}

func placeOf(e wallet.Entry) string { return fmt.Sprintf("%s %s", e.Chain, e.Network) }
