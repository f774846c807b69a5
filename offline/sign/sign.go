// Package sign is the contract between a session and the chain families that
// can sign. A family is one package below this one.
package sign

import (
	"coldkms/offline/hd"
	"coldkms/offline/policy"
	"coldkms/shared/bundle"
	"coldkms/shared/chain"
)

// Keys is the wallet as a signer sees it.
type Keys interface {
	// Lookup returns the coin of an entry; ok is false for an id that the
	// wallet does not have.
	Lookup(signatureID string) (coin chain.Coin, ok bool)
	// Public returns the public key, 33 or 65 bytes, of an entry; index
	// chain.NoIndex is that of a single private key.
	Public(signatureID string, index int64) ([]byte, error)
	// Private returns the secret, which knows its curve. The caller wipes it.
	Private(signatureID string, index int64) (hd.Secret, error)
	// IsMnemonic reports whether an entry derives keys by index.
	IsMnemonic(signatureID string) bool
}

// Signer proves and signs for one family of chains.
type Signer interface {
	// Family is the name that items of this family carry.
	Family() string
	// Coins are what it signs for.
	policy.Coins
	// Derivation returns what keys of a coin need; ok is false for another coin.
	Derivation(coin chain.Coin) (of hd.Coin, ok bool)
	// Count returns how many sources and movements the transaction of an item
	// has. It makes no room for them.
	Count(item bundle.Item) (sources, movements int)
	// Open checks what a Request carries for the family beside its items.
	Open(parts [][]byte) (Opened, error)
	// Interchangeable reports whether a signature for one of two different
	// coins may be valid for the other.
	Interchangeable(a, b chain.Coin) bool
}

// Opened is what a Request carries for a family. It is safe for concurrent use.
type Opened interface {
	// Prepare decodes and proves one item. Errors are refusals.
	Prepare(item bundle.Item, keys Keys) (Job, error)
}

// An Outliner is an Opened that reads what an item is also where it cannot be
// prepared: what it uses up, and its digest without claims.
type Outliner interface {
	Outline(item bundle.Item) (exclusive []string, bare [32]byte, ok bool)
}

// Job is one decoded item: the one value that is judged, shown, recorded and
// signed.
type Job interface {
	Subject() policy.Subject
	// Sign signs for every source, puts the transaction together and verifies
	// it. Without an approval for exactly this content it refuses.
	Sign(policy.Approval) (Signed, error)
}

// Signed is a finished, verified transaction.
type Signed struct {
	Signatures [][]byte // in the family's form, as they travel
	TxID       string
	Raw        []byte
}

// Families are signers of different families.
type Families []Signer

// Coins implements policy.Coins.
func (f Families) Coins() []chain.Coin {
	var list []chain.Coin
	for _, s := range f {
		list = append(list, s.Coins()...)
	}
	return list
}

// Coin implements policy.Coins.
func (f Families) Coin(coin chain.Coin) (policy.Coin, bool) {
	for _, s := range f {
		if of, ok := s.Coin(coin); ok {
			return of, true
		}
	}
	return nil, false
}

// Derivation implements hd.Coins.
func (f Families) Derivation(coin chain.Coin) (hd.Coin, error) {
	for _, s := range f {
		if of, ok := s.Derivation(coin); ok {
			return of, nil
		}
	}
	return hd.Coin{}, chain.Refuse(chain.UnsupportedChain, "%.40q is not a coin that this signer signs for", coin.String())
}

// Of returns the signer of a family, or nil.
func (f Families) Of(family string) Signer {
	for _, s := range f {
		if s.Family() == family {
			return s
		}
	}
	return nil
}

// Interchangeable reports whether a signature for one of two different coins may
// be valid for the other.
func (f Families) Interchangeable(a, b chain.Coin) bool {
	for _, s := range f {
		if s.Interchangeable(a, b) {
			return true
		}
	}
	return false
}
