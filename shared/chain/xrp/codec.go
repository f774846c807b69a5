package xrp

import (
	"bytes"
	"crypto/sha512"
	"encoding/binary"
	"fmt"

	"coldkms/shared/chain"
)

// Types of fields. A field is named by its type and a number within it, and
// fields stand in the order of these two.
const (
	typeUInt16  = 1
	typeUInt32  = 2
	typeHash256 = 5
	typeAmount  = 6
	typeBlob    = 7
	typeAccount = 8
	typeObject  = 14
	typeArray   = 15
)

// field is type<<8 | number.
type field uint16

const (
	fType          field = typeUInt16<<8 | 2
	fFlags         field = typeUInt32<<8 | 2
	fSourceTag     field = typeUInt32<<8 | 3
	fSequence      field = typeUInt32<<8 | 4
	fTag           field = typeUInt32<<8 | 14
	fLastLedger    field = typeUInt32<<8 | 27
	fSetFlag       field = typeUInt32<<8 | 33
	fClearFlag     field = typeUInt32<<8 | 34
	fTicket        field = typeUInt32<<8 | 41
	fInvoice       field = typeHash256<<8 | 17
	fAmount        field = typeAmount<<8 | 1
	fLimit         field = typeAmount<<8 | 3
	fFee           field = typeAmount<<8 | 8
	fSigningPubKey field = typeBlob<<8 | 3
	fTxnSignature  field = typeBlob<<8 | 4
	fMemoType      field = typeBlob<<8 | 12
	fMemoData      field = typeBlob<<8 | 13
	fMemoFormat    field = typeBlob<<8 | 14
	fAccount       field = typeAccount<<8 | 1
	fDestination   field = typeAccount<<8 | 3
	fMemo          field = typeObject<<8 | 10
	fObjectEnd     field = typeObject<<8 | 1
	fMemos         field = typeArray<<8 | 9
	fArrayEnd      field = typeArray<<8 | 1
)

// String names the field: those that are refused, for the words of a refusal.
func (f field) String() string {
	if name := map[field]string{
		typeUInt32<<8 | 1: "NetworkID", typeUInt32<<8 | 11: "TransferRate", typeUInt32<<8 | 20: "QualityIn",
		typeUInt32<<8 | 21: "QualityOut", typeAmount<<8 | 9: "SendMax", typeAmount<<8 | 10: "DeliverMin",
		typeAccount<<8 | 8: "RegularKey", typeAccount<<8 | 12: "Delegate", typeArray<<8 | 3: "Signers",
		18<<8 | 1: "Paths", 5<<8 | 9: "AccountTxnID",
	}[f]; name != "" {
		return name
	}
	return fmt.Sprintf("of type %d, number %d", f>>8, f&0xff)
}

// Hash prefixes.
const (
	prefixSign = "STX\x00"
	prefixID   = "TXN\x00"
)

// Half is SHA-512Half: the first 32 bytes of SHA-512.
func Half(b []byte) [32]byte {
	sum := sha512.Sum512(b)
	return [32]byte(sum[:32])
}

// Encode returns the canonical binary form without key and signature. Decode is
// its inverse.
func (t Tx) Encode() []byte { return t.encode(nil, nil) }

// Message returns what a key signs: Ed25519 these bytes, secp256k1 their Half.
func (t Tx) Message(key PublicKey) []byte {
	return append([]byte(prefixSign), t.encode(key[:], nil)...)
}

// Raw returns the signed transaction, as a node takes it.
func (t Tx) Raw(key PublicKey, signature []byte) []byte { return t.encode(key[:], signature) }

// TxID returns the id of a signed transaction.
func TxID(raw []byte) [32]byte { return Half(append([]byte(prefixID), raw...)) }

func (t Tx) encode(key, signature []byte) []byte {
	w := writer{}
	w.b = binary.BigEndian.AppendUint16(w.header(fType), uint16(t.Kind))
	w.optional(fFlags, t.Flags)
	w.optional(fSourceTag, t.SourceTag)
	w.optional(fSequence, Some(t.Sequence))
	w.optional(fTag, t.Tag)
	w.optional(fLastLedger, t.LastLedger)
	w.optional(fSetFlag, t.SetFlag)
	w.optional(fClearFlag, t.ClearFlag)
	w.optional(fTicket, t.Ticket)
	if len(t.Invoice) > 0 {
		w.b = append(w.header(fInvoice), t.Invoice...)
	}
	switch t.Kind {
	case Payment:
		w.amount(fAmount, t.Amount)
	case TrustSet:
		w.amount(fLimit, t.Amount)
	}
	w.amount(fFee, Amount{Drops: t.Fee})
	w.blob(fSigningPubKey, key)
	w.blob(fTxnSignature, signature)
	w.blob(fAccount, t.Account[:])
	if t.Kind == Payment {
		w.blob(fDestination, t.Destination[:])
	}
	w.memos(t.Memos)
	return w.b
}

type writer struct{ b []byte }

// header appends the one to three bytes of a field's name.
func (w *writer) header(f field) []byte {
	kind, number := byte(f>>8), byte(f)
	switch {
	case kind < 16 && number < 16:
		return append(w.b, kind<<4|number)
	case kind < 16:
		return append(w.b, kind<<4, number)
	case number < 16:
		return append(w.b, number, kind)
	}
	return append(w.b, 0, kind, number)
}

func (w *writer) optional(f field, n Number) {
	if n.Stated {
		w.b = binary.BigEndian.AppendUint32(w.header(f), n.Value)
	}
}

// Bounds of the one and the two bytes of a length.
const (
	shortBlob = 192
	longBlob  = 12480
)

// blob appends bytes with their length; nothing if there are none.
func (w *writer) blob(f field, b []byte) {
	if len(b) == 0 {
		return
	}
	w.b = w.header(f)
	if n := len(b); n <= shortBlob {
		w.b = append(w.b, byte(n))
	} else {
		n -= shortBlob + 1
		w.b = append(w.b, byte(shortBlob+1+n>>8), byte(n))
	}
	w.b = append(w.b, b...)
}

// Bits of an amount.
const (
	bitIssued    = 1 << 63
	bitPositive  = 1 << 62
	exponentAt   = 54
	exponentBias = 97
)

func (w *writer) amount(f field, a Amount) {
	v := a.Drops | bitPositive
	if a.Issued {
		v = bitIssued
		if a.Value.Mantissa != 0 {
			v |= bitPositive | uint64(a.Value.Exponent+exponentBias)<<exponentAt | a.Value.Mantissa
		}
	}
	w.b = binary.BigEndian.AppendUint64(w.header(f), v)
	if a.Issued {
		w.b = append(append(w.b, a.Currency[:]...), a.Issuer[:]...)
	}
}

func (w *writer) memos(list []Memo) {
	if len(list) == 0 {
		return
	}
	w.b = w.header(fMemos)
	for _, m := range list {
		w.b = w.header(fMemo)
		w.blob(fMemoType, m.Type)
		w.blob(fMemoData, m.Data)
		w.blob(fMemoFormat, m.Format)
		w.b = w.header(fObjectEnd)
	}
	w.b = w.header(fArrayEnd)
}

// Decode reads the canonical binary form of a transaction without key and
// signature. It refuses what cannot be shown and what Tx.Check refuses; encoded
// again it is the same bytes.
func Decode(raw []byte) (Tx, error) {
	t, key, signature, err := decode(raw)
	if err == nil && (len(key) > 0 || len(signature) > 0) {
		err = chain.Refuse(chain.ForeignScript, "the transaction has a key or a signature already")
	}
	if err != nil {
		return Tx{}, err
	}
	return t, nil
}

// DecodeSigned reads a signed transaction. It does not verify the signature.
func DecodeSigned(raw []byte) (t Tx, key PublicKey, signature []byte, err error) {
	t, k, signature, err := decode(raw)
	if err == nil && (len(k) != len(key) || len(signature) == 0) {
		err = malformed("the transaction has no key or no signature")
	}
	if err != nil {
		return Tx{}, PublicKey{}, nil, err
	}
	return t, PublicKey(k), signature, nil
}

func decode(raw []byte) (t Tx, key, signature []byte, err error) {
	if len(raw) > MaxBlob {
		return t, nil, nil, chain.Refuse(chain.TooLarge, "a transaction of %d bytes, at most %d are read", len(raw), MaxBlob)
	}
	r := &reader{b: raw}
	for r.err == nil && len(r.b) > 0 {
		switch f := r.header(); f {
		case fSigningPubKey:
			key = r.blob()
		case fTxnSignature:
			signature = r.blob()
		default:
			r.into(&t, f)
		}
	}
	if r.err != nil {
		return Tx{}, nil, nil, r.err
	}
	if err := t.Check(); err != nil {
		return Tx{}, nil, nil, err
	}
	if !bytes.Equal(t.encode(key, signature), raw) {
		return Tx{}, nil, nil, malformed("transaction: not its one encoding")
	}
	return t, key, signature, nil
}
