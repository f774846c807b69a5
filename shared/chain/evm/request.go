package evm

import (
	"encoding/hex"
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"coldkms/shared/chain"
	"coldkms/shared/strictjson"
)

// Request is what a pending transaction's JSON states. A nil pointer is a field
// that is not stated, or stated in a way that means so to Tatum KMS.
type Request struct {
	coin      chain.Coin
	To        Address
	Creates   bool // no destination is stated
	Value     chain.Amount
	Data      []byte
	From      *Address
	Nonce     *uint64
	Gas       *uint64
	Price     *chain.Amount // gasPrice, or maxFeePerGas
	Tip       *chain.Amount // maxPriorityFeePerGas: the transaction is of type DynamicFee
	ChainID   *uint64
	withdrawn bool
}

// ReadRequest reads serializedTransaction of a pending transaction of Tatum's
// for a coin; withdrawal is whether the pending has a withdrawalId. Its fields
// are those that Tatum's serializers write, and EIP-1559's. Any other is
// refused, known ones by name: those that KMS reads and that change the
// transaction behind a reader's back, and those that it ignores.
func ReadRequest(c chain.Coin, text string, withdrawal bool) (Request, error) {
	if _, ok := ChainID(c); !ok {
		return Request{}, chain.Refuse(chain.UnsupportedChain, "%.20q is not a chain of Ethereum's family", string(c.Chain))
	}
	fields, err := strictjson.Object(text)
	if err != nil {
		return Request{}, malformed("the transaction is not of Tatum's form: %v", err)
	}
	r := Request{coin: c, withdrawn: withdrawal}
	f := fieldReader{coin: c, Fields: strictjson.Fields{Left: fields}}
	r.read(&f)
	if f.Err == nil {
		f.refuseLeft()
	}
	if f.Err != nil {
		return Request{}, f.Err
	}
	return r, nil
}

func malformed(format string, args ...any) error {
	return chain.Refuse(chain.Malformed, format, args...)
}

func (r *Request) read(f *fieldReader) {
	r.From = f.from()
	r.To, r.Creates = f.to()
	r.Data = f.data()
	if v := f.number("value"); v != nil {
		r.Value = *v
	}
	r.ChainID = f.integer("chainId")
	r.readNonce(f)
	r.readGas(f)
	r.readPrice(f)
}

// readNonce reads the nonce. On ETH and CELO KMS takes the number 0, and not
// the text "0x0", for a nonce that is not stated. Elsewhere 0 is a nonce.
func (r *Request) readNonce(f *fieldReader) {
	zero := f.Left["nonce"] == json.Number("0")
	r.Nonce = f.integer("nonce")
	switch r.coin.Chain {
	case "ETH", "CELO":
		if zero {
			r.Nonce = nil
		}
	}
}

// readGas reads the gas limit, of which 0 is not stated. Where KMS estimates it
// again whatever the JSON states, that is not stated either.
func (r *Request) readGas(f *fieldReader) {
	name := "gas"
	if r.coin.Chain == "CELO" {
		name = "gasLimit"
	}
	r.Gas = f.integer(name)
	estimated := r.coin.Chain == "XDC" || r.coin.Chain == "ETH" && r.withdrawn
	if r.Gas != nil && (*r.Gas == 0 || estimated) {
		r.Gas = nil
	}
}

// readPrice reads the price of gas. A gasPrice of 0 is not stated, but on XDC,
// where KMS signs it.
func (r *Request) readPrice(f *fieldReader) {
	price := f.number("gasPrice")
	most, tip := f.number("maxFeePerGas"), f.number("maxPriorityFeePerGas")
	switch {
	case (most == nil) != (tip == nil):
		f.fail("maxFeePerGas and maxPriorityFeePerGas go together (EIP-1559)")
	case most != nil && price != nil:
		f.fail("gasPrice beside maxFeePerGas")
	case most != nil:
		r.Price, r.Tip = most, tip
	case price != nil && (!price.IsZero() || r.coin.Chain == "XDC"):
		r.Price = price
	}
}

// fieldReader takes fields out of a JSON object and remembers the first error.
type fieldReader struct {
	coin chain.Coin
	strictjson.Fields
}

func (f *fieldReader) fail(format string, args ...any) { f.Fail(malformed(format, args...)) }

// take removes a field and returns its value; nil for none, null and "".
func (f *fieldReader) take(name string) any {
	v := f.Take(name)
	if v == "" {
		return nil
	}
	return v
}

func (f *fieldReader) number(name string) *chain.Amount {
	v := f.take(name)
	if v == nil {
		return nil
	}
	a, err := parseNumber(v)
	if err != nil {
		f.fail("%s is %v", name, err)
		return nil
	}
	return &a
}

// integer reads a number below 2^64.
func (f *fieldReader) integer(name string) *uint64 {
	a := f.number(name)
	if a == nil {
		return nil
	}
	n := a.Big()
	if !n.IsUint64() {
		f.fail("%s is 2^64 or more", name)
		return nil
	}
	v := n.Uint64()
	return &v
}

// from reads the account. Tatum's serializers write the number 0: the account
// of the key, whatever it is.
func (f *fieldReader) from() *Address {
	v := f.take("from")
	text, ok := v.(string)
	switch {
	case v == nil, v == json.Number("0"):
		return nil
	case !ok:
		f.fail("from is no address")
		return nil
	}
	a := f.address("from", text)
	return &a
}

func (f *fieldReader) address(name, text string) Address {
	a, err := ParseAddress(f.coin.Chain, text)
	if err != nil {
		f.fail("%s %.60q is %v", name, text, err)
	}
	return a
}

// to reads the destination. An empty text is refused: KMS creates a contract.
func (f *fieldReader) to() (to Address, creates bool) {
	v, stated := f.Left["to"]
	delete(f.Left, "to")
	if !stated {
		return Address{}, true
	}
	text, ok := v.(string)
	if !ok {
		f.fail("to is no address")
		return Address{}, false
	}
	return f.address("to", text), false
}

// data reads 0x and an even number of hex digits.
func (f *fieldReader) data() []byte {
	v := f.take("data")
	if v == nil {
		return nil
	}
	text, _ := v.(string)
	digits, ok := strings.CutPrefix(text, hexPrefix)
	switch {
	case !ok:
		f.fail("data does not begin with 0x")
		return nil
	case len(digits) > hex.EncodedLen(MaxData):
		f.fail("data of more than %d bytes", MaxData)
		return nil
	}
	b, err := hex.DecodeString(digits)
	if err != nil {
		f.fail("data is not pairs of hex digits")
	}
	return b
}

// refuseLeft refuses the fields that nobody took.
func (f *fieldReader) refuseLeft() {
	if v, ok := f.Left["feeCurrency"]; ok && f.coin.Chain == "CELO" {
		if v == nil {
			delete(f.Left, "feeCurrency")
		} else {
			f.Err = chain.Refuse(FeeCurrency, "feeCurrency: a fee paid in tokens (CIP-64) is not signed for")
			return
		}
	}
	for _, name := range slices.Sorted(maps.Keys(f.Left)) {
		f.fail("field %.40q is not one that is signed for", name)
	}
}
