package bundle

import (
	"errors"
	"fmt"
)

// Limits of one item. Whoever prepares items refuses one beyond them by
// itself, so that it keeps no other from being exported.
const (
	MaxKeys     = 10_000    // named
	MaxInputs   = 10_000    // of its transaction
	MaxOutputs  = 10_000    // of its transaction
	MaxItemBody = 80 << 20  // bytes: its own and those of the previous transactions that it needs (Load.Bytes)
	MaxHashed   = 512 << 10 // KiB hashed for its legacy signatures (Load.Hashed): 3,600 inputs; a node relays no more than 700
)

// Limits of one Request. They keep what a signer does with any file within
// 500 MB of memory and 30 seconds of computation before a person is asked, and
// the time that signing takes bounded; docs/PERFORMANCE.md has what was measured.
const (
	MaxFile = MaxBody + 1<<20 // bytes of the file: a body fits even where nothing of it can be compressed
	MaxBody = 96 << 20        // bytes of the body once expanded

	MaxItems         = 40_000
	MaxParts         = 200_000 // of all attachments, such as previous transactions
	MaxAllKeys       = 200_000 // of all items
	MaxAllInputs     = 200_000
	MaxAllOutputs    = 200_000
	MaxAllStatements = 100_000
	MaxAllHashed     = 2 << 20 // KiB hashed for legacy signatures
)

// ErrTooLarge is in the chain of every error about a limit of a Request or
// of one of its items.
var ErrTooLarge = errors.New("more than a request can hold")

// A Load is how much of the room of a Request something takes.
type Load struct {
	Items, Keys, Statements int
	Inputs, Outputs         int // the chain family counts them
	Parts                   int // of attachments
	Bytes                   int // of the body, or slightly more
	Hashed                  int // KiB, for legacy signatures, each of which hashes all of its transaction
}

// Load returns what the item takes without its inputs, outputs and parts of
// attachments.
func (it Item) Load() Load {
	const (
		perItem      = 64 // heads, chain and network
		perKey       = 16
		perStatement = 128
	)
	l := Load{Items: 1, Keys: len(it.Keys), Statements: len(it.Statements)}
	l.Bytes = perItem + len(it.ID) + len(it.Family) + len(it.Chain) + len(it.Tx) + len(it.Context) + perStatement*len(it.Statements)
	for _, key := range it.Keys {
		l.Bytes += perKey + len(key.SignatureID)
	}
	return l
}

// LoadOf returns what one part of an attachment takes. It is counted once in a
// Request, whatever refers to it.
func LoadOf(part []byte) Load { return Load{Parts: 1, Bytes: len(part) + 5} }

// Add returns the sum of two loads.
func (l Load) Add(o Load) Load {
	return Load{
		Items: l.Items + o.Items, Keys: l.Keys + o.Keys, Statements: l.Statements + o.Statements,
		Inputs: l.Inputs + o.Inputs, Outputs: l.Outputs + o.Outputs, Parts: l.Parts + o.Parts, Bytes: l.Bytes + o.Bytes,
		Hashed: l.Hashed + o.Hashed,
	}
}

// Check is ErrTooLarge, and says of what there is too much, unless a Request
// has room for the load.
func (l Load) Check() error {
	const envelope = 128 // bytes of the body around items and previous transactions
	return within("a request", []bound{
		{l.Items, MaxItems, "items"}, {l.Keys, MaxAllKeys, "keys"}, {l.Statements, MaxAllStatements, "statements"},
		{l.Inputs, MaxAllInputs, "inputs"}, {l.Outputs, MaxAllOutputs, "outputs"}, {l.Parts, MaxParts, "previous transactions"},
		{l.Bytes, MaxBody - envelope, "bytes"}, {l.Hashed, MaxAllHashed, hashed},
	})
}

// CheckItem is Check for the load of a single item and the previous
// transactions that it needs.
func (l Load) CheckItem() error {
	return within("one transaction", []bound{
		{l.Keys, MaxKeys, "keys"}, {l.Inputs, MaxInputs, "inputs"}, {l.Outputs, MaxOutputs, "outputs"},
		{l.Bytes, MaxItemBody, "bytes, with its previous transactions"}, {l.Hashed, MaxHashed, hashed},
	})
}

const hashed = "KiB hashed for legacy signatures (P2PKH, P2PK)"

type bound struct {
	n, most int
	what    string
}

func within(whole string, bounds []bound) error {
	for _, b := range bounds {
		if b.n > b.most {
			return fmt.Errorf("%w: %d %s, %s has at most %d", ErrTooLarge, b.n, b.what, whole, b.most)
		}
	}
	return nil
}
