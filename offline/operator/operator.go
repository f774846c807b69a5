// Package operator has what an operator signs: the approval of one batch in one
// round, as it was judged under one policy. Another batch, round, policy or
// judgement needs another approval.
//
// The signed bytes are
//
//	"coldkms operator approval v3\n" ‖ batch digest ‖ policy hash ‖ judgement ‖ round
//
// the first three 32 bytes each, the round 24; the policy hash of the built-in
// policy is zeros.
package operator

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"

	"coldkms/shared/identity"
)

// Errors of reading.
var (
	ErrFile    = errors.New("not an operator's approval")
	ErrVersion = errors.New("approval is of version 1 or 2, which does not name the ledger of its round")
	errLine    = errors.New("not an approval as a ledger has it")
)

// Operator is an enrolled person.
type Operator struct {
	Name string
	Key  identity.Public
}

// String returns name and key, as the ledger and a review have them.
func (o Operator) String() string { return fmt.Sprintf("%s %x", o.Name, o.Key[:]) }

// RoundSize is the length of a round in bytes.
const RoundSize = 24

// Terms are what an approval is about.
type Terms struct {
	Batch  [sha256.Size]byte // digest of the request
	Policy [sha256.Size]byte // hash of the policy in force; zero: the built-in one
	Judged [sha256.Size]byte // digest of what was shown of each item, and of its verdict
	Round  [RoundSize]byte   // that the signer drew for this attempt to have the batch approved
}

// Approval is one operator's yes to exactly these Terms.
type Approval struct {
	Operator identity.Public
	Terms
	Signature [ed25519.SignatureSize]byte
}

const signTag = "coldkms operator approval v3\n"

func (t Terms) message() []byte {
	return bytes.Join([][]byte{[]byte(signTag), t.Batch[:], t.Policy[:], t.Judged[:], t.Round[:]}, nil)
}

// Approve signs.
func Approve(key identity.Private, t Terms) Approval {
	return Approval{Operator: key.Public(), Terms: t, Signature: key.Sign(t.message())}
}

// Valid reports whether the operator signed this.
func (a Approval) Valid() bool { return a.Operator.Verify(a.message(), a.Signature) }

// fileMagic starts the file in which an approval is carried; its last byte is
// the version.
const (
	fileMagic   = "CKMSAPP\x03"
	fileMagicV2 = "CKMSAPP\x02"
	fileMagicV1 = "CKMSAPP\x01"
	fileSizeV2  = 216
	fileSizeV1  = 200
)

// FileSize is the length of an approval's file in bytes.
const FileSize = len(fileMagic) + ed25519.PublicKeySize + 3*sha256.Size + RoundSize + ed25519.SignatureSize

// File returns an approval as it is carried: magic, key, terms, signature.
func (a Approval) File() []byte {
	return bytes.Join([][]byte{[]byte(fileMagic), a.Operator[:], a.Batch[:], a.Policy[:], a.Judged[:], a.Round[:], a.Signature[:]}, nil)
}

// ParseFile reads what File wrote. What it gives is valid; whether the key is
// an operator's, and the terms those of a batch, is for the caller to judge.
func ParseFile(b []byte) (Approval, error) {
	if len(b) == fileSizeV1 && bytes.HasPrefix(b, []byte(fileMagicV1)) || len(b) == fileSizeV2 && bytes.HasPrefix(b, []byte(fileMagicV2)) {
		return Approval{}, ErrVersion
	}
	if len(b) != FileSize || !bytes.HasPrefix(b, []byte(fileMagic)) {
		return Approval{}, ErrFile
	}
	var a Approval
	rest := b[len(fileMagic):]
	for _, field := range [][]byte{a.Operator[:], a.Batch[:], a.Policy[:], a.Judged[:], a.Round[:], a.Signature[:]} {
		rest = rest[copy(field, rest):]
	}
	if !a.Valid() {
		return Approval{}, fmt.Errorf("%w: its signature does not fit, the file is damaged", ErrFile)
	}
	return a, nil
}

// Record returns an approval as the ledger keeps it: name, key and signature.
func (o Operator) Record(a Approval) string { return fmt.Sprintf("%s %x", o, a.Signature[:]) }

// ParseRecord reads what Record wrote, about known terms. Who can write a
// ledger could write a name, but not its signature: this is for the caller to
// check with Valid.
func ParseRecord(s string, t Terms) (Operator, Approval, error) {
	parts := strings.Split(s, " ")
	if len(parts) != 3 {
		return Operator{}, Approval{}, errLine
	}
	o, a := Operator{Name: parts[0]}, Approval{Terms: t}
	for _, f := range []struct {
		to   []byte
		text string
	}{{o.Key[:], parts[1]}, {a.Signature[:], parts[2]}} {
		b, err := hex.DecodeString(f.text)
		if err != nil || len(b) != len(f.to) {
			return Operator{}, Approval{}, errLine
		}
		copy(f.to, b)
	}
	a.Operator = o.Key
	return o, a, nil
}
