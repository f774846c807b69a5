package algo

import (
	"bytes"
	"crypto/sha512"
	"math/big"
	"time"

	"coldkms/shared/chain"
)

// Kind is what a transaction does. Its zero value is nothing.
type Kind uint8

// The kinds that are signed for.
const (
	UnknownKind   Kind = iota
	Pay                // ALGO
	AssetTransfer      // an asset; nothing to oneself is the consent to hold it
)

// Types of transactions, as they stand in them.
const (
	typePay   = "pay"
	typeAsset = "axfer"
)

// String returns the type of a transaction of the kind.
func (k Kind) String() string {
	switch k {
	case Pay:
		return typePay
	case AssetTransfer:
		return typeAsset
	}
	return "unknown"
}

func kindOf(text string) Kind {
	switch text {
	case typePay:
		return Pay
	case typeAsset:
		return AssetTransfer
	}
	return UnknownKind
}

// Tx is a transaction without its signature.
type Tx struct {
	Kind     Kind
	Sender   Address
	Receiver Address
	Amount   chain.Amount // µALGO, or the asset's base units: below 2^64
	Asset    uint64       // id; 0 for Pay
	Fee      chain.Amount // µALGO: below 2^64
	First    uint64       // round from which it can be paid
	Last     uint64       // round up to which it can be paid
	Genesis  Genesis      // the name may be ""
	Note     []byte
	Lease    [32]byte // while it is paid and the window lasts, no other of the sender with this lease is; zero for none
}

// HasLease reports whether the transaction has a lease.
func (t Tx) HasLease() bool { return t.Lease != [32]byte{} }

// IsOptIn reports whether the transaction does nothing but agree to hold an
// asset, which locks 0.1 ALGO of the account.
func (t Tx) IsOptIn() bool {
	return t.Kind == AssetTransfer && t.Amount.IsZero() && t.Sender == t.Receiver
}

// small returns an amount as a number; Check and Decode bound it.
func small(a chain.Amount) uint64 { return a.Big().Uint64() }

// zeroless returns nil for bytes that are all zero, which are left out.
func zeroless(b []byte) []byte {
	if len(bytes.Trim(b, "\x00")) == 0 {
		return nil
	}
	return b
}

// fields returns the fields in order, those of zero value too.
func (t Tx) fields() []field {
	common := []field{
		number("fee", small(t.Fee)), number("fv", t.First), textOf("gen", t.Genesis.ID), binaryOf("gh", t.Genesis.Hash[:]),
		number("lv", t.Last), binaryOf("lx", zeroless(t.Lease[:])), binaryOf("note", t.Note),
	}
	if t.Kind == Pay {
		list := append([]field{number("amt", small(t.Amount))}, common...)
		return append(list, binaryOf("rcv", zeroless(t.Receiver[:])), binaryOf("snd", zeroless(t.Sender[:])), textOf("type", typePay))
	}
	list := append([]field{number("aamt", small(t.Amount)), binaryOf("arcv", zeroless(t.Receiver[:]))}, common...)
	return append(list, binaryOf("snd", zeroless(t.Sender[:])), textOf("type", t.Kind.String()), number("xaid", t.Asset))
}

// Encode returns the transaction in canonical MessagePack. Decode is its
// inverse.
func (t Tx) Encode() []byte { return appendMap(nil, t.fields()) }

// tag stands before a transaction where it is signed or hashed, and before
// nothing else.
const tag = "TX"

// SigningBytes returns what is signed: "TX" and Encode.
func (t Tx) SigningBytes() []byte { return append([]byte(tag), t.Encode()...) }

// TxID returns the transaction id: the SHA-512/256 of SigningBytes in base32.
func (t Tx) TxID() string {
	h := sha512.Sum512_256(t.SigningBytes())
	return encoding().EncodeToString(h[:])
}

// Signature is Ed25519's.
type Signature [64]byte

// Signed returns the signed transaction as the network takes it. DecodeSigned
// is its inverse.
func (t Tx) Signed(s Signature) []byte { return append(t.signedHead(s), t.Encode()...) }

// signedHead returns what stands before the transaction: a map of sig and txn,
// up to the value of txn.
func (t Tx) signedHead(s Signature) []byte {
	head := appendMap(nil, []field{binaryOf("sig", s[:])})
	head[0]++ // one field more
	return appendText(head, "txn")
}

// MaxRaw bounds what is decoded.
const MaxRaw = 4 << 10

// Decode reads what Encode returns, and nothing else. It refuses by name what
// moves more than is shown. Networks and rounds are judged by Check.
func Decode(b []byte) (Tx, error) {
	if len(b) > MaxRaw {
		return Tx{}, chain.Refuse(chain.TooLarge, "a transaction of %d bytes, at most %d are read", len(b), MaxRaw)
	}
	fields, rest, err := readMap(b)
	switch {
	case err != nil:
		return Tx{}, malformed("transaction: %v", err)
	case len(rest) > 0:
		return Tx{}, malformed("transaction: something follows it")
	}
	t, err := readTx(fields)
	if err != nil {
		return Tx{}, err
	}
	if !bytes.Equal(t.Encode(), b) {
		return Tx{}, malformed("not the one encoding of a transaction")
	}
	return t, nil
}

// DecodeSigned reads what Tx.Signed returns, and nothing else: a signature of
// the sender itself. Whose it is, is not looked at.
func DecodeSigned(b []byte) (t Tx, s Signature, err error) {
	at := len(t.signedHead(s))
	if len(b) < at {
		return Tx{}, s, malformed("signed transaction: %v", errShort)
	}
	if t, err = Decode(b[at:]); err != nil {
		return Tx{}, s, err
	}
	const sigAt = len("\x82\xa3sig\xc4\x40")
	copy(s[:], b[sigAt:])
	if !bytes.Equal(t.Signed(s), b) {
		return Tx{}, s, malformed("not the one encoding of a signed transaction")
	}
	return t, s, nil
}

// refusedField returns the reason why a transaction with a field is refused,
// whatever it holds; nil for other fields.
func refusedField(name string) error {
	switch name {
	case "close", "aclose":
		return chain.Refuse(CloseTo, "%s: all that the account holds leaves it", name)
	case "rekey":
		return chain.Refuse(Rekey, "rekey: the account goes to another key")
	case "asnd":
		return chain.Refuse(Clawback, "asnd: it takes the asset out of another account (clawback)")
	case "grp":
		return chain.Refuse(Group, "grp: it is part of a group whose other transactions are not shown")
	}
	return nil
}

// readTx reads the fields of a transaction.
func readTx(fields []field) (t Tx, err error) {
	for _, f := range fields {
		if err := refusedField(f.name); err != nil {
			return Tx{}, err
		}
		if f.name == "type" && f.kind == textValue {
			t.Kind = kindOf(string(f.bytes))
		}
	}
	for _, f := range fields {
		if err := t.read(f); err != nil {
			return Tx{}, err
		}
	}
	if t.Kind == UnknownKind {
		return Tx{}, malformed("the transaction has no type")
	}
	return t, nil
}

// read reads one field into t.
func (t *Tx) read(f field) error {
	var n *uint64
	var amount *chain.Amount
	var b []byte
	kind := numberValue
	switch asset := t.Kind == AssetTransfer; {
	case f.name == "type" && t.Kind == UnknownKind:
		return chain.Refuse(OtherType, "transactions of type %.20q are not signed for", f.bytes)
	case f.name == "type":
		kind = textValue
	case f.name == "gen":
		kind, t.Genesis.ID = textValue, string(f.bytes)
	case f.name == "note":
		kind, t.Note = binaryValue, f.bytes
	case f.name == "amt" && !asset, f.name == "aamt" && asset:
		amount = &t.Amount
	case f.name == "fee":
		amount = &t.Fee
	case f.name == "fv":
		n = &t.First
	case f.name == "lv":
		n = &t.Last
	case f.name == "xaid" && asset:
		n = &t.Asset
	case f.name == "rcv" && !asset, f.name == "arcv" && asset:
		kind, b = binaryValue, t.Receiver[:]
	case f.name == "snd":
		kind, b = binaryValue, t.Sender[:]
	case f.name == "gh":
		kind, b = binaryValue, t.Genesis.Hash[:]
	case f.name == "lx":
		kind, b = binaryValue, t.Lease[:]
	default:
		return malformed("field %.40q is not one that is signed for", f.name)
	}
	if f.kind != kind || b != nil && len(f.bytes) != len(b) {
		return malformed("field %s: %v", f.name, errType)
	}
	copy(b, f.bytes)
	switch {
	case n != nil:
		*n = f.number
	case amount != nil:
		*amount = chain.NewAmount(f.number)
	}
	return nil
}

// maxWord is 2^64-1.
func maxWord() chain.Amount { return chain.NewAmount(^uint64(0)) }

// Check refuses a transaction that is not of the network, that it can never
// take, or that no caller means. Which round it is now is not looked at.
func (t Tx) Check(network chain.Network) error {
	g, ok := GenesisOf(network)
	switch {
	case t.Kind != Pay && t.Kind != AssetTransfer:
		return chain.Refuse(OtherType, "transactions of type %s are not signed for", t.Kind)
	case !ok, t.Genesis.Hash != g.Hash:
		return chain.Refuse(chain.WrongNetwork, "the genesis hash is not that of %s", network)
	case t.Genesis.ID != "" && t.Genesis.ID != g.ID:
		return chain.Refuse(GenesisMismatch, "the genesis hash is of %s, and the genesis id is %.40q", g.ID, t.Genesis.ID)
	case t.Sender.IsZero(), t.Receiver.IsZero():
		return chain.Refuse(ZeroAddress, "it pays from or to the zero address")
	case t.Kind == Pay && t.Asset != 0, t.Kind == AssetTransfer && t.Asset == 0:
		return malformed("type %s with asset %d", t.Kind, t.Asset)
	case t.Amount.Cmp(maxWord()) > 0:
		return chain.Refuse(chain.ValueOutOfRange, "an amount of 2^64 or more")
	case len(t.Note) > MaxNote:
		return chain.Refuse(chain.TooLarge, "a note of %d bytes, at most %d are taken", len(t.Note), MaxNote)
	case t.Fee.Cmp(chain.NewAmount(MinFee)) < 0:
		return chain.Refuse(FeeRange, "a fee of %s µALGO, at least %d is taken", t.Fee, MinFee)
	case t.Fee.Cmp(chain.NewAmount(maxFee)) > 0:
		return chain.Refuse(FeeRange, "a fee of %s µALGO, at most %d is ever signed", t.Fee, maxFee)
	}
	return t.checkWindow()
}

func (t Tx) checkWindow() error {
	switch {
	case t.First == 0, t.Last < t.First:
		return chain.Refuse(WindowRange, "valid from round %d to round %d: never", t.First, t.Last)
	case t.Last-t.First > MaxWindow:
		return chain.Refuse(WindowRange, "valid for %d rounds, the network takes at most %d", t.Last-t.First, MaxWindow)
	}
	return nil
}

// MaxSpent returns the most µALGO that the transaction takes from the account:
// fee, and amount if it pays ALGO.
func (t Tx) MaxSpent() chain.Amount {
	if t.Kind == Pay {
		return t.Fee.Plus(t.Amount)
	}
	return t.Fee
}

// RoundsLeft returns how many rounds there are in which the transaction can
// still be paid, if the latest that there is is round; 0 or less once it has
// expired. The round is a claim of whoever looked.
func (t Tx) RoundsLeft(round uint64) int64 {
	left := new(big.Int).Sub(new(big.Int).SetUint64(t.Last), new(big.Int).SetUint64(round))
	if !left.IsInt64() {
		return 0 // no network has such rounds
	}
	return left.Int64()
}

// Left returns about how long the transaction can still be paid.
func (t Tx) Left(round uint64) time.Duration {
	const most = int64(1<<63-1) / int64(RoundTime)
	return time.Duration(max(min(t.RoundsLeft(round), most), -most)) * RoundTime
}

// CheckRound refuses a transaction that has expired, or has fewer than margin
// rounds left.
func (t Tx) CheckRound(round, margin uint64) error {
	left := t.RoundsLeft(round)
	switch {
	case left <= 0:
		return chain.Refuse(Expired, "valid to round %d, and it is round %d: it must be made anew", t.Last, round)
	case uint64(left) < margin:
		return chain.Refuse(Expired, "%d rounds are left, and %d are needed to send it: it must be made anew", left, margin)
	}
	return nil
}

// CheckReissued refuses a transaction that differs from the form before in more
// than its rounds, and one whose rounds do not begin after those of the form
// before: as long as both can be paid, both may be. That the form before was
// not paid is for somebody else to see.
func (t Tx) CheckReissued(before Tx) error {
	bare := func(t Tx) []byte {
		t.First, t.Last = 0, 0
		return t.Encode()
	}
	switch {
	case !bytes.Equal(bare(t), bare(before)):
		return chain.Refuse(chain.ContentChanged, "more than the rounds differs from the form before")
	case t.First <= before.Last:
		return chain.Refuse(WindowOverlap, "valid from round %d, and the form before can be paid up to round %d", t.First, before.Last)
	}
	return t.checkWindow()
}
