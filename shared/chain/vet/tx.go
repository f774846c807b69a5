package vet

import (
	"bytes"
	"encoding/binary"
	"time"

	"golang.org/x/crypto/blake2b"

	"coldkms/shared/chain"
	"coldkms/shared/chain/evm"
)

// BlockRef names a block: the first 8 bytes of its id, which begin with its
// number.
type BlockRef [8]byte

// Number returns the block's number.
func (r BlockRef) Number() uint32 { return binary.BigEndian.Uint32(r[:]) }

// Tx is a transaction of one clause without its signature. Its price
// coefficient is 0: the network's base price.
type Tx struct {
	ChainTag   byte
	BlockRef   BlockRef // it can be paid from this block's number on
	Expiration uint32   // blocks behind BlockRef up to which it can be paid
	To         evm.Address
	Value      chain.Amount // 10^-18 VET
	Data       []byte
	Gas        uint64 // limit
	Nonce      uint64 // any number: it tells equal payments apart
}

// First returns the number of the first block that can have the transaction.
func (t Tx) First() uint64 { return uint64(t.BlockRef.Number()) }

// Last returns the number of the last block that can have the transaction.
func (t Tx) Last() uint64 { return t.First() + uint64(t.Expiration) }

// Places of fields in a transaction, and in a clause.
const (
	atChainTag = iota
	atBlockRef
	atExpiration
	atClauses
	atCoefficient
	atGas
	atDependsOn
	atNonce
	atReserved
	bareFields
	signedFields
)

const (
	atTo = iota
	atValue
	atData
	clauseFields
)

func integer(v uint64) evm.Item {
	b := binary.BigEndian.AppendUint64(nil, v)
	return evm.Item{Bytes: bytes.TrimLeft(b, "\x00")}
}

func (t Tx) fields() []evm.Item {
	value := t.Value.Bytes()
	clause := evm.Item{IsList: true, Items: []evm.Item{
		atTo: {Bytes: t.To[:]}, atValue: {Bytes: bytes.TrimLeft(value[:], "\x00")}, atData: {Bytes: t.Data},
	}}
	return []evm.Item{
		atChainTag:    integer(uint64(t.ChainTag)),
		atBlockRef:    integer(binary.BigEndian.Uint64(t.BlockRef[:])),
		atExpiration:  integer(uint64(t.Expiration)),
		atClauses:     {IsList: true, Items: []evm.Item{clause}},
		atCoefficient: {},
		atGas:         integer(t.Gas),
		atDependsOn:   {},
		atNonce:       integer(t.Nonce),
		atReserved:    {IsList: true},
	}
}

// Encode returns the RLP of the transaction without signature. Decode is its
// inverse.
func (t Tx) Encode() []byte { return evm.Item{IsList: true, Items: t.fields()}.Encode() }

// SigningHash returns the BLAKE2b-256 of Encode.
func (t Tx) SigningHash() [32]byte { return blake2b.Sum256(t.Encode()) }

// TxID returns the transaction id: the BLAKE2b-256 of SigningHash and the
// account that pays. It is known before the transaction is signed.
func (t Tx) TxID(sender evm.Address) [32]byte { return txID(t.SigningHash(), sender) }

func txID(hash [32]byte, sender evm.Address) [32]byte {
	return blake2b.Sum256(append(hash[:], sender[:]...))
}

// Signed returns the signed transaction as the network takes it. DecodeSigned
// is its inverse.
func (t Tx) Signed(s evm.Signature) []byte {
	return evm.Item{IsList: true, Items: append(t.fields(), evm.Item{Bytes: s.Bytes()})}.Encode()
}

// Sender returns the account that a signed transaction pays from.
func (t Tx) Sender(s evm.Signature) (evm.Address, error) { return s.Recover(t.SigningHash()) }

// Decode reads what Encode returns, and nothing else. It refuses by name what
// does more than is shown.
func Decode(b []byte) (Tx, error) {
	t, fields, err := decode(b, bareFields)
	switch {
	case err != nil:
		return Tx{}, err
	case len(fields) != bareFields || !bytes.Equal(t.Encode(), b):
		return Tx{}, malformed("not the one encoding of a transaction")
	}
	return t, nil
}

// DecodeSigned reads what Tx.Signed returns, and nothing else. Whose signature
// it is, is not looked at: see Tx.Sender.
func DecodeSigned(b []byte) (t Tx, s evm.Signature, err error) {
	t, fields, err := decode(b, signedFields)
	if err != nil {
		return Tx{}, s, err
	}
	signature := fields[bareFields].Bytes
	if len(signature) != len(s.Bytes()) {
		return Tx{}, s, malformed("a signature of %d bytes, and that of one account has %d", len(signature), len(s.Bytes()))
	}
	s = evm.Signature{R: [32]byte(signature[:32]), S: [32]byte(signature[32:64]), Recovery: signature[64]}
	if !bytes.Equal(t.Signed(s), b) {
		return Tx{}, evm.Signature{}, malformed("not the one encoding of a signed transaction")
	}
	return t, s, nil
}

// decode reads a transaction of so many fields, and returns them.
func decode(b []byte, count int) (t Tx, fields []evm.Item, err error) {
	if len(b) > MaxRaw {
		return Tx{}, nil, chain.Refuse(chain.TooLarge, "a transaction of %d bytes, at most %d are read", len(b), MaxRaw)
	}
	list, err := evm.DecodeRLP(b)
	switch fields = list.Items; {
	case err != nil:
		return Tx{}, nil, malformed("transaction: %v", err)
	case !list.IsList || len(fields) != count:
		return Tx{}, nil, malformed("a transaction of %d fields, and %d are read", len(fields), count)
	case len(fields[atDependsOn].Bytes) > 0:
		return Tx{}, nil, chain.Refuse(DependsOn, "it waits for another transaction, which is not shown")
	case !fields[atReserved].IsList || len(fields[atReserved].Items) > 0:
		return Tx{}, nil, chain.Refuse(Reserved, "it has reserved features, such as another account that pays for its gas")
	case len(fields[atCoefficient].Bytes) > 0:
		return Tx{}, nil, chain.Refuse(GasPrice, "a price coefficient: only the base price is signed for")
	case len(fields[atClauses].Items) != 1:
		return Tx{}, nil, chain.Refuse(Clauses, "%d clauses, and one is signed for", len(fields[atClauses].Items))
	}
	r := reader{}
	t.ChainTag = byte(r.number(fields[atChainTag], 1))
	binary.BigEndian.PutUint64(t.BlockRef[:], r.number(fields[atBlockRef], 8))
	t.Expiration = uint32(r.number(fields[atExpiration], 4))
	t.Gas, t.Nonce = r.number(fields[atGas], 8), r.number(fields[atNonce], 8)
	r.clause(&t, fields[atClauses].Items[0])
	return t, fields, r.err
}

// reader reads fields and remembers the first error.
type reader struct{ err error }

func (r *reader) fail(err error) {
	if r.err == nil {
		r.err = err
	}
}

// number reads a number of at most so many bytes, in its shortest form.
func (r *reader) number(f evm.Item, size int) (v uint64) {
	if f.IsList || len(f.Bytes) > size || len(f.Bytes) > 0 && f.Bytes[0] == 0 {
		r.fail(malformed("a number that is out of its range, or not in its shortest form"))
		return 0
	}
	for _, c := range f.Bytes {
		v = v<<8 | uint64(c)
	}
	return v
}

func (r *reader) clause(t *Tx, f evm.Item) {
	if len(f.Items) != clauseFields {
		r.fail(malformed("a clause of %d fields", len(f.Items)))
		return
	}
	to, value, data := f.Items[atTo], f.Items[atValue], f.Items[atData]
	var b [32]byte
	switch {
	case to.IsList || value.IsList || data.IsList || len(value.Bytes) > len(b):
		r.fail(malformed("a clause has a list in place of a value, or a value of more than 256 bits"))
		return
	case len(to.Bytes) == 0:
		r.fail(chain.Refuse(Creation, "no destination: it creates a contract"))
		return
	case len(to.Bytes) != len(t.To):
		r.fail(malformed("an address of %d bytes", len(to.Bytes)))
		return
	}
	copy(t.To[:], to.Bytes)
	copy(b[len(b)-len(value.Bytes):], value.Bytes)
	t.Value, t.Data = chain.AmountFromBytes(b), data.Bytes
}

// BlocksLeft returns how many blocks there can still be with the transaction,
// if the latest that there is has the number best; 0 or less once it has
// expired. The number is a claim of whoever looked.
func (t Tx) BlocksLeft(best uint32) int64 { return int64(t.Last()) - int64(best) }

// Left returns about how long the transaction can still be paid.
func (t Tx) Left(best uint32) time.Duration { return time.Duration(t.BlocksLeft(best)) * BlockTime }

// CheckBlock refuses a transaction that has expired, or has fewer than margin
// blocks left.
func (t Tx) CheckBlock(best, margin uint32) error {
	left := t.BlocksLeft(best)
	switch {
	case left <= 0:
		return chain.Refuse(Expired, "valid to block %d, and it is block %d: it must be made anew", t.Last(), best)
	case left < int64(margin):
		return chain.Refuse(Expired, "%d blocks are left, and %d are needed to send it: it must be made anew", left, margin)
	}
	return nil
}

// CheckReissued refuses a transaction that differs from the form before in more
// than block reference, expiration and nonce, and one whose blocks do not begin
// after those of the form before: as long as both can be paid, both may be.
// That the form before was not paid is for somebody else to see.
func (t Tx) CheckReissued(before Tx) error {
	bare := func(t Tx) []byte {
		t.BlockRef, t.Expiration, t.Nonce = BlockRef{}, 0, 0
		return t.Encode()
	}
	switch {
	case !bytes.Equal(bare(t), bare(before)):
		return chain.Refuse(chain.ContentChanged, "more than block reference, expiration and nonce differs from the form before")
	case t.First() <= before.Last():
		return chain.Refuse(WindowOverlap, "valid from block %d, and the form before can be paid up to block %d", t.First(), before.Last())
	}
	return t.checkWindow()
}

func (t Tx) checkWindow() error {
	switch {
	case t.First() == 0, t.Expiration == 0:
		return chain.Refuse(WindowRange, "valid from block %d for %d blocks", t.First(), t.Expiration)
	case t.Expiration > MaxExpiration, t.Last() > 1<<32-1:
		return chain.Refuse(WindowRange, "valid for %d blocks, at most %d are signed for", t.Expiration, MaxExpiration)
	}
	return nil
}
