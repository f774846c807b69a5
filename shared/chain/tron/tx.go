package tron

import (
	"bytes"
	"crypto/sha256"
	"strings"
	"time"

	"coldkms/shared/chain"
	"coldkms/shared/chain/evm"
)

// Limits on sizes in bytes.
const (
	MaxRaw  = 64 << 10
	maxData = 32 << 10
	maxMemo = 1 << 10
)

// ZeroAddress is the reason of a payment to the address that nobody has a key
// of.
const ZeroAddress = evm.ZeroAddress

// Field numbers of Transaction.raw and of Transaction.Contract.
const (
	rawRefBytes   = 1
	rawRefHash    = 4
	rawExpiration = 8
	rawData       = 10
	rawContract   = 11
	rawTimestamp  = 14
	rawFeeLimit   = 18

	contractType       = 1
	contractParameter  = 2
	contractPermission = 5

	anyURL   = 1
	anyValue = 2
)

// TxID returns the transaction id: the SHA-256 of Transaction.raw.
func TxID(raw []byte) [32]byte { return sha256.Sum256(raw) }

// Decode reads Transaction.raw, and refuses all but the one encoding of one
// contract of a known kind. The transaction shares raw's memory.
func Decode(raw []byte) (Tx, error) {
	if len(raw) > MaxRaw {
		return Tx{}, chain.Refuse(chain.TooLarge, "a transaction of %d bytes, at most %d are read", len(raw), MaxRaw)
	}
	var t Tx
	r := newReader(raw)
	r.fixed(rawRefBytes, t.RefBlockBytes[:])
	r.fixed(rawRefHash, t.RefBlockHash[:])
	t.Expiration = r.number(rawExpiration)
	t.Memo = r.bytes(rawData)
	contract := r.bytes(rawContract)
	t.Timestamp = r.number(rawTimestamp)
	t.FeeLimit = r.number(rawFeeLimit)
	if err := r.end(); err != nil {
		return Tx{}, malformed("transaction: %v", err)
	}
	var err error
	if t.Contract, err = decodeContract(contract); err != nil {
		return Tx{}, err
	}
	if err := t.check(); err != nil {
		return Tx{}, err
	}
	if !bytes.Equal(t.Encode(), raw) {
		return Tx{}, malformed("transaction: not its one encoding")
	}
	return t, nil
}

func malformed(format string, args ...any) error {
	return chain.Refuse(chain.Malformed, format, args...)
}

// fixed reads bytes of a size into b.
func (r *reader) fixed(id uint64, b []byte) {
	if v := r.bytes(id); copy(b, v) != len(b) || len(v) != len(b) {
		r.fail(errProtoShort)
	}
}

// decodeContract reads Transaction.Contract. Who may sign for an account is
// changed with no transaction that is signed here, and used with none.
func decodeContract(b []byte) (Contract, error) {
	r := newReader(b)
	kind := Kind(r.number(contractType))
	parameter := r.bytes(contractParameter)
	permission := r.number(contractPermission)
	if err := r.end(); err != nil {
		return Contract{}, malformed("contract: %v", err)
	}
	p := newReader(parameter)
	url, value := string(p.bytes(anyURL)), p.bytes(anyValue)
	switch err := p.end(); {
	case err != nil:
		return Contract{}, malformed("contract: %v", err)
	case kind == permissionUpdate || strings.Contains(url, "Permission"):
		return Contract{}, chain.Refuse(Permission, "AccountPermissionUpdate gives the account to other keys")
	case permission != 0:
		return Contract{}, chain.Refuse(Permission, "Permission_id %d: only the owner's own permission signs", permission)
	case url != kind.url() || kind.String() == "":
		return Contract{}, malformed("contract type %d is not of type %.80q", kind, url)
	case unread(kind) != "":
		return Contract{}, chain.Refuse(OtherContract, "%sContract is not signed for", kind)
	}
	c, err := readContract(kind, value)
	if err != nil {
		return Contract{}, malformed("%sContract: %v", kind, err)
	}
	return c, nil
}

func (k Kind) url() string { return typePrefix + k.String() + typeSuffix }

// check refuses a transaction that the network refuses at any time.
func (t Tx) check() error {
	trigger := t.Contract.Kind == TriggerSmartContract
	switch {
	case t.Expiration <= 0, t.Timestamp < 0:
		return malformed("expiration %d, timestamp %d", t.Expiration, t.Timestamp)
	case t.FeeLimit < 0, t.FeeLimit > MaxFeeLimit:
		return chain.Refuse(FeeLimit, "fee limit of %d sun, the network takes 0 to %d", t.FeeLimit, int64(MaxFeeLimit))
	case trigger && t.FeeLimit == 0:
		return chain.Refuse(FeeLimit, "no fee limit: the call cannot pay for its energy")
	case len(t.Memo) > maxMemo:
		return chain.Refuse(chain.TooLarge, "a memo of %d bytes, at most %d are read", len(t.Memo), maxMemo)
	}
	return t.Contract.check()
}

// Encode returns Transaction.raw. Decode is its inverse.
func (t Tx) Encode() []byte {
	var parameter, contract, raw writer
	parameter.bytes(anyURL, []byte(t.Contract.Kind.url()))
	parameter.bytes(anyValue, t.Contract.encode())
	contract.number(contractType, int64(t.Contract.Kind))
	contract.bytes(contractParameter, parameter.m.encode())
	raw.bytes(rawRefBytes, t.RefBlockBytes[:])
	raw.bytes(rawRefHash, t.RefBlockHash[:])
	raw.number(rawExpiration, t.Expiration)
	raw.bytes(rawData, t.Memo)
	raw.bytes(rawContract, contract.m.encode())
	raw.number(rawTimestamp, t.Timestamp)
	raw.number(rawFeeLimit, t.FeeLimit)
	return raw.m.encode()
}

// Raw returns the signed transaction (Transaction of core/Tron.proto): the raw
// bytes, and the signature of 65 bytes.
func Raw(raw []byte, signature []byte) []byte {
	var w writer
	w.bytes(1, raw)
	w.bytes(2, signature)
	return w.m.encode()
}

// Call returns what a TriggerSmartContract does. It refuses what nobody can
// say of it, and TRX or TRC-10 tokens that are sent along.
func (t Tx) Call() (evm.Call, error) {
	c := t.Contract
	if c.Kind != TriggerSmartContract {
		return evm.Call{}, chain.Refuse(chain.InternalFailure, "%sContract is no call", c.Kind)
	}
	call, err := evm.DecodeCall(evm.Address(c.To), c.Data)
	if err == nil && (c.Value != 0 || c.Token != 0) {
		err = chain.Refuse(evm.ValueOnCall, "%s also sends %d sun and %d units of token %d to the contract", call.Method, c.Value, c.Token, c.TokenID)
	}
	if err != nil {
		return evm.Call{}, err
	}
	return call, nil
}

// Bounds on expiration.
const (
	MaxLife = 24 * time.Hour   // behind the network's latest block
	skew    = 10 * time.Minute // by which the signer's clock may be behind the network's
)

// Left returns how long the transaction can still be paid; negative once it
// has expired.
func (t Tx) Left(now time.Time) time.Duration {
	return time.UnixMilli(t.Expiration).Sub(now)
}

// CheckTime refuses a transaction that has expired, or has less than margin
// left, by a clock, and one that expires later than the network takes.
func (t Tx) CheckTime(now time.Time, margin time.Duration) error {
	left := t.Left(now)
	switch {
	case left <= 0:
		return chain.Refuse(Expired, "expired %s ago: it must be made anew", (-left).Round(time.Second))
	case left < margin:
		return chain.Refuse(Expired, "expires in %s, and needs %s to be sent: it must be made anew", left.Round(time.Second), margin)
	case left > MaxLife+skew:
		return chain.Refuse(TooFarAhead, "expires in %s, and the network takes at most %s", left.Round(time.Second), MaxLife)
	}
	return nil
}

// CheckRefreshed refuses a transaction that differs from the original in more
// than the block that it refers to, expiration and timestamp: the fields that
// are made anew for a transaction that expired before it was signed.
func (t Tx) CheckRefreshed(original Tx) error {
	bare := func(t Tx) []byte {
		t.RefBlockBytes, t.RefBlockHash, t.Expiration, t.Timestamp = [2]byte{}, [8]byte{}, 0, 0
		return t.Encode()
	}
	switch {
	case t.Contract.Kind != original.Contract.Kind, !bytes.Equal(t.Contract.encode(), original.Contract.encode()):
		return chain.Refuse(chain.ContentChanged, "the contract is not the original's")
	case t.FeeLimit != original.FeeLimit:
		return chain.Refuse(chain.ContentChanged, "a fee limit of %d sun, and the original has %d", t.FeeLimit, original.FeeLimit)
	case !bytes.Equal(bare(t), bare(original)):
		return chain.Refuse(chain.ContentChanged, "the memo is not the original's")
	}
	return nil
}
