package chain

import "encoding/hex"

// Facts are what a transaction does, computed and never claimed: the one
// value that policy judges, that the review shows and that the ledger
// records. Amounts are in the smallest unit of their asset.
type Facts struct {
	Coin
	Asset     Asset // the coin as an asset: what the fee is paid in
	Sources   []Source
	Movements []Movement

	Fee  Amount // the most that it can be
	Size int64  // what a fee rate is per, estimated from above; 0: the chain has no such thing
	Unit string // of Size, such as "vB"

	Exclusive  []string // what it uses up, once and for ever: an outpoint, account:nonce
	Validity   Validity
	Findings   []Reason // of the family, in the order in which they are shown
	UnusedKeys []Key    // named, but sign nothing
}

// Source is one of those who pay: an output that is spent, or an account.
type Source struct {
	ID      string // the exclusive id that it stands for, such as "txid:index"; the account where it has none
	Address string // "" where it has none
	Kind    string // for reading, such as "P2WPKH"
	Lock    []byte // what the family knows it again by, such as a script
	Asset   Asset
	Amount  Amount
	Proven  bool  // amount and lock are proven, not claimed
	Commits bool  // the signature commits to amount and lock of every source: it is worth nothing where one is claimed wrongly
	Own     bool  // a named key signs it
	Key     *Key  // that key; nil unless Own
	Also    []Key // the same key in other entries of the wallet

	WaitBlocks  int64 // not valid before what it spends has this many confirmations; 0: at once
	WaitSeconds int64 // the same, in seconds since it was mined
}

// Claim is what a request says of a source that it does not prove.
type Claim struct {
	ID     string `json:"out"`
	Amount Amount `json:"value"`
	Lock   string `json:"script"` // in hex
}

// Claim returns what the request says of the source.
func (s Source) Claim() Claim {
	return Claim{ID: s.ID, Amount: s.Amount, Lock: hex.EncodeToString(s.Lock)}
}

// Claims lists the claims on which a signature would rest.
func (f Facts) Claims() []Claim {
	var list []Claim
	for _, s := range f.Sources {
		if !s.Proven {
			list = append(list, s.Claim())
		}
	}
	return list
}

// Committed reports whether every signature commits to every amount. Only then
// is what is claimed as good as proven: one source of another kind, and two
// requests that claim different amounts yield signatures that together pay a
// hidden fee.
func (f Facts) Committed() bool {
	for _, s := range f.Sources {
		if !s.Commits {
			return false
		}
	}
	return true
}

// Movement is an amount of an asset that goes somewhere.
type Movement struct {
	To      string // canonical name of the destination, with a tag where it has one, as policy and ledger have it
	Address string // "" where it has none
	Memo    string // memo or tag that goes with it
	Kind    string // for reading, such as "P2WPKH"
	Lock    []byte // what the family knows a destination again by, such as a script
	Asset   Asset
	Amount  Amount

	IsData bool   // it carries data, whatever its amount
	Data   []byte // that data

	Own         *Key   // the key of this wallet that it pays, derived here; nil if there is none
	Also        []Key  // the same key in other entries of the wallet
	Burnt       bool   // nobody can ever spend it: its amount is lost
	Unspendable bool   // Own has the key, and the signer does not sign for this kind
	Hidden      bool   // a search for funds by addresses does not find it
	Far         bool   // Own has an index that a search for funds may not reach
	Change      Amount // how much of Amount is change: it returns to the entry that supplied it
}

// Paid returns what the movement takes from the entry that supplies it and
// moves to somebody.
func (m Movement) Paid() Amount {
	if m.Burnt {
		return Amount{}
	}
	return m.Amount.Minus(m.Change)
}

// IsChange reports whether all of the movement is change.
func (m Movement) IsChange() bool { return !m.Change.IsZero() && m.Change == m.Amount }

// IsBurnt reports whether the movement has an amount that nobody can ever spend.
func (m Movement) IsBurnt() bool { return m.Burnt && !m.Amount.IsZero() }

// Pays reports whether the movement is a payment: neither change, nor burnt,
// nor data alone.
func (m Movement) Pays() bool {
	return !m.IsChange() && !m.Burnt && (!m.Amount.IsZero() || !m.IsData)
}

// Transfer returns how much the movement brings to a key of this wallet from
// elsewhere in it.
func (m Movement) Transfer() Amount {
	if m.Own == nil {
		return Amount{}
	}
	return m.Paid()
}

// Validity is when a transaction is valid.
type Validity struct {
	NotBefore Moment
	NotAfter  Moment // that block or second included
}

// Moment is a time in the chain's own measure. The zero value is none.
type Moment struct {
	Height int64 // of a block, or the number of a round or ledger
	Unix   int64 // seconds
}

// sum adds up what of returns for the movements of the coin itself.
func (f Facts) sum(of func(Movement) Amount) (sum Amount) {
	for _, m := range f.Movements {
		if m.Asset.Token == "" {
			sum = sum.Plus(of(m))
		}
	}
	return sum
}

// Paid returns how much of the coin the movements pay, to keys of this wallet
// included. Together with Cost it is all that leaves the entries that supply it.
func (f Facts) Paid() Amount { return f.sum(Movement.Paid) }

// Burnt returns how much of the coin nobody can ever spend.
func (f Facts) Burnt() Amount {
	return f.sum(func(m Movement) Amount {
		if m.Burnt {
			return m.Amount
		}
		return Amount{}
	})
}

// Cost returns what the transaction takes and brings to nobody whom it names:
// its fee and what it burns.
func (f Facts) Cost() Amount { return f.Fee.Plus(f.Burnt()) }

// Transferred returns how much of Paid goes to keys of this wallet.
func (f Facts) Transferred() Amount { return f.sum(Movement.Transfer) }

// Spent returns how much of the coin the sources supply.
func (f Facts) Spent() (sum Amount) {
	for _, s := range f.Sources {
		if s.Asset.Token == "" {
			sum = sum.Plus(s.Amount)
		}
	}
	return sum
}

// PaysTokens reports whether something other than the coin is moved.
func (f Facts) PaysTokens() bool {
	for _, m := range f.Movements {
		if m.Asset.Token != "" {
			return true
		}
	}
	return false
}

// FeeRate returns the fee for each unit of size, rounded up.
func (f Facts) FeeRate() Amount { return f.Fee.Per(f.Size) }

// CostRate returns Cost for each unit of size, rounded up.
func (f Facts) CostRate() Amount { return f.Cost().Per(f.Size) }
