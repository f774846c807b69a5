package egld

import (
	"maps"
	"slices"

	"coldkms/shared/chain"
	"coldkms/shared/chain/evm"
	"coldkms/shared/strictjson"
)

// Request is what a pending transaction's JSON states.
type Request struct {
	network chain.Network
	From    *Address // nil: the key's account
	To      Address
	Value   chain.Amount
	Data    []byte
}

// ReadRequest reads serializedTransaction of a pending transaction of Tatum's.
// Its gasPrice and gasLimit must be numbers and are not used, as Tatum KMS uses
// what the network says in their place. The value is a decimal text in EGLD; a
// JSON number, which JavaScript may round, an exponent, a sign and a 19th
// decimal place are refused. Other fields are refused by name.
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
	if fields["from"] != nil {
		from := f.address("from")
		r.From = &from
	}
	r.To = f.address("to")
	value := f.text("value")
	if r.Value, err = evm.ToWei(value, Decimals); err != nil {
		f.fail("value %.40q is %v", value, err)
	}
	if fields["data"] != nil && fields["data"] != "" {
		r.Data = []byte(f.text("data"))
	}
	for _, name := range []string{"gasPrice", "gasLimit"} {
		if fields[name] != nil {
			f.integer(name)
		}
	}
	for _, empty := range []string{"from", "data", "gasPrice", "gasLimit"} {
		delete(fields, empty)
	}
	switch {
	case f.Err != nil:
		return Request{}, f.Err
	case len(fields) > 0:
		return Request{}, unread(fields)
	case len(r.Data) > MaxData:
		return Request{}, chain.Refuse(chain.TooLarge, "data of %d bytes, at most %d are signed for", len(r.Data), MaxData)
	}
	return r, nil
}

// unread refuses the fields that nobody took: the first by name.
func unread(fields map[string]any) error {
	return malformed("field %.40q is not one that is signed for", slices.Sorted(maps.Keys(fields))[0])
}

// Quote is what the network is said to have. All of it is a claim: it fills
// what a request does not state, and never allows.
type Quote struct {
	ChainID string
	Nonce   uint64 // of the account: its next
	Gas     uint64 // limit for this transaction
	Price   chain.Amount
	Version uint64        // of the transaction's format
	Balance *chain.Amount // of the account; nil if not said
}

// Resolve makes the transaction that a request asks an account for. Its nonce
// is the network's next; who gives out nonces sets it anew. The transaction has
// passed Tx.Check.
func (r Request) Resolve(account Address, q Quote) (Tx, error) {
	if r.From != nil && *r.From != account {
		return Tx{}, chain.Refuse(OtherAccount, "from is %s, and the key's account is %s", *r.From, account)
	}
	t := Tx{
		Nonce: q.Nonce, Value: r.Value, Receiver: r.To, Sender: account, Price: q.Price, Gas: q.Gas,
		Data: r.Data, ChainID: q.ChainID, Version: q.Version,
	}
	if err := t.Check(r.network); err != nil {
		return Tx{}, err
	}
	if spent, _ := t.MaxSpent(); q.Balance != nil && spent.Cmp(*q.Balance) > 0 {
		return Tx{}, chain.Refuse(AboveBalance, "value and fee are %s, and the account is said to have %s", spent, *q.Balance)
	}
	return t, nil
}
