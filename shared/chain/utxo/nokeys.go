package utxo

import "coldkms/shared/chain"

// NoKeys is a Keyring without keys, for whoever only wants to know what a
// transaction spends and pays.
type NoKeys struct{}

// Signs implements Keyring.
func (NoKeys) Signs([]byte) (int, bool) { return 0, false }

// Owner implements Keyring.
func (NoKeys) Owner([]byte) (chain.Key, bool) { return chain.Key{}, false }

// Unused implements Keyring.
func (NoKeys) Unused([]Spent) []chain.Key { return nil }
