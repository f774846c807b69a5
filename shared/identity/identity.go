// Package identity has the Ed25519 keys by which the two machines know each
// other, and the fingerprints that a person compares on both screens.
package identity

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/tyler-smith/go-bip39/wordlists"
)

// Public is one machine's public key (RFC 8032).
type Public [ed25519.PublicKeySize]byte

// Private signs bundles for one machine.
type Private struct{ key ed25519.PrivateKey }

// SeedSize is the length of the secret in bytes.
const SeedSize = ed25519.SeedSize

// New makes a key from 32 bytes of r.
func New(r io.Reader) (Private, error) {
	seed := make([]byte, SeedSize)
	if _, err := io.ReadFull(r, seed); err != nil {
		return Private{}, fmt.Errorf("identity: randomness: %w", err)
	}
	return FromSeed(seed)
}

// FromSeed returns the key of a 32-byte seed.
func FromSeed(seed []byte) (Private, error) {
	if len(seed) != SeedSize {
		return Private{}, fmt.Errorf("identity: seed of %d bytes, want %d", len(seed), SeedSize)
	}
	return Private{ed25519.NewKeyFromSeed(seed)}, nil
}

// Seed returns the secret, to be stored.
func (p Private) Seed() []byte { return p.key.Seed() }

// Public returns the public half.
func (p Private) Public() Public { return Public(p.key.Public().(ed25519.PublicKey)) }

// Sign signs a message.
func (p Private) Sign(message []byte) [ed25519.SignatureSize]byte {
	return [ed25519.SignatureSize]byte(ed25519.Sign(p.key, message))
}

// Verify checks a signature. Under a key that Check refuses none is valid.
func (p Public) Verify(message []byte, sig [ed25519.SignatureSize]byte) bool {
	return p.Check() == nil && ed25519.Verify(p[:], message, sig[:])
}

const (
	fingerprintTag   = "coldkms fingerprint v1\n"
	fingerprintBytes = 11 // 88 bits: eight words of eleven
)

func (p Public) short() []byte {
	sum := sha256.Sum256(append([]byte(fingerprintTag), p[:]...))
	return sum[:fingerprintBytes]
}

// Fingerprint is 88 bits of the key's SHA-256 in hex.
func (p Public) Fingerprint() string { return hex.EncodeToString(p.short()) }

// Words are the same 88 bits as eight words of the BIP 39 English list, to
// be read aloud.
func (p Public) Words() string { return Words(p.short()) }

// Words writes the first 88 bits of a hash as eight words of the BIP 39
// English list. A hash that is shorter has no words.
func Words(hash []byte) string {
	if len(hash) < fingerprintBytes {
		return ""
	}
	var words []string
	var bits, have uint
	for _, b := range hash[:fingerprintBytes] {
		bits, have = bits<<8|uint(b), have+8
		if have >= 11 {
			have -= 11
			words = append(words, wordlists.English[bits>>have&0x7ff])
		}
	}
	return strings.Join(words, " ")
}

// fileMagic starts the file in which a relay hands over its public key.
const fileMagic = "CKMSID\x00\x01"

// FileSize is the length of a public identity file in bytes.
const FileSize = len(fileMagic) + ed25519.PublicKeySize + ed25519.SignatureSize

// ErrFile is returned for bytes that are not a public identity file.
var ErrFile = errors.New("not a relay's identity file")

// File returns the public identity file: magic, key, and the key's signature
// over both, which shows that whoever wrote it holds the key and that no bit
// changed on the way.
func (p Private) File() []byte {
	pub := p.Public()
	b := append([]byte(fileMagic), pub[:]...)
	sig := p.Sign(b)
	return append(b, sig[:]...)
}

// ParseFile reads what File wrote.
func ParseFile(b []byte) (Public, error) {
	if len(b) != FileSize || !bytes.HasPrefix(b, []byte(fileMagic)) {
		return Public{}, ErrFile
	}
	body := b[:len(b)-ed25519.SignatureSize]
	pub := Public(body[len(fileMagic):])
	if err := pub.Check(); err != nil {
		return Public{}, fmt.Errorf("%w: %w", ErrFile, err)
	}
	if !pub.Verify(body, [ed25519.SignatureSize]byte(b[len(body):])) {
		return Public{}, fmt.Errorf("%w: its signature does not fit, the file is damaged", ErrFile)
	}
	return pub, nil
}
