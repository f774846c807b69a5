package sign

import "coldkms/shared/chain"

// A Finder is a Signer that finds out by itself which keys sign, for
// transactions that come without naming any.
type Finder interface {
	Signer
	// Owners returns those of the candidates, all of one chain and network,
	// and of index 0 of their mnemonics, that can sign for one of the
	// locks, each once, in the order of the locks.
	Owners(coin chain.Coin, locks [][]byte, candidates []chain.Key, keys Keys) ([]chain.Key, error)
	// Book indexes the locks of keys, all of one coin.
	Book(coin chain.Coin, keys []Known) (Book, error)
}

// Known is a key of the wallet and its public key.
type Known struct {
	Key    chain.Key
	Public []byte
}

// Book finds the key that a lock belongs to, such as a script. It is safe for
// concurrent use.
type Book interface {
	Owner(lock []byte) (key chain.Key, ok bool)
	// Spendable reports whether the signer signs for such a lock.
	Spendable(lock []byte) bool
}
