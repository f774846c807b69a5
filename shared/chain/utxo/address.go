package utxo

import (
	btcaddr "github.com/btcsuite/btcd/address/v2"

	"coldkms/shared/chain"
)

// KeyAddress returns the address that Tatum uses for a public key of 33 or 65
// bytes: for BTC the P2WPKH form, for the other coins P2PKH. legacy is the
// P2PKH form of the same key, which can be spent as well. An uncompressed key
// has no other: segwit does not allow it (BIP 143).
func (p Params) KeyAddress(public []byte) (address, legacy string) {
	hash := btcaddr.Hash160(public)
	legacy = p.Address(payToPubKeyHash(hash))
	if p.Chain != chain.BTC || len(public) != pubKeyLen {
		return legacy, legacy
	}
	return p.Address(witnessProgram(hash)), legacy
}
