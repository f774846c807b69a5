package tron

import (
	"strings"

	"coldkms/shared/chain"
)

// readContract reads the value of Any for a kind that is known.
func readContract(kind Kind, b []byte) (Contract, error) {
	c := Contract{Kind: kind}
	r := newReader(b)
	switch kind {
	case Transfer:
		c.Owner, c.To, c.Amount = r.address(1), r.address(2), r.number(3)
	case TransferAsset:
		c.Asset = string(r.bytes(1))
		c.Owner, c.To, c.Amount = r.address(2), r.address(3), r.number(4)
	case TriggerSmartContract:
		c.Owner, c.To = r.address(1), r.address(2)
		c.Value, c.Data = r.number(3), r.bytes(4)
		c.Token, c.TokenID = r.number(5), r.number(6)
	case FreezeBalance:
		c.Owner, c.Amount, c.Days = r.address(1), r.number(2), r.number(3)
		c.Resource, c.To = Resource(r.number(10)), r.optionalAddress(15)
	case UnfreezeBalance:
		c.Owner, c.Resource, c.To = r.address(1), Resource(r.number(10)), r.optionalAddress(15)
	case FreezeBalanceV2, UnfreezeBalanceV2:
		c.Owner, c.Amount, c.Resource = r.address(1), r.number(2), Resource(r.number(3))
	case WithdrawExpireUnfreeze:
		c.Owner = r.address(1)
	case DelegateResource, UndelegateResource:
		c.Owner, c.Resource, c.Amount, c.To = r.address(1), Resource(r.number(2)), r.number(3), r.address(4)
		if kind == DelegateResource {
			c.Lock, c.LockTime = r.flag(5), r.number(6)
		}
	}
	return c, r.end()
}

// encode returns the value of Any. readContract is its inverse.
func (c Contract) encode() []byte {
	var w writer
	switch c.Kind {
	case Transfer:
		w.bytes(1, c.Owner.Bytes())
		w.bytes(2, c.To.Bytes())
		w.number(3, c.Amount)
	case TransferAsset:
		w.bytes(1, []byte(c.Asset))
		w.bytes(2, c.Owner.Bytes())
		w.bytes(3, c.To.Bytes())
		w.number(4, c.Amount)
	case TriggerSmartContract:
		w.bytes(1, c.Owner.Bytes())
		w.bytes(2, c.To.Bytes())
		w.number(3, c.Value)
		w.bytes(4, c.Data)
		w.number(5, c.Token)
		w.number(6, c.TokenID)
	default:
		c.encodeStake(&w)
	}
	return w.m.encode()
}

func (c Contract) encodeStake(w *writer) {
	w.bytes(1, c.Owner.Bytes())
	switch c.Kind {
	case FreezeBalance, UnfreezeBalance:
		w.number(2, c.Amount)
		w.number(3, c.Days)
		w.number(10, int64(c.Resource))
		if !c.To.IsZero() {
			w.bytes(15, c.To.Bytes())
		}
	case FreezeBalanceV2, UnfreezeBalanceV2:
		w.number(2, c.Amount)
		w.number(3, int64(c.Resource))
	case DelegateResource, UndelegateResource:
		w.number(2, int64(c.Resource))
		w.number(3, c.Amount)
		w.bytes(4, c.To.Bytes())
		if c.Lock {
			w.number(5, 1)
		}
		w.number(6, c.LockTime)
	}
}

// optionalAddress reads an address that may be missing, and is not zero.
func (r *reader) optionalAddress(id uint64) Address {
	if len(r.m) == 0 || r.m[0].id != id {
		return Address{}
	}
	a := r.address(id)
	if a.IsZero() {
		r.fail(ErrAddress)
	}
	return a
}

func (r *reader) flag(id uint64) bool {
	v := r.number(id)
	if v != 0 && v != 1 {
		r.fail(errProtoForm)
	}
	return v == 1
}

// check refuses a contract that the network refuses, or that loses money for
// certain.
func (c Contract) check() error {
	switch c.Kind {
	case Transfer, TransferAsset, FreezeBalance, FreezeBalanceV2, UnfreezeBalanceV2, DelegateResource, UndelegateResource:
		if c.Amount <= 0 {
			return chain.Refuse(chain.ValueOutOfRange, "an amount of %d", c.Amount)
		}
	}
	switch c.Kind {
	case Transfer, TransferAsset, DelegateResource, UndelegateResource:
		switch {
		case c.To.IsZero():
			return chain.Refuse(ZeroAddress, "it pays the zero address")
		case c.To == c.Owner:
			return chain.Refuse(ToSelf, "from %s to itself, which the network refuses", c.Owner)
		}
	case TriggerSmartContract:
		return c.checkTrigger()
	}
	if c.Resource != Bandwidth && c.Resource != Energy || c.LockTime < 0 || c.Days < 0 {
		return chain.Refuse(chain.ValueOutOfRange, "resource %d, lock time %d, days %d", c.Resource, c.LockTime, c.Days)
	}
	if c.Kind == TransferAsset && (c.Asset == "" || len(c.Asset) > maxAsset || strings.Trim(c.Asset, "0123456789") != "") {
		return chain.Refuse(chain.Malformed, "TRC-10 token %.40q is no token id", c.Asset)
	}
	return nil
}

// maxAsset is the most digits of a TRC-10 token's id.
const maxAsset = 19

func (c Contract) checkTrigger() error {
	switch {
	case c.Value < 0, c.Token < 0, c.TokenID < 0:
		return chain.Refuse(chain.ValueOutOfRange, "values %d and %d of token %d sent along", c.Value, c.Token, c.TokenID)
	case c.Token == 0 && c.TokenID != 0:
		return chain.Refuse(chain.Malformed, "a TRC-10 token is named and none sent along")
	case c.To.IsZero():
		return chain.Refuse(ZeroAddress, "it calls the zero address")
	case len(c.Data) > maxData:
		return chain.Refuse(chain.TooLarge, "a call of %d bytes, at most %d are read", len(c.Data), maxData)
	}
	return nil
}
