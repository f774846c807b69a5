// Package egld reads, checks, encodes and decodes MultiversX's transactions.
// It reads what Tatum asks to have signed (Request), makes the transaction from
// it and from what the network is said to have (Request.Resolve), encodes it to
// the JSON that is signed (Tx), and says what it does (Tx.Call).
//
// A transaction has the account's nonce and no expiry: of two with one nonce
// the network takes one (Tx.ExclusiveID). Nonce, gas and price are claims of
// whoever looked them up, bounded here; network, accounts, amounts and data are
// in the bytes.
//
// All of it is pure: bytes in, values out.
//
// Sources: MultiversX's documentation (signing transactions, gas and fees, ESDT
// transfers, built-in functions); transaction.proto of mx-chain-core-go and its
// tests (transaction id); tests of mx-sdk-js-core.
package egld

import "coldkms/shared/chain"

// Name is the family's name, and the chain's in Tatum's API.
const Name = "EGLD"

// Decimals is the number of decimal places of an EGLD.
const Decimals = 18

// Reasons of refusals that MultiversX has.
const (
	WrongChainID chain.Code = "wrong-chain-id"   // of another network than the item's
	OtherAccount chain.Code = "other-account"    // `from` is not the key's
	AboveBalance chain.Code = "above-balance"    // value and fee above the balance that is stated
	GasRange     chain.Code = "gas-out-of-range" // can never run, or costs more than anybody means
	PriceRange   chain.Code = "gas-price-out-of-range"
	Version      chain.Code = "version"        // of the transaction's format
	ToContract   chain.Code = "to-contract"    // pays or calls a contract
	BlindCall    chain.Code = "blind-call"     // data that is a call, and nobody can say what it does
	ValueOnCall  chain.Code = "value-on-call"  // coin sent along with tokens
	ZeroAddress  chain.Code = "zero-address"   // nobody has its key
	EmptyWords   chain.Code = "empty-mnemonic" // everybody has its key
	NotToSelf    chain.Code = "not-to-self"    // the payee is in the data, and the transaction goes to another account
)

// Chain ids.
const (
	mainID = "1"
	devID  = "D" // the network for developers
	testID = "T" // the network for the next release
)

// IsChainID reports whether a chain id is one of a network's. Both of
// MultiversX's test networks are test networks; which one Tatum's API runs its
// reply says.
func IsChainID(network chain.Network, id string) bool {
	switch network {
	case chain.Mainnet:
		return id == mainID
	case chain.Testnet:
		return id == devID || id == testID
	}
	return false
}

func malformed(format string, args ...any) error {
	return chain.Refuse(chain.Malformed, format, args...)
}
