package relaytest

import (
	"encoding/hex"

	"coldkms/online/prepare"
	"coldkms/shared/chain"
	"coldkms/shared/pending"
)

// Prepare prepares a pending transaction as the relay does, with previous
// transactions by id, in hex. Errors are refusals.
func Prepare(tx pending.Tx, network chain.Network, previous map[string]string) (prepare.Prepared, error) {
	family := Families().Of(chain.ID(tx.Chain))
	if family == nil {
		return nil, chain.Refuse(chain.UnsupportedChain, "chain %.20q is not supported yet", tx.Chain)
	}
	d, err := family.Parse(tx, network)
	if err != nil {
		return nil, err
	}
	return Prove(family, d, previous)
}

// Prove proves a draft with previous transactions by id, in hex.
func Prove(family prepare.Family, d prepare.Draft, previous map[string]string) (prepare.Prepared, error) {
	var parts [][]byte
	for _, id := range d.Needs() {
		if _, known := previous[id]; !known {
			continue // Prove says so
		}
		part, err := family.Check(id, must(hex.DecodeString(previous[id])))
		if err != nil {
			return nil, chain.Refuse(chain.UnprovenAmount, "%v", err)
		}
		parts = append(parts, part)
	}
	return d.Prove(must(family.Proofs(parts)))
}
