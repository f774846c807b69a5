package sign

import "coldkms/shared/chain"

// A Finder is a Signer that finds out by itself which keys sign, for
// transactions that come without naming any.
type Finder interface {
	Signer
	// Owners gives those of the candidates, all of one chain and network,
	// and of index 0 of their mnemonics, that can sign for one of the
	// scripts, each once, in the order of the scripts.
	Owners(id chain.ID, network chain.Network, scripts [][]byte, candidates []chain.Key, keys Keys) ([]chain.Key, error)
}
