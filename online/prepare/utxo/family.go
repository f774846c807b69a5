package utxo

import (
	"fmt"
	"maps"
	"slices"

	"github.com/btcsuite/btcd/chainhash/v2"

	"coldkms/online/prepare"
	"coldkms/shared/bundle"
	"coldkms/shared/chain"
	"coldkms/shared/chain/utxo"
)

// family implements prepare.Family.
type family struct{ coins map[chain.ID]coin }

// New returns the family.
func New() prepare.Family { return family{coins()} }

// Name implements prepare.Family.
func (family) Name() string { return utxo.Name }

// Chains implements prepare.Family.
func (f family) Chains() []chain.ID { return slices.Sorted(maps.Keys(f.coins)) }

// Pace implements prepare.Family.
func (f family) Pace(id chain.ID) prepare.Pace { return f.coins[id].pace }

// Check implements prepare.Family: it leaves out the witness.
func (family) Check(txid string, raw []byte) ([]byte, error) {
	stripped, err := utxo.StripWitness(raw)
	if err != nil {
		return nil, fmt.Errorf("prepare: previous transaction %s: %w", txid, err)
	}
	if got := chainhash.DoubleHashH(stripped).String(); got != txid {
		return nil, fmt.Errorf("prepare: previous transaction %s: what came has the id %s", txid, got)
	}
	return stripped, nil
}

// TxID implements prepare.Family.
func (family) TxID(signed []byte) (string, error) {
	stripped, err := utxo.StripWitness(signed)
	if err != nil {
		return "", err
	}
	return chainhash.DoubleHashH(stripped).String(), nil
}

// proofs are previous transactions, each hashed once for all the items that
// spend from them.
type proofs struct{ *utxo.Table }

// Proofs implements prepare.Family.
func (family) Proofs(parts [][]byte) (prepare.Proofs, error) {
	table, err := utxo.NewTable(parts)
	if err != nil {
		return nil, err
	}
	return proofs{table}, nil
}

// Finish implements prepare.Proofs: every script is run.
func (p proofs) Finish(it bundle.Item, signatures [][]byte) (prepare.Final, error) {
	tx, err := utxo.Decode(it.Coin, it.Tx, it.Context, p.Table)
	if err != nil {
		return prepare.Final{}, err
	}
	f, err := tx.Finalize(signatures)
	return prepare.Final{Raw: f.Raw, TxID: f.TxID}, err
}

// Adopt implements prepare.Proofs: every script is run.
func (p proofs) Adopt(it bundle.Item, signed prepare.Tx) (prepare.Final, error) {
	tx, err := utxo.Decode(it.Coin, it.Tx, it.Context, p.Table)
	if err != nil {
		return prepare.Final{}, err
	}
	f, err := tx.Adopt(signed.(transaction).MsgTx)
	return prepare.Final{Raw: f.Raw, TxID: f.TxID}, err
}
