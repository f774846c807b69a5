// Package interop is the contract with the formats in which other signers than
// kms-offline are asked and answer. A format is one package below this one.
package interop

import (
	"coldkms/shared/bundle"
	"coldkms/shared/chain"
)

// A Format writes items of a Request as files, one each, and reads what another
// signer made of them.
type Format interface {
	// Family is the name of the family of chains that the format is of.
	Family() string
	// For is nil if transactions of the chain can be written. It is a refusal otherwise.
	For(id chain.ID) error
	// Open reads what a Request carries for the family. entries are those of the
	// signer's watch file.
	Open(parts [][]byte, entries []bundle.WatchEntry) (Exchange, error)
	// Read reads a file. The answer is nil if the file is of another format.
	Read(file []byte) (Answer, error)
}

// An Exchange writes items of one Request, and takes the answers to them.
type Exchange interface {
	// Write returns a file and its name. An item that cannot be written is a refusal.
	Write(item bundle.Item) (name string, file []byte, err error)
	// Finish puts the signatures of an answer, and nothing else of it, into the
	// transaction of an item, and verifies all of it. Errors are refusals.
	Finish(item bundle.Item, a Answer) (raw []byte, txid string, err error)
}

// An Answer is a file of another signer.
type Answer interface {
	UnsignedID() string // id of the transaction without any signature
	Signed() bool       // it has some signature
}
