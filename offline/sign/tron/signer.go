// Package tron signs TRON's transactions, as tronweb does byte for byte.
//
// It signs what it is handed: judging, asking and recording come before.
package tron

import (
	"bytes"

	"coldkms/offline/sign/recoverable"
	"coldkms/shared/chain"
	"coldkms/shared/chain/evm"
	"coldkms/shared/chain/tron"
)

// Signed is a transaction with its signature.
type Signed struct {
	Signature []byte // 65 bytes: R, S, 27 plus the recovery id
	Raw       []byte // Transaction of core/Tron.proto, as a node takes it
	TxID      [32]byte
}

// recoveryBase is added to the recovery id in the last byte of a signature.
const recoveryBase = 27

// Sign signs a transaction, which is decoded anew from its bytes
// (Transaction.raw), for its owner, with the owner's private key of 32 bytes,
// which it does not keep. Time is not looked at: see tron.Tx.CheckTime.
func Sign(raw []byte, secret []byte) (Signed, error) {
	t, err := tron.Decode(raw)
	if err != nil {
		return Signed{}, err
	}
	signature, err := recoverable.Sign(func() [32]byte { return tron.TxID(raw) }, evm.Address(t.Contract.Owner), secret)
	if err != nil {
		return Signed{}, err
	}
	out := signature.Bytes()
	out[len(out)-1] += recoveryBase
	signed := tron.Raw(raw, out)
	if !bytes.Contains(signed, t.Encode()) {
		return Signed{}, chain.Refuse(chain.InternalFailure, "the signed bytes are not the transaction")
	}
	return Signed{Signature: out, Raw: signed, TxID: tron.TxID(raw)}, nil
}
