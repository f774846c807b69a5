package xlm

import (
	"fmt"
	"math"
	"strings"
	"time"

	"coldkms/shared/chain"
)

// Check refuses a transaction that the network refuses at any time, that cannot
// be shown whole, or that loses money for certain.
func (t Tx) Check() error {
	switch {
	case t.Source == Account{}:
		return malformed("the source is an account that nobody has a key of")
	case t.Fee < MinFee || t.Fee > MaxFee:
		return chain.Refuse(FeeRange, "a fee of %d stroops: %d to %d are signed for", t.Fee, MinFee, MaxFee)
	case t.Sequence <= 0 || t.Sequence == math.MaxInt64:
		return chain.Refuse(chain.ValueOutOfRange, "sequence %d", t.Sequence)
	case t.Bounds.Max != 0 && t.Bounds.Max < t.Bounds.Min:
		return malformed("time bounds that end before they begin")
	case !t.Bounds.Stated && t.Bounds != Bounds{}:
		return malformed("time bounds that are not stated")
	}
	if err := t.Memo.check(); err != nil {
		return err
	}
	return t.Operation.check(t.Source)
}

func (m Memo) check() error {
	hash := m.Kind == MemoHash || m.Kind == MemoReturn
	switch {
	case m.Kind > MemoReturn:
		return malformed("a memo of type %d", m.Kind)
	case len(m.Text) > maxText:
		return chain.Refuse(chain.TooLarge, "a memo of %d bytes, at most %d fit", len(m.Text), maxText)
	case m.Kind != MemoText && m.Text != "", m.Kind != MemoID && m.ID != 0, !hash && m.Hash != [32]byte{}:
		return malformed("a memo of two kinds")
	}
	return nil
}

const codeLetters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"

func (a Asset) check() error {
	if a.IsNative() {
		return nil
	}
	if a.Code == "" || len(a.Code) > 12 || strings.Trim(a.Code, codeLetters) != "" || a.Issuer == (Account{}) {
		return malformed("asset code %.20q of issuer %s is none", a.Code, a.Issuer)
	}
	return nil
}

func (o Operation) check(source Account) error {
	if !o.Kind.read() {
		return refuseKind(o.Kind)
	}
	if o.Amount > math.MaxInt64 || o.Asset.IsNative() && o.Amount > MaxStroops {
		return chain.Refuse(chain.ValueOutOfRange, "an amount of %d stroops, above all lumens", o.Amount)
	}
	if err := o.Asset.check(); err != nil {
		return err
	}
	if o.Kind == ChangeTrust {
		return o.checkTrust(source)
	}
	switch {
	case o.Kind == CreateAccount && (o.Destination.HasID || !o.Asset.IsNative()):
		return malformed("a new account with an id or in an asset")
	case !o.Destination.HasID && o.Destination.ID != 0:
		return malformed("an id that is not stated")
	case o.Amount == 0:
		return chain.Refuse(chain.ValueOutOfRange, "an amount of 0")
	case o.Destination.Account == Account{}:
		return malformed("the destination is an account that nobody has a key of")
	case o.Destination.Account == source:
		return chain.Refuse(ToSelf, "from %s to itself", source)
	}
	return nil
}

func (o Operation) checkTrust(source Account) error {
	switch {
	case o.Asset.IsNative():
		return malformed("a trust line for lumens")
	case o.Destination != Muxed{}:
		return malformed("a trust line with a destination")
	case o.Asset.Issuer == source:
		return chain.Refuse(ToSelf, "a trust line of %s to itself, which the network refuses", source)
	}
	return nil
}

// Burns reports whether the payment returns an asset to its issuer, which takes
// it out of existence.
func (t Tx) Burns() bool {
	o := t.Operation
	return o.Kind == Payment && !o.Asset.IsNative() && o.Asset.Issuer == o.Destination.Account
}

// Issues reports whether the payment makes new units of an asset of the
// account's own.
func (t Tx) Issues() bool {
	o := t.Operation
	return o.Kind == Payment && !o.Asset.IsNative() && o.Asset.Issuer == t.Source
}

// ExclusiveID names what the transaction uses up: of all that share it, the
// network takes one.
func (t Tx) ExclusiveID() string { return fmt.Sprintf("%s:%d", t.Source, t.Sequence) }

// farthest is the latest time that is told apart from no end: year 9999.
const farthest = 253_402_300_799

// Left returns how long the transaction can still be paid, negative once it has
// expired; ok is false if it never expires. It is at most 292 years.
func (t Tx) Left(now time.Time) (left time.Duration, ok bool) {
	if t.Bounds.Max == 0 {
		return 0, false
	}
	return time.Unix(int64(min(t.Bounds.Max, farthest)), 0).Sub(now), true
}

// CheckTime refuses a transaction that has expired, or has less than margin
// left, by a clock. One that is not valid yet is not refused: see Bounds.
func (t Tx) CheckTime(now time.Time, margin time.Duration) error {
	left, ok := t.Left(now)
	switch {
	case !ok:
	case left <= 0:
		return chain.Refuse(Expired, "expired %s ago: it must be made anew, or its time bounds", (-left).Round(time.Second))
	case left < margin:
		return chain.Refuse(Expired, "expires in %s, and needs %s to be sent: it must be made anew, or its time bounds", left.Round(time.Second), margin)
	}
	return nil
}

// CheckRenewed refuses a transaction that differs from the original in more
// than the end of its time bounds, or has none.
func (t Tx) CheckRenewed(original Tx) error {
	if t.Bounds.Max == 0 {
		return chain.Refuse(chain.ContentChanged, "no end of the time bounds: a renewed transaction must expire")
	}
	if t.Bounds.Min != original.Bounds.Min {
		return chain.Refuse(chain.ContentChanged, "the time bounds do not begin as the original's")
	}
	t.Bounds, original.Bounds = Bounds{}, Bounds{}
	if t != original {
		return chain.Refuse(chain.ContentChanged, "more than the end of the time bounds is not the original's")
	}
	return nil
}
