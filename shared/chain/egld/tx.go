package egld

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"strconv"
	"strings"

	"golang.org/x/crypto/blake2b"

	"coldkms/shared/chain"
	"coldkms/shared/strictjson"
)

// Tx is a transaction without its signature. Price and value are in the
// smallest unit, 10^-18 EGLD. Guardians, relayers, user names and options are
// not among its fields: a transaction with any of them is refused.
type Tx struct {
	Nonce    uint64
	Value    chain.Amount
	Receiver Address
	Sender   Address
	Price    chain.Amount // of one gas
	Gas      uint64       // limit
	Data     []byte
	ChainID  string
	Version  uint64
}

// Signature is Ed25519's.
type Signature [64]byte

// MaxData bounds data; maxJSON what is decoded.
const (
	MaxData = 4 << 10
	maxJSON = 16 << 10
)

// Encode returns what is signed: the JSON with its members in the one order
// that the network makes it anew in. Data is in base64, and left out if there
// is none. Decode is its inverse.
func (t Tx) Encode() []byte {
	var b strings.Builder
	b.WriteString(`{"nonce":` + strconv.FormatUint(t.Nonce, 10))
	b.WriteString(`,"value":"` + t.Value.String())
	b.WriteString(`","receiver":"` + t.Receiver.String())
	b.WriteString(`","sender":"` + t.Sender.String())
	b.WriteString(`","gasPrice":` + t.Price.String())
	b.WriteString(`,"gasLimit":` + strconv.FormatUint(t.Gas, 10))
	if len(t.Data) > 0 {
		b.WriteString(`,"data":"` + base64.StdEncoding.EncodeToString(t.Data) + `"`)
	}
	b.WriteString(`,"chainID":"` + t.ChainID)
	b.WriteString(`","version":` + strconv.FormatUint(t.Version, 10) + `}`)
	return []byte(b.String())
}

// Signed returns what is broadcast: Encode with the signature at its end.
// DecodeSigned is its inverse.
func (t Tx) Signed(s Signature) []byte {
	text := t.Encode()
	return append(text[:len(text)-1], `,"signature":"`+hex.EncodeToString(s[:])+`"}`...)
}

// Decode reads what Encode returns, and nothing else.
func Decode(b []byte) (Tx, error) {
	t, fields, err := decode(b)
	switch {
	case err != nil:
		return Tx{}, err
	case len(fields) > 0:
		return Tx{}, unread(fields)
	case !bytes.Equal(t.Encode(), b):
		return Tx{}, errForm()
	}
	return t, nil
}

// DecodeSigned reads what Tx.Signed returns, and nothing else. Whose signature
// it is, is not looked at.
func DecodeSigned(b []byte) (t Tx, s Signature, err error) {
	t, fields, err := decode(b)
	if err != nil {
		return Tx{}, s, err
	}
	text, _ := fields["signature"].(string)
	delete(fields, "signature")
	n, err := hex.Decode(s[:], []byte(text[:min(len(text), 2*len(s))]))
	switch {
	case len(fields) > 0:
		return Tx{}, s, unread(fields)
	case err != nil || n != len(s) || !bytes.Equal(t.Signed(s), b):
		return Tx{}, s, errForm()
	}
	return t, s, nil
}

func errForm() error { return malformed("not the one encoding of a transaction") }

// decode reads the fields of a transaction and returns those beside them.
func decode(b []byte) (t Tx, fields map[string]any, err error) {
	if len(b) > maxJSON {
		return Tx{}, nil, chain.Refuse(chain.TooLarge, "a transaction of %d bytes, at most %d are read", len(b), maxJSON)
	}
	if fields, err = strictjson.Object(string(b)); err != nil {
		return Tx{}, nil, malformed("transaction: %v", err)
	}
	f := fieldReader{Fields: strictjson.Fields{Left: fields}}
	t.Nonce = f.integer("nonce")
	t.Value = f.amount("value")
	t.Receiver, t.Sender = f.address("receiver"), f.address("sender")
	t.Price, t.Gas = chain.NewAmount(f.integer("gasPrice")), f.integer("gasLimit")
	t.Data = f.base64("data")
	t.ChainID = f.text("chainID")
	t.Version = f.integer("version")
	if f.Err == nil && !IsChainID(chain.Mainnet, t.ChainID) && !IsChainID(chain.Testnet, t.ChainID) {
		f.Err = chain.Refuse(WrongChainID, "chain id %.20q is of no network", t.ChainID)
	}
	return t, fields, f.Err
}

// fieldReader takes fields out of a JSON object and remembers the first error.
type fieldReader struct {
	strictjson.Fields
}

func (f *fieldReader) fail(format string, args ...any) { f.Fail(malformed(format, args...)) }

// text reads a text that is stated and not empty.
func (f *fieldReader) text(name string) string {
	text, _ := f.Take(name).(string)
	if text == "" {
		f.fail("%s is no text", name)
	}
	return text
}

// integer reads a JSON number below 2^64.
func (f *fieldReader) integer(name string) uint64 {
	n, _ := f.Take(name).(json.Number)
	v, err := strconv.ParseUint(n.String(), 10, 64)
	if err != nil {
		f.fail("%s is no whole number below 2^64", name)
	}
	return v
}

func (f *fieldReader) amount(name string) chain.Amount {
	a, err := chain.ParseAmount(f.text(name))
	if err != nil {
		f.fail("%s is %v", name, err)
	}
	return a
}

func (f *fieldReader) address(name string) Address {
	text := f.text(name)
	a, err := ParseAddress(text)
	if err != nil {
		f.fail("%s %.70q is %v", name, text, err)
	}
	return a
}

func (f *fieldReader) base64(name string) []byte {
	if _, ok := f.Left[name]; !ok {
		return nil
	}
	b, err := base64.StdEncoding.Strict().DecodeString(f.text(name))
	if err != nil || len(b) > MaxData {
		f.fail("%s is no base64 of at most %d bytes", name, MaxData)
	}
	return b
}

// ExclusiveID returns what the network takes once only: account and nonce. Two
// transactions with one of it exclude each other.
func (t Tx) ExclusiveID() string {
	return t.Sender.String() + ":" + strconv.FormatUint(t.Nonce, 10)
}

// TxID returns the transaction id: the BLAKE2b-256 of the protobuf with the
// signature (transaction.proto of mx-chain-core-go).
func (t Tx) TxID(s Signature) [32]byte { return blake2b.Sum256(t.proto(s)) }

// Field numbers of transaction.proto.
const (
	protoNonce     = 1
	protoValue     = 2
	protoReceiver  = 3
	protoSender    = 5
	protoPrice     = 7
	protoGas       = 8
	protoData      = 9
	protoChainID   = 10
	protoVersion   = 11
	protoSignature = 12
)

func (t Tx) proto(s Signature) (b []byte) {
	number := func(id, v uint64) {
		if v != 0 {
			b = binary.AppendUvarint(binary.AppendUvarint(b, id<<3), v)
		}
	}
	text := func(id uint64, v []byte) {
		if len(v) > 0 {
			b = binary.AppendUvarint(binary.AppendUvarint(b, id<<3|2), uint64(len(v)))
			b = append(b, v...)
		}
	}
	number(protoNonce, t.Nonce)
	text(protoValue, signed(t.Value))
	text(protoReceiver, t.Receiver[:])
	text(protoSender, t.Sender[:])
	number(protoPrice, t.Price.Big().Uint64())
	number(protoGas, t.Gas)
	text(protoData, t.Data)
	text(protoChainID, []byte(t.ChainID))
	number(protoVersion, t.Version)
	text(protoSignature, s[:])
	return b
}

// signed returns a number as mx-chain-core-go's BigIntCaster does: a byte for
// the sign, then the magnitude, of which 0 has one byte.
func signed(a chain.Amount) []byte {
	magnitude := a.Big().Bytes()
	if len(magnitude) == 0 {
		magnitude = []byte{0}
	}
	return append([]byte{0}, magnitude...)
}
