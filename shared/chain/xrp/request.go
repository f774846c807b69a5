package xrp

import (
	"encoding/hex"
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"strings"

	"coldkms/shared/chain"
	"coldkms/shared/strictjson"
)

// Request is a pending transaction's JSON: a whole transaction, but for key and
// signature.
type Request struct{ Tx Tx }

// ReadRequest reads serializedTransaction of a pending transaction of Tatum's.
// The order of fields is free. Each field stands in its JSON type: numbers as
// integers, drops and values as text. An X-address as Destination stands for an
// account of the network and its tag.
func ReadRequest(n chain.Network, text string) (Request, error) {
	fields, err := strictjson.Object(text)
	if err != nil {
		return Request{}, malformed("the transaction is not of the XRP Ledger's form: %v", err)
	}
	for _, name := range []string{"TxnSignature", "SigningPubKey", "Signers"} {
		if _, signed := fields[name]; signed {
			return Request{}, chain.Refuse(chain.ForeignScript, "%s: the transaction has a key or a signature already", name)
		}
	}
	t, err := readFields(n, fields)
	if err == nil {
		err = t.Check()
	}
	if err != nil {
		return Request{}, err
	}
	return Request{Tx: t}, nil
}

func readFields(n chain.Network, fields map[string]any) (t Tx, err error) {
	kind, _ := fields["TransactionType"].(string)
	known := false
	if t.Kind, known = kindNames()[kind]; !known || !t.Kind.read() {
		return t, chain.Refuse(OtherType, "transaction type %.40q is not signed for", kind)
	}
	names := []string{"TransactionType", "Account", "Fee", "Sequence"}
	switch t.Kind {
	case Payment:
		names = append(names, "Amount", "Destination")
	case TrustSet:
		names = append(names, "LimitAmount")
	}
	for _, name := range names {
		if _, ok := fields[name]; !ok {
			return t, malformed("it has no %s", name)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(fields)) { // one text, one refusal
		if err := t.set(n, name, fields[name]); err != nil {
			return t, err
		}
	}
	_, tagged := fields["DestinationTag"]
	if text, _ := fields["Destination"].(string); tagged && isX(text) {
		return t, malformed("an X-address and a DestinationTag")
	}
	return t, nil
}

func (t *Tx) set(n chain.Network, name string, v any) (err error) {
	if at := t.numberAt(name); at != nil {
		*at, err = readNumber(name, v)
		return err
	}
	switch name {
	case "TransactionType":
	case "Account":
		t.Account, err = readAccount(name, v)
	case "Destination":
		err = t.setDestination(n, v)
	case "Fee":
		t.Fee, err = readDrops(name, v)
	case "Sequence":
		var s Number
		s, err = readNumber(name, v)
		t.Sequence = s.Value
	case "Amount":
		if t.Kind != Payment {
			return refuseField(name)
		}
		t.Amount, err = readAmount(name, v)
	case "LimitAmount":
		if t.Kind != TrustSet {
			return refuseField(name)
		}
		t.Amount, err = readAmount(name, v)
	case "InvoiceID":
		t.Invoice, err = readHex(name, v)
	case "Memos":
		t.Memos, err = readMemos(v)
	default:
		return refuseField(name)
	}
	return err
}

func (t *Tx) numberAt(name string) *Number {
	switch name {
	case "Flags":
		return &t.Flags
	case "SourceTag":
		return &t.SourceTag
	case "DestinationTag":
		return &t.Tag
	case "LastLedgerSequence":
		return &t.LastLedger
	case "TicketSequence":
		return &t.Ticket
	case "SetFlag":
		return &t.SetFlag
	case "ClearFlag":
		return &t.ClearFlag
	}
	return nil
}

func readNumber(name string, v any) (Number, error) {
	text, ok := v.(json.Number)
	n, err := strconv.ParseUint(string(text), 10, 32)
	if !ok || err != nil || strconv.FormatUint(n, 10) != string(text) {
		return Number{}, malformed("%s is no number of 32 bits", name)
	}
	return Some(uint32(n)), nil
}

func readAccount(name string, v any) (Account, error) {
	text, _ := v.(string)
	a, err := ParseAccount(text)
	if err != nil {
		return a, malformed("%s %.60q: %v", name, text, err)
	}
	return a, nil
}

func (t *Tx) setDestination(n chain.Network, v any) (err error) {
	text, _ := v.(string)
	if !isX(text) {
		t.Destination, err = readAccount("Destination", v)
		return err
	}
	a, tag, err := ParseX(text, n)
	switch {
	case chain.CodeOf(err) == chain.WrongNetwork:
		return err
	case err != nil:
		return malformed("Destination %.60q: %v", text, err)
	}
	t.Destination, t.Tag = a, tag
	return nil
}

func isX(text string) bool { return strings.HasPrefix(text, "X") || strings.HasPrefix(text, "T") }

func readDrops(name string, v any) (uint64, error) {
	text, _ := v.(string)
	n, err := strconv.ParseUint(text, 10, 63)
	if err != nil || strconv.FormatUint(n, 10) != text || n > MaxDrops {
		return 0, malformed("%s %.40q is no number of drops, as text", name, text)
	}
	return n, nil
}

func readAmount(name string, v any) (a Amount, err error) {
	fields, issued := v.(map[string]any)
	if !issued {
		a.Drops, err = readDrops(name, v)
		return a, err
	}
	value, valued := fields["value"].(string)
	currency, coded := fields["currency"].(string)
	if !valued || !coded || len(fields) != 3 {
		return a, malformed("%s: not value, currency and issuer", name)
	}
	a.Issued = true
	if a.Value, err = ParseValue(value); err != nil {
		return a, err
	}
	if a.Currency, err = parseCurrency(currency); err != nil {
		return a, err
	}
	a.Issuer, err = readAccount("issuer", fields["issuer"])
	return a, err
}

// readHex reads pairs of hex digits in upper case.
func readHex(name string, v any) ([]byte, error) {
	text, _ := v.(string)
	b, err := hex.DecodeString(text)
	if err != nil || len(b) == 0 || len(b) > maxMemo || strings.ToUpper(text) != text {
		return nil, malformed("%s: not hex digits in upper case, at most %d bytes", name, maxMemo)
	}
	return b, nil
}

func readMemos(v any) (list []Memo, err error) {
	items, _ := v.([]any)
	if len(items) == 0 || len(items) > maxMemos {
		return nil, malformed("Memos: not a list of 1 to %d", maxMemos)
	}
	for _, item := range items {
		outer, _ := item.(map[string]any)
		inner, ok := outer["Memo"].(map[string]any)
		if !ok || len(outer) != 1 {
			return nil, malformed("Memos: an item that is no Memo")
		}
		var m Memo
		for name, at := range map[string]*[]byte{"MemoType": &m.Type, "MemoData": &m.Data, "MemoFormat": &m.Format} {
			if v, stated := inner[name]; stated {
				if *at, err = readHex(name, v); err != nil {
					return nil, err
				}
				delete(inner, name)
			}
		}
		if len(inner) != 0 {
			return nil, malformed("Memos: a field beside MemoType, MemoData and MemoFormat")
		}
		list = append(list, m)
	}
	return list, nil
}

// Quote is what the network is said to have for an account. All of it is a
// claim: it refuses, and never allows.
type Quote struct {
	Sequence   uint32 // the account's next; 0 if not said
	Ledger     uint32 // the latest validated one; 0 if not said
	LastLedger uint32 // in place of the request's LastLedgerSequence; 0: the request's
}

// Resolve makes the transaction that a request asks an account for: the
// request's own, with another LastLedgerSequence if the quote has one. It
// refuses one that has expired.
func (r Request) Resolve(account Account, q Quote) (Tx, error) {
	t := r.Tx
	switch {
	case t.Account != account:
		return Tx{}, chain.Refuse(OtherAccount, "Account is %s, and the key's account is %s", t.Account, account)
	case !t.Ticket.Stated && t.Sequence < q.Sequence:
		return Tx{}, chain.Refuse(SequenceUsed, "sequence %d is stated, and the network has the account at %d", t.Sequence, q.Sequence)
	}
	if q.LastLedger != 0 {
		t.LastLedger = Some(q.LastLedger)
		if err := t.CheckRenewed(r.Tx); err != nil {
			return Tx{}, err
		}
	}
	if q.Ledger != 0 {
		if err := t.CheckLedger(q.Ledger, 0); err != nil {
			return Tx{}, err
		}
	}
	if err := t.Check(); err != nil {
		return Tx{}, err
	}
	return t, nil
}
