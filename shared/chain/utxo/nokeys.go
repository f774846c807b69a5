package utxo

import "coldkms/shared/chain"

// NoKeys is a Keyring without keys, for whoever only wants to know what a
// transaction spends and pays.
type NoKeys struct{}

// Signs implements Keyring.
func (NoKeys) Signs([]byte) (int, bool) { return 0, false }

// Owns implements Keyring.
func (NoKeys) Owns([]byte) bool { return false }

// Unused implements Keyring.
func (NoKeys) Unused([]Spent) []chain.Key { return nil }
