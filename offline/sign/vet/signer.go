// Package vet signs VeChain's transactions, as Tatum's libraries do byte for
// byte.
//
// It signs what it is handed: judging, asking and recording come before.
package vet

import (
	"bytes"

	"coldkms/offline/sign/recoverable"
	"coldkms/shared/chain"
	"coldkms/shared/chain/evm"
	"coldkms/shared/chain/vet"
)

// Signed is a transaction with its signature.
type Signed struct {
	Signature evm.Signature
	Raw       []byte // RLP, as the network takes it
	TxID      [32]byte
}

// Sign signs a transaction for the account that pays, with its private key of
// 32 bytes, which it does not keep. A transaction that does not pass
// vet.Tx.Check, and a key of another account, are refused. The account was
// recovered from the signature, and the signed bytes decoded again: they hold
// this transaction and this signature. Blocks are not looked at: see
// vet.Tx.CheckBlock.
func Sign(t vet.Tx, network chain.Network, account evm.Address, secret []byte) (Signed, error) {
	if err := t.Check(network); err != nil {
		return Signed{}, err
	}
	signature, err := recoverable.Sign(t.SigningHash, account, secret)
	if err != nil {
		return Signed{}, err
	}
	raw := t.Signed(signature)
	read, again, err := vet.DecodeSigned(raw)
	if err != nil || again != signature || !bytes.Equal(read.Encode(), t.Encode()) {
		return Signed{}, chain.Refuse(chain.InternalFailure, "the signed bytes are not the transaction (%v)", err)
	}
	return Signed{Signature: signature, Raw: raw, TxID: t.TxID(account)}, nil
}
