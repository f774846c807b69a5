// Package egld makes keys of MultiversX and signs its transactions, as Tatum's
// libraries do byte for byte where they are right.
//
// It signs what it is handed: judging, asking and recording come before.
package egld

import (
	"bytes"

	"coldkms/offline/sign/eddsa"
	"coldkms/shared/chain"
	"coldkms/shared/chain/egld"
)

// Signed is a transaction with its signature.
type Signed struct {
	Signature egld.Signature
	Raw       []byte // JSON, as it is broadcast
	TxID      [32]byte
}

// Sign signs a transaction for its sender, with the sender's private key of 32
// bytes, which it does not keep. A transaction that does not pass
// egld.Tx.Check, and a key of another account, are refused. The signed bytes
// were decoded again: they hold this transaction and this signature.
func Sign(t egld.Tx, network chain.Network, secret []byte) (Signed, error) {
	if err := t.Check(network); err != nil {
		return Signed{}, err
	}
	signature, err := eddsa.Sign(t.Encode, t.Sender, secret)
	if err != nil {
		return Signed{}, err
	}
	s := egld.Signature(signature)
	raw := t.Signed(s)
	read, again, err := egld.DecodeSigned(raw)
	if err != nil || again != s || !bytes.Equal(read.Encode(), t.Encode()) {
		return Signed{}, chain.Refuse(chain.InternalFailure, "the signed bytes are not the transaction (%v)", err)
	}
	return Signed{Signature: s, Raw: raw, TxID: t.TxID(s)}, nil
}

// Account returns the account of a private key of 32 bytes.
func Account(secret []byte) (egld.Address, error) {
	public, err := eddsa.Public(secret)
	return egld.Address(public), err
}
