// Package xrp reads, checks, compares and encodes transactions of the XRP
// Ledger: payments of XRP and of issued currencies, trust lines, and two
// settings of an account. A request is the JSON of a whole transaction; what is
// signed is its canonical binary form. Transaction types, flags and fields that
// are not in Tx are refused by name, so everything that is signed can be shown.
//
// A transaction names no network: it is valid on every network where the
// account exists with that sequence. So a key of a test network must never be
// one of the main network. Account and sequence (or ticket) make it payable
// once: two transactions with one Tx.ExclusiveID exclude each other. Until
// LastLedgerSequence it can be paid, and never after; this one field may be
// made anew for a transaction that would expire before it is signed
// (Tx.CheckRenewed).
//
// Balances, sequences and ledger numbers are claims of whoever states them:
// they refuse, and never allow. All of it is pure: bytes in, values out.
//
// Sources: the serialization format, transaction common fields and address
// encodings of xrpl.org; XLS-5d (X-addresses); definitions.json and the test
// vectors of ripple-binary-codec.
package xrp

import "coldkms/shared/chain"

// Name is the family's name.
const Name = "xrp"

// Reasons of refusals that account chains have.
const (
	Expired      chain.Code = "expired"       // the network takes it no more
	SequenceUsed chain.Code = "sequence-used" // stated sequence below what the network has
	OtherAccount chain.Code = "other-account" // Account is not the key's
	OtherType    chain.Code = "type-not-decoded"
	OtherField   chain.Code = "field-not-decoded"
	OtherFlags   chain.Code = "flags-not-decoded"
	FeeRange     chain.Code = "fee-out-of-range"
	ToSelf       chain.Code = "to-self"
)

// Kind is what a transaction does. Values are those of TransactionType.
type Kind uint16

// The kinds that are read.
const (
	Payment    Kind = 0
	AccountSet Kind = 3
	TrustSet   Kind = 20
)

// String returns the name of TransactionType; "" for a kind that is not known.
func (k Kind) String() string {
	for name, kind := range kindNames() {
		if kind == k {
			return name
		}
	}
	return ""
}

// kindNames are the types that are read, and others for the words of a refusal.
func kindNames() map[string]Kind {
	return map[string]Kind{
		"Payment": Payment, "AccountSet": AccountSet, "TrustSet": TrustSet,
		"EscrowCreate": 1, "EscrowFinish": 2, "EscrowCancel": 4, "SetRegularKey": 5, "OfferCreate": 7,
		"OfferCancel": 8, "TicketCreate": 10, "SignerListSet": 12, "PaymentChannelCreate": 13,
		"PaymentChannelFund": 14, "PaymentChannelClaim": 15, "CheckCreate": 16, "CheckCash": 17,
		"CheckCancel": 18, "DepositPreauth": 19, "AccountDelete": 21, "NFTokenMint": 25, "NFTokenBurn": 26,
		"NFTokenCreateOffer": 27, "NFTokenCancelOffer": 28, "NFTokenAcceptOffer": 29, "Clawback": 30,
	}
}

func (k Kind) read() bool { return k == Payment || k == AccountSet || k == TrustSet }

// Limits.
const (
	// MaxDrops is all XRP that was ever made, in drops: 10^17.
	MaxDrops = 100_000_000_000_000_000
	// MaxFee is the highest fee that is signed, in drops: 2 XRP, as in xrpl.js.
	// It is burnt.
	MaxFee = 2_000_000
	// MaxBlob is the size of the longest transaction that is read, in bytes.
	MaxBlob  = 8 << 10
	maxMemos = 4
	maxMemo  = 1 << 10 // as the network: all memos of a transaction, encoded
)

// FullyCanonical is the one flag that is signed. It has no effect any more.
const FullyCanonical = 0x80000000

// The settings of AccountSet that are signed, for SetFlag and ClearFlag.
const (
	RequireDest   = 1 // payments to the account need a destination tag
	DefaultRipple = 8 // balances of issued currencies may ripple through the account
)

// Number is a field that may be missing. 0 is a value, and not "none".
type Number struct {
	Value  uint32
	Stated bool
}

// Some returns a stated number.
func Some(v uint32) Number { return Number{v, true} }

// Memo is a text or bytes that ride along: anything at all, to be escaped.
type Memo struct{ Type, Data, Format []byte }

// Tx is a transaction without its signature. Fields that a kind has no use for
// are zero.
type Tx struct {
	Kind        Kind
	Flags       Number // 0 or FullyCanonical
	Account     Account
	Fee         uint64 // drops
	Sequence    uint32 // 0 with a ticket
	Ticket      Number
	LastLedger  Number // the last ledger in which it can be; none: valid until its sequence is used
	SourceTag   Number
	Memos       []Memo
	Destination Account // Payment
	Tag         Number  // Payment: the destination's
	Invoice     []byte  // Payment: InvoiceID, 32 bytes or none
	Amount      Amount  // Payment, and the limit of TrustSet
	SetFlag     Number  // AccountSet
	ClearFlag   Number  // AccountSet
}

func malformed(format string, args ...any) error {
	return chain.Refuse(chain.Malformed, format, args...)
}
