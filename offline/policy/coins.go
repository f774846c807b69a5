package policy

import "coldkms/shared/chain"

// Coins are the coins that this program signs for.
type Coins interface {
	// Coins lists them, each once.
	Coins() []chain.Coin
	// Coin returns what a policy asks about one; ok is false for another coin.
	Coin(coin chain.Coin) (of Coin, ok bool)
}

// Coin is what a policy asks about a coin. A lock is what the coin's family
// knows a destination again by, such as a script.
type Coin interface {
	Asset() chain.Asset
	// Largest is the highest amount that a rule can name.
	Largest() chain.Amount
	// FeeCap and FeeRateCap are in force unless a policy has others.
	FeeCap() chain.Amount
	FeeRateCap() chain.Amount
	// LockOf reads an address in any of its forms.
	LockOf(address string) ([]byte, error)
	// Address returns the one form of the address of a lock, "" if it has none.
	Address(lock []byte) string
	// NameOf returns the canonical name of a destination, as facts have it.
	NameOf(lock []byte) string
	// Prefix is what every address begins with, or "".
	Prefix() string
	// KeyForms lists what all locks of one key have in common, as far as the
	// lock tells. ListedForms has in addition what can be computed of a lock
	// that is on a list, where that takes time.
	KeyForms(lock []byte) []string
	ListedForms(lock []byte) []string
	// Commits reports whether a signature for a lock commits to every amount.
	Commits(lock []byte) bool
}
