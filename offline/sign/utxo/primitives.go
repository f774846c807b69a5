package utxo

import (
	"github.com/btcsuite/btcd/btcec/v2/ecdsa"
	"github.com/decred/dcrd/dcrec/secp256k1/v4"

	"coldkms/shared/chain/utxo"
)

// hands are the steps of making a signature, so that a test can put faulty
// ones in their place. What is done with a signature afterwards is in no hands.
type hands struct {
	digest      func(d *utxo.Digester, input int, pubKeyHash []byte) ([]byte, error)
	ecdsa       func(private *secp256k1.PrivateKey, digest []byte, compressed bool) []byte
	taproot     func(private *secp256k1.PrivateKey, digest []byte) ([]byte, error)
	schnorr2019 func(private *secp256k1.PrivateKey, digest []byte) []byte
}

func (s Signer) hands() hands {
	if s.testOnlyHands != nil {
		return *s.testOnlyHands
	}
	return hands{digest: (*utxo.Digester).Digest, ecdsa: ecdsa.SignCompact, taproot: signTaproot, schnorr2019: signSchnorr2019}
}
