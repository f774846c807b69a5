// Package chain has the words that both halves use about a blockchain: which
// one, which network, which keys are asked for, and why something is refused.
//
// What a family of chains can do (decode, explain, verify) is in a package of
// its own below this one, such as chain/utxo. Everything here is pure: bytes
// in, values out; no disk, clock, randomness or network.
package chain

import (
	"errors"
	"fmt"
	"strings"
)

// ID names a chain as Tatum's API does: "BTC", "LTC", ….
type ID string

// The chains of the UTXO family.
const (
	BTC  ID = "BTC"
	LTC  ID = "LTC"
	DOGE ID = "DOGE"
	BCH  ID = "BCH"
)

// known are the chains that Tatum KMS 8 names. Those that Coldkms does not
// sign for yet are kept here so that a user who asks for one is told "not
// yet" and not "unknown".
var known = [...]ID{
	BTC, LTC, DOGE, BCH, "ETH", "BSC", "MATIC", "KLAY", "ONE", "XDC", "KCS", "CELO", "VET",
	"TRON", "SOL", "XRP", "XLM", "ADA", "ALGO", "EGLD", "FLOW", "BNB",
}

// ErrUnknownChain is returned by ParseID for a name that is no chain of Tatum KMS.
var ErrUnknownChain = errors.New("unknown chain")

// ParseID reads a chain's name in any case. The result may be a chain that
// Coldkms cannot sign for yet.
func ParseID(s string) (ID, error) {
	id := ID(strings.ToUpper(strings.TrimSpace(s)))
	for _, k := range known {
		if k == id {
			return id, nil
		}
	}
	return "", fmt.Errorf("%w %q", ErrUnknownChain, s)
}

// Network is the network of a chain. Its zero value is no network.
type Network uint8

// The networks. Values are part of the bundle format.
const (
	UnknownNetwork Network = iota
	Mainnet
	Testnet
)

// NetworkOf turns KMS's testnet flag into a Network.
func NetworkOf(testnet bool) Network {
	if testnet {
		return Testnet
	}
	return Mainnet
}

// NetworkNamed returns the network whose String is s, or UnknownNetwork.
func NetworkNamed(s string) Network {
	for _, n := range []Network{Mainnet, Testnet} {
		if n.String() == s {
			return n
		}
	}
	return UnknownNetwork
}

// String returns "mainnet" or "testnet".
func (n Network) String() string {
	switch n {
	case Mainnet:
		return "mainnet"
	case Testnet:
		return "testnet"
	}
	return "unknown network"
}

// Key asks for one key of the signer's wallet: the signature id of a wallet
// entry and, for an entry that is a mnemonic, the derivation index below the
// chain's path. Index is NoIndex when the request names none.
type Key struct {
	SignatureID string
	Index       int64 // 0 … 2^31-1, or NoIndex
}

// NoIndex says that a Key has no derivation index: the entry is a single
// private key.
const NoIndex int64 = -1

// MaxIndex is the highest derivation index of a non-hardened child (BIP 32).
const MaxIndex int64 = 1<<31 - 1
