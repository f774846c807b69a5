package xlm

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"strings"

	"coldkms/shared/chain"
)

// Values of EnvelopeType.
const (
	envelopeV0      = 0
	envelopeTx      = 2
	envelopeFeeBump = 5
)

// Values of PreconditionType, and of AssetType.
const (
	noBounds   = 0
	timeBounds = 1

	assetNative = 0
	asset4      = 1
	asset12     = 2
	assetPool   = 3
)

// MaxSignatures is the most signatures of an envelope.
const MaxSignatures = 20

// Signature is of one key, whose last four bytes are the hint.
type Signature struct {
	Hint  [4]byte
	Bytes []byte
}

// Hint returns the hint of the account's master key.
func (a Account) Hint() [4]byte { return [4]byte(a[len(a)-4:]) }

// Verify reports whether the signature is the source's, over a transaction on a
// network.
func (s Signature) Verify(t Tx, n chain.Network) bool {
	hash := t.Hash(n)
	return s.Hint == t.Source.Hint() && ed25519.Verify(t.Source[:], hash[:], s.Bytes)
}

// Passphrase returns the words that name a network.
func Passphrase(n chain.Network) string {
	if n == chain.Mainnet {
		return "Public Global Stellar Network ; September 2015"
	}
	return "Test SDF Network ; September 2015"
}

// Hash returns what is signed on a network, which is also the transaction id.
func (t Tx) Hash(n chain.Network) [32]byte {
	id := sha256.Sum256([]byte(Passphrase(n)))
	w := writer{b: id[:]}
	w.u32(envelopeTx)
	w.bytes(t.Encode())
	return sha256.Sum256(w.b)
}

// Envelope returns the transaction with signatures, as a node takes it.
func (t Tx) Envelope(signatures []Signature) []byte {
	var w writer
	w.u32(envelopeTx)
	w.bytes(t.Encode())
	w.u32(uint32(len(signatures)))
	for _, s := range signatures {
		w.bytes(s.Hint[:])
		w.opaque(s.Bytes)
	}
	return w.b
}

// Encode returns the XDR of Transaction. Decode is its inverse.
func (t Tx) Encode() []byte {
	var w writer
	w.key(t.Source)
	w.u32(t.Fee)
	w.u64(uint64(t.Sequence))
	if t.Bounds.Stated {
		w.u32(timeBounds)
		w.u64(t.Bounds.Min)
		w.u64(t.Bounds.Max)
	} else {
		w.u32(noBounds)
	}
	w.u32(uint32(t.Memo.Kind))
	switch t.Memo.Kind {
	case MemoText:
		w.opaque([]byte(t.Memo.Text))
	case MemoID:
		w.u64(t.Memo.ID)
	case MemoHash, MemoReturn:
		w.bytes(t.Memo.Hash[:])
	}
	w.u32(1)
	w.operation(t.Operation, t.Source)
	w.u32(0)
	return w.b
}

func (w *writer) operation(o Operation, source Account) {
	if o.OwnSource {
		w.u32(1)
		w.key(source)
	} else {
		w.u32(0)
	}
	w.u32(uint32(o.Kind))
	switch o.Kind {
	case CreateAccount:
		w.key(o.Destination.Account)
	case Payment:
		w.muxed(o.Destination)
		w.asset(o.Asset)
	case ChangeTrust:
		w.asset(o.Asset)
	}
	w.u64(o.Amount)
}

func (w *writer) asset(a Asset) {
	switch {
	case a.IsNative():
		w.u32(assetNative)
		return
	case len(a.Code) <= 4:
		w.u32(asset4)
		w.bytes(append([]byte(a.Code), make([]byte, 4-len(a.Code))...))
	default:
		w.u32(asset12)
		w.bytes(append([]byte(a.Code), make([]byte, max(0, 12-len(a.Code)))...))
	}
	w.key(a.Issuer)
}

// Decode reads the XDR of Transaction. It refuses what cannot be shown and what
// Tx.Check refuses; encoded again it is the same bytes.
func Decode(raw []byte) (Tx, error) {
	r, err := newReader(raw)
	if err != nil {
		return Tx{}, err
	}
	t := r.tx()
	if err := r.end(t, t.Encode(), raw); err != nil {
		return Tx{}, err
	}
	return t, nil
}

// DecodeEnvelope reads an envelope of version 1 and its signatures, which it
// does not verify.
func DecodeEnvelope(raw []byte) (Tx, []Signature, error) {
	r, err := newReader(raw)
	if err != nil {
		return Tx{}, nil, err
	}
	switch kind := r.u32(); kind {
	case envelopeTx:
	case envelopeV0:
		return Tx{}, nil, malformed("an envelope of version 0, which no program makes any more")
	case envelopeFeeBump:
		return Tx{}, nil, chain.Refuse(OtherOperation, "a fee-bump envelope is not signed for")
	default:
		return Tx{}, nil, malformed("an envelope of type %d", kind)
	}
	t := r.tx()
	list := r.signatures()
	if err := r.end(t, t.Envelope(list), raw); err != nil {
		return Tx{}, nil, err
	}
	return t, list, nil
}

func newReader(raw []byte) (*reader, error) {
	if len(raw) > MaxEnvelope {
		return nil, chain.Refuse(chain.TooLarge, "%d bytes, at most %d are read", len(raw), MaxEnvelope)
	}
	return &reader{b: raw}, nil
}

// end refuses what is left, what Tx.Check refuses, and what is encoded in
// another way.
func (r *reader) end(t Tx, encoded, raw []byte) error {
	if r.err == nil && len(r.b) > 0 {
		r.fail(malformed("%d bytes follow", len(r.b)))
	}
	if r.err == nil {
		r.err = t.Check()
	}
	if r.err == nil && !bytes.Equal(encoded, raw) {
		r.fail(malformed("not its one encoding"))
	}
	return r.err
}

func (r *reader) tx() (t Tx) {
	source := r.muxed()
	if source.HasID {
		r.fail(chain.Refuse(OtherField, "a source account with an id (M…) is not signed for"))
	}
	t.Source = source.Account
	t.Fee = r.u32()
	t.Sequence = int64(r.u64())
	switch kind := r.u32(); kind {
	case noBounds:
	case timeBounds:
		t.Bounds = Bounds{Stated: true, Min: r.u64(), Max: r.u64()}
	default:
		r.fail(chain.Refuse(OtherField, "preconditions of type %d are not signed for: only time bounds", kind))
	}
	t.Memo = r.memo()
	if n := r.u32(); n != 1 {
		r.fail(chain.Refuse(OtherOperation, "%d operations: one is signed for", n))
	}
	t.Operation = r.operation(t.Source)
	r.zero("an extension of the transaction, version")
	return t
}

func (r *reader) memo() (m Memo) {
	switch m.Kind = MemoKind(r.u32()); m.Kind {
	case NoMemo:
	case MemoText:
		m.Text = string(r.opaque(maxText))
	case MemoID:
		m.ID = r.u64()
	case MemoHash, MemoReturn:
		m.Hash = [32]byte(r.take(32))
	default:
		r.fail(malformed("a memo of type %d", m.Kind))
	}
	return m
}

func (r *reader) operation(source Account) (o Operation) {
	if o.OwnSource = r.flag(); o.OwnSource {
		if own := r.muxed(); own != (Muxed{Account: source}) {
			r.fail(chain.Refuse(OtherAccount, "the operation is of %s, and the transaction of %s", own, source))
		}
	}
	o.Kind = Kind(r.u32())
	switch o.Kind {
	case CreateAccount:
		o.Destination.Account = r.account()
	case Payment:
		o.Destination = r.muxed()
		o.Asset = r.asset()
	case ChangeTrust:
		o.Asset = r.asset()
	default:
		r.fail(refuseKind(o.Kind))
	}
	o.Amount = r.amount()
	return o
}

func refuseKind(k Kind) error {
	return chain.Refuse(OtherOperation, "operation %d (%q) is not signed for", uint32(k), k)
}

func (r *reader) asset() (a Asset) {
	size := 0
	switch kind := r.u32(); kind {
	case assetNative:
		return a
	case asset4:
		size = 4
	case asset12:
		size = 12
	case assetPool:
		r.fail(chain.Refuse(OtherOperation, "shares of a liquidity pool are not signed for"))
	default:
		r.fail(malformed("an asset of type %d", kind))
	}
	a.Code = strings.TrimRight(string(r.take(size)), "\x00")
	a.Issuer = r.account()
	return a
}

func (r *reader) signatures() (list []Signature) {
	n := r.u32()
	if n > MaxSignatures {
		r.fail(malformed("%d signatures, at most %d can be there", n, MaxSignatures))
		return nil
	}
	for range n {
		list = append(list, Signature{Hint: [4]byte(r.take(4)), Bytes: r.opaque(64)})
	}
	return list
}
