package xrp

import (
	"encoding/binary"

	"coldkms/shared/chain"
)

// reader takes fields off a transaction and remembers the first error. It does
// not look at their order, nor for missing ones: what it read, encoded again,
// must be the same bytes.
type reader struct {
	b   []byte
	err error
}

func (r *reader) fail(err error) {
	if r.err == nil {
		r.err = err
	}
}

// take returns n bytes, which are zeros after an error.
func (r *reader) take(n int) []byte {
	if r.err != nil || n > len(r.b) {
		r.fail(malformed("a field ends too early"))
		return make([]byte, min(n, MaxBlob))
	}
	b := r.b[:n:n]
	r.b = r.b[n:]
	return b
}

func (r *reader) byte() byte { return r.take(1)[0] }

func (r *reader) header() field {
	first := r.byte()
	kind, number := field(first>>4), field(first&15)
	if kind == 0 {
		kind = field(r.byte())
	}
	if number == 0 {
		number = field(r.byte())
	}
	return kind<<8 | number
}

func (r *reader) number() Number { return Some(binary.BigEndian.Uint32(r.take(4))) }

func (r *reader) blob() []byte {
	n := int(r.byte())
	if n > shortBlob {
		n = shortBlob + 1 + (n-shortBlob-1)<<8 + int(r.byte())
	}
	if n > longBlob {
		r.fail(malformed("a blob of %d bytes", n))
		return nil
	}
	return r.take(n)
}

func (r *reader) account() (a Account) {
	b := r.blob()
	if len(b) != len(a) {
		r.fail(malformed("an account of %d bytes", len(b)))
		return a
	}
	return Account(b)
}

func (r *reader) amount() (a Amount) {
	v := binary.BigEndian.Uint64(r.take(8))
	if v&bitIssued == 0 {
		if a.Drops = v &^ bitPositive; v&bitPositive == 0 {
			r.fail(malformed("a negative amount"))
		}
		return a
	}
	a = Amount{Issued: true, Currency: Currency(r.take(len(Currency{}))), Issuer: Account(r.take(len(Account{})))}
	switch {
	case v == bitIssued:
	case v&bitPositive == 0:
		r.fail(malformed("a negative amount"))
	default:
		a.Value = Value{Mantissa: v & (1<<exponentAt - 1), Exponent: int(v>>exponentAt&0xff) - exponentBias}
		if err := a.Value.check(); err != nil {
			r.fail(err)
		}
	}
	return a
}

func (r *reader) memos() (list []Memo) {
	for r.err == nil {
		switch f := r.header(); {
		case f == fArrayEnd:
			return list
		case f != fMemo || len(list) == maxMemos:
			r.fail(malformed("memos: not a list of at most %d", maxMemos))
		default:
			list = append(list, r.memo())
		}
	}
	return nil
}

func (r *reader) memo() (m Memo) {
	for r.err == nil {
		switch f := r.header(); f {
		case fObjectEnd:
			return m
		case fMemoType:
			m.Type = r.blob()
		case fMemoData:
			m.Data = r.blob()
		case fMemoFormat:
			m.Format = r.blob()
		default:
			r.fail(refuseField(f.String()))
		}
	}
	return m
}

// into reads the value of a field into its place in t.
func (r *reader) into(t *Tx, f field) {
	switch f {
	case fType:
		t.Kind = Kind(binary.BigEndian.Uint16(r.take(2)))
	case fFlags:
		t.Flags = r.number()
	case fSourceTag:
		t.SourceTag = r.number()
	case fSequence:
		t.Sequence = r.number().Value
	case fTag:
		t.Tag = r.number()
	case fLastLedger:
		t.LastLedger = r.number()
	case fSetFlag:
		t.SetFlag = r.number()
	case fClearFlag:
		t.ClearFlag = r.number()
	case fTicket:
		t.Ticket = r.number()
	case fInvoice:
		t.Invoice = r.take(invoiceSize)
	case fAmount, fLimit:
		t.Amount = r.amount()
	case fFee:
		fee := r.amount()
		if t.Fee = fee.Drops; fee.Issued {
			r.fail(malformed("a fee that is not in XRP"))
		}
	case fAccount:
		t.Account = r.account()
	case fDestination:
		t.Destination = r.account()
	case fMemos:
		t.Memos = r.memos()
	default:
		// A type that is refused is the better word for a field of its own.
		if r.err == nil && !t.Kind.read() {
			r.fail(refuseKind(t.Kind))
		}
		r.fail(refuseField(f.String()))
	}
}

func refuseField(name string) error {
	return chain.Refuse(OtherField, "field %.40q is not signed for", name)
}

func refuseKind(k Kind) error {
	return chain.Refuse(OtherType, "transaction type %d (%q) is not signed for", uint16(k), k)
}
