// Package tron reads, checks, compares and encodes TRON's transactions. What is
// signed is the protobuf of Transaction.raw ("raw_data_hex" of the JSON): its
// SHA-256 is the transaction id, and it is the only truth. It is read strictly
// (one contract, known fields, the one encoding; encoded again it is the same
// bytes), and the JSON beside it must say the same.
//
// A transaction names neither a network nor a nonce. Its reference to a block
// binds it to a network, which nobody can check offline, and it can be paid
// once, until its expiration. Two forms of one payment with different
// expirations are two payments.
//
// All of it is pure: bytes in, values out; the time is passed in.
//
// Sources: core/Tron.proto and core/contract/*.proto of tronprotocol/protocol;
// java-tron's Manager.validateCommon and validateTapos; TRON's documentation.
package tron

import "coldkms/shared/chain"

// Name is the family's name.
const Name = "tron"

// Reasons of refusals that only TRON has.
const (
	Expired       chain.Code = "expired"          // the network takes it no more
	TooFarAhead   chain.Code = "expires-too-late" // beyond what the network takes
	Permission    chain.Code = "permission"       // signs for, or changes, who may sign for an account
	OtherContract chain.Code = "contract-not-decoded"
	FeeLimit      chain.Code = "fee-limit-out-of-range"
	ToSelf        chain.Code = "to-self"
)

// Kind is what a contract does. Values are those of ContractType of
// core/Tron.proto, so the zero value is one that is never signed.
type Kind int64

// The kinds that are read.
const (
	Transfer               Kind = 1  // TRX
	TransferAsset          Kind = 2  // a TRC-10 token
	FreezeBalance          Kind = 11 // stake, version 1
	UnfreezeBalance        Kind = 12
	TriggerSmartContract   Kind = 31 // such as a transfer of a TRC-20 token
	FreezeBalanceV2        Kind = 54 // stake
	UnfreezeBalanceV2      Kind = 55
	WithdrawExpireUnfreeze Kind = 56 // what was unstaked, once its time is over
	DelegateResource       Kind = 57 // lend energy or bandwidth of what is staked
	UndelegateResource     Kind = 58
)

// String returns the name of core/Tron.proto, without the word Contract; ""
// for a kind that is not known.
func (k Kind) String() string {
	switch k {
	case Transfer:
		return "Transfer"
	case TransferAsset:
		return "TransferAsset"
	case FreezeBalance:
		return "FreezeBalance"
	case UnfreezeBalance:
		return "UnfreezeBalance"
	case TriggerSmartContract:
		return "TriggerSmart"
	case FreezeBalanceV2:
		return "FreezeBalanceV2"
	case UnfreezeBalanceV2:
		return "UnfreezeBalanceV2"
	case WithdrawExpireUnfreeze:
		return "WithdrawExpireUnfreeze"
	case DelegateResource:
		return "DelegateResource"
	case UndelegateResource:
		return "UnDelegateResource"
	}
	return unread(k)
}

// permissionUpdate hands an account to other keys.
const permissionUpdate Kind = 46

// unread names kinds that are refused, for the words of a refusal.
func unread(k Kind) string {
	switch k {
	case 0:
		return "AccountCreate"
	case 4:
		return "VoteWitness"
	case 10:
		return "AccountUpdate"
	case 13:
		return "WithdrawBalance"
	case 30:
		return "CreateSmart"
	case permissionUpdate:
		return "AccountPermissionUpdate"
	case 59:
		return "CancelAllUnfreezeV2"
	}
	return ""
}

// typePrefix and typeSuffix stand around a kind's name in Any.type_url.
const (
	typePrefix = "type.googleapis.com/protocol."
	typeSuffix = "Contract"
)

// Resource is what is staked for. Values are those of ResourceCode.
type Resource int64

// The resources.
const (
	Bandwidth Resource = 0
	Energy    Resource = 1
)

// String returns the name of core/contract/common.proto.
func (r Resource) String() string {
	if r == Energy {
		return "ENERGY"
	}
	return "BANDWIDTH"
}

// Sun is the smallest unit: a TRX has a million.
const Sun = 1_000_000

// MaxFeeLimit is the most that the network takes as fee_limit, in sun.
const MaxFeeLimit = 15_000 * Sun

// Contract is what a transaction does. Fields that a kind has no use for are
// zero. Amounts are in sun, or in the smallest unit of a TRC-10 token.
type Contract struct {
	Kind     Kind
	Owner    Address  // who pays and signs
	To       Address  // payee; receiver of a resource; the contract that is called
	Amount   int64    // paid, staked, unstaked or lent
	Asset    string   // TransferAsset: the token's id in decimal
	Data     []byte   // TriggerSmartContract: the call
	Value    int64    // TriggerSmartContract: TRX sent along, in sun
	Token    int64    // TriggerSmartContract: units of the TRC-10 token TokenID sent along
	TokenID  int64    // TriggerSmartContract
	Resource Resource // freeze, unfreeze, delegate
	Days     int64    // FreezeBalance
	Lock     bool     // DelegateResource: cannot be taken back for LockTime
	LockTime int64    // DelegateResource: in blocks of 3 s
}

// Tx is a transaction without its signature. Times are in milliseconds since
// 1970.
type Tx struct {
	RefBlockBytes [2]byte // low bytes of the number of a recent block
	RefBlockHash  [8]byte // bytes 8 to 15 of that block's id
	Expiration    int64
	Timestamp     int64 // 0 if it has none
	Memo          []byte
	FeeLimit      int64 // the most sun that may burn for energy
	Contract      Contract
}
