// Package evm signs the transactions of Ethereum's family, as Tatum's libraries
// do byte for byte.
//
// It signs what it is handed: judging, asking and recording come before.
package evm

import (
	"bytes"

	"coldkms/offline/sign/recoverable"
	"coldkms/shared/chain"
	"coldkms/shared/chain/evm"
)

// Signed is a transaction with its signature.
type Signed struct {
	Signature evm.Signature
	Raw       []byte   // as the network takes it
	TxID      evm.Hash // Keccak-256 of Raw
}

// Sign signs a transaction of a coin for the account that it pays from, with
// the account's private key of 32 bytes, which it does not keep. A transaction
// that does not pass evm.Tx.Check, and a key of another account, are refused.
// The account was recovered from the signature, and the signed bytes decoded
// again: they hold this transaction and this signature.
func Sign(t evm.Tx, coin chain.Coin, account evm.Address, secret []byte) (Signed, error) {
	if err := t.Check(coin); err != nil {
		return Signed{}, err
	}
	signature, err := recoverable.Sign(func() [32]byte { return t.SigningHash() }, account, secret)
	if err != nil {
		return Signed{}, err
	}
	raw := t.Raw(signature)
	read, again, err := evm.DecodeSigned(raw)
	if err != nil || again != signature || !bytes.Equal(read.Encode(), t.Encode()) {
		return Signed{}, chain.Refuse(chain.InternalFailure, "the signed bytes are not the transaction (%v)", err)
	}
	return Signed{Signature: signature, Raw: raw, TxID: evm.TxID(raw)}, nil
}
