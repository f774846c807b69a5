// Package evm has the chains that run Ethereum's virtual machine: ETH, BSC,
// MATIC, KLAY, KCS, ONE, XDC and CELO. It reads what Tatum asks to have signed
// (Request), makes the transaction from it and from what the network is said to
// have (Request.Resolve), encodes and decodes it strictly (Tx), says what it
// does (Tx.Call), and checks signatures.
//
// Nothing here can be proven offline as amounts of the UTXO chains can: nonce,
// balance and price are claims, shown and bounded, never a reason to allow. What
// can be known is exact: the bytes, the account, the chain id, the most that
// the transaction can spend. All of it is pure: bytes in, values out.
//
// Sources: the Yellow Paper (RLP, legacy transactions), EIP-55 (addresses),
// EIP-155 (chain id in signatures), EIP-2 (low S), EIP-1559 and EIP-2718 (type
// 2), EIP-2681 (nonce limit), EIP-3860 and EIP-7623 (gas for data), EIP-7825
// (gas limit), Solidity's contract ABI specification (calls).
package evm

import "coldkms/shared/chain"

// Name is the family's name.
const Name = "evm"

// Reasons of refusals that only account chains have.
const (
	NonceUsed    chain.Code = "nonce-used"       // stated nonce below what the network has
	WrongChainID chain.Code = "wrong-chain-id"   // of another chain or network than the item's
	OtherAccount chain.Code = "other-account"    // `from` is not the key's
	AboveBalance chain.Code = "above-balance"    // value and fee above the balance that is stated
	GasRange     chain.Code = "gas-out-of-range" // can never be mined
	PriceRange   chain.Code = "gas-price-out-of-range"
	FeeCurrency  chain.Code = "fee-currency"  // CELO: a fee in tokens
	BlindCall    chain.Code = "blind-call"    // nobody can say what it does
	ValueOnCall  chain.Code = "value-on-call" // coin sent along to a token contract
	ZeroAddress  chain.Code = "zero-address"  // nobody has its key
	ToToken      chain.Code = "to-token-contract"
)

// ChainID returns the one chain id of a coin (EIP-155); ok is false for a coin
// that is not of this family. A transaction with any other id is a payment on
// a chain that nobody looks at. Test networks are those that Tatum's API runs:
// Sepolia, BSC testnet, Amoy, Kairos, KCC testnet, Harmony testnet, Apothem,
// Celo Sepolia.
func ChainID(c chain.Coin) (id uint64, ok bool) {
	var main, test uint64
	switch c.Chain {
	case "ETH":
		main, test = 1, 11155111
	case "BSC":
		main, test = 56, 97
	case "MATIC":
		main, test = 137, 80002
	case "KLAY":
		main, test = 8217, 1001
	case "KCS":
		main, test = 321, 322
	case "ONE":
		main, test = 1666600000, 1666700000
	case "XDC":
		main, test = 50, 51
	case "CELO":
		main, test = 42220, 11142220
	}
	switch c.Network {
	case chain.Mainnet:
		id = main
	case chain.Testnet:
		id = test
	}
	return id, id != 0
}
