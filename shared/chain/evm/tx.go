package evm

import (
	"bytes"
	"encoding/binary"
	"errors"

	"coldkms/shared/chain"
)

// Type is the type of a transaction. Values are those of EIP-2718.
type Type uint8

// The types. Type 1 (EIP-2930, access lists), blob and code transactions
// (EIP-4844, EIP-7702), CELO's and Klaytn's own are refused.
const (
	Legacy     Type = 0 // with EIP-155
	DynamicFee Type = 2 // EIP-1559, with an empty access list
)

// Tx is a transaction without its signature. Prices and value are in wei.
type Tx struct {
	Type    Type
	ChainID uint64
	Nonce   uint64
	Gas     uint64       // limit
	Price   chain.Amount // of one gas: the price (Legacy), or the most that base fee and tip may be (DynamicFee)
	Tip     chain.Amount // DynamicFee: of Price, the most for the block's maker
	To      Address      // unless Creates
	Creates bool         // a contract, from Data
	Value   chain.Amount
	Data    []byte
}

// Fields of the encodings.
const (
	legacyFields = 9  // signed, or unsigned with (chain id, 0, 0) in the places of (v, r, s)
	bareFields   = 9  // type 2, unsigned
	fullFields   = 12 // type 2, signed
)

// MaxData bounds calldata: what geth's transaction pool takes at most.
const MaxData = 128 << 10

// maxChainID keeps v of EIP-155 below 2^64 (EIP-2294).
const maxChainID = ^uint64(0)/2 - 36

// eip155Base is v of EIP-155 with recovery id 0 and chain id 0.
const eip155Base = 35

func integer(v uint64) Item {
	return Item{Bytes: trimZeros(binary.BigEndian.AppendUint64(nil, v))}
}

func amount(a chain.Amount) Item {
	b := a.Bytes()
	return Item{Bytes: trimZeros(b[:])}
}

// payment returns the fields that all types have, in order, after the price.
func (t Tx) payment() []Item {
	to := Item{Bytes: t.To[:]}
	if t.Creates {
		to.Bytes = nil
	}
	return []Item{integer(t.Gas), to, amount(t.Value), {Bytes: t.Data}}
}

// encode returns the transaction with what a signature adds behind its fields.
func (t Tx) encode(behind ...Item) []byte {
	var fields []Item
	if t.Type == Legacy {
		fields = append(fields, integer(t.Nonce), amount(t.Price))
	} else {
		fields = append(fields, integer(t.ChainID), integer(t.Nonce), amount(t.Tip), amount(t.Price))
	}
	fields = append(fields, t.payment()...)
	if t.Type != Legacy {
		fields = append(fields, Item{IsList: true})
	}
	list := Item{IsList: true, Items: append(fields, behind...)}.Encode()
	if t.Type != Legacy {
		return append([]byte{byte(t.Type)}, list...)
	}
	return list
}

// Encode returns what is signed: RLP of nine fields, for Legacy with chain id
// and two zeros at the end (EIP-155), for DynamicFee behind the byte 2
// (EIP-1559). DecodeUnsigned is its inverse.
func (t Tx) Encode() []byte {
	if t.Type == Legacy {
		return t.encode(integer(t.ChainID), Item{}, Item{})
	}
	return t.encode()
}

// SigningHash returns the Keccak-256 of Encode.
func (t Tx) SigningHash() Hash { return Keccak256(t.Encode()) }

// Raw returns the signed transaction as the network takes it. DecodeSigned is
// its inverse.
func (t Tx) Raw(s Signature) []byte {
	v := uint64(s.Recovery)
	if t.Type == Legacy {
		v += eip155Base + 2*t.ChainID
	}
	return t.encode(integer(v), Item{Bytes: trimZeros(s.R[:])}, Item{Bytes: trimZeros(s.S[:])})
}

// TxID returns the transaction id of a signed transaction: its Keccak-256.
func TxID(raw []byte) Hash { return Keccak256(raw) }

// Errors of decoding.
var (
	errTxType   = errors.New("a type of transaction that is not signed for (only legacy with EIP-155, and EIP-1559)")
	errTxFields = errors.New("another number of fields, or a list in place of a value")
	errTxNumber = errors.New("a number that is out of its range")
	errTxAccess = errors.New("an access list, which is not signed for")
	errTxForm   = errors.New("not the one encoding of the transaction")
	errTxPlain  = errors.New("no chain id: a signature that is valid on every chain (before EIP-155)")
)

// DecodeUnsigned reads what Encode returns, and nothing else.
func DecodeUnsigned(b []byte) (Tx, error) {
	kind, fields, err := splitTx(b)
	if err != nil {
		return Tx{}, err
	}
	t, behind, err := readTx(kind, fields)
	if err != nil {
		return Tx{}, err
	}
	if kind == Legacy {
		if t.ChainID, err = readInteger(behind[0]); err != nil {
			return Tx{}, err
		}
	}
	switch {
	case kind == DynamicFee && len(fields) != bareFields:
		return Tx{}, errTxFields
	case t.ChainID == 0:
		return Tx{}, errTxPlain
	case t.ChainID > maxChainID:
		return Tx{}, errTxNumber
	case !bytes.Equal(t.Encode(), b):
		return Tx{}, errTxForm
	}
	return t, nil
}

// DecodeSigned reads what Tx.Raw returns, and nothing else.
func DecodeSigned(raw []byte) (Tx, Signature, error) {
	kind, fields, err := splitTx(raw)
	if err != nil {
		return Tx{}, Signature{}, err
	}
	t, behind, err := readTx(kind, fields)
	if err != nil {
		return Tx{}, Signature{}, err
	}
	if len(behind) != 3 {
		return Tx{}, Signature{}, errTxFields
	}
	v, err := readInteger(behind[0])
	if err != nil {
		return Tx{}, Signature{}, err
	}
	if kind == Legacy {
		if v < eip155Base+2 {
			return Tx{}, Signature{}, errTxPlain
		}
		t.ChainID, v = (v-eip155Base)/2, (v-eip155Base)%2
	}
	r, errR := readAmount(behind[1])
	s, errS := readAmount(behind[2])
	if v > 1 || errors.Join(errR, errS) != nil {
		return Tx{}, Signature{}, errTxNumber
	}
	sig := Signature{R: r.Bytes(), S: s.Bytes(), Recovery: byte(v)}
	if t.ChainID == 0 || t.ChainID > maxChainID || !bytes.Equal(t.Raw(sig), raw) {
		return Tx{}, Signature{}, errTxForm
	}
	return t, sig, nil
}

// splitTx returns a transaction's type and the fields of its list.
func splitTx(b []byte) (Type, []Item, error) {
	kind := Legacy
	if len(b) > 0 && b[0] < rlpList {
		if b[0] != byte(DynamicFee) {
			return 0, nil, errTxType
		}
		kind, b = DynamicFee, b[1:]
	}
	list, err := DecodeRLP(b)
	switch {
	case err != nil:
		return 0, nil, err
	case !list.IsList:
		return 0, nil, errTxForm
	}
	n := len(list.Items)
	if kind == Legacy && n != legacyFields || kind == DynamicFee && n != bareFields && n != fullFields {
		return 0, nil, errTxFields
	}
	return kind, list.Items, nil
}

// readTx reads the fields of a transaction and returns those behind them.
func readTx(kind Type, f []Item) (t Tx, behind []Item, err error) {
	t.Type = kind
	read := func(into *uint64, f Item) {
		v, e := readInteger(f)
		*into, err = v, errors.Join(err, e)
	}
	readWei := func(into *chain.Amount, f Item) {
		v, e := readAmount(f)
		*into, err = v, errors.Join(err, e)
	}
	if kind == DynamicFee {
		read(&t.ChainID, f[0])
		readWei(&t.Tip, f[2])
		if access := f[8]; !access.IsList || len(access.Items) > 0 {
			err = errors.Join(err, errTxAccess)
		}
		f, behind = append([]Item{f[1]}, f[3:8]...), f[9:]
	} else {
		behind = f[6:]
	}
	read(&t.Nonce, f[0])
	readWei(&t.Price, f[1])
	read(&t.Gas, f[2])
	readWei(&t.Value, f[4])
	to, data := f[3], f[5]
	if to.IsList || data.IsList || len(to.Bytes) != 0 && len(to.Bytes) != len(t.To) || len(data.Bytes) > MaxData {
		err = errors.Join(err, errTxFields)
	}
	t.Creates, t.Data = len(to.Bytes) == 0, data.Bytes
	copy(t.To[:], to.Bytes)
	return t, behind, err
}

func readInteger(f Item) (uint64, error) {
	a, err := readAmount(f)
	n := a.Big()
	if err != nil || !n.IsUint64() {
		return 0, errTxNumber
	}
	return n.Uint64(), nil
}

func readAmount(f Item) (chain.Amount, error) {
	var b [32]byte
	if f.IsList || len(f.Bytes) > len(b) || len(f.Bytes) > 0 && f.Bytes[0] == 0 {
		return chain.Amount{}, errTxNumber
	}
	copy(b[len(b)-len(f.Bytes):], f.Bytes)
	return chain.AmountFromBytes(b), nil
}
