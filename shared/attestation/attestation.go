// Package attestation has what an approver signs: that one pending transaction,
// with exactly these inputs, outputs and fee, may be signed until a given
// time. A company's own approval service makes it, the relay carries it, and
// the signer compares it with what it computed itself.
//
// The signed bytes are plain text, so that any language with Ed25519 (RFC
// 8032) can make them; docs/FORMAT.md describes them, with test vectors:
//
//	coldkms approval v1
//	id 61fe7c68cf2fbc595cbb89dd
//	chain BTC
//	network testnet
//	in <txid>:<index> <value>
//	out <script in hex, or -> <value>
//	token <in hex>, memo <in hex>: only of an output that has one
//	fee <value>
//	expires <Unix seconds>
//
// Inputs and outputs are in the transaction's order, values are integers of
// the smallest unit, and each line ends in a line feed.
package attestation

import (
	"crypto/ed25519"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"math"
	"strconv"

	"coldkms/shared/chain"
	"coldkms/shared/identity"
)

// Tag is the first line of what is signed.
const Tag = "coldkms approval v1\n"

// Size is the length of a statement as it travels, in bytes.
const Size = ed25519.PublicKeySize + 8 + ed25519.SignatureSize

// Max bounds the statements about one transaction.
const Max = 16

// ErrInvalid is returned for bytes that are no statement.
var ErrInvalid = errors.New("not an approver's statement")

// Statement is an approver's word for one transaction, until it expires.
type Statement struct {
	Approver  identity.Public
	Expires   int64 // Unix seconds; valid before, not at
	Signature [ed25519.SignatureSize]byte
}

// Content is what a transaction does, ready to be signed or compared. It is
// made once for all statements about a transaction.
type Content struct{ lines []byte }

// Of describes a transaction. Only its id, chain, network, inputs, outputs and
// fee are used.
func Of(id string, f chain.Facts) Content {
	b := fmt.Appendf(nil, "%sid %s\nchain %s\nnetwork %s\n", Tag, id, f.Chain, f.Network)
	for _, in := range f.Sources {
		b = append(append(b, "in "...), in.ID...)
		b = appendAmount(b, in.Amount)
		b = appendMore(b, "token", in.Asset.Token)
	}
	for _, out := range f.Movements {
		b = append(b, "out "...)
		if len(out.Lock) == 0 {
			b = append(b, '-')
		}
		b = hex.AppendEncode(b, out.Lock)
		b = appendAmount(b, out.Amount)
		b = appendMore(b, "token", out.Asset.Token)
		b = appendMore(b, "memo", out.Memo)
	}
	return Content{appendAmount(append(b, "fee"...), f.Fee)}
}

// appendMore adds what only some sources and movements have. It stands in hex: a token or a
// memo may be any text.
func appendMore(b []byte, what, text string) []byte {
	if text == "" {
		return b
	}
	return append(hex.AppendEncode(append(append(b, what...), ' '), []byte(text)), '\n')
}

func appendAmount(b []byte, v chain.Amount) []byte {
	return append(append(append(b, ' '), v.String()...), '\n')
}

// Message returns the bytes that are signed.
func (c Content) Message(expires int64) []byte {
	b := append(make([]byte, 0, len(c.lines)+32), c.lines...)
	return append(strconv.AppendInt(append(b, "expires "...), expires, 10), '\n')
}

// Sign vouches for a transaction.
func (c Content) Sign(approver identity.Private, expires int64) Statement {
	return Statement{Approver: approver.Public(), Expires: expires, Signature: approver.Sign(c.Message(expires))}
}

// Verify reports whether a statement is about exactly this transaction. Whose it
// is, and whether it has expired, is for the caller to judge.
func (c Content) Verify(s Statement) bool {
	return s.Expires > 0 && s.Approver.Verify(c.Message(s.Expires), s.Signature)
}

// Bytes returns a statement as it travels: key, expiry (big endian), signature.
func (s Statement) Bytes() []byte {
	b := append(make([]byte, 0, Size), s.Approver[:]...)
	b = binary.BigEndian.AppendUint64(b, uint64(s.Expires))
	return append(b, s.Signature[:]...)
}

// Parse reads what Bytes wrote.
func Parse(b []byte) (Statement, error) {
	if len(b) != Size {
		return Statement{}, fmt.Errorf("%w: %d bytes, not %d", ErrInvalid, len(b), Size)
	}
	expires := binary.BigEndian.Uint64(b[ed25519.PublicKeySize:])
	if expires == 0 || expires > math.MaxInt64 {
		return Statement{}, fmt.Errorf("%w: it expires at %d", ErrInvalid, expires)
	}
	return Statement{
		Approver: identity.Public(b), Expires: int64(expires),
		Signature: [ed25519.SignatureSize]byte(b[ed25519.PublicKeySize+8:]),
	}, nil
}
