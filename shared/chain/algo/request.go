package algo

import (
	"encoding/json"
	"maps"
	"slices"
	"strconv"

	"coldkms/shared/chain"
	"coldkms/shared/strictjson"
)

// Request is a pending transaction's JSON: what algosdk 1.16 writes of its
// Transaction. It states the whole transaction.
type Request struct {
	network chain.Network
	Tx      Tx
}

// ReadRequest reads serializedTransaction of a pending transaction of Tatum's.
// The fee is taken as it stands, whatever flatFee says, which tells Tatum KMS to
// multiply it by the size. Fields that change what is paid are refused by name,
// and so are all others that have no place in a payment or a transfer.
func ReadRequest(c chain.Coin, text string) (Request, error) {
	if c.Chain != Name {
		return Request{}, chain.Refuse(chain.UnsupportedChain, "%.20q is not %s", string(c.Chain), Name)
	}
	fields, err := strictjson.Object(text)
	if err != nil {
		return Request{}, malformed("the transaction is not of Tatum's form: %v", err)
	}
	if err := refuseNamed(fields); err != nil {
		return Request{}, err
	}
	f := fieldReader{Fields: strictjson.Fields{Left: fields}}
	t := f.transaction()
	switch {
	case f.Err != nil:
		return Request{}, f.Err
	case len(fields) > 0:
		return Request{}, malformed("field %.40q is not one that is signed for", slices.Sorted(maps.Keys(fields))[0])
	}
	return Request{network: c.Network, Tx: t}, nil
}

// refuseNamed refuses the fields that take more than a payment does, or give
// the account away. Tatum KMS drops most of them without a word, and signs
// another transaction than it was asked for.
func refuseNamed(fields map[string]any) error {
	switch {
	case fields["closeRemainderTo"] != nil:
		return chain.Refuse(CloseTo, "closeRemainderTo: all that the account holds leaves it")
	case fields["reKeyTo"] != nil:
		return chain.Refuse(Rekey, "reKeyTo: the account goes to another key")
	case fields["assetRevocationTarget"] != nil:
		return chain.Refuse(Clawback, "assetRevocationTarget: it takes the asset out of another account (clawback)")
	case fields["group"] != nil:
		return chain.Refuse(Group, "group: it is part of a group whose other transactions are not shown")
	}
	if kind, _ := fields["type"].(string); kindOf(kind) == UnknownKind {
		return chain.Refuse(OtherType, "transactions of type %.20q are not signed for", kind)
	}
	return nil
}

// fieldReader takes fields out of a JSON object and remembers the first error.
type fieldReader struct {
	strictjson.Fields
}

func (f *fieldReader) fail(format string, args ...any) { f.Fail(malformed(format, args...)) }

func (f *fieldReader) transaction() (t Tx) {
	f.constants()
	t.Kind = kindOf(f.text("type"))
	t.Sender, t.Receiver = f.address("from"), f.address("to")
	t.Amount, t.Fee = chain.NewAmount(f.number("amount")), chain.NewAmount(f.number("fee"))
	t.First, t.Last = f.number("firstRound"), f.number("lastRound")
	if t.Kind == AssetTransfer {
		t.Asset = f.number("assetIndex")
	}
	if _, ok := f.Left["genesisID"]; ok {
		t.Genesis.ID = f.text("genesisID")
	}
	f.into("genesisHash", f.Take("genesisHash"), t.Genesis.Hash[:])
	t.Note = f.bytes("note", f.Take("note"), MaxNote)
	if lease := f.bytes("lease", f.Take("lease"), len(t.Lease)); len(lease) > 0 {
		f.into("lease", lease, t.Lease[:])
		if !t.HasLease() {
			f.fail("lease is all zeros, which is none")
		}
	}
	return t
}

// constants reads the fields that have one value in a payment.
func (f *fieldReader) constants() {
	if name := f.Take("name"); name != nil && name != "Transaction" {
		f.fail("name is not Transaction")
	}
	if domain := f.bytes("tag", f.Take("tag"), MaxNote); string(domain) != tag {
		f.Fail(chain.Refuse(OtherDomain, "tag is %.20q: a signature of the account over something else than a transaction", domain))
	}
	if _, ok := f.Take("flatFee").(bool); !ok {
		f.fail("flatFee is neither true nor false")
	}
	if args, ok := f.Take("appArgs").([]any); !ok || len(args) > 0 {
		f.fail("appArgs is not empty")
	}
}

func (f *fieldReader) text(name string) string {
	text, _ := f.Take(name).(string)
	if text == "" {
		f.fail("%s is no text", name)
	}
	return text
}

// maxExact is 2^53-1: JavaScript rounds JSON numbers above it.
const maxExact = 1<<53 - 1

func (f *fieldReader) number(name string) uint64 {
	n, _ := f.Take(name).(json.Number)
	v, err := strconv.ParseUint(n.String(), 10, 64)
	if err != nil || v > maxExact {
		f.fail("%s is no whole number up to 2^53-1, above which JavaScript rounds", name)
	}
	return v
}

// address reads an account: publicKey and checksum, which must fit.
func (f *fieldReader) address(name string) (a Address) {
	fields, ok := f.Take(name).(map[string]any)
	if !ok || len(fields) != 2 {
		f.fail("%s has not publicKey and checksum", name)
		return a
	}
	var sum [checksumSize]byte
	f.into(name+".publicKey", fields["publicKey"], a[:])
	f.into(name+".checksum", fields["checksum"], sum[:])
	if sum != a.Checksum() {
		f.fail("%s: the checksum is not that of the key", name)
	}
	return a
}

// into reads bytes of a size.
func (f *fieldReader) into(name string, v any, b []byte) {
	got := f.bytes(name, v, len(b))
	if len(got) != len(b) {
		f.fail("%s has %d bytes, and needs %d", name, len(got), len(b))
	}
	copy(b, got)
}

// bytes reads at most so many bytes, in one of the forms in which JavaScript
// writes them: {"0":84,"1":88}, or {"type":"Buffer","data":[84,88]}. null is
// none.
func (f *fieldReader) bytes(name string, v any, most int) []byte {
	var at func(i int) (any, bool)
	var n int
	switch v := v.(type) {
	case nil:
		return nil
	case []byte:
		return v
	case map[string]any:
		n, at = len(v), func(i int) (any, bool) { e, ok := v[strconv.Itoa(i)]; return e, ok }
		if list, ok := v["data"].([]any); ok && v["type"] == "Buffer" && len(v) == 2 {
			n, at = len(list), func(i int) (any, bool) { return list[i], true }
		}
	}
	if at == nil || n > most {
		f.fail("%s is no list of at most %d bytes", name, most)
		return nil
	}
	b := make([]byte, n)
	for i := range b {
		e, _ := at(i)
		digit, _ := e.(json.Number)
		c, err := strconv.ParseUint(digit.String(), 10, 8)
		if err != nil {
			f.fail("%s: element %d is no byte", name, i)
			return nil
		}
		b[i] = byte(c)
	}
	return b
}

// Quote is what the network is said to have. All of it is a claim: it refuses,
// and never allows.
type Quote struct {
	Round   uint64        // the latest; 0 if not said
	Margin  uint64        // rounds that are needed to send the transaction
	Balance *chain.Amount // of the account in µALGO; nil if not said
}

// Resolve returns the transaction that a request asks an account for, which has
// passed Tx.Check and is not known to have expired.
func (r Request) Resolve(account Address, q Quote) (Tx, error) {
	t := r.Tx
	if t.Sender != account {
		return Tx{}, chain.Refuse(OtherAccount, "the sender is %s, and the key's account is %s", t.Sender, account)
	}
	if err := t.Check(r.network); err != nil {
		return Tx{}, err
	}
	if q.Round != 0 {
		if err := t.CheckRound(q.Round, q.Margin); err != nil {
			return Tx{}, err
		}
	}
	if q.Balance != nil && t.MaxSpent().Cmp(*q.Balance) > 0 {
		return Tx{}, chain.Refuse(AboveBalance, "amount and fee are %s µALGO, and the account is said to have %s", t.MaxSpent(), *q.Balance)
	}
	return t, nil
}
