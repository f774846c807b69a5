package chain

import "encoding/hex"

// Facts are what a transaction does, computed and never claimed: the one
// value that policy judges, that the review shows and that the ledger
// records. All amounts are integers of the chain's smallest unit.
type Facts struct {
	Coin
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
	Script   []byte
	Value    int64
	Proven   bool // Value and Script come from a previous transaction whose hash was computed
	Own      bool // a named key signs it
	Key      *Key // that key; nil unless Own

	WaitBlocks  int64 // not valid before what it spends has this many confirmations (BIP 68); 0: at once
	WaitSeconds int64 // the same, in seconds since it was mined
}

// Claim is what a request says that an input spends where the previous
// transaction is missing.
type Claim struct {
	Outpoint string `json:"out"`
	Value    int64  `json:"value"`
	Script   string `json:"script"` // scriptPubKey in hex
}

// Claim is what the request says that the input spends.
func (in Input) Claim() Claim {
	return Claim{Outpoint: in.Outpoint, Value: in.Value, Script: hex.EncodeToString(in.Script)}
}

// Claims lists the claims on which a signature would rest.
func (f Facts) Claims() []Claim {
	var list []Claim
	for _, in := range f.Inputs {
		if !in.Proven {
			list = append(list, in.Claim())
		}
	}
	return list
}

// Output is one output that the transaction creates.
type Output struct {
	Address string // "" where the script has none
	Kind    string
	Script  []byte
	Value   int64
	Dust    bool // below the chain's dust limit

	Own         *Key  // the key of this wallet that it pays, derived here; nil if there is none
	Burnt       bool  // nobody can ever spend it: its value is lost
	Unspendable bool  // Own has the key, and the signer signs for no script of this kind
	Far         bool  // Own has an index that a search for funds may not reach
	Change      int64 // how much of Value is change: it returns to the entry that supplied it
}

// Paid is what the output takes from the entry that supplies it and gives to
// somebody.
func (o Output) Paid() int64 {
	if o.Burnt {
		return 0
	}
	return o.Value - o.Change
}

// IsChange reports whether all of the output is change.
func (o Output) IsChange() bool { return o.Change > 0 && o.Change == o.Value }

// Transfer is how much the output moves to a key of this wallet from elsewhere
// in it.
func (o Output) Transfer() int64 {
	if o.Own == nil {
		return 0
	}
	return o.Paid()
}

// Paid is the sum of what the outputs pay, to keys of this wallet included.
// Together with Cost it is all that leaves the entries that supply it.
func (f Facts) Paid() int64 {
	var sum int64
	for _, o := range f.Outputs {
		sum += o.Paid()
	}
	return sum
}

// Burnt is the sum of what nobody can ever spend.
func (f Facts) Burnt() int64 {
	var sum int64
	for _, o := range f.Outputs {
		if o.Burnt {
			sum += o.Value
		}
	}
	return sum
}

// Cost is what the transaction takes and gives to nobody whom it names: its fee
// and what it burns.
func (f Facts) Cost() int64 { return f.Fee + f.Burnt() }

// Transferred is how much of Paid goes to keys of this wallet.
func (f Facts) Transferred() int64 {
	var sum int64
	for _, o := range f.Outputs {
		sum += o.Transfer()
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
func (f Facts) FeeRate() int64 { return f.rate(f.Fee) }

// CostRate is Cost per vB, rounded up.
func (f Facts) CostRate() int64 { return f.rate(f.Cost()) }

func (f Facts) rate(cost int64) int64 {
	if f.VSize <= 0 {
		return cost
	}
	return cost/f.VSize + min(1, cost%f.VSize) // no sum that could overflow
}
