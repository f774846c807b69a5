package chain

// Facts are what a transaction does, computed and never claimed: the one
// value that policy judges, that the review shows and that the ledger
// records. All amounts are integers of the chain's smallest unit.
type Facts struct {
	Chain   ID
	Network Network
	Inputs  []Input
	Outputs []Output

	Fee      int64  // inputs minus outputs
	VSize    int64  // vB of the finished transaction, estimated from above by at most 2 vB an input
	LockTime uint32 // block height below 500,000,000, Unix time from there (BIP 113 aside)
	LockedIn bool   // LockTime is in force: some sequence is not final

	Replaceable bool  // BIP 125
	UnusedKeys  []Key // named, but sign nothing
}

// Input is one output that the transaction spends.
type Input struct {
	Outpoint string // txid:index
	Address  string // "" where the script has none
	Kind     string // script type, such as "P2WPKH"
	Value    int64
	Proven   bool // Value and script come from a previous transaction whose hash was computed
	Own      bool // a named key signs it

	WaitBlocks  int64 // not valid before what it spends has this many confirmations (BIP 68); 0: at once
	WaitSeconds int64 // the same, in seconds since it was mined
}

// Output is one output that the transaction creates.
type Output struct {
	Address string // "" where the script has none
	Kind    string
	Script  []byte
	Value   int64
	Change  bool // paid back to a key that was derived here
	Dust    bool // below the chain's dust limit
}

// Paid is the sum of the outputs that are not change.
func (f Facts) Paid() int64 {
	var sum int64
	for _, o := range f.Outputs {
		if !o.Change {
			sum += o.Value
		}
	}
	return sum
}

// Spent is the sum of the inputs.
func (f Facts) Spent() int64 {
	var sum int64
	for _, in := range f.Inputs {
		sum += in.Value
	}
	return sum
}

// FeeRate is the fee per vB, rounded up: smallest units per vB.
func (f Facts) FeeRate() int64 {
	if f.VSize <= 0 {
		return f.Fee
	}
	return f.Fee/f.VSize + min(1, f.Fee%f.VSize) // no sum that could overflow
}
