package main

import (
	"encoding/hex"
	"fmt"
	"slices"
	"strings"

	"coldkms/cmd/internal/cli"
	"coldkms/offline"
	"coldkms/offline/wallet"
)

// warnOfSharing tells which of the added entries hold what another entry of
// the same coin holds, and which share a key with an entry of another coin or
// network, and what that means. It returns the warnings for the reply, in
// which the signature ids come first.
func (a *app) warnOfSharing(w *opened, added ...wallet.Entry) []importNote {
	all := heldBy(w.Entries())
	list := a.warnOfTwice(all, added)
	said := map[[2]string]bool{}
	for _, s := range offline.SharedBy(families(), w.Entries(), added) {
		others := strings.Join(all[secretOf(s.Other)], " and ")
		if pair := [2]string{s.Added.ID, others}; said[pair] {
			continue
		} else {
			said[pair] = true
		}
		does := "an item that is signed with it is to be looked at (shared-key)"
		if s.Added.Network != s.Other.Network {
			does = "items for testnet that are signed with it are refused, those for mainnet are to be looked at (shared-key)"
		}
		note := importNote{s.Added.ID, fmt.Sprintf("its key, of %s, is also that of %s, of %s: a signature for one is valid for the other, so the relay could choose which coin's rules apply; %s",
			placeOf(s.Added), others, placeOf(s.Other), does)}
		list = append(list, note)
		a.warnOf(note, "use a key of its own for each")
	}
	return append(list, a.warnOfDerived(w, added)...)
}

// warnOfDerived tells which single keys a mnemonic of the wallet derives.
func (a *app) warnOfDerived(w *opened, added []wallet.Entry) (list []importNote) {
	if w.indices == nil {
		return nil
	}
	for _, d := range offline.DerivedBy(w.Entries(), added, w.indices) {
		note := importNote{d.Single.ID, fmt.Sprintf("its key is also that of mnemonic %s at index %d: "+
			"anyone who has this key can spend what is at its address, so what it receives "+
			"from other keys of the mnemonic counts as an own transfer", d.From.SignatureID, d.From.Index)}
		list = append(list, note)
		a.warnOf(note, "the mnemonic signs for that address without it")
	}
	return list
}

// warnOfTwice tells which of the added entries the wallet has under another id.
func (a *app) warnOfTwice(all map[secret][]string, added []wallet.Entry) []importNote {
	list := []importNote{}
	for _, e := range added {
		others := slices.DeleteFunc(slices.Clone(all[secretOf(e)]), func(id string) bool { return id == e.ID })
		if len(others) == 0 {
			continue
		}
		note := importNote{e.ID, fmt.Sprintf("the wallet has the same secret, of %s, under %s too: a request that names either is signed with it", placeOf(e), strings.Join(others, " and "))}
		list = append(list, note)
		a.warnOf(note, "one is enough, unless both ids are in use")
	}
	return list
}

func (a *app) warnOf(note importNote, todo string) {
	fmt.Fprintf(a.Err, "warning: %s: %s\n%s: kms-offline removewallet %s\n", cli.Printable(note.SignatureID), cli.Printable(note.Reason), todo, cli.Printable(note.SignatureID))
}

// secret is what entries are compared by: a public key by its x coordinate,
// which both its encodings share, or an extended public key.
type secret struct{ place, key string }

func secretOf(e wallet.Entry) secret {
	s := secret{placeOf(e), e.XPub}
	if e.Kind == wallet.PrivateKey {
		s.key = hex.EncodeToString(e.Public[1:33])
	}
	return s
}

func heldBy(entries []wallet.Entry) map[secret][]string {
	by := make(map[secret][]string, len(entries))
	for _, e := range entries {
		if e.Signable() {
			by[secretOf(e)] = append(by[secretOf(e)], e.ID)
		}
	}
	return by
}

func placeOf(e wallet.Entry) string { return fmt.Sprintf("%s %s", e.Chain, e.Network) }

func idsOf(entries []wallet.Entry) []string {
	list := make([]string, len(entries))
	for i, e := range entries {
		list[i] = e.ID
	}
	return list
}
