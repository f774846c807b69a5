package vet

import (
	"encoding/hex"
	"encoding/json"
	"maps"
	"math/big"
	"slices"
	"strings"

	"coldkms/shared/chain"
	"coldkms/shared/chain/evm"
	"coldkms/shared/strictjson"
)

// Request is what a pending transaction's JSON states.
type Request struct {
	network chain.Network
	From    *evm.Address // nil: the key's account
	To      evm.Address
	Value   chain.Amount
	Data    []byte
}

// ReadRequest reads serializedTransaction of a pending transaction of Tatum's.
// Gas is read and not used, as Tatum KMS estimates it whatever is stated. Block
// reference, expiration, nonce and chain tag are the network's to state, and
// are refused here with all other fields, by name.
func ReadRequest(c chain.Coin, text string) (Request, error) {
	if c.Chain != Name {
		return Request{}, chain.Refuse(chain.UnsupportedChain, "%.20q is not %s", string(c.Chain), Name)
	}
	fields, err := strictjson.Object(text)
	if err != nil {
		return Request{}, malformed("the transaction is not of Tatum's form: %v", err)
	}
	r := Request{network: c.Network}
	f := fieldReader{Fields: strictjson.Fields{Left: fields}}
	r.From = f.from()
	r.To = f.to()
	r.Value = f.number("value")
	r.Data = f.data()
	if fields["gas"] != nil {
		f.number("gas")
	}
	delete(fields, "gas")
	switch {
	case f.Err != nil:
		return Request{}, f.Err
	case len(fields) > 0:
		return Request{}, malformed("field %.40q is not one that is signed for", slices.Sorted(maps.Keys(fields))[0])
	}
	return r, nil
}

// fieldReader takes fields out of a JSON object and remembers the first error.
type fieldReader struct {
	strictjson.Fields
}

func (f *fieldReader) fail(format string, args ...any) { f.Fail(malformed(format, args...)) }

// from reads the account. Tatum's serializers write the number 0 for the
// account of the key, whatever it is.
func (f *fieldReader) from() *evm.Address {
	v := f.Take("from")
	if v == nil || v == json.Number("0") {
		return nil
	}
	a := f.address("from", v)
	return &a
}

func (f *fieldReader) to() evm.Address {
	v := f.Take("to")
	if v == nil {
		f.Fail(chain.Refuse(Creation, "no destination: it creates a contract"))
	}
	return f.address("to", v)
}

func (f *fieldReader) address(name string, v any) evm.Address {
	text, _ := v.(string)
	a, err := evm.ParseAddress("ETH", text) // the same form, and the same checksum
	if err != nil {
		f.fail("%s %.60q is %v", name, text, err)
	}
	return a
}

const hexPrefix = "0x"

// number reads a whole number, in decimal or behind 0x in hex, as text; or as a
// JSON number that JavaScript does not round.
func (f *fieldReader) number(name string) chain.Amount {
	const maxExact = 1<<53 - 1
	v := f.Take(name)
	text, _ := v.(string)
	n, isNumber := v.(json.Number)
	if isNumber {
		text = n.String()
	}
	var a chain.Amount
	var err error
	if digits, ok := strings.CutPrefix(text, hexPrefix); ok && !isNumber {
		a, err = parseHex(digits)
	} else {
		a, err = chain.ParseAmount(text)
	}
	if err != nil || isNumber && a.Cmp(chain.NewAmount(maxExact)) > 0 {
		f.fail("%s is no whole number of at most 256 bits, or one that JavaScript rounds", name)
	}
	return a
}

func parseHex(digits string) (chain.Amount, error) {
	const word = 64
	if digits == "" || len(digits) > word || strings.Trim(digits, "0123456789abcdefABCDEF") != "" {
		return chain.Amount{}, chain.ErrAmount
	}
	n, ok := new(big.Int).SetString(digits, 16)
	if !ok {
		return chain.Amount{}, chain.ErrAmount
	}
	return chain.AmountFromBig(n)
}

// data reads 0x and pairs of hex digits; null and "" are none.
func (f *fieldReader) data() []byte {
	v := f.Take("data")
	if v == nil || v == "" {
		return nil
	}
	text, _ := v.(string)
	digits, ok := strings.CutPrefix(text, hexPrefix)
	if !ok || len(digits) > hex.EncodedLen(MaxData) {
		f.fail("data does not begin with 0x, or has more than %d bytes", MaxData)
		return nil
	}
	b, err := hex.DecodeString(digits)
	if err != nil {
		f.fail("data is not pairs of hex digits")
	}
	return b
}

// Quote is what the network is said to have, and the nonce that tells equal
// payments apart. All of it is a claim: it fills what a request does not state,
// and never allows.
type Quote struct {
	ChainTag   byte
	BlockRef   BlockRef
	Expiration uint32
	Nonce      uint64
	Gas        uint64        // limit for this transaction
	Balance    *chain.Amount // of VET; nil if not said
}

// Resolve makes the transaction that a request asks an account for. It has
// passed Tx.Check.
func (r Request) Resolve(account evm.Address, q Quote) (Tx, error) {
	if r.From != nil && *r.From != account {
		return Tx{}, chain.Refuse(OtherAccount, "from is %s, and the key's account is %s", *r.From, account)
	}
	t := Tx{
		ChainTag: q.ChainTag, BlockRef: q.BlockRef, Expiration: q.Expiration,
		To: r.To, Value: r.Value, Data: r.Data, Gas: q.Gas, Nonce: q.Nonce,
	}
	if err := t.Check(r.network); err != nil {
		return Tx{}, err
	}
	if q.Balance != nil && t.Value.Cmp(*q.Balance) > 0 {
		return Tx{}, chain.Refuse(AboveBalance, "the value is %s, and the account is said to have %s", t.Value, *q.Balance)
	}
	return t, nil
}
