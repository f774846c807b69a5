// Package algo reads, checks, compares, encodes and decodes Algorand's
// transactions: payments of ALGO, and transfers of assets (ASA). What is signed
// is "TX" and the canonical MessagePack of the transaction. It is read strictly:
// known fields, the one encoding; encoded again it is the same bytes.
//
// A transaction has no nonce. It can be paid once, in the rounds from First to
// Last, at most 1000 apart; the same payment with other rounds is another
// payment. So a second form must begin after the first has ended
// (Tx.CheckReissued), and only once somebody saw that the first was not paid.
//
// All of it is pure: bytes in, values out; the round is passed in.
//
// Sources: Algorand's developer documentation (transaction reference, encoding,
// network parameters); go-algorand's transactions package; algosdk for
// JavaScript.
package algo

import (
	"time"

	"coldkms/shared/chain"
)

// Name is the family's name, and the chain's in Tatum's API.
const Name = "ALGO"

// Decimals is the number of decimal places of an ALGO. How many an asset has is
// not in a transaction.
const Decimals = 6

// Reasons of refusals that Algorand has.
const (
	Expired         chain.Code = "expired"          // the network takes it no more
	WindowRange     chain.Code = "window"           // rounds that no node takes
	WindowOverlap   chain.Code = "window-overlap"   // the form before can still be paid
	OtherAccount    chain.Code = "other-account"    // the sender is not the key's account
	AboveBalance    chain.Code = "above-balance"    // amount and fee above the balance that is stated
	FeeRange        chain.Code = "fee-out-of-range" // below the least, or more than anybody means
	CloseTo         chain.Code = "close-to"         // all that is left leaves the account
	Rekey           chain.Code = "rekey"            // hands the account to another key
	Clawback        chain.Code = "clawback"         // takes an asset from a third account
	Group           chain.Code = "group"            // part of others that are not shown
	OtherType       chain.Code = "type-not-decoded" // such as keyreg, acfg, afrz, appl
	OtherDomain     chain.Code = "signing-domain"   // a signature over something else than a transaction
	GenesisMismatch chain.Code = "genesis-mismatch" // name and hash of two networks
	ZeroAddress     chain.Code = "zero-address"     // nobody has its key
)

// Limits of the network.
const (
	MaxWindow = 1000 // rounds between First and Last
	MinFee    = 1000 // µALGO
	MaxNote   = 1024 // bytes
)

// maxFee bounds what is ever signed, whatever a policy allows: 1 ALGO.
const maxFee = 1_000_000

// RoundTime is how long a round takes, about: to say how long a window is.
const RoundTime = 2800 * time.Millisecond

// Genesis is a network's name and the hash of its first block. The hash alone
// binds a transaction; the name may be left out.
type Genesis struct {
	ID   string
	Hash [32]byte
}

// GenesisOf returns what a network began with; ok is false for none.
func GenesisOf(n chain.Network) (g Genesis, ok bool) {
	switch n {
	case chain.Mainnet: // wGHE2Pwdvd7S12BL5FaOP20EGYesN73ktiC1qzkkit8=
		return Genesis{"mainnet-v1.0", [32]byte{
			0xc0, 0x61, 0xc4, 0xd8, 0xfc, 0x1d, 0xbd, 0xde, 0xd2, 0xd7, 0x60, 0x4b, 0xe4, 0x56, 0x8e, 0x3f,
			0x6d, 0x04, 0x19, 0x87, 0xac, 0x37, 0xbd, 0xe4, 0xb6, 0x20, 0xb5, 0xab, 0x39, 0x24, 0x8a, 0xdf,
		}}, true
	case chain.Testnet: // SGO1GKSzyE7IEPItTxCByw9x8FmnrCDexi9/cOUJOiI=
		return Genesis{"testnet-v1.0", [32]byte{
			0x48, 0x63, 0xb5, 0x18, 0xa4, 0xb3, 0xc8, 0x4e, 0xc8, 0x10, 0xf2, 0x2d, 0x4f, 0x10, 0x81, 0xcb,
			0x0f, 0x71, 0xf0, 0x59, 0xa7, 0xac, 0x20, 0xde, 0xc6, 0x2f, 0x7f, 0x70, 0xe5, 0x09, 0x3a, 0x22,
		}}, true
	}
	return Genesis{}, false
}

func malformed(format string, args ...any) error {
	return chain.Refuse(chain.Malformed, format, args...)
}
