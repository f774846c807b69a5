package prepare

// A Tx is a transaction in bytes that were read: the item's own, unsigned or
// signed, or another one.
type Tx interface {
	// TxID is the id of the bytes as they are.
	TxID() string
	// UnsignedID is what the id is without any signature: two transactions that have
	// it in common are one payment.
	UnsignedID() string
	// Parents lists the transactions without which this one cannot be in a block.
	Parents() []string
	// Uses lists the exclusive ids of what it uses up: no two transactions in the
	// chain have one in common.
	Uses() []string
}

// Conflicts finds other transactions that use up what an item's transaction uses
// up, and tells what they are. What an API says of a transaction is a claim: only
// bytes that verify count.
type Conflicts interface {
	// Addresses lists where others would be listed, each once.
	Addresses() []string
	// Made lists the transactions that made, at one of those addresses, what is used
	// up: a list of the address, newest first, that has them has all others. Where
	// there are none, a list must be read to its end.
	Made(address string) []string
	// Uses reports whether the item's transaction is known to use up this exclusive id.
	Uses(id string) bool
	// Whole reports whether the bytes are the item's transaction with signatures that
	// verify.
	Whole(raw []byte) bool
	// Rival reads another transaction. It returns nil unless its id is this one, and
	// it is proven to use up what the item's transaction uses up.
	Rival(txid string, raw []byte) *Rival
	// Fixed reports whether no signature changes the id of the item's transaction.
	Fixed() bool
	// Payers lists whom the item's transaction takes from, in a form that only Same reads.
	Payers() []string
	// Same says why another transaction may be the same payment as the item's, ""
	// if it pays nobody but the payers that the item's pays.
	Same(other Tx, payers []string) string
}

// A Rival is another transaction that uses up what an item's uses up.
type Rival struct {
	Tx    Tx
	Used  string   // the exclusive id
	After []string // transactions that make what it uses up: it is in no block below theirs
}
