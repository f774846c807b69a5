package chain

import "errors"

// Code names the reason of a refusal or of a finding. Codes are part of the
// Result format and of the JSON replies: they are never renamed.
type Code string

// Refusals. docs/FORMAT.md explains each in a sentence.
const (
	Malformed        Code = "malformed"            // bytes or JSON that do not decode
	TooLarge         Code = "too-large"            // more than a request can hold
	UnsupportedChain Code = "unsupported-chain"    // a chain that is not built
	WrongChain       Code = "wrong-chain"          // a key of another chain
	WrongNetwork     Code = "wrong-network"        // a key, or a restriction, of the other network
	UnknownKey       Code = "unknown-signature-id" // the wallet has no such entry
	HashMismatch     Code = "hash-mismatch"        // the JSON's hash is not the transaction's id
	UnprovenAmount   Code = "unproven-amount"      // an input without its previous transaction
	AmountMismatch   Code = "amount-mismatch"      // claimed amount or script differ from the previous output
	NoKeyForInput    Code = "no-key-for-input"     // no named key can sign an input
	Incomplete       Code = "incomplete-signature" // the finished transaction does not verify
	DuplicateInput   Code = "duplicate-input"      // one outpoint twice in a transaction
	NoInputs         Code = "no-inputs"
	NoOutputs        Code = "no-outputs"
	OutputsAbove     Code = "outputs-above-inputs"
	ValueOutOfRange  Code = "value-out-of-range"   // beyond the coin's supply, or negative
	UnknownInput     Code = "unknown-input-script" // a script type that is not signed for
	SighashNotAll    Code = "sighash-not-all"
	ForeignScript    Code = "foreign-script"  // an input that carries a script or witness already
	ContentChanged   Code = "content-changed" // a pending id seen before with other content
	ClaimsChanged    Code = "claims-changed"  // a pending id seen before with the same transaction and other claims
	AlreadySpent     Code = "outpoint-already-signed"
	BatchConflict    Code = "batch-conflict" // two items of one batch spend one outpoint
	FeeAbovePolicy   Code = "fee-above-policy"
	Dust             Code = "dust"
	TxSize           Code = "transaction-size"        // larger or smaller than nodes relay
	ChainNotAllowed  Code = "chain-not-allowed"       // policy names other chains or networks
	NotAllowed       Code = "destination-not-allowed" // not on the policy's allow-list
	Denied           Code = "destination-denied"      // on the policy's deny-list
	LimitTx          Code = "limit-transaction"
	LimitBatch       Code = "limit-batch"
	LimitDay         Code = "limit-day"
	LimitWeek        Code = "limit-week"
	LimitDestination Code = "limit-destination"
	RequestTooOld    Code = "request-too-old"
	ApprovalMissing  Code = "approval-missing" // fewer approvers vouch for the content than policy demands
	QuorumMissing    Code = "quorum-missing"   // fewer operators approved the batch than policy demands
	NotOffline       Code = "not-offline"      // a network interface is up, and policy demands that none is
	RefusedByPerson  Code = "refused-by-person"
	RefusedByRelay   Code = "refused-by-relay"
	SignedEarlier    Code = "signed-earlier"   // refused now, and signed before: that signature may be out
	InternalFailure  Code = "internal-failure" // a fault of the signer itself: nothing was signed
)

// Findings: shown and flagged, never a refusal by themselves.
const (
	FlagHighFee      Code = "high-fee"   // above a tenth of what is paid out
	FlagLowFee       Code = "low-fee"    // below what nodes of the coin relay
	FlagRoundTrip    Code = "round-trip" // pays nobody: all but the fee comes back
	FlagLockTime     Code = "locktime"   // not valid before a height or time
	FlagData         Code = "op-return"  // carries data
	FlagUnnamed      Code = "nonstandard-output"
	FlagSignedBefore Code = "signed-before"    // the same request again: the same bytes again
	FlagRejected     Code = "rejected-before"  // a person took it out of a batch before, and nobody signed it since
	FlagUnusedKey    Code = "unused-key"       // a named key that signs nothing
	FlagSameAgain    Code = "same-payment"     // destination and amount of something signed before
	FlagNew          Code = "new-destination"  // never paid before, and on no list
	FlagLookAlike    Code = "look-alike"       // begins and ends like a known address, and is another
	FlagAboveUsual   Code = "above-usual"      // its payee gets much more than ever
	FlagFirstLarge   Code = "first-payment"    // a first payment larger than first payments are
	FlagMoved        Code = "redirected"       // pays somebody else what a payee usually gets who gets nothing
	FlagManyPayments Code = "many-payments"    // its payee gets more payments at once than anybody does
	FlagFeeRate      Code = "fee-rate"         // far above the fee rates of the batch and of before
	FlagShape        Code = "unusual-shape"    // no change where there always is, or more destinations than ever
	FlagReplaces     Code = "replaces"         // spends what is signed into another transaction, as policy allows
	FlagReplaceable  Code = "replaceable"      // BIP 125 signals replacement
	FlagCommitted    Code = "amount-committed" // not proven, but a taproot signature commits to every amount
	FlagDisproved    Code = "claim-disproved"  // what was signed earlier rests on a claim that is false, so it is invalid
	FlagBurn         Code = "burn"             // value in an output that nobody can ever spend
	OwnTransfer      Code = "own-transfer"     // an own key receives more than its entry supplied
	FarIndex         Code = "far-index"        // an own key at an index that a search for funds may not reach
	RequestTime      Code = "request-time"     // the request states a time that cannot be, which refuses, or that is ahead
	SharedKey        Code = "shared-key"       // it is signed with a key that another coin or network has too
)

// Refusal is the error of everything that judges an item.
type Refusal struct{ Reason }

// Error returns "code: reason".
func (r *Refusal) Error() string { return string(r.Code) + ": " + r.Text() }

// Refuse makes a Refusal.
func Refuse(code Code, message string, args ...any) error {
	return &Refusal{Because(code, message, args...)}
}

// ReasonOf returns the Reason of a Refusal anywhere in err's chain. Other errors
// are InternalFailure: whatever could not be judged is not signed.
func ReasonOf(err error) Reason {
	var r *Refusal
	if errors.As(err, &r) {
		return r.Reason
	}
	return Because(InternalFailure, "%v", err)
}

// CodeOf returns the code of ReasonOf.
func CodeOf(err error) Code { return ReasonOf(err).Code }
