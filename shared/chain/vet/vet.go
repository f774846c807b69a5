// Package vet reads, checks, compares, encodes and decodes VeChain's
// transactions: payments of VET, and transfers of tokens (VIP-180, which has
// the calls of ERC-20). What is signed is the BLAKE2b-256 of their RLP. Only
// legacy transactions of one clause are read; those of several, of a dynamic
// fee (type 0x51), that depend on another, or whose gas somebody else pays, are
// refused.
//
// A transaction has no account nonce. It can be paid once, in the blocks from
// its reference to Last; the same payment with another reference or nonce is
// another payment. So a second form must begin after the first has ended
// (Tx.CheckReissued), and only once somebody saw that the first was not paid.
//
// All of it is pure: bytes in, values out; the block's number is passed in.
//
// Sources: VeChain's documentation (transaction model, fields, gas); thor's
// packages tx and consensus; thor-devkit.
package vet

import (
	"time"

	"coldkms/shared/chain"
	"coldkms/shared/chain/evm"
)

// Name is the family's name, and the chain's in Tatum's API.
const Name = "VET"

// Reasons of refusals that VeChain has.
const (
	WrongChainTag chain.Code = "wrong-chain-id"   // of another network than the item's
	OtherAccount  chain.Code = "other-account"    // `from` is not the key's
	AboveBalance  chain.Code = "above-balance"    // value above the balance that is stated
	GasRange      chain.Code = "gas-out-of-range" // can never run, or costs more than anybody means
	GasPrice      chain.Code = "gas-price-out-of-range"
	Expired       chain.Code = "expired"        // the network takes it no more
	WindowRange   chain.Code = "window"         // blocks that nobody means
	WindowOverlap chain.Code = "window-overlap" // the form before can still be paid
	Clauses       chain.Code = "clauses"        // none, or several
	DependsOn     chain.Code = "depends-on"     // waits for a transaction that is not shown
	Reserved      chain.Code = "reserved"       // such as a third account that pays the gas
	Creation      chain.Code = "creates-contract"
	Allowance     chain.Code = "allowance"     // lets another account take tokens
	BlindCall     chain.Code = evm.BlindCall   // nobody can say what it does
	ZeroAddress   chain.Code = evm.ZeroAddress // nobody has its key
)

// VTHO returns the contract of VTHO, the token that gas is paid in.
func VTHO() evm.Address {
	return evm.Address{14: 'E', 15: 'n', 16: 'e', 17: 'r', 18: 'g', 19: 'y'}
}

// Limits.
const (
	MaxExpiration = 60_480 // blocks: a week
	MaxData       = 4 << 10
	MaxRaw        = 8 << 10
)

// BlockTime is how long a block takes: to say how long a window is.
const BlockTime = 10 * time.Second

// ChainTag returns the byte that binds a transaction to a network: the last of
// the id of its first block. ok is false for no network.
func ChainTag(n chain.Network) (tag byte, ok bool) {
	switch n {
	case chain.Mainnet:
		return 0x4a, true
	case chain.Testnet:
		return 0x27, true
	}
	return 0, false
}

func malformed(format string, args ...any) error {
	return chain.Refuse(chain.Malformed, format, args...)
}
