// Package prepare is the contract between the relay and the families of chains:
// what turns a pending transaction into the item of a Request, proves what can be
// proven before the gap is crossed, and puts signatures into a transaction that
// the network takes. A family is one package below this one, and one entry of
// the list that the program makes; nothing else of the relay knows how its
// transactions look.
package prepare

import (
	"slices"
	"time"

	"coldkms/shared/bundle"
	"coldkms/shared/chain"
	"coldkms/shared/pending"
)

// A Family prepares the transactions of its chains. Transactions are named by
// their ids as text. Errors of Parse, Restore, Prove and Finish are refusals.
type Family interface {
	// Name is what items of the family carry.
	Name() string
	// Chains lists the chains that the family prepares.
	Chains() []chain.ID
	// Pace is how fast a chain of the family settles.
	Pace(id chain.ID) Pace
	// Parse reads a pending transaction without asking anybody.
	Parse(tx pending.Tx, network chain.Network) (Draft, error)
	// Restore reads the item of a transaction that was prepared, as Prepared.Item
	// made it where no part has a position.
	Restore(item bundle.Item) (Draft, error)
	// Check returns the form in which a previous transaction crosses the gap. It is
	// an error if raw is not the transaction with this id.
	Check(txid string, raw []byte) ([]byte, error)
	// Proofs reads previous transactions that Check let pass, each given once.
	Proofs(parts [][]byte) (Proofs, error)
	// TxID computes the id of a signed transaction from its bytes.
	TxID(signed []byte) (string, error)
	// Read reads a signed transaction.
	Read(signed []byte) (Tx, error)
	// Conflicts is made of what Read or Draft.Tx returned, and of previous
	// transactions as far as they are known.
	Conflicts(ours Tx, coin chain.Coin, parts [][]byte) (Conflicts, error)
	// Watched reads the public keys of a watch file, to tell what comes back to the
	// payer.
	Watched(entries []bundle.WatchEntry) Watched
}

// Pace is how fast a chain settles.
type Pace struct {
	Depth int64         // confirmations from which on a transaction is taken to stay
	Block time.Duration // how long a block takes, about
}

// A Draft is a pending transaction that was read, and whose claims are not
// proven yet. It does not change.
type Draft interface {
	ID() string // the pending id
	Chain() chain.ID
	Tx() Tx // without any signature
	// Needs lists the previous transactions without which it is not proven, each
	// once, in the order of first use.
	Needs() []string
	// Prove compares every claim with the proofs, which are those of its family.
	Prove(Proofs) (Prepared, error)
}

// Prepared is a transaction that is proven as far as its family can prove
// anything without the signer.
type Prepared interface {
	Draft
	// Family is the name of its family.
	Family() string
	// Parts lists what its family's attachment must have for it.
	Parts() []Part
	// Load returns what the transaction takes of a Request without its parts.
	Load() bundle.Load
	// Item returns the item of a Request. at is the position of a part in the
	// family's attachment; below 0, the item has what the part proves as a claim.
	Item(at func(part string) int) bundle.Item
	// Facts returns what the transaction does, seen without any key.
	Facts() (chain.Facts, error)
}

// A Part is one element of a family's attachment, such as a previous transaction.
type Part struct {
	ID  string
	Raw []byte
}

// Proofs are a family's attachment, read.
type Proofs interface {
	// Finish puts signatures into the transaction of an item, and verifies all of it.
	Finish(item bundle.Item, signatures [][]byte) (Final, error)
	// Adopt is Finish for a transaction that another signer finished. Nothing but
	// its signatures is taken.
	Adopt(item bundle.Item, signed Tx) (Final, error)
}

// Final is a finished, verified transaction.
type Final struct {
	Raw  []byte // as it is broadcast
	TxID string
}

// Watched are public keys that may be the payer's.
type Watched interface {
	// Pays lists what a transaction of the family pays, as Tatum asks for it: nothing
	// of it is proven.
	Pays(Draft) ([]Pay, ChangeKnown, error)
}

// ChangeKnown is how what comes back to the payer is told from what leaves.
type ChangeKnown string

// What there is to tell them apart.
const (
	ByKeys   ChangeKnown = "by-keys"   // the public keys of the watch file
	ByInputs ChangeKnown = "by-inputs" // what Tatum says that is spent
	NotKnown ChangeKnown = "unknown"   // nothing: all counts as leaving
)

// Pay is one payment of a transaction as a person reads it.
type Pay struct {
	Address string // "" where the destination has none
	Asset   chain.Asset
	Amount  chain.Amount
	Back    bool // it comes back to the payer
}

// Families are those that a relay knows.
type Families []Family

// Of returns the family that prepares a chain, nil if none does.
func (list Families) Of(id chain.ID) Family {
	for _, f := range list {
		if slices.Contains(f.Chains(), id) {
			return f
		}
	}
	return nil
}

// Named returns the family of this name, nil if there is none.
func (list Families) Named(name string) Family {
	for _, f := range list {
		if f.Name() == name {
			return f
		}
	}
	return nil
}
