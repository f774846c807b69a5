// Package sign is the contract between a session and the chain families that
// can sign. A family is one package below this one.
package sign

import (
	"coldkms/offline/policy"
	"coldkms/shared/bundle"
	"coldkms/shared/chain"
	"coldkms/shared/chain/utxo"
)

// Keys is the wallet as a signer sees it.
type Keys interface {
	// Lookup returns the coin of an entry; ok is false for an id that the
	// wallet does not have.
	Lookup(signatureID string) (coin chain.Coin, ok bool)
	// Public returns the public key, 33 or 65 bytes, of an entry; index
	// chain.NoIndex is that of a single private key.
	Public(signatureID string, index int64) ([]byte, error)
	// Private returns the 32-byte secret. The caller wipes it.
	Private(signatureID string, index int64) ([]byte, error)
	// IsMnemonic reports whether an entry derives keys by index.
	IsMnemonic(signatureID string) bool
}

// Signer proves and signs for one family of chains.
type Signer interface {
	// Family is the name that items of this family carry.
	Family() string
	// Prepare decodes and proves one item. Errors are refusals.
	Prepare(item bundle.Item, previous *utxo.Table, keys Keys) (Job, error)
}

// Job is one decoded item: the one value that is judged, shown, recorded and
// signed.
type Job interface {
	Subject() policy.Subject
	// Sign signs every input, puts the transaction together and verifies
	// it. Without an approval for exactly this content it refuses.
	Sign(policy.Approval) (Signed, error)
}

// Signed is a finished, verified transaction.
type Signed struct {
	Signatures [][]byte // in the family's form, as they travel
	TxID       string
	Raw        []byte
}
