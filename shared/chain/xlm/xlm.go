// Package xlm reads, checks, compares and encodes transactions of Stellar:
// payments of lumens and of issued assets, new accounts, and trust lines. A
// request is a TransactionEnvelope in XDR and base64; what is signed is the hash
// of the network's passphrase and the transaction, so a signature is valid on
// one network. Of envelopes that of version 1 is read, with one operation of
// three kinds. All else is refused by name, so everything that is signed can be
// shown.
//
// Source and sequence make a transaction payable once: two with one
// Tx.ExclusiveID exclude each other. Tatum's time bounds end minutes after it
// was made; their end may be made anew for a transaction that would expire
// before it is signed (Tx.CheckRenewed).
//
// Balances, sequences and times are claims of whoever states them: they refuse,
// and never allow. All of it is pure: bytes in, values out; the time is passed
// in.
//
// Sources: Stellar-transaction.x and Stellar-ledger-entries.x of
// stellar/stellar-xdr; RFC 4506 (XDR); SEP-23 (strkey).
package xlm

import "coldkms/shared/chain"

// Name is the family's name.
const Name = "xlm"

// Reasons of refusals that account chains have.
const (
	Expired        chain.Code = "expired"       // the network takes it no more
	SequenceUsed   chain.Code = "sequence-used" // not above what the network has
	OtherAccount   chain.Code = "other-account" // the source is not the key's account
	OtherOperation chain.Code = "operation-not-decoded"
	OtherField     chain.Code = "field-not-decoded"
	FeeRange       chain.Code = "fee-out-of-range"
	ToSelf         chain.Code = "to-self"
)

// Kind is what an operation does. Values are those of OperationType.
type Kind uint32

// The kinds that are read.
const (
	CreateAccount Kind = 0
	Payment       Kind = 1
	ChangeTrust   Kind = 6
)

// String returns the operation's name in Stellar's documentation.
func (k Kind) String() string {
	names := [...]string{
		"createAccount", "payment", "pathPaymentStrictReceive", "manageSellOffer", "createPassiveSellOffer",
		"setOptions", "changeTrust", "allowTrust", "accountMerge", "inflation", "manageData", "bumpSequence",
		"manageBuyOffer", "pathPaymentStrictSend", "createClaimableBalance", "claimClaimableBalance",
		"beginSponsoringFutureReserves", "endSponsoringFutureReserves", "revokeSponsorship", "clawback",
		"clawbackClaimableBalance", "setTrustLineFlags", "liquidityPoolDeposit", "liquidityPoolWithdraw",
		"invokeHostFunction", "extendFootprintTTL", "restoreFootprint",
	}
	if int64(k) >= int64(len(names)) {
		return ""
	}
	return names[k]
}

func (k Kind) read() bool { return k == CreateAccount || k == Payment || k == ChangeTrust }

// Decimals is the number of decimals of every amount: 1 lumen is 10^7 stroops.
const Decimals = 7

// Limits.
const (
	// MaxStroops is all lumens that ever were, in stroops.
	MaxStroops = 1_054_439_020_873_472_865
	// MinFee and MaxFee bound the fee that is signed, in stroops: what the
	// network takes at least for an operation, and 1 lumen.
	MinFee = 100
	MaxFee = 10_000_000
	// MaxEnvelope is the size of the longest envelope that is read, in bytes: one
	// operation and twenty signatures fit.
	MaxEnvelope = 4 << 10
	maxText     = 28
)

// MemoKind is a kind of memo. Values are those of MemoType.
type MemoKind uint32

// The kinds of memos. The receiver may know its customer by kind and value
// together: text "7" and id 7 are not the same.
const (
	NoMemo     MemoKind = 0
	MemoText   MemoKind = 1
	MemoID     MemoKind = 2
	MemoHash   MemoKind = 3
	MemoReturn MemoKind = 4
)

// String returns the kind's name in Stellar's documentation.
func (k MemoKind) String() string {
	names := [...]string{"none", "text", "id", "hash", "return"}
	if int64(k) >= int64(len(names)) {
		return ""
	}
	return names[k]
}

// Memo rides along. A text is up to 28 bytes, any bytes, to be escaped.
type Memo struct {
	Kind MemoKind
	Text string
	ID   uint64
	Hash [32]byte // of MemoHash and MemoReturn
}

// Asset is a code and an issuer, which together are the asset: anybody can
// issue one of any code, XLM too. The zero value is lumens.
type Asset struct {
	Code   string
	Issuer Account
}

// IsNative reports whether a is lumens.
func (a Asset) IsNative() bool { return a == Asset{} }

// Token names the asset for chain.Asset: "" for lumens, else code and issuer.
func (a Asset) Token() string {
	if a.IsNative() {
		return ""
	}
	return a.Code + "." + a.Issuer.String()
}

// Bounds are Unix times between which a transaction can be taken.
type Bounds struct {
	Stated   bool
	Min, Max uint64 // a Max of 0 is no end
}

// Operation is the one thing that a transaction does. Fields that a kind has no
// use for are zero.
type Operation struct {
	Kind        Kind
	OwnSource   bool   // it names the transaction's source once more
	Destination Muxed  // CreateAccount (without an id), Payment
	Asset       Asset  // Payment, ChangeTrust
	Amount      uint64 // paid, the new account's balance, the limit of trust: below 2^63
}

// Quantity returns the operation's amount, in 10^-7 of its asset.
func (o Operation) Quantity() chain.Amount { return chain.NewAmount(o.Amount) }

// Tx is a transaction without its signatures.
type Tx struct {
	Source    Account
	Fee       uint32 // the most that it may cost, in stroops
	Sequence  int64
	Bounds    Bounds
	Memo      Memo
	Operation Operation
}

func malformed(format string, args ...any) error {
	return chain.Refuse(chain.Malformed, format, args...)
}
