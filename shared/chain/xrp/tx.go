package xrp

import (
	"bytes"
	"fmt"

	"coldkms/shared/chain"
)

const invoiceSize = 32

// Check refuses a transaction that the network refuses at any time, that cannot
// be shown whole, or that loses money for certain.
func (t Tx) Check() error {
	switch {
	case !t.Kind.read():
		return refuseKind(t.Kind)
	case t.Flags.Value != 0 && t.Flags.Value != FullyCanonical:
		return chain.Refuse(OtherFlags, "flags %#x: only 0 and %#x are signed for", t.Flags.Value, uint32(FullyCanonical))
	case t.Account.IsSpecial():
		return malformed("the account is one that nobody has a key of")
	case t.Fee == 0 || t.Fee > MaxFee:
		return chain.Refuse(FeeRange, "a fee of %d drops: 1 to %d are signed for", t.Fee, MaxFee)
	case t.Ticket.Stated && (t.Ticket.Value == 0 || t.Sequence != 0):
		return malformed("sequence %d and ticket %d: one of them pays", t.Sequence, t.Ticket.Value)
	case !t.Ticket.Stated && t.Sequence == 0:
		return malformed("it has no sequence")
	case t.LastLedger.Stated && t.LastLedger.Value == 0:
		return malformed("LastLedgerSequence 0")
	}
	if err := t.checkUnused(); err != nil {
		return err
	}
	if err := t.checkMemos(); err != nil {
		return err
	}
	switch t.Kind {
	case Payment:
		return t.checkPayment()
	case TrustSet:
		return t.checkTrust()
	}
	return t.checkSettings()
}

// checkUnused refuses fields that the kind has no use for.
func (t Tx) checkUnused() error {
	payment, settings := t.Kind == Payment, t.Kind == AccountSet
	for name, stated := range map[string]bool{
		"Destination": !payment && t.Destination != Account{}, "DestinationTag": !payment && t.Tag != Number{},
		"InvoiceID": !payment && len(t.Invoice) > 0, "Amount": settings && t.Amount != Amount{},
		"SetFlag": !settings && t.SetFlag != Number{}, "ClearFlag": !settings && t.ClearFlag != Number{},
	} {
		if stated {
			return refuseField(name)
		}
	}
	for _, n := range []Number{t.Flags, t.Ticket, t.LastLedger, t.SourceTag, t.Tag, t.SetFlag, t.ClearFlag} {
		if !n.Stated && n.Value != 0 {
			return malformed("a number that is not stated")
		}
	}
	if n := len(t.Invoice); n != 0 && n != invoiceSize {
		return malformed("an InvoiceID of %d bytes", n)
	}
	return nil
}

func (t Tx) checkMemos() error {
	if len(t.Memos) > maxMemos {
		return chain.Refuse(chain.TooLarge, "%d memos, at most %d are read", len(t.Memos), maxMemos)
	}
	for _, m := range t.Memos {
		n := len(m.Type) + len(m.Data) + len(m.Format)
		if n == 0 {
			return malformed("an empty memo")
		}
		if n > maxMemo {
			return chain.Refuse(chain.TooLarge, "a memo of %d bytes, at most %d are read", n, maxMemo)
		}
	}
	var w writer
	if w.memos(t.Memos); len(w.b) > maxMemo {
		return chain.Refuse(chain.TooLarge, "memos of %d bytes, at most %d are read", len(w.b), maxMemo)
	}
	return nil
}

// check refuses what is no amount of an asset.
func (a Amount) check() error {
	if !a.Issued {
		if a.Drops > MaxDrops || a.Value != (Value{}) || a.Currency != (Currency{}) || a.Issuer != (Account{}) {
			return chain.Refuse(chain.ValueOutOfRange, "an amount of %d drops, above all XRP", a.Drops)
		}
		return nil
	}
	if err := a.Value.check(); err != nil {
		return err
	}
	if a.Drops != 0 || a.Issuer.IsSpecial() {
		return malformed("an issued currency without an issuer")
	}
	return a.Currency.check()
}

func (t Tx) checkPayment() error {
	if err := t.Amount.check(); err != nil {
		return err
	}
	quantity, exact := t.Amount.Quantity()
	switch {
	case !exact:
		return chain.Refuse(chain.ValueOutOfRange, "an amount of %s cannot be counted in 10^-%d", t.Amount, Decimals)
	case quantity.IsZero():
		return chain.Refuse(chain.ValueOutOfRange, "an amount of 0")
	case t.Destination.IsSpecial():
		return malformed("the destination is an account that nobody has a key of")
	case t.Destination == t.Account:
		return chain.Refuse(ToSelf, "from %s to itself, which the network refuses", t.Account)
	}
	return nil
}

func (t Tx) checkTrust() error {
	switch {
	case !t.Amount.Issued:
		return malformed("a trust line for XRP")
	case t.Amount.Issuer == t.Account:
		return chain.Refuse(ToSelf, "a trust line of %s to itself, which the network refuses", t.Account)
	}
	return t.Amount.check()
}

// checkSettings lets through one setting, or none: a transaction that does
// nothing uses up its sequence, and so cancels another one.
func (t Tx) checkSettings() error {
	if t.SetFlag.Stated && t.ClearFlag.Stated {
		return chain.Refuse(OtherFlags, "SetFlag and ClearFlag together are not signed for")
	}
	for _, n := range []Number{t.SetFlag, t.ClearFlag} {
		if n.Stated && n.Value != RequireDest && n.Value != DefaultRipple {
			return chain.Refuse(OtherFlags, "account setting %d is not signed for", n.Value)
		}
	}
	return nil
}

// Burns reports whether the payment returns an issued currency to its issuer,
// which takes it out of existence.
func (t Tx) Burns() bool {
	return t.Kind == Payment && t.Amount.Issued && t.Amount.Issuer == t.Destination
}

// Issues reports whether the payment makes new units of a currency of the
// account's own.
func (t Tx) Issues() bool {
	return t.Kind == Payment && t.Amount.Issued && t.Amount.Issuer == t.Account
}

// ExclusiveID names what the transaction uses up: of all that share it, the
// network takes one.
func (t Tx) ExclusiveID() string {
	if t.Ticket.Stated {
		return fmt.Sprintf("%s:ticket:%d", t.Account, t.Ticket.Value)
	}
	return fmt.Sprintf("%s:%d", t.Account, t.Sequence)
}

// Left returns how many ledgers after a validated one can still hold the
// transaction, 0 or less once none can; ok is false if it never expires.
func (t Tx) Left(ledger uint32) (ledgers int64, ok bool) {
	return int64(t.LastLedger.Value) - int64(ledger), t.LastLedger.Stated
}

// CheckLedger refuses a transaction that has expired, or has fewer than margin
// ledgers left, by the number of a validated ledger.
func (t Tx) CheckLedger(ledger, margin uint32) error {
	if left, ok := t.Left(ledger); ok && (left <= 0 || left < int64(margin)) {
		return chain.Refuse(Expired, "valid until ledger %d, %d after the latest: it must be made anew, or its LastLedgerSequence", t.LastLedger.Value, left)
	}
	return nil
}

// CheckRenewed refuses a transaction that differs from the original in more
// than LastLedgerSequence, or has none.
func (t Tx) CheckRenewed(original Tx) error {
	if !t.LastLedger.Stated {
		return chain.Refuse(chain.ContentChanged, "no LastLedgerSequence: a renewed transaction must expire")
	}
	t.LastLedger, original.LastLedger = Number{}, Number{}
	if !bytes.Equal(t.Encode(), original.Encode()) {
		return chain.Refuse(chain.ContentChanged, "more than LastLedgerSequence is not the original's")
	}
	return nil
}
